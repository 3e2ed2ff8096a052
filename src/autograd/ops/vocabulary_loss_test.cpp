#include "autograd/ops/vocabulary_loss.h"

#include <gtest/gtest.h>

namespace rootstock {
namespace {

// A vocabulary so large that the words go through in several chunks, the last one smaller.
struct Case {
    std::int64_t n = 200, vocabulary = 100'003, width = 16;
    torch::Tensor words, states, labels, weights;

    Case() {
        torch::manual_seed(3);
        words = torch::randn({vocabulary, width}) * 0.5;
        states = torch::randn({n, width});
        labels = torch::randint(0, vocabulary, {n}, torch::kInt64);
        weights = torch::rand({n});
    }
    NextWords next() const { return {torch::arange(n), labels, weights, weights.sum().item<double>()}; }
};

TEST(VocabularyLoss, ChunksGiveTheLossAndGradientOfTheWhole) {
    Case c;
    VocabularyHead head(c.words, 0.7, reference_placement());
    ASSERT_LT(head.chunk_rows(), c.n);
    auto states = c.states.clone().set_requires_grad(true), reference = c.states.clone().set_requires_grad(true);
    auto next = c.next();
    auto loss = head.loss(states, next);
    (loss.sum * 2).backward();

    auto logits = torch::matmul(reference * 0.7, c.words.t());
    auto each = at::cross_entropy_loss(logits, c.labels, {}, at::Reduction::None);
    auto expected = (each * c.weights).sum();
    (expected * 2).backward();
    EXPECT_NEAR(loss.sum.item<double>(), expected.item<double>(), 1e-4 * expected.item<double>());
    EXPECT_TRUE(torch::allclose(states.grad(), reference.grad(), 1e-4, 1e-5));
    auto right = (logits.argmax(1).eq(c.labels).to(torch::kFloat32) * c.weights).sum();
    EXPECT_NEAR(loss.right, right.item<double>(), 1e-5);
}

TEST(VocabularyLoss, WithoutGradientThereIsOnlyTheLoss) {
    Case c;
    VocabularyHead head(c.words, 1, reference_placement());
    auto next = c.next();
    auto learning = head.loss(c.states.clone().set_requires_grad(true), next);
    torch::NoGradGuard no_gradient;
    auto loss = head.loss(c.states, next);
    EXPECT_FALSE(loss.sum.requires_grad());
    EXPECT_EQ(loss.sum.item<double>(), learning.sum.item<double>());
}

TEST(VocabularyLoss, PackedProductsAgree) {
    Case c;
    Placement packed{torch::kCPU, torch::kBFloat16, Route::packed_products};
    TransformerSpec spec;
    if (!choose_placement(spec, true).packed()) GTEST_SKIP() << "this CPU does not multiply bfloat16";
    VocabularyHead head(c.words, 1, packed), reference(c.words, 1, reference_placement());
    auto states = c.states.clone().set_requires_grad(true), plain = c.states.clone().set_requires_grad(true);
    auto next = c.next();
    auto loss = head.loss(states, next), expected = reference.loss(plain, next);
    loss.sum.backward();
    expected.sum.backward();
    EXPECT_NEAR(loss.sum.item<double>() / expected.sum.item<double>(), 1, 0.01);
    auto cosine = (states.grad() * plain.grad()).sum() / (states.grad().norm() * plain.grad().norm());
    EXPECT_GT(cosine.item<double>(), 0.995);
}

TEST(NextWords, AWordIsSaidByTheOneBeforeItInItsRow) {
    PackedBatch batch;
    batch.add_row(std::vector<std::int32_t>{5, 6, 7});
    batch.add_row(std::vector<std::int32_t>{8, 9});
    auto words = next_words(batch, std::vector<float>{1, 0, 0.5f, 1, 1}, torch::kCPU);
    EXPECT_TRUE(torch::equal(words.places, torch::tensor({1, 3}, torch::kInt64)));
    EXPECT_TRUE(torch::equal(words.labels, torch::tensor({7, 9}, torch::kInt64)));
    EXPECT_TRUE(torch::equal(words.weights, torch::tensor({0.5f, 1.0f})));
    EXPECT_EQ(words.weight, 1.5);
}

}  // namespace
}  // namespace rootstock
