// The executor against golden values of transformers and peft (tests/golden), and against itself: a row's result must
// not depend on the rows beside it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "native/kernels/cpu.h"
#include "native/native.h"
#include "native/test_places.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

using Ids = std::vector<std::int32_t>;

Ids ids_of(const HostTensor& tensor) {
    const auto* first = reinterpret_cast<const std::int32_t*>(tensor.bytes.data());
    return {first, first + tensor.elements()};
}

double worst_difference(std::span<const float> a, std::span<const float> b) {
    EXPECT_EQ(a.size(), b.size());
    double worst = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
    return worst;
}

double cosine(std::span<const float> a, std::span<const float> b) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        ab += static_cast<double>(a[i]) * b[i], aa += static_cast<double>(a[i]) * a[i],
            bb += static_cast<double>(b[i]) * b[i];
    return ab / std::sqrt(aa * bb);
}

std::shared_ptr<const NativeModel> load(const fs::path& folder, Precision precision, int threads = 2) {
    const auto model = load_model(folder);
    EXPECT_TRUE(model) << (model ? "" : model.error().message);
    return NativeModel::load(*model, {precision, threads}).value();
}

// A fresh adapter whose B is not zero, so that it changes something.
Adapter random_adapter(const TransformerSpec& spec, int rank, int classes, std::uint64_t seed,
                       const std::vector<std::string>& targets = {}) {
    SeededRandom random(seed);
    const auto numbers = [&](int count, double spread) {
        std::vector<float> values(static_cast<std::size_t>(count));
        for (auto& value : values) value = static_cast<float>(spread * random.normal());
        return values;
    };
    Adapter adapter;
    const auto maps = select_linear_maps(spec, targets).value();
    for (const auto& map : maps)
        adapter.pairs[map.module] = {
            rank, 2.0f, map.in, map.out, numbers(rank * map.in, 1 / std::sqrt(map.in)), numbers(map.out * rank, 0.1)};
    if (classes > 0) adapter.head = {classes, spec.width, numbers(classes * spec.width, 0.1), numbers(classes, 0.1)};
    return adapter;
}

// --- the tiny random classifier ---

class TinyBert : public ::testing::TestWithParam<Precision> {
protected:
    void SetUp() override {
        const auto file = golden_folder() / "tiny_bert_golden.safetensors";
        if (!fs::exists(file)) GTEST_SKIP() << file << " is missing; run tests/golden/make_bert_tiny_golden.py";
        golden_ = read_safetensors(file).value();
        model_ = load(golden_folder() / "tiny_bert", GetParam());
        for (int n = 0; golden_.tensors.contains("ids." + std::to_string(n)); ++n)
            rows_.push_back(ids_of(golden_.tensors.at("ids." + std::to_string(n))));
    }
    double tolerance() const { return model_->precision() == Precision::bf16 ? 0.08 : 2e-5; }

    Safetensors golden_;
    std::shared_ptr<const NativeModel> model_;
    std::vector<Ids> rows_;
};

TEST_P(TinyBert, HiddenStatesAreThoseOfTransformers) {
    Executor executor(model_);
    const auto batch = pack(rows_);
    const auto hidden = executor.hidden(batch);
    ASSERT_TRUE(hidden) << hidden.error().message;
    for (std::size_t n = 0; n < rows_.size(); ++n) {
        const auto wanted = to_floats(golden_.tensors.at("hidden." + std::to_string(n) + ".2"));
        const auto ours = hidden->subspan(static_cast<std::size_t>(batch.row_offsets[n]) * 32, wanted.size());
        EXPECT_LT(worst_difference(ours, wanted), tolerance()) << "sequence " << n;
    }
}

TEST_P(TinyBert, AdaptersOfPeftGiveItsLogits) {
    for (const char* name : {"peft_query_value", "peft_rslora_all"}) {
        const auto folder = golden_folder() / name;
        if (!fs::exists(folder / "logits.json")) GTEST_SKIP() << folder << " is missing; run its script";
        const auto adapter = NativeAdapter::load(*model_, load_adapter(folder, model_->spec()).value()).value();
        const auto golden = parse_json(read_file(folder / "logits.json").value(), "golden").value();
        Executor executor(model_);
        const std::vector<const NativeAdapter*> adapters(rows_.size(), adapter.get());
        const auto logits = executor.classify(pack(rows_), adapters);
        ASSERT_TRUE(logits) << logits.error().message;
        for (std::size_t n = 0; n < rows_.size(); ++n) {
            const auto wanted = json::value_to<std::vector<float>>(golden.at("logits").at(n));
            EXPECT_LT(worst_difference(logits->row(n), wanted), 4 * tolerance()) << name << ", sequence " << n;
        }
    }
}

TEST_P(TinyBert, ARowDoesNotDependOnTheRowsBesideIt) {
    std::vector<std::shared_ptr<const NativeAdapter>> loaded{nullptr};
    for (int i = 0; i < 3; ++i)
        loaded.push_back(
            NativeAdapter::load(*model_, random_adapter(model_->spec(), 3 + i, 2 + i, 10u + static_cast<unsigned>(i),
                                                        i == 1 ? std::vector<std::string>{"query", "output"}
                                                               : std::vector<std::string>{}))
                .value());
    SeededRandom random(3);
    std::vector<Ids> rows;
    std::vector<const NativeAdapter*> adapters;
    for (std::size_t i = 0; i < 40; ++i) {
        rows.push_back(rows_[random.below(rows_.size())]);
        adapters.push_back(loaded[random.below(loaded.size())].get());
    }
    Executor together(model_), alone(model_);
    const auto mixed = together.embed(pack(rows), adapters);
    ASSERT_TRUE(mixed) << mixed.error().message;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto one = alone.embed(pack(std::span(rows).subspan(i, 1)), std::span(adapters).subspan(i, 1));
        EXPECT_LT(worst_difference(mixed->subspan(i * 32, 32), *one),
                  model_->precision() == Precision::bf16 ? 3e-3 : 2e-6)
            << i;
    }
}

TEST_P(TinyBert, LogitsOfManyHeadsComeBackInTheCallersOrder) {
    std::vector<std::shared_ptr<const NativeAdapter>> loaded;
    for (int i = 0; i < 4; ++i)
        loaded.push_back(
            NativeAdapter::load(*model_, random_adapter(model_->spec(), 2, 2 + 3 * i, 20u + static_cast<unsigned>(i)))
                .value());
    std::vector<Ids> rows;
    std::vector<const NativeAdapter*> adapters;
    for (std::size_t i = 0; i < 17; ++i)
        rows.push_back(rows_[i % rows_.size()]), adapters.push_back(loaded[(i * 3) % 4].get());
    Executor together(model_), alone(model_);
    const auto mixed = together.classify(pack(rows), adapters);
    ASSERT_TRUE(mixed) << mixed.error().message;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto one = alone.classify(pack(std::span(rows).subspan(i, 1)), std::span(adapters).subspan(i, 1));
        ASSERT_EQ(mixed->row(i).size(), static_cast<std::size_t>(adapters[i]->classes()));
        EXPECT_LT(worst_difference(mixed->row(i), one->row(0)), model_->precision() == Precision::bf16 ? 2e-2 : 1e-5)
            << i;
    }
}

TEST_P(TinyBert, WhatTheCallerGetsWrongIsAnswered) {
    Executor executor(model_);
    const auto code = [&](const std::vector<Ids>& rows) { return executor.embed(pack(rows)).error().code; };
    EXPECT_EQ(code({Ids{2, 200, 3}}), ErrorCode::invalid_argument);
    EXPECT_EQ(code({Ids{2, -1, 3}}), ErrorCode::invalid_argument);
    EXPECT_EQ(code({Ids(65, 5)}), ErrorCode::too_long);
    EXPECT_EQ(code({Ids{}}), ErrorCode::invalid_argument);
    EXPECT_EQ(executor.classify(pack(rows_), {}).error().code, ErrorCode::invalid_argument);
    const auto headless = NativeAdapter::load(*model_, random_adapter(model_->spec(), 2, 0, 5)).value();
    const std::vector<const NativeAdapter*> adapters(rows_.size(), headless.get());
    EXPECT_EQ(executor.classify(pack(rows_), adapters).error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(executor.embed(pack(rows_), adapters));
    EXPECT_TRUE(executor.embed(PackedBatch{}));
    const auto longest = std::vector<Ids>{Ids(64, 5)};
    EXPECT_TRUE(executor.embed(pack(longest)));
}

TEST_P(TinyBert, AnAdapterOfAnotherModelIsRefused) {
    auto adapter = random_adapter(model_->spec(), 2, 3, 6);
    adapter.pairs["layers.7.query"] = adapter.pairs["layers.0.query"];
    EXPECT_EQ(NativeAdapter::load(*model_, adapter).error().code, ErrorCode::invalid_argument);
    adapter = random_adapter(model_->spec(), 2, 3, 6);
    adapter.head.width = 16;
    EXPECT_EQ(NativeAdapter::load(*model_, adapter).error().code, ErrorCode::invalid_argument);
}

TEST_P(TinyBert, OneThreadAndManyGiveTheSame) {
    Executor two(model_), one(load(golden_folder() / "tiny_bert", GetParam(), 1)),
        three(load(golden_folder() / "tiny_bert", GetParam(), 3));
    const auto batch = pack(rows_);
    const auto a = two.embed(batch), b = one.embed(batch), c = three.embed(batch);
    EXPECT_LT(worst_difference(*a, *b), 3e-3);
    EXPECT_LT(worst_difference(*a, *c), 3e-3);
}

INSTANTIATE_TEST_SUITE_P(Precisions, TinyBert, ::testing::Values(Precision::fp32, Precision::bf16),
                         [](const auto& info) { return info.param == Precision::fp32 ? "fp32" : "bf16"; });

// --- the real model ---

class RealBert : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = real_model_folder();
        const auto file = golden_folder() / "bert_hidden.safetensors";
        if (folder_.empty() || !fs::exists(file))
            GTEST_SKIP() << "needs build/test-model (or ROOTSTOCK_TEST_MODEL) and " << file;
        const auto golden = parse_json(read_file(golden_folder() / "bert_sentences.json").value(), "golden").value();
        if (sha256_file(folder_ / "model.safetensors").value() != golden.at("model").at("weights_sha256").as_string())
            GTEST_SKIP() << folder_ << " is not the model of the golden values";
        golden_ = read_safetensors(file).value();
        for (int n = 0; n < 64; ++n) rows_.push_back(ids_of(golden_.tensors.at(key("ids.", n))));
    }

    static std::string key(const char* kind, int n) {
        return kind + std::string(n < 10 ? "0" : "") + std::to_string(n);
    }

    // Largest difference over every stored hidden state.
    double hidden_difference(std::span<const float> hidden, const PackedBatch& batch) const {
        double worst = 0;
        for (std::size_t n = 0; n < 64; ++n) {
            const auto ours =
                hidden.subspan(static_cast<std::size_t>(batch.row_offsets[n]) * 384, batch.row_length(n) * 384);
            if (const auto all = golden_.tensors.find(key("hidden.", static_cast<int>(n)));
                all != golden_.tensors.end()) {
                worst = std::max(worst, worst_difference(ours, all->second.floats()));
                continue;
            }
            const auto ends = golden_.tensors.at(key("ends.", static_cast<int>(n))).floats();
            worst = std::max({worst, worst_difference(ours.first(384), ends.first(384)),
                              worst_difference(ours.last(384), ends.last(384))});
        }
        return worst;
    }

    fs::path folder_;
    Safetensors golden_;
    std::vector<Ids> rows_;
};

TEST_F(RealBert, Fp32IsWithinOneTenThousandthOfTransformers) {
    Executor executor(load(folder_, Precision::fp32));
    const auto batch = pack(rows_);
    const auto states = hidden_difference(*executor.hidden(batch), batch);
    const auto embeddings = worst_difference(*executor.embed(batch), golden_.tensors.at("embedding").floats());
    RecordProperty("hidden_worst", std::to_string(states));
    RecordProperty("embedding_worst", std::to_string(embeddings));
    EXPECT_LT(states, 1e-4);
    EXPECT_LT(embeddings, 1e-4);
}

TEST_F(RealBert, Bf16KeepsTheDirectionOfEveryEmbedding) {
    if (!cpu_has_bf16()) GTEST_SKIP() << "this CPU has no bf16 products";
    Executor executor(load(folder_, Precision::bf16));
    const auto embeddings = executor.embed(pack(rows_));
    const auto golden = golden_.tensors.at("embedding").floats();
    double lowest = 1;
    for (std::size_t n = 0; n < 64; ++n)
        lowest = std::min(lowest, cosine(embeddings->subspan(n * 384, 384), golden.subspan(n * 384, 384)));
    RecordProperty("lowest_cosine", std::to_string(lowest));
    EXPECT_GT(lowest, 0.999);
}

TEST_F(RealBert, LongRowsAndManyRowsAgree) {
    Executor executor(load(folder_, Precision::bf16));
    Ids text(512, 2003);
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = 1000 + static_cast<std::int32_t>(i * 37 % 20000);
    const std::vector<Ids> alone{text}, many{text, rows_[0], text, rows_[1], text};
    const auto one = executor.embed(pack(alone));
    const std::vector<float> first(one->begin(), one->end());
    const auto all = executor.embed(pack(many));
    for (const std::size_t row : {0u, 2u, 4u}) EXPECT_GT(cosine(all->subspan(row * 384, 384), first), 0.9999);
}

}  // namespace
}  // namespace rootstock
