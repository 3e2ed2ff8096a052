#include "native/lane.h"

#include <algorithm>
#include <cstring>

#include "native/kernels/arithmetic.h"
#include "native/kernels/fp32.h"
#include "native/kernels/passes.h"
#include "native/lane_work.h"

namespace rootstock {

Lane::Lane(const NativeModel::Parts& model, int threads)
    : model_(model),
      threads_(threads),
      width_(static_cast<std::size_t>(model.spec.width)),
      query_width_(static_cast<std::size_t>(model.spec.query_width())),
      key_value_width_(static_cast<std::size_t>(model.spec.key_value_width())),
      qkv_width_(query_width_ + 2 * key_value_width_),
      element_(model.element()),
      runner_(threads),
      scratch_(static_cast<std::size_t>(threads)),
      pieces_(static_cast<std::size_t>(threads)),
      rotary_(static_cast<std::size_t>(threads) + 1, RotaryTable(model.spec.rotary)) {
    for (int i = 0; i < threads; ++i) attention_.emplace_back(model.attention(), element_);
}

void Lane::run(const Task& task, std::span<const int> rows) {
    const bool decodes = task.cache && task.want != Want::cross_memory && model_.has_two_stacks();
    stack_ = decodes ? &model_.decoder : &model_.encoder;
    lay_out(task, rows);
    cover_positions();
    embed(task);
    const auto kept = keep(task);
    for (std::size_t i = 0; i < stack_->layers.size(); ++i)
        layer(task, i, i + 1 == stack_->layers.size() ? kept : Keep::all);
    finish();
    deliver(task, rows);
}

Lane::Keep Lane::keep(const Task& task) const {
    if (task.want == Want::next_logits) return Keep::last;
    if (task.want != Want::logits || model_.spec.head.distillation) return Keep::all;
    return model_.spec.pooling == Pooling::last ? Keep::last : Keep::first;
}

void Lane::lay_out(const Task& task, std::span<const int> rows) {
    row_offsets_.assign(1, 0);
    batch_tokens_.clear();
    sequences_.clear();
    past_.clear();
    segments_.clear();
    for (const int row : rows) {
        const auto index = static_cast<std::size_t>(row);
        const auto* adapter = task.adapters.empty() || !task.adapters[index] ? nullptr : &task.adapters[index]->parts();
        const int place = static_cast<int>(batch_tokens_.size()), begin = row_offsets_.back();
        const int end = begin + static_cast<int>(task.batch.row_length(index));
        row_offsets_.push_back(end);
        batch_tokens_.push_back(task.batch.row_offsets[index]);
        sequences_.push_back(task.cache ? task.sequences[index] : -1);
        past_.push_back(task.cache ? task.cache->sequences[static_cast<std::size_t>(sequences_.back())].length : 0);
        if (segments_.empty() || segments_.back().adapter != adapter)
            segments_.push_back({adapter, place, place + 1, begin, end});
        else
            segments_.back().row_end = place + 1, segments_.back().end = end;
    }
    reserve(row_offsets_.back());
}

void Lane::reserve(int tokens) {
    tokens_ = tokens;
    const auto rows = static_cast<std::size_t>(rounded_rows(tokens)), number = size_of(element_);
    const auto inner = static_cast<std::size_t>(model_.spec.inner);
    state_ = state_memory_.get<float>(rows * width_);
    const bool same = element_ == Element::fp32 && model_.spec.norm_place == NormPlace::after;
    input_ = same ? state_ : input_memory_.bytes(rows * width_ * number);
    qkv_ = qkv_memory_.bytes(rows * qkv_width_ * number);
    context_ = context_memory_.bytes(rows * query_width_ * number);
    update_ = update_memory_.get<float>(rows * width_);
    inner_ = inner_memory_.bytes(rows * inner * number);
    if (model_.spec.mlp == Mlp::gated) gate_ = gate_memory_.bytes(rows * inner * number);
}

// Tables that depend on the longest row: angles of rotary positions, and relative biases by distance.
void Lane::cover_positions() {
    int longest = 0;
    for (std::size_t row = 0; row < rows(); ++row) longest = std::max(longest, past_[row] + count(row));
    const auto& spec = model_.spec;
    if (spec.positions == Positions::rotary) {
        const bool dynamic = spec.rotary.scaling == RotaryScaling::dynamic;
        rotary_.front().cover(dynamic ? std::min(longest, spec.rotary.original) : longest);
    }
    if (spec.positions != Positions::relative_buckets || (bias_of_ == stack_ && longest <= bias_zero_)) return;
    bias_of_ = stack_;
    bias_zero_ = round_up(longest, 64);
    const auto heads = static_cast<std::size_t>(spec.heads), span = static_cast<std::size_t>(2 * bias_zero_ + 1);
    bias_lines_.resize(heads * span);
    for (int distance = -bias_zero_; distance <= bias_zero_; ++distance) {
        const auto bucket = static_cast<std::size_t>(relative_bucket(spec.relative, distance, !stack_->causal));
        for (std::size_t head = 0; head < heads; ++head)
            bias_lines_[head * span + static_cast<std::size_t>(distance + bias_zero_)] =
                stack_->relative[bucket * heads + head];
    }
}

void Lane::add_norm(const NormWeights& norm, bool with_update) {
    const auto eps = static_cast<float>(model_.spec.norm_eps);
    parallel_tokens([&](int t, int) {
        const auto* update = with_update ? update_ + static_cast<std::size_t>(t) * width_ : nullptr;
        fp32::add_norm(state(t), update, norm.weight, norm.bias, model_.spec.width, eps);
        if (element_ == Element::bf16) Bf16Ops::from_floats(state(t), width_, input_bf16(t));
    });
}

// state += update; input = norm(state), or the state itself where the layer has no such norm
void Lane::norm_to_input(const NormWeights& norm, bool with_update) {
    const auto eps = static_cast<float>(model_.spec.norm_eps);
    const int width = model_.spec.width;
    parallel_tokens([&](int t, int thread) {
        if (with_update)
            fp32::sum_rows(state(t), update_ + static_cast<std::size_t>(t) * width_, nullptr, width, state(t));
        const bool bf16 = element_ == Element::bf16;
        auto* out = bf16 ? scratch_[static_cast<std::size_t>(thread)].get<float>(width_)
                         : static_cast<float*>(input_) + static_cast<std::size_t>(t) * width_;
        if (norm.bias)
            passes::layer_norm(state(t), norm.weight, norm.bias, width, eps, out);
        else if (norm.weight)
            passes::rms_norm(state(t), norm.weight, width, eps, out);
        else
            std::memcpy(out, state(t), width_ * sizeof(float));
        if (bf16) Bf16Ops::from_floats(out, width_, input_bf16(t));
    });
}

void Lane::layer(const Task& task, std::size_t index, Keep kept) {
    const auto& weights = stack_->layers[index];
    const auto of = [&](LowRank LayerUpdates::*map) { return update_of(*stack_, model_, index, map); };
    const bool before = model_.spec.norm_place == NormPlace::before;
    if (before) norm_to_input(weights.attention_norm, index > 0);
    linear(weights.qkv, input_, qkv_, of(&LayerUpdates::qkv));
    attend(task, weights, index, kept);
    if (kept != Keep::all) keep_tokens(kept);
    mix_heads(weights, index);
    if (stack_ == &model_.decoder) {
        norm_to_input(weights.cross_norm, true);
        linear(weights.cross_query, input_, qkv_, of(&LayerUpdates::cross_query));
        attend_cross(task, index);
        linear(weights.cross_output, context_, update_, of(&LayerUpdates::cross_output));
    }
    if (before)
        norm_to_input(weights.output_norm, true);
    else
        add_norm(weights.attention_norm, true);
    mlp(weights, index);
    if (!before) add_norm(weights.output_norm, true);
}

// What the heads found as an update: through a map, or as it is.
void Lane::mix_heads(const LayerWeights& weights, std::size_t index) {
    if (model_.spec.attention_output)
        return linear(weights.attention_output, context_, update_,
                      update_of(*stack_, model_, index, &LayerUpdates::attention_output));
    parallel_tokens([&](int t, int) {
        const auto* from = numbers(context_, static_cast<std::size_t>(t), query_width_);
        auto* to = update_ + static_cast<std::size_t>(t) * width_;
        if (element_ == Element::bf16)
            passes::to_floats(reinterpret_cast<const std::uint16_t*>(from), width_, to);
        else
            std::memcpy(to, from, width_ * sizeof(float));
    });
}

void Lane::mlp(const LayerWeights& weights, std::size_t index) {
    const auto of = [&](LowRank LayerUpdates::*map) { return update_of(*stack_, model_, index, map); };
    linear(weights.inner, input_, inner_, of(&LayerUpdates::inner));
    if (model_.spec.mlp == Mlp::gated) {
        linear(weights.gate, input_, gate_, of(&LayerUpdates::gate));
        const auto inner = static_cast<std::size_t>(model_.spec.inner);
        parallel_tokens([&](int t, int) {
            auto* up = numbers(inner_, static_cast<std::size_t>(t), inner);
            const auto* gate = numbers(gate_, static_cast<std::size_t>(t), inner);
            if (element_ == Element::bf16)
                passes::multiply(reinterpret_cast<std::uint16_t*>(up), reinterpret_cast<const std::uint16_t*>(gate),
                                 inner);
            else
                passes::multiply(reinterpret_cast<float*>(up), reinterpret_cast<const float*>(gate), inner);
        });
    }
    linear(weights.output, inner_, update_, of(&LayerUpdates::output));
}

// What the last layer left to add, and the final norm. Afterwards state_ is the result, and input_ the same for
// products.
void Lane::finish() {
    const auto& norm = stack_->final_norm;
    if (model_.spec.norm_place == NormPlace::after) return;
    const auto eps = static_cast<float>(model_.spec.norm_eps);
    const int width = model_.spec.width;
    input_ = element_ == Element::fp32 ? state_ : input_;
    parallel_tokens([&](int t, int) {
        fp32::sum_rows(state(t), update_ + static_cast<std::size_t>(t) * width_, nullptr, width, state(t));
        if (norm.bias)
            passes::layer_norm(state(t), norm.weight, norm.bias, width, eps, state(t));
        else if (norm.weight)
            passes::rms_norm(state(t), norm.weight, width, eps, state(t));
        if (element_ == Element::bf16) Bf16Ops::from_floats(state(t), width_, input_bf16(t));
    });
}

// Turns queries and keys of every token, in place. A row longer than the model's own length may have angles of its own.
void Lane::rotate() {
    const auto& rotary = model_.spec.rotary;
    const auto heads = static_cast<std::size_t>(model_.spec.heads + model_.spec.key_value_heads),
               step = static_cast<std::size_t>(model_.spec.head_width);
    parallel(static_cast<int>(rows()), [&](int item, int thread) {
        const auto row = static_cast<std::size_t>(item);
        const int tokens = past_[row] + count(row);
        auto* table = &rotary_.front();
        if (rotary.scaling == RotaryScaling::dynamic && tokens > rotary.original) {
            table = &rotary_[static_cast<std::size_t>(thread) + 1];
            table->cover(tokens);
        }
        for (int t = 0; t < count(row); ++t) {
            auto* line = numbers(qkv_, static_cast<std::size_t>(begin(row) + t), qkv_width_);
            const auto *cosines = table->cosines(past_[row] + t), *sines = table->sines(past_[row] + t);
            for (std::size_t head = 0; head < heads; ++head)
                if (element_ == Element::bf16)
                    passes::rotate(reinterpret_cast<std::uint16_t*>(line) + head * step, cosines, sines,
                                   table->pairs());
                else
                    passes::rotate(reinterpret_cast<float*>(line) + head * step, cosines, sines, table->pairs());
        }
    });
}

void Lane::store_keys(const Task& task, std::size_t index) {
    parallel(static_cast<int>(rows()), [&](int item, int) {
        const auto row = static_cast<std::size_t>(item);
        const auto& sequence = task.cache->sequences[static_cast<std::size_t>(sequences_[row])];
        for (int t = 0; t < count(row); ++t) {
            const auto* keys =
                numbers(qkv_, static_cast<std::size_t>(begin(row) + t), qkv_width_) + query_width_ * size_of(element_);
            task.cache->store(sequence, index, past_[row] + t, keys, keys + key_value_width_ * size_of(element_));
        }
    });
}

// Every (row, head) is work of its own; a lane with one thread takes whole rows.
void Lane::attend(const Task& task, const LayerWeights& weights, std::size_t index, Keep kept) {
    if (model_.spec.positions == Positions::rotary) rotate();
    if (task.cache && task.want != Want::cross_memory) store_keys(task, index);
    const int heads = model_.spec.key_value_heads;
    const int pieces = threads_ == 1 ? 1 : std::min(heads, std::max(1, 4 * threads_ / static_cast<int>(rows())));
    parallel(static_cast<int>(rows()) * pieces, [&](int item, int thread) {
        const auto row = static_cast<std::size_t>(item / pieces);
        const int piece = item % pieces, skipped = kept == Keep::last ? count(row) - 1 : 0;
        const auto out_token = kept == Keep::all ? static_cast<std::size_t>(begin(row)) : row;
        Sight sight{stack_->causal, weights.window, past_[row] + skipped};
        if (!stack_->relative.empty())
            sight.bias = bias_lines_.data(), sight.bias_zero = bias_zero_,
            sight.bias_stride = static_cast<std::size_t>(2 * bias_zero_ + 1);
        const Queries queries{numbers(qkv_, static_cast<std::size_t>(begin(row) + skipped), qkv_width_), qkv_width_,
                              kept == Keep::all ? count(row) : 1, numbers(context_, out_token, query_width_)};
        attend_row(task, row, index, sight, queries, heads * piece / pieces, heads * (piece + 1) / pieces, thread);
    });
}

void Lane::attend_row(const Task& task, std::size_t row, std::size_t index, const Sight& sight, Queries queries,
                      int head_begin, int head_end, int thread) {
    auto& attention = attention_[static_cast<std::size_t>(thread)];
    if (!task.cache || task.want == Want::cross_memory) {
        const auto* keys =
            numbers(qkv_, static_cast<std::size_t>(begin(row)), qkv_width_) + query_width_ * size_of(element_);
        attention.run(queries, keys, keys + key_value_width_ * size_of(element_), qkv_width_, count(row), sight,
                      head_begin, head_end);
        return;
    }
    auto& pieces = pieces_[static_cast<std::size_t>(thread)];
    task.cache->pieces(task.cache->sequences[static_cast<std::size_t>(sequences_[row])], index, past_[row] + count(row),
                       pieces);
    attention.run(queries, pieces, sight, head_begin, head_end);
}

// Queries of the decoder's tokens, [tokens, query_width], over what the encoder left.
void Lane::attend_cross(const Task& task, std::size_t index) {
    const bool one_each = tokens_ == static_cast<int>(rows());
    parallel(static_cast<int>(rows()), [&](int item, int thread) {
        const auto row = static_cast<std::size_t>(item);
        const auto& sequence = task.cache->sequences[static_cast<std::size_t>(sequences_[row])];
        const auto first = one_each ? row : static_cast<std::size_t>(begin(row));
        const Queries queries{numbers(qkv_, first, query_width_), query_width_, one_each ? 1 : count(row),
                              numbers(context_, first, query_width_)};
        const auto piece = sequence.cross->piece(index);
        attention_[static_cast<std::size_t>(thread)].run(queries, {&piece, 1}, Sight{}, 0, model_.spec.key_value_heads);
    });
}

// From here on the pass has one token per row: nothing else of the last layer reaches the head.
void Lane::keep_tokens(Keep kept) {
    const int count_rows = static_cast<int>(rows());
    for (int row = 0; row < count_rows; ++row) {
        const auto place = static_cast<std::size_t>(row);
        const int token = begin(place) + (kept == Keep::last ? count(place) - 1 : 0);
        if (token != row) std::memcpy(state(row), state(token), width_ * sizeof(float));
    }
    for (auto& segment : segments_) segment.begin = segment.row_begin, segment.end = segment.row_end;
    tokens_ = count_rows;
}

}  // namespace rootstock
