// Both ends of a pass: from tokens, pictures and a table's columns into the residual stream, and from its last state to
// what was asked for.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "native/kernels/arithmetic.h"
#include "native/kernels/fp32.h"
#include "native/kernels/passes.h"
#include "native/lane_work.h"

namespace rootstock {

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
    if (task.columns)
        embed_columns(task);
    else if (task.pixels)
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

// The class token, then a token for each number and each category.
void Lane::embed_columns(const Task& task) {
    const auto& spec = model_.spec;
    const auto& weights = model_.columns;
    const auto numeric = static_cast<std::size_t>(spec.columns.numbers), categories = spec.columns.categories.size();
    parallel(static_cast<int>(rows()), [&](int item, int thread) {
        auto* scratch = scratch_[static_cast<std::size_t>(thread)].get<float>(width_);
        const auto row = static_cast<std::size_t>(batch_tokens_[static_cast<std::size_t>(item)]) /
                         static_cast<std::size_t>(spec.columns.tokens());
        const auto* values = task.columns->numeric.data() + row * numeric;
        const auto* missing = task.columns->numeric_missing.data() + row * numeric;
        const auto* ids = task.columns->categories.data() + row * categories;
        int token = begin(static_cast<std::size_t>(item));
        std::memcpy(state(token++), model_.specials.data(), width_ * sizeof(float));
        for (std::size_t i = 0; i < numeric; ++i, ++token) {
            passes::scale_add(weights.number_weights.data() + i * width_, weights.number_biases.data() + i * width_,
                              missing[i] ? 0.0f : values[i], width_, state(token));
            if (missing[i] && !weights.missing.empty())
                fp32::sum_rows(state(token), weights.missing.data() + i * width_, nullptr, spec.width, state(token));
        }
        for (std::size_t i = 0; i < categories; ++i, ++token)
            fp32::sum_rows(weights.categories[i].row(ids[i], scratch), weights.category_biases.data() + i * width_,
                           nullptr, spec.width, state(token));
    });
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

void Lane::classify(const Head& head, const float* state, float* out, int thread) {
    if (!head.dense_weight.empty()) {
        auto* inner = scratch_[static_cast<std::size_t>(thread)].get<float>(width_);
        fp32::matrix_vector(head.dense_weight.data(), head.dense_bias.data(), state, model_.spec.width,
                            model_.spec.width, inner);
        const bool relu = model_.spec.pooler_activation == Activation::relu;
        for (std::size_t i = 0; i < width_; ++i) inner[i] = relu ? std::max(0.0f, inner[i]) : std::tanh(inner[i]);
        state = inner;
    }
    fp32::matrix_vector(head.weight.data(), head.bias.data(), state, head.classes, model_.spec.width, out);
}

void Lane::deliver_logits(const Task& task, std::span<const int> rows) {
    const bool pooled = model_.spec.pooler;
    if (pooled)
        linear(model_.pooler, input_, update_,
               [](const NativeAdapter::Parts& adapter) -> const LowRank& { return adapter.pooler; });
    const bool all_tokens = model_.spec.head.distillation;
    if (model_.spec.head.relu) parallel_tokens([&](int t, int) { passes::relu(state(t), width_); });
    for (const auto& segment : segments_)
        for (int place = segment.row_begin; place < segment.row_end; ++place) {
            const bool own = !segment.adapter || segment.adapter->head.classes == 0;
            const auto& head = own ? model_.head.classifier : segment.adapter->head;
            const int token = all_tokens ? begin(static_cast<std::size_t>(place)) : place;
            const auto* from = pooled ? update_ + static_cast<std::size_t>(token) * width_ : state(token);
            const auto row = static_cast<std::size_t>(rows[static_cast<std::size_t>(place)]);
            auto* out = task.out + task.offsets[row];
            classify(head, from, out, 0);
            if (!own || !all_tokens) continue;
            std::vector<float> second(static_cast<std::size_t>(head.classes));
            classify(model_.head.distillation, state(token + 1), second.data(), 0);
            for (std::size_t i = 0; i < second.size(); ++i) out[i] = (out[i] + second[i]) / 2;
        }
}

void Lane::deliver_token_logits(const Task& task, std::span<const int> rows) {
    const auto kind = model_.spec.head.kind;
    if (kind == HeadKind::masked_lm || kind == HeadKind::causal_lm) return deliver_words(task, rows);
    const auto& head = model_.head.classifier;
    parallel(static_cast<int>(rows.size()), [&](int item, int thread) {
        const auto place = static_cast<std::size_t>(item);
        auto* out = task.out + task.offsets[static_cast<std::size_t>(rows[place])];
        for (int t = 0; t < count(place); ++t, out += head.classes)
            classify(head, state(begin(place) + t), out, thread);
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
