#include "native/lane.h"

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "native/kernels/arithmetic.h"
#include "native/kernels/fp32.h"
#include "native/kernels/passes.h"

namespace rootstock {

namespace {

constexpr int kLowRankRows = 32;  // of one adapter, given to one thread at a time

// The update of one map of a layer, for whichever adapter.
auto update_of(const StackWeights& stack, const NativeModel::Parts& model, std::size_t layer,
               LowRank LayerUpdates::*map) {
    const bool decoder = &stack == &model.decoder;
    return [decoder, layer, map](const NativeAdapter::Parts& adapter) -> const LowRank& {
        return (decoder ? adapter.decoder_layers : adapter.layers)[layer].*map;
    };
}

}  // namespace

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

template <typename Work>
void Lane::parallel(int items, const Work& work) {
    if (threads_ == 1 || items == 1) {
        for (int item = 0; item < items; ++item) work(item, 0);
        return;
    }
#pragma omp parallel for schedule(static) num_threads(threads_)
    for (int item = 0; item < items; ++item) work(item, omp_get_thread_num());
}

// Calls work(token, thread) for every token.
template <typename Work>
void Lane::parallel_tokens(const Work& work) {
    constexpr int kTokensAtOnce = 16;
    parallel((tokens_ + kTokensAtOnce - 1) / kTokensAtOnce, [&](int block, int thread) {
        const int begin = block * kTokensAtOnce, end = std::min(begin + kTokensAtOnce, tokens_);
        for (int t = begin; t < end; ++t) work(t, thread);
    });
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

void Lane::embed_token(std::int32_t id, std::int32_t type, int position, int token, float* scratch) {
    const auto& spec = model_.spec;
    const auto* types = spec.types > 0 ? model_.types.row(type, scratch) : nullptr;
    const auto* word = model_.tokens.row(id, scratch + width_);
    if (spec.positions != Positions::learned) {
        std::memcpy(state(token), word, width_ * sizeof(float));
        if (types) fp32::sum_rows(state(token), types, nullptr, spec.width, state(token));
        return;
    }
    const auto* place = model_.positions.row(position + spec.position_offset, scratch + 2 * width_);
    fp32::sum_rows(word, place, types, spec.width, state(token));
}

void Lane::embed(const Task& task) {
    if (task.pixels)
        embed_images(task);
    else
        parallel(static_cast<int>(rows()), [&](int item, int thread) {
            auto* scratch = scratch_[static_cast<std::size_t>(thread)].get<float>(3 * width_);
            const auto row = static_cast<std::size_t>(item);
            for (int t = 0; t < count(row); ++t) {
                const auto source = static_cast<std::size_t>(batch_tokens_[row] + t);
                embed_token(task.batch.ids[source], task.batch.type_ids[source], past_[row] + t, begin(row) + t,
                            scratch);
            }
        });
    if (model_.embed_norm.weight) add_norm(model_.embed_norm, false);
}

// Each patch is a row of channels, lines and columns; all patches go through one product, behind the special tokens.
void Lane::embed_images(const Task& task) {
    const auto& spec = model_.spec;
    const auto& patches = spec.patches;
    const auto numbers = static_cast<std::size_t>(patches.numbers()), side = static_cast<std::size_t>(patches.patch);
    const auto image = static_cast<std::size_t>(patches.image), across = static_cast<std::size_t>(patches.per_side());
    const int each = patches.count(), all = each * static_cast<int>(rows());
    const auto channels = static_cast<std::size_t>(patches.channels);
    auto* cut = patch_memory_.bytes(static_cast<std::size_t>(rounded_rows(all)) * numbers * size_of(element_));
    parallel(all, [&](int item, int thread) {
        auto* line = scratch_[static_cast<std::size_t>(thread)].get<float>(numbers);
        const auto row = static_cast<std::size_t>(item / each), patch = static_cast<std::size_t>(item % each);
        const auto picture = static_cast<std::size_t>(batch_tokens_[row] / (each + patches.specials()));
        const float* from =
            task.pixels + picture * channels * image * image + patch / across * side * image + patch % across * side;
        for (std::size_t y = 0; y < channels * side; ++y)
            std::memcpy(line + y * side, from + (y / side * image + y % side) * image, side * sizeof(float));
        auto* place = static_cast<char*>(cut) + static_cast<std::size_t>(item) * numbers * size_of(element_);
        if (element_ == Element::bf16)
            Bf16Ops::from_floats(line, numbers, reinterpret_cast<std::uint16_t*>(place));
        else
            std::memcpy(place, line, numbers * sizeof(float));
    });
    auto* made = words_memory_.get<float>(static_cast<std::size_t>(rounded_rows(all)) * width_);
    runner_.run(model_.patches, cut, made, all, false);
    parallel(static_cast<int>(rows()), [&](int item, int thread) {
        auto* scratch = scratch_[static_cast<std::size_t>(thread)].get<float>(width_);
        const auto row = static_cast<std::size_t>(item);
        for (int t = 0; t < count(row); ++t) {
            const int patch = t - patches.specials();
            const auto* what = patch < 0 ? model_.specials.data() + static_cast<std::size_t>(t) * width_
                                         : made + static_cast<std::size_t>(item * each + patch) * width_;
            fp32::sum_rows(what, model_.positions.row(t, scratch), nullptr, spec.width, state(begin(row) + t));
        }
    });
}

void Lane::add_norm(const NormWeights& norm, bool with_update) {
    const auto eps = static_cast<float>(model_.spec.norm_eps);
    parallel_tokens([&](int t, int) {
        const auto* update = with_update ? update_ + static_cast<std::size_t>(t) * width_ : nullptr;
        fp32::add_norm(state(t), update, norm.weight, norm.bias, model_.spec.width, eps);
        if (element_ == Element::bf16) Bf16Ops::from_floats(state(t), width_, input_bf16(t));
    });
}

// state += update; input = norm(state)
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
        else
            passes::rms_norm(state(t), norm.weight, width, eps, out);
        if (bf16) Bf16Ops::from_floats(out, width_, input_bf16(t));
    });
}

// Puts the adapters' updates into y, zeros for rows without; false when no row has one, and y is untouched.
template <typename Update>
bool Lane::low_rank(const Linear& map, const void* x, void* y, const Update& update) {
    const auto wanted = [&](const Segment& s) { return s.adapter && !update(*s.adapter).empty(); };
    if (std::ranges::none_of(segments_, wanted)) return false;
    const auto& form = map.form();
    const auto x_bytes = static_cast<std::size_t>(form.in) * size_of(form.x),
               y_bytes = static_cast<std::size_t>(form.out) * size_of(form.y);
    const auto run = [&](const Segment& s, int begin, int end, int thread) {
        const auto* from = static_cast<const char*>(x) + static_cast<std::size_t>(begin) * x_bytes;
        auto* to = static_cast<char*>(y) + static_cast<std::size_t>(begin) * y_bytes;
        if (wanted(s))
            update(*s.adapter).run(from, to, form.y, end - begin, scratch_[static_cast<std::size_t>(thread)]);
        else
            clear_rows(to, form.y, end - begin, form.out);
    };
    for (const auto& s : segments_) {
        const int share = std::clamp((s.end - s.begin + threads_ - 1) / threads_, 1, kLowRankRows);
        parallel((s.end - s.begin + share - 1) / share, [&](int block, int thread) {
            const int begin = s.begin + block * share;
            run(s, begin, std::min(begin + share, s.end), thread);
        });
    }
    return true;
}

template <typename Update>
void Lane::linear(const Linear& map, const void* x, void* y, const Update& update) {
    const bool add = low_rank(map, x, y, update);
    runner_.run(map, x, y, tokens_, add);
}

void Lane::layer(const Task& task, std::size_t index, Keep kept) {
    const auto& weights = stack_->layers[index];
    const auto of = [&](LowRank LayerUpdates::*map) { return update_of(*stack_, model_, index, map); };
    const bool before = model_.spec.norm_place == NormPlace::before;
    if (before) norm_to_input(weights.attention_norm, index > 0);
    linear(weights.qkv, input_, qkv_, of(&LayerUpdates::qkv));
    attend(task, weights, index, kept);
    if (kept != Keep::all) keep_tokens(kept);
    linear(weights.attention_output, context_, update_, of(&LayerUpdates::attention_output));
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

void Lane::deliver(const Task& task, std::span<const int> rows) {
    switch (task.want) {
        case Want::logits:
            return deliver_logits(task, rows);
        case Want::token_logits:
            return deliver_token_logits(task, rows);
        case Want::next_logits:
            return deliver_words(task, rows);
        case Want::cross_memory:
            return deliver_cross(task);
        default:
            break;
    }
    parallel(static_cast<int>(rows.size()), [&](int place, int) {
        const int first = begin(static_cast<std::size_t>(place)), many = count(static_cast<std::size_t>(place));
        const auto row = static_cast<std::size_t>(rows[static_cast<std::size_t>(place)]);
        if (task.want == Want::embedding)
            fp32::mean_normalised(state(first), many, model_.spec.width, task.out + row * width_);
        else
            std::memcpy(task.out + static_cast<std::size_t>(task.batch.row_offsets[row]) * width_, state(first),
                        static_cast<std::size_t>(many) * width_ * sizeof(float));
    });
}

void Lane::classify(const Head& head, const float* state, float* out) const {
    fp32::matrix_vector(head.weight.data(), head.bias.data(), state, head.classes, model_.spec.width, out);
}

void Lane::deliver_logits(const Task& task, std::span<const int> rows) {
    const bool pooled = model_.spec.pooler;
    if (pooled)
        linear(model_.pooler, input_, update_,
               [](const NativeAdapter::Parts& adapter) -> const LowRank& { return adapter.pooler; });
    const bool all_tokens = model_.spec.head.distillation;
    for (const auto& segment : segments_)
        for (int place = segment.row_begin; place < segment.row_end; ++place) {
            const bool own = !segment.adapter || segment.adapter->head.classes == 0;
            const auto& head = own ? model_.head.classifier : segment.adapter->head;
            const int token = all_tokens ? begin(static_cast<std::size_t>(place)) : place;
            const auto* from = pooled ? update_ + static_cast<std::size_t>(token) * width_ : state(token);
            const auto row = static_cast<std::size_t>(rows[static_cast<std::size_t>(place)]);
            auto* out = task.out + task.offsets[row];
            classify(head, from, out);
            if (!own || !all_tokens) continue;
            std::vector<float> second(static_cast<std::size_t>(head.classes));
            classify(model_.head.distillation, state(token + 1), second.data());
            for (std::size_t i = 0; i < second.size(); ++i) out[i] = (out[i] + second[i]) / 2;
        }
}

void Lane::deliver_token_logits(const Task& task, std::span<const int> rows) {
    const auto kind = model_.spec.head.kind;
    if (kind == HeadKind::masked_lm || kind == HeadKind::causal_lm) return deliver_words(task, rows);
    const auto& head = model_.head.classifier;
    parallel(static_cast<int>(rows.size()), [&](int item, int) {
        const auto place = static_cast<std::size_t>(item);
        auto* out = task.out + task.offsets[static_cast<std::size_t>(rows[place])];
        for (int t = 0; t < count(place); ++t, out += head.classes) classify(head, state(begin(place) + t), out);
    });
}

// Scores over the vocabulary, some tokens at a time: their matrix would be large.
void Lane::deliver_words(const Task& task, std::span<const int> rows) {
    constexpr int kTokensAtOnce = 32;
    const auto& head = model_.head;
    if (model_.spec.head.kind == HeadKind::masked_lm) {
        runner_.run(head.transform, input_, update_, tokens_, false);
        std::memcpy(state_, update_, static_cast<std::size_t>(tokens_) * width_ * sizeof(float));
        add_norm(head.norm, false);
    }
    if (model_.spec.head.scale != 1)
        parallel_tokens([&](int t, int) {
            passes::scale(state(t), width_, static_cast<float>(model_.spec.head.scale));
            if (element_ == Element::bf16) Bf16Ops::from_floats(state(t), width_, input_bf16(t));
        });
    const auto words = static_cast<std::size_t>(model_.spec.vocabulary);
    const bool one_each = task.want == Want::next_logits;
    std::size_t row = 0;
    for (int first = 0; first < tokens_; first += kTokensAtOnce) {
        const int many = std::min(kTokensAtOnce, tokens_ - first);
        auto* scores = words_memory_.get<float>(static_cast<std::size_t>(rounded_rows(many)) * words);
        runner_.run(head.words, numbers(input_, static_cast<std::size_t>(first), width_), scores, many, false);
        for (int t = first; t < first + many; ++t) {
            if (one_each) row = static_cast<std::size_t>(t);
            while (!one_each && t >= row_offsets_[row + 1]) ++row;
            const auto inside = one_each ? 0u : static_cast<std::size_t>(t - begin(row));
            std::memcpy(
                task.out + static_cast<std::size_t>(task.offsets[static_cast<std::size_t>(rows[row])]) + inside * words,
                scores + static_cast<std::size_t>(t - first) * words, words * sizeof(float));
        }
    }
}

// Keys and values of every decoder layer's cross attention, from the encoder's result.
void Lane::deliver_cross(const Task& task) {
    for (std::size_t index = 0; index < model_.decoder.layers.size(); ++index) {
        linear(model_.decoder.layers[index].cross_key_value, input_, qkv_,
               update_of(model_.decoder, model_, index, &LayerUpdates::cross_key_value));
        parallel(static_cast<int>(rows()), [&](int item, int) {
            const auto row = static_cast<std::size_t>(item);
            const auto& sequence = task.cache->sequences[static_cast<std::size_t>(sequences_[row])];
            const auto* keys = numbers(qkv_, static_cast<std::size_t>(begin(row)), 2 * key_value_width_);
            sequence.cross->pack(index, keys, keys + key_value_width_ * size_of(element_), 2 * key_value_width_);
        });
    }
}

}  // namespace rootstock
