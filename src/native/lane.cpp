#include "native/lane.h"

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "native/kernels/arithmetic.h"
#include "native/kernels/fp32.h"

namespace rootstock {

namespace {

constexpr int kLowRankRows = 32;  // of one adapter, given to one thread at a time

}

Lane::Lane(const NativeModel::Parts& model, int threads)
    : model_(model),
      threads_(threads),
      width_(static_cast<std::size_t>(model.spec.width)),
      element_(model.element()),
      runner_(threads),
      scratch_(static_cast<std::size_t>(threads)) {
    for (int i = 0; i < threads; ++i)
        attention_.emplace_back(AttentionShape{model.spec.heads, model.spec.head_width}, element_);
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

void Lane::run(const Task& task, std::span<const int> rows) {
    lay_out(task, rows);
    embed(task);
    for (std::size_t i = 0; i < model_.layers.size(); ++i)
        layer(i, task.want == Want::logits && i + 1 == model_.layers.size());
    deliver(task, rows);
}

void Lane::lay_out(const Task& task, std::span<const int> rows) {
    row_offsets_.assign(1, 0);
    batch_tokens_.clear();
    segments_.clear();
    for (const int row : rows) {
        const auto index = static_cast<std::size_t>(row);
        const auto* adapter = task.adapters.empty() || !task.adapters[index] ? nullptr : &task.adapters[index]->parts();
        const int place = static_cast<int>(batch_tokens_.size()), begin = row_offsets_.back();
        const int end = begin + static_cast<int>(task.batch.row_length(index));
        row_offsets_.push_back(end);
        batch_tokens_.push_back(task.batch.row_offsets[index]);
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
    input_ = element_ == Element::fp32 ? state_ : input_memory_.bytes(rows * width_ * number);
    qkv_ = qkv_memory_.bytes(rows * 3 * width_ * number);
    context_ = context_memory_.bytes(rows * width_ * number);
    update_ = update_memory_.get<float>(rows * width_);
    inner_ = inner_memory_.bytes(rows * inner * number);
}

void Lane::embed_token(std::int32_t id, std::int32_t type, int position, int token, float* scratch) {
    const auto* types = model_.spec.types > 0 ? model_.types.row(type, scratch) : nullptr;
    const auto* word = model_.tokens.row(id, scratch + width_);
    const auto* place = model_.positions.row(position, scratch + 2 * width_);
    fp32::sum_rows(word, place, types, model_.spec.width, state(token));
}

void Lane::embed(const Task& task) {
    parallel(static_cast<int>(batch_tokens_.size()), [&](int row, int thread) {
        auto* scratch = scratch_[static_cast<std::size_t>(thread)].get<float>(3 * width_);
        const auto place = static_cast<std::size_t>(row);
        const int begin = row_offsets_[place], count = row_offsets_[place + 1] - begin;
        for (int t = 0; t < count; ++t) {
            const auto source = static_cast<std::size_t>(batch_tokens_[place] + t);
            embed_token(task.batch.ids[source], task.batch.type_ids[source], t, begin + t, scratch);
        }
    });
    add_norm(model_.embed_norm, false);
}

void Lane::add_norm(const NormWeights& norm, bool with_update) {
    constexpr int kTokensAtOnce = 16;
    const auto eps = static_cast<float>(model_.spec.norm_eps);
    parallel((tokens_ + kTokensAtOnce - 1) / kTokensAtOnce, [&](int block, int) {
        const int begin = block * kTokensAtOnce, end = std::min(begin + kTokensAtOnce, tokens_);
        for (int t = begin; t < end; ++t) {
            const auto* update = with_update ? update_ + static_cast<std::size_t>(t) * width_ : nullptr;
            fp32::add_norm(state(t), update, norm.weight, norm.bias, model_.spec.width, eps);
            if (element_ == Element::bf16) Bf16Ops::from_floats(state(t), width_, input_bf16(t));
        }
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

void Lane::layer(std::size_t index, bool first_tokens_only) {
    const auto& weights = model_.layers[index];
    const auto of = [index](LowRank LayerUpdates::*map) {
        return
            [index, map](const NativeAdapter::Parts& adapter) -> const LowRank& { return adapter.layers[index].*map; };
    };
    linear(weights.qkv, input_, qkv_, of(&LayerUpdates::qkv));
    attend(first_tokens_only);
    if (first_tokens_only) keep_first_tokens();
    linear(weights.attention_output, context_, update_, of(&LayerUpdates::attention_output));
    add_norm(weights.attention_norm, true);
    linear(weights.inner, input_, inner_, of(&LayerUpdates::inner));
    linear(weights.output, inner_, update_, of(&LayerUpdates::output));
    add_norm(weights.output_norm, true);
}

// Every (row, head) is work of its own; a lane with one thread takes whole rows.
void Lane::attend(bool first_tokens_only) {
    const int rows = static_cast<int>(batch_tokens_.size()), heads = model_.spec.heads;
    const int pieces = threads_ == 1 ? 1 : std::min(heads, std::max(1, 4 * threads_ / rows));
    const auto number = size_of(element_);
    parallel(rows * pieces, [&](int item, int thread) {
        const auto row = static_cast<std::size_t>(item / pieces);
        const int piece = item % pieces, begin = row_offsets_[row], count = row_offsets_[row + 1] - begin;
        const auto out_token = first_tokens_only ? row : static_cast<std::size_t>(begin);
        attention_[static_cast<std::size_t>(thread)].run(
            static_cast<const char*>(qkv_) + static_cast<std::size_t>(begin) * 3 * width_ * number, count,
            first_tokens_only ? 1 : count, heads * piece / pieces, heads * (piece + 1) / pieces,
            static_cast<char*>(context_) + out_token * width_ * number);
    });
}

// From here on the pass has one token per row: nothing else of the last layer reaches the head.
void Lane::keep_first_tokens() {
    const int rows = static_cast<int>(batch_tokens_.size());
    for (int row = 0; row < rows; ++row) {
        const int token = row_offsets_[static_cast<std::size_t>(row)];
        if (token != row) std::memcpy(state(row), state(token), width_ * sizeof(float));
    }
    for (auto& segment : segments_) segment.begin = segment.row_begin, segment.end = segment.row_end;
    tokens_ = rows;
}

void Lane::deliver(const Task& task, std::span<const int> rows) {
    if (task.want == Want::logits) return deliver_logits(task, rows);
    parallel(static_cast<int>(rows.size()), [&](int place, int) {
        const int begin = row_offsets_[static_cast<std::size_t>(place)],
                  count = row_offsets_[static_cast<std::size_t>(place) + 1] - begin;
        const auto row = static_cast<std::size_t>(rows[static_cast<std::size_t>(place)]);
        if (task.want == Want::embedding)
            fp32::mean_normalised(state(begin), count, model_.spec.width, task.out + row * width_);
        else
            std::memcpy(task.out + static_cast<std::size_t>(task.batch.row_offsets[row]) * width_, state(begin),
                        static_cast<std::size_t>(count) * width_ * sizeof(float));
    });
}

void Lane::deliver_logits(const Task& task, std::span<const int> rows) {
    linear(model_.pooler, input_, update_,
           [](const NativeAdapter::Parts& adapter) -> const LowRank& { return adapter.pooler; });
    for (const auto& segment : segments_)
        for (int place = segment.row_begin; place < segment.row_end; ++place) {
            const auto& head = segment.adapter->head;
            const auto row = static_cast<std::size_t>(rows[static_cast<std::size_t>(place)]);
            fp32::matrix_vector(head.weight.data(), head.bias.data(),
                                update_ + static_cast<std::size_t>(place) * width_, head.classes, model_.spec.width,
                                task.out + task.offsets[row]);
        }
}

}  // namespace rootstock
