#include "autograd/ops/vocabulary_loss.h"

#include <algorithm>

#include "autograd/kernels/matmul.h"
#include "autograd/ops/frozen_weights.h"
#include "autograd/ops/panel.h"

namespace rootstock {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace {

constexpr std::int64_t chunk_bytes = std::int64_t{32} << 20;  // of fp32 logits

// What one chunk adds. Its logits turn into their own gradient in place.
struct ChunkResult {
    torch::Tensor loss, right;
};

ChunkResult take_chunk(torch::Tensor& logits, const torch::Tensor& labels, const torch::Tensor& weights, bool learns) {
    auto at_label = labels.view({-1, 1});
    auto log_sums = logits.logsumexp(1);
    auto losses = log_sums - logits.gather(1, at_label).view({-1});
    auto right = logits.argmax(1).eq(labels).to(torch::kFloat32);
    if (learns) {
        logits.sub_(log_sums.view({-1, 1})).exp_();
        logits.scatter_add_(1, at_label, torch::full_like(at_label, -1, logits.options()));
        logits.mul_(weights.view({-1, 1}));
    }
    return {(losses * weights).sum(), (right * weights).sum()};
}

class VocabularyLoss : public Function<VocabularyLoss> {
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& states, const VocabularyHead* head,
                                 const NextWords* words, bool learns, double* right) {
        torch::Tensor gradient = learns ? torch::empty_like(states, torch::kFloat32) : torch::Tensor();
        auto sum = torch::zeros({}, states.options().dtype(torch::kFloat32));
        auto all_right = torch::zeros_like(sum);
        for (std::int64_t first = 0; first < states.size(0); first += head->chunk_rows()) {
            auto count = std::min(head->chunk_rows(), states.size(0) - first);
            auto logits = head->logits(states.narrow(0, first, count));
            auto chunk = take_chunk(logits, words->labels.narrow(0, first, count),
                                    words->weights.narrow(0, first, count), learns);
            sum += chunk.loss;
            all_right += chunk.right;
            if (learns) gradient.narrow(0, first, count).copy_(head->back(logits));
        }
        *right = all_right.item<double>();
        context->save_for_backward({gradient});
        context->saved_data["type"] = static_cast<std::int64_t>(states.scalar_type());
        return sum;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        auto type = static_cast<torch::ScalarType>(context->saved_data["type"].toInt());
        return {(context->get_saved_variables()[0] * gradients[0]).to(type), {}, {}, {}, {}};
    }
};

}  // namespace

struct VocabularyHead::Packed {
    PackedWeights forward, backward;  // [width, vocabulary], [vocabulary, width]
};

NextWords next_words(const PackedBatch& batch, std::span<const float> weights, const torch::Device& device) {
    ROOTSTOCK_CHECK(weights.size() == batch.tokens(), "every token has a weight");
    std::vector<std::int64_t> places, labels;
    std::vector<float> counts;
    double sum = 0;
    for (std::size_t row = 0; row < batch.rows(); ++row)
        for (auto i = batch.row_offsets[row] + 1; i < batch.row_offsets[row + 1]; ++i) {
            const auto at = static_cast<std::size_t>(i);
            if (weights[at] == 0) continue;
            places.push_back(i - 1);
            labels.push_back(batch.ids[at]);
            counts.push_back(weights[at]);
            sum += weights[at];
        }
    return {torch::tensor(places, torch::kInt64).to(device), torch::tensor(labels, torch::kInt64).to(device),
            torch::tensor(counts, torch::kFloat32).to(device), sum};
}

VocabularyHead::VocabularyHead(const torch::Tensor& words, double scale, const Placement& placement)
    : placement_(placement), vocabulary_(words.size(0)), width_(words.size(1)), scale_(scale) {
    if (!placement.packed()) {
        words_ = words.to(placement.device, placement.type);
        return;
    }
    auto dense = words.to(torch::kFloat32).contiguous();
    auto turned = dense.t().contiguous();
    packed_.reset(new Packed{PackedWeights({turned.data_ptr<float>(), width_, vocabulary_, vocabulary_}, 0),
                             PackedWeights({dense.data_ptr<float>(), vocabulary_, width_, width_}, 0)});
}

VocabularyHead::~VocabularyHead() = default;

std::int64_t VocabularyHead::chunk_rows() const {
    auto rows = chunk_bytes / (vocabulary_ * static_cast<std::int64_t>(sizeof(float)));
    return std::max<std::int64_t>(product_rows_step, rows / product_rows_step * product_rows_step);
}

torch::Tensor VocabularyHead::logits(const torch::Tensor& states) const {
    auto scaled = scale_ == 1 ? states : states * scale_;
    if (!packed_) return torch::matmul(scaled.to(placement_.type), words_.t()).to(torch::kFloat32);
    auto input = as_rows(scaled).contiguous();
    auto logits = torch::empty({input.size(0), vocabulary_}, torch::kFloat32);
    packed_->forward.multiply(matrix_of(input), nullptr,
                              Matrix<float>{logits.data_ptr<float>(), input.size(0), vocabulary_, vocabulary_});
    return logits;
}

torch::Tensor VocabularyHead::back(const torch::Tensor& logit_gradients) const {
    auto gradients = logit_gradients.to(placement_.type);
    if (!packed_) return torch::matmul(gradients, words_).to(torch::kFloat32).mul_(scale_);
    auto result = torch::empty({gradients.size(0), width_}, torch::kFloat32);
    packed_->backward.multiply(matrix_of(gradients), nullptr,
                               Matrix<float>{result.data_ptr<float>(), gradients.size(0), width_, width_});
    return result.mul_(scale_);
}

VocabularyHead::Loss VocabularyHead::loss(const torch::Tensor& states, const NextWords& words) const {
    ROOTSTOCK_CHECK(states.size(0) == words.size(), "every word has its state");
    Loss loss;
    bool learns = torch::GradMode::is_enabled() && states.requires_grad();
    loss.sum = VocabularyLoss::apply(states, this, &words, learns, &loss.right);
    return loss;
}

}  // namespace rootstock
