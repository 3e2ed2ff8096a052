// Tuning of language models against transformers and peft, row by row against packed, and its routes against each
// other.

#include "autograd/executor/language_model.h"

#include <gtest/gtest.h>

#include <numeric>

#include "autograd/test_support.h"

namespace rootstock {
namespace {

const char* const families[] = {"llama", "gpt2", "qwen2", "mistral_window"};

// The rows, the adapter and what the reference makes of them.
struct Golden {
    explicit Golden(const std::string& family)
        : model(must_load(golden_folder() / "families" / family)),
          adapter(*load_adapter(golden_folder() / "language_tuning" / family, model.spec)),
          file(*read_safetensors(golden_folder() / "language_tuning" / family / "golden.safetensors")),
          weights(to_floats(file.tensors.at("weights"))) {
        auto ids = to_ids(file.tensors.at("ids")), offsets = to_ids(file.tensors.at("offsets"));
        for (std::size_t row = 0; row + 1 < offsets.size(); ++row)
            batch.add_row(std::span(ids).subspan(static_cast<std::size_t>(offsets[row]),
                                                 static_cast<std::size_t>(offsets[row + 1] - offsets[row])));
    }
    double number(const std::string& name) const { return to_torch(file.tensors.at(name)).item<double>(); }

    Model model;
    Adapter adapter;
    Safetensors file;
    PackedBatch batch;
    std::vector<float> weights;
};

struct Learned {
    double loss = 0, right = 0;
    std::map<std::string, LoraPair> gradients;  // in the form of an adapter
};

// Mean loss of the batch, and its gradients.
Learned learn(const Golden& golden, const PackedBatch& batch, const std::vector<float>& weights,
              const Placement& placement, double weight) {
    auto language = *LanguageModel::restore(golden.model, golden.adapter, placement);
    auto staged = *language->stage(batch);
    auto words = next_words(batch, weights, placement.device);
    auto loss = language->loss(staged, words);
    (loss.sum / weight).backward();
    Learned learned{loss.sum.item<double>() / weight, loss.right / weight, {}};
    torch::NoGradGuard no_gradient;
    language->parameters().values().copy_(language->parameters().gradients());
    learned.gradients = language->to_adapter({}).pairs;
    return learned;
}

double weight_of(const std::vector<float>& weights) { return std::accumulate(weights.begin(), weights.end(), 0.0); }

torch::Tensor half_of(const LoraPair& pair, bool is_a) {
    return is_a ? torch::tensor(pair.a).view({pair.rank, pair.in}) : torch::tensor(pair.b).view({pair.out, pair.rank});
}

// "layers.0.query+layers.0.key.a": gradients of maps that the reference adapts as one add up in A.
void expect_gradients(const Golden& golden, const Learned& learned, const std::string& prefix, double tolerance) {
    int compared = 0;
    for (const auto& [name, tensor] : golden.file.tensors) {
        if (!name.starts_with(prefix + ".")) continue;
        bool is_a = name.ends_with(".a");
        auto modules = name.substr(prefix.size() + 1, name.size() - prefix.size() - 3);
        torch::Tensor found;
        for (std::size_t begin = 0; begin <= modules.size();) {
            auto end = std::min(modules.find('+', begin), modules.size());
            auto part = half_of(learned.gradients.at(modules.substr(begin, end - begin)), is_a);
            found = found.defined() ? found + part : part;
            begin = end + 1;
        }
        auto expected = to_torch(tensor);
        auto scale = std::max(1e-3, expected.abs().max().item<double>());
        EXPECT_LT((found - expected).abs().max().item<double>() / scale, tolerance) << name;
        ++compared;
    }
    EXPECT_GT(compared, 10);
}

TEST(LanguageModel, LossAccuracyAndGradientsAreTransformersAndPefts) {
    for (const auto* family : families) {
        SCOPED_TRACE(family);
        Golden golden(family);
        auto learned = learn(golden, golden.batch, golden.weights, reference_placement(), weight_of(golden.weights));
        EXPECT_NEAR(learned.loss, golden.number("loss"), 2e-5);
        EXPECT_NEAR(learned.right, golden.number("accuracy"), 1e-6);
        expect_gradients(golden, learned, "grad", 2e-4);
    }
}

TEST(LanguageModel, WeightsCountAsTheyStand) {
    for (const auto* family : families) {
        SCOPED_TRACE(family);
        Golden golden(family);
        auto weights = golden.weights;
        for (auto i = golden.batch.row_offsets[1]; i < golden.batch.row_offsets[2]; ++i)
            weights[static_cast<std::size_t>(i)] *= 0.5f;
        auto learned = learn(golden, golden.batch, weights, reference_placement(), weight_of(weights));
        EXPECT_NEAR(learned.loss, golden.number("weighed_loss"), 2e-5);
        expect_gradients(golden, learned, "weighed_grad", 2e-4);
    }
}

TEST(LanguageModel, PackedRowsDoNotSeeEachOther) {
    for (const auto* family : families) {
        SCOPED_TRACE(family);
        Golden golden(family);
        const auto weight = weight_of(golden.weights);
        auto packed = learn(golden, golden.batch, golden.weights, reference_placement(), weight);
        Learned apart;
        for (std::size_t row = 0; row < golden.batch.rows(); ++row) {
            PackedBatch one;
            auto begin = static_cast<std::size_t>(golden.batch.row_offsets[row]);
            auto length = golden.batch.row_length(row);
            one.add_row(std::span(golden.batch.ids).subspan(begin, length));
            std::vector<float> weights(golden.weights.begin() + static_cast<std::ptrdiff_t>(begin),
                                       golden.weights.begin() + static_cast<std::ptrdiff_t>(begin + length));
            auto learned = learn(golden, one, weights, reference_placement(), weight);
            apart.loss += learned.loss;
            apart.right += learned.right;
            for (auto& [module, pair] : learned.gradients) {
                auto [place, fresh] = apart.gradients.try_emplace(module, pair);
                for (std::size_t i = 0; !fresh && i < pair.a.size(); ++i) place->second.a[i] += pair.a[i];
                for (std::size_t i = 0; !fresh && i < pair.b.size(); ++i) place->second.b[i] += pair.b[i];
            }
        }
        EXPECT_NEAR(packed.loss, apart.loss, 1e-5);
        EXPECT_NEAR(packed.right, apart.right, 1e-6);
        for (const auto& [module, pair] : packed.gradients) {
            const auto& other = apart.gradients.at(module);
            EXPECT_LT((half_of(pair, true) - half_of(other, true)).abs().max().item<double>(), 1e-5) << module;
            EXPECT_LT((half_of(pair, false) - half_of(other, false)).abs().max().item<double>(), 1e-5) << module;
        }
    }
}

// bfloat16 has eight bits: gradients agree in direction and size, not in every digit.
TEST(LanguageModel, PackedProductsLearnTheSame) {
    for (const auto* family : families) {
        SCOPED_TRACE(family);
        Golden golden(family);
        auto placement = choose_placement(golden.model.spec, true);
        if (placement.route != Route::packed_products) GTEST_SKIP() << "this CPU does not multiply bfloat16";
        const auto weight = weight_of(golden.weights);
        auto reference = learn(golden, golden.batch, golden.weights, reference_placement(), weight);
        auto packed = learn(golden, golden.batch, golden.weights, placement, weight);
        EXPECT_NEAR(packed.loss, reference.loss, 0.02);
        for (const auto& [module, pair] : reference.gradients)
            for (bool is_a : {true, false}) {
                auto expected = half_of(pair, is_a), found = half_of(packed.gradients.at(module), is_a);
                auto cosine = (expected * found).sum() / (expected.norm() * found.norm());
                EXPECT_GT(cosine.item<double>(), 0.99) << module;
                EXPECT_NEAR((found.norm() / expected.norm()).item<double>(), 1, 0.06) << module;
            }
    }
}

TEST(LanguageModel, AModelThatDoesNotWriteIsRefused) {
    auto model = must_load(golden_folder() / "tiny_bert");
    auto language = LanguageModel::create(model, {}, 1, reference_placement());
    ASSERT_FALSE(language);
    EXPECT_EQ(language.error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace rootstock
