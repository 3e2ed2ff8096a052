// Every family and option against its reference (tests/golden/make_family_golden.py, make_table_model_golden.py):
// states, logits, generation one token at a time, in fp32 and in bf16; and adapters on every map of every family.

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "native/native.h"
#include "native/test_places.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

using Ids = std::vector<std::int32_t>;

struct Case {
    const char* name;
    Precision precision;
};

std::ostream& operator<<(std::ostream& out, const Case& one) {
    return out << one.name << (one.precision == Precision::fp32 ? " fp32" : " bf16");
}

constexpr const char* kNames[] = {"bert_token",
                                  "bert_span",
                                  "bert_masked",
                                  "roberta_sequence",
                                  "roberta_masked",
                                  "xlm_roberta_token",
                                  "distilbert_sequence",
                                  "distilbert_masked",
                                  "gpt2",
                                  "gpt2_sequence",
                                  "llama",
                                  "llama_biases",
                                  "llama_linear",
                                  "llama_dynamic",
                                  "llama_yarn",
                                  "llama_llama3",
                                  "llama_partial",
                                  "llama_sequence",
                                  "mistral_window",
                                  "qwen2",
                                  "qwen2_window",
                                  "t5",
                                  "t5_gated",
                                  "t5_sequence",
                                  "mt5",
                                  "t5_encoder",
                                  "vit",
                                  "vit_quick",
                                  "deit",
                                  "deit_teacher",
                                  "table_numbers",
                                  "table_categories",
                                  "table_both",
                                  "table_missing",
                                  "table_body"};

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const char* name : kNames)
        for (const auto precision : {Precision::fp32, Precision::bf16}) cases.push_back({name, precision});
    return cases;
}

class FamilyGolden : public ::testing::TestWithParam<Case> {
protected:
    void SetUp() override {
        folder_ = golden_folder() / "families" / GetParam().name;
        if (!fs::exists(folder_ / "golden.safetensors"))
            GTEST_SKIP() << folder_ << " is missing; run tests/golden/make_family_golden.py";
        golden_ = read_safetensors(folder_ / "golden.safetensors").value();
        auto model = load_model(folder_);
        ASSERT_TRUE(model) << model.error().message;
        auto native = NativeModel::load(*model, {GetParam().precision, 2});
        ASSERT_TRUE(native) << native.error().message;
        native_ = *native;
        for (int n = 0; find("ids", n); ++n) batch_.add_row(ids("ids", n), find("types", n) ? ids("types", n) : Ids());
        for (; find("pixels", images_.images); ++images_.images) {
            const auto pixels = to_floats(*find("pixels", images_.images));
            images_.pixels.insert(images_.pixels.end(), pixels.begin(), pixels.end());
        }
        for (; find("numbers", columns()) || find("categories", columns()); ++columns_.rows) {
            if (const auto* numbers = find("numbers", columns())) {
                const auto values = to_floats(*numbers);
                const auto missing = ids("missing", columns());
                columns_.numeric.insert(columns_.numeric.end(), values.begin(), values.end());
                columns_.numeric_missing.insert(columns_.numeric_missing.end(), missing.begin(), missing.end());
            }
            if (!find("categories", columns())) continue;
            const auto categories = ids("categories", columns());
            columns_.categories.insert(columns_.categories.end(), categories.begin(), categories.end());
        }
    }

    int columns() const { return static_cast<int>(columns_.rows); }

    // Pictures and rows of a table have as many tokens as the model takes.
    bool pictures() const { return images_.images > 0; }
    bool whole_rows() const { return pictures() || columns() > 0; }
    std::size_t rows() const {
        return pictures()      ? static_cast<std::size_t>(images_.images)
               : columns() > 0 ? static_cast<std::size_t>(columns_.rows)
                               : batch_.rows();
    }
    Result<std::span<const float>> hidden(Executor& executor, RowAdapters adapters = {}) const {
        if (pictures()) return executor.hidden(images_, adapters);
        return columns() > 0 ? executor.hidden(columns_, adapters) : executor.hidden(batch_, adapters);
    }
    Result<Logits> logits(Executor& executor) const {
        if (pictures()) return executor.logits(images_);
        return columns() > 0 ? executor.logits(columns_) : executor.logits(batch_);
    }

    const HostTensor* find(const char* kind, int n) const {
        const auto place = golden_.tensors.find(kind + ("." + std::to_string(n)));
        return place == golden_.tensors.end() ? nullptr : &place->second;
    }

    Ids ids(const char* kind, int n) const {
        const auto* tensor = find(kind, n);
        const auto* first = reinterpret_cast<const std::int32_t*>(tensor->bytes.data());
        return {first, first + tensor->elements()};
    }

    bool bf16() const { return native_->precision() == Precision::bf16; }

    // In fp32 the largest difference is below 1e-4. In bf16 errors are summed up, and judged together by judge_bf16().
    void expect_near(std::span<const float> ours, std::span<const float> wanted, const std::string& what) {
        ASSERT_EQ(ours.size(), wanted.size()) << what;
        double worst = 0;
        for (std::size_t i = 0; i < ours.size(); ++i) {
            const double difference = static_cast<double>(ours[i]) - wanted[i];
            worst = std::max(worst, std::abs(difference));
            error_ += difference * difference, size_ += static_cast<double>(wanted[i]) * wanted[i];
        }
        worst_ = std::max(worst_, worst);
        if (!bf16()) {
            EXPECT_LT(worst, 1e-4) << what;
        }
    }

    void expect_near(std::span<const float> ours, const HostTensor& golden, const std::string& what) {
        expect_near(ours, to_floats(golden), what);
    }

    // The relative error (Euclidean) of all that was compared since the last call.
    double relative_error() {
        const double relative = size_ > 0 ? std::sqrt(error_ / size_) : 0;
        error_ = size_ = 0;
        return relative;
    }

    // Our bf16 is at least as near to fp32 as the reference's own.
    void judge_bf16(const char* what, std::size_t which) {
        const double ours = relative_error();
        RecordProperty(std::string(what) + "_relative", std::to_string(ours));
        if (!bf16()) return;
        EXPECT_LE(ours, golden_.tensors.at("bf16").floats()[which]) << what;
    }

    void TearDown() override { RecordProperty("worst", std::to_string(worst_)); }

    bool two_stacks() const { return native_->spec().decoder_layers > 0; }
    bool writes() const { return native_->spec().head.kind == HeadKind::causal_lm; }

    fs::path folder_;
    Safetensors golden_;
    std::shared_ptr<const NativeModel> native_;
    PackedBatch batch_;
    ImageBatch images_;
    ColumnBatch columns_;
    double worst_ = 0, error_ = 0, size_ = 0;
};

TEST_P(FamilyGolden, StatesAndLogitsAreThoseOfTheReference) {
    Executor executor(native_);
    const auto hidden = this->hidden(executor);
    ASSERT_TRUE(hidden) << hidden.error().message;
    std::size_t begin = 0;
    for (int n = 0; find("hidden", n); ++n) {
        const auto size = static_cast<std::size_t>(find("hidden", n)->elements());
        expect_near(hidden->subspan(begin, size), *find("hidden", n), "hidden " + std::to_string(n));
        begin += size;
    }
    EXPECT_EQ(begin, hidden->size());
    judge_bf16("hidden", 0);
    if (!find("logits", 0) || (two_stacks() && writes())) return;
    const auto logits = this->logits(executor);
    ASSERT_TRUE(logits) << logits.error().message;
    for (int n = 0; find("logits", n); ++n)
        expect_near(logits->row(static_cast<std::size_t>(n)), *find("logits", n), "logits " + std::to_string(n));
    judge_bf16("logits", 1);
}

TEST_P(FamilyGolden, WritingOnThroughACacheGivesTheSameLogits) {
    if (!writes()) GTEST_SKIP() << "not a model that writes on";
    Executor executor(native_);
    auto cache = Cache::make(native_, {1024, 16}).value();
    PackedBatch texts = batch_;
    std::vector<int> sequences;
    for (std::size_t row = 0; row < batch_.rows(); ++row) sequences.push_back(cache.open());
    if (two_stacks()) {
        const auto done = executor.read(cache, batch_, sequences);
        ASSERT_TRUE(done) << done.error().message;
        texts.clear();
        for (int n = 0; find("decoder", n); ++n) texts.add_row(ids("decoder", n));
    }
    const auto whole = executor.extend(cache, texts, sequences, {}, Answer::every_token);
    ASSERT_TRUE(whole) << whole.error().message;
    for (int n = 0; find("logits", n); ++n)
        expect_near(whole->row(static_cast<std::size_t>(n)), *find("logits", n), "whole " + std::to_string(n));
    judge_bf16("whole", 1);
    if (native_->spec().rotary.scaling == RotaryScaling::dynamic) return;  // there the past depends on what follows
    // The same in two parts and then token by token, all sequences in one batch.
    for (std::size_t row = 0; row < texts.rows(); ++row) cache.truncate(sequences[row], 0);
    const auto words = static_cast<std::size_t>(native_->spec().vocabulary);
    std::vector<std::size_t> done(texts.rows(), 0);
    for (std::size_t step = 0;; ++step) {
        PackedBatch next;
        std::vector<int> going;
        std::vector<std::size_t> rows;
        for (std::size_t row = 0; row < texts.rows(); ++row) {
            const auto length = texts.row_length(row),
                       part = std::min(length - done[row], step == 0 ? length / 2 + 1 : 1);
            if (part == 0) continue;
            next.add_row(
                std::span(texts.ids).subspan(static_cast<std::size_t>(texts.row_offsets[row]) + done[row], part));
            done[row] += part;
            going.push_back(sequences[row]), rows.push_back(row);
        }
        if (rows.empty()) break;
        const auto logits = executor.extend(cache, next, going);
        ASSERT_TRUE(logits) << logits.error().message;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto all = to_floats(*find("logits", static_cast<int>(rows[i])));
            const auto wanted = std::span(all).subspan((done[rows[i]] - 1) * words, words);
            expect_near(logits->row(i), wanted, "step");
        }
    }
    judge_bf16("step", 1);
}

// W x + s B A x with adapters must be what a model computes whose weights are W + s B A.
TEST_P(FamilyGolden, AdaptersOnEveryMapAreTheMergedModel) {
    auto model = load_model(folder_).value();
    SeededRandom random(7);
    const auto numbers = [&](int count, double spread) {
        std::vector<float> values(static_cast<std::size_t>(count));
        for (auto& value : values) value = static_cast<float>(spread * random.normal());
        return values;
    };
    Adapter adapter;
    auto merged = model.weights.tensors();
    std::map<std::string, HostTensor> tensors(merged.begin(), merged.end());
    for (const auto& map : linear_maps(model.spec)) {
        LoraPair pair{3, 0.5f, map.in, map.out, numbers(3 * map.in, 0.2), numbers(map.out * 3, 0.2)};
        auto& tensor = tensors.at(map.module + ".weight");
        auto weights = to_floats(tensor);
        for (int o = 0; o < map.out; ++o)
            for (int i = 0; i < map.in; ++i)
                for (int r = 0; r < 3; ++r)
                    weights[static_cast<std::size_t>(o * map.in + i)] +=
                        0.5f * pair.b[static_cast<std::size_t>(o * 3 + r)] *
                        pair.a[static_cast<std::size_t>(r * map.in + i)];
        tensor = make_tensor(tensor.shape, weights);
        adapter.pairs[map.module] = std::move(pair);
    }
    const Model other{model.spec, Weights(std::move(tensors), {}), folder_, {}};
    const auto exact = NativeModel::load(model, {Precision::fp32, 2}).value();
    const auto exact_merged = NativeModel::load(other, {Precision::fp32, 2}).value();
    const auto merged_model = NativeModel::load(other, {GetParam().precision, 2}).value();
    const auto loaded = NativeAdapter::load(*native_, adapter);
    ASSERT_TRUE(loaded) << loaded.error().message;
    const auto count = rows();
    std::vector<const NativeAdapter*> adapters(count, nullptr);  // a mixed batch: every second row has the adapter
    for (std::size_t i = 0; i < count; i += 2) adapters[i] = loaded->get();
    const auto run = [&](const std::shared_ptr<const NativeModel>& of, RowAdapters chosen) {
        Executor executor(of);
        if (two_stacks() && !writes()) {  // a classifier: the decoder's states reach us through its head
            const auto logits = executor.logits(batch_, chosen);
            EXPECT_TRUE(logits);
            return std::vector<float>(logits->values.begin(), logits->values.end());
        }
        if (!two_stacks()) {
            const auto states = hidden(executor, chosen);
            return std::vector<float>(states->begin(), states->end());
        }
        auto cache = Cache::make(of, {512, 16}).value();
        std::vector<int> sequences;
        PackedBatch texts;
        for (std::size_t row = 0; row < count; ++row)
            sequences.push_back(cache.open()), texts.add_row(ids("decoder", static_cast<int>(row)));
        EXPECT_TRUE(executor.read(cache, batch_, sequences, chosen));
        const auto logits = executor.extend(cache, texts, sequences, chosen, Answer::every_token);
        return std::vector<float>(logits->values.begin(), logits->values.end());
    };
    const auto plain = run(exact, {}), full = run(exact_merged, {});
    const auto mix = [&](const std::vector<float>& without, const std::vector<float>& with) {
        std::vector<float> rows;
        for (std::size_t row = 0, at = 0; row < count; ++row) {
            const bool classifies = two_stacks() && !writes();
            const auto tokens = classifies     ? 1
                                : whole_rows() ? static_cast<std::size_t>(native_->spec().positions_max)
                                : two_stacks() ? ids("decoder", static_cast<int>(row)).size()
                                               : batch_.row_length(row);
            const int each = classifies     ? native_->spec().head.classes
                             : two_stacks() ? native_->spec().vocabulary
                                            : native_->spec().width;
            const auto end = at + tokens * static_cast<std::size_t>(each);
            const auto& from = adapters[row] ? with : without;
            for (; at < end; ++at) rows.push_back(from[at]);
        }
        return rows;
    };
    const auto truth = mix(plain, full);
    expect_near(run(native_, adapters), truth, "adapters");
    const double ours = relative_error();
    EXPECT_GT(std::abs(full.front() - plain.front()), 1e-3);
    if (!bf16()) return;
    // In bf16 the merged model has errors too; ours may be half as large again.
    expect_near(mix(run(native_, {}), run(merged_model, {})), truth, "merged in bf16");
    EXPECT_LE(ours, 1.5 * relative_error());
}

INSTANTIATE_TEST_SUITE_P(All, FamilyGolden, ::testing::ValuesIn(all_cases()), [](const auto& info) {
    return std::string(info.param.name) + (info.param.precision == Precision::fp32 ? "_fp32" : "_bf16");
});

}  // namespace
}  // namespace rootstock
