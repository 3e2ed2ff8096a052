#pragma once
// For the tests of this folder: the tiny BERT of tests/golden, loaded, and adapters with seeded random weights on it.

#include <filesystem>
#include <stdexcept>

#include "infer/infer.h"

namespace rootstock::tiny {

template <typename T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline std::filesystem::path folder() { return std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / "tests/golden/tiny_bert"; }

inline const Model& model() {
    static const Model loaded = must(load_model(folder()));
    return loaded;
}

inline ServedBase base() {
    static const ServedBase loaded{must(NativeModel::load(model(), {Precision::fp32, 1})),
                                   must(Tokenizer::load(folder())), must(model_digest(folder()))};
    return loaded;
}

inline std::vector<float> normals(SeededRandom& random, std::size_t count) {
    std::vector<float> values(count);
    for (auto& value : values) value = static_cast<float>(random.normal() * 0.1);
    return values;
}

inline Adapter adapter(std::uint64_t seed, int classes = 3) {
    SeededRandom random(seed);
    Adapter made;
    made.settings.rank = 4;
    made.settings.alpha = 8;
    for (const auto& map : linear_maps(model().spec))
        made.pairs[map.module] = {4,
                                  lora_scale(made.settings, 4),
                                  map.in,
                                  map.out,
                                  normals(random, static_cast<std::size_t>(4 * map.in)),
                                  normals(random, static_cast<std::size_t>(4 * map.out))};
    auto count = static_cast<std::size_t>(classes), width = static_cast<std::size_t>(model().spec.width);
    made.head = {classes, model().spec.width, normals(random, count * width), normals(random, count)};
    for (int c = 0; c < classes; ++c) made.labels.push_back("label " + std::to_string(c));
    made.base_digest = base().digest;
    return made;
}

inline std::vector<std::int32_t> tokens(std::string_view text) {
    std::vector<std::int32_t> ids;
    must(base().tokenizer->encode_ids(text, {}, ids));
    return ids;
}

// What the adapter answers, asked of an executor alone.
inline std::vector<float> logits(const NativeAdapter& native, const std::vector<std::int32_t>& ids) {
    Executor executor(base().model);
    PackedBatch batch;
    batch.add_row(ids);
    const NativeAdapter* row = &native;
    auto found = must(executor.classify(batch, {&row, 1}));
    return {found.values.begin(), found.values.end()};
}

}  // namespace rootstock::tiny
