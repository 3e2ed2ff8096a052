// Weights of 8 bits: texts that are read at once and token by token see the same weights, and what rounding costs.

#include <gtest/gtest.h>

#include <cmath>

#include "native/native.h"
#include "native/test_places.h"

namespace rootstock {
namespace {

class Int8Golden : public ::testing::TestWithParam<const char*> {};

double relative_difference(std::span<const float> ours, std::span<const float> wanted) {
    double error = 0, size = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        error += std::pow(static_cast<double>(ours[i]) - wanted[i], 2);
        size += std::pow(static_cast<double>(wanted[i]), 2);
    }
    return std::sqrt(error / size);
}

TEST_P(Int8Golden, FewRowsAndManyAgreeAndStayNearTheReference) {
    const auto folder = golden_folder() / "families" / GetParam();
    if (!std::filesystem::exists(folder / "golden.safetensors"))
        GTEST_SKIP() << "run tests/golden/make_family_golden.py";
    const auto golden = read_safetensors(folder / "golden.safetensors").value();
    const auto native = NativeModel::load(load_model(folder).value(), {Precision::int8, 2}).value();
    if (native->precision() != Precision::int8) GTEST_SKIP() << native->description();
    const auto& tensor = golden.tensors.at("ids.0");
    const auto* first = reinterpret_cast<const std::int32_t*>(tensor.bytes.data());
    const std::vector<std::int32_t> text(first, first + tensor.elements());
    const auto wanted = to_floats(golden.tensors.at("logits.0"));
    const double reference = golden.tensors.at("bf16").floats()[1];  // how far transformers in bf16 is from its fp32

    Executor executor(native);
    auto cache = Cache::make(native, {256, 16}).value();
    PackedBatch batch;
    batch.add_row(text);
    const int whole = cache.open(), one_by_one = cache.open();
    const auto at_once = executor.extend(cache, batch, {&whole, 1}, {}, Answer::every_token);
    ASSERT_TRUE(at_once) << at_once.error().message;
    const std::vector<float> many(at_once->values.begin(), at_once->values.end());
    std::vector<float> few;
    for (const auto id : text) {
        batch.clear();
        batch.add_row({&id, 1});
        const auto next = executor.extend(cache, batch, {&one_by_one, 1}).value();
        few.insert(few.end(), next.values.begin(), next.values.end());
    }
    EXPECT_LE(relative_difference(few, many), 2 * reference);
    // A weight of 8 bits has a step of 1/127 of its block's largest, one of bf16 of 1/256 of itself.
    RecordProperty("few", std::to_string(relative_difference(few, wanted) / reference));
    EXPECT_LE(relative_difference(few, wanted), 2 * reference);
    EXPECT_LE(relative_difference(many, wanted), 2 * reference);
}

INSTANTIATE_TEST_SUITE_P(Families, Int8Golden, ::testing::Values("gpt2", "llama", "mistral_window", "qwen2"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace rootstock
