#pragma once
// What a language model is trained for: sum over tokens of weight x cross-entropy of the next word, without ever
// holding the logits of all tokens. States go through the head a chunk at a time; each chunk's logits become its share
// of the loss and, while learning, of the states' gradient, and are forgotten. The head is frozen.
//
//   logits = states W^T    loss_i = log(sum exp(logits_i)) - logits_i[label_i]
//   dstates_i = weight_i (softmax(logits_i) - one at label_i) W

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "autograd/executor/placement.h"
#include "data/data.h"

namespace rootstock {

// Which tokens' states have something to say, the word that follows each, and how much it counts. All [n], on the
// states' device.
struct NextWords {
    torch::Tensor places;   // int64, into the packed tokens
    torch::Tensor labels;   // int64
    torch::Tensor weights;  // fp32
    double weight = 0;      // their sum

    std::int64_t size() const { return places.numel(); }
};

// `weights` [tokens] stand at the words that count, `batch` row by row; a row's first word is said by nobody.
NextWords next_words(const PackedBatch& batch, std::span<const float> weights, const torch::Device& device);

class VocabularyHead {
public:
    // `words` fp32 [vocabulary, width]; `scale` is on the states. On a packed placement W is packed in bfloat16 for
    // both directions.
    VocabularyHead(const torch::Tensor& words, double scale, const Placement& placement);
    ~VocabularyHead();
    VocabularyHead(const VocabularyHead&) = delete;
    VocabularyHead& operator=(const VocabularyHead&) = delete;

    struct Loss {
        torch::Tensor sum;  // fp32 scalar, differentiable in the states
        double right = 0;   // weights of the words that are the likeliest
    };
    // `states` [n, width] stand beside the n words.
    Loss loss(const torch::Tensor& states, const NextWords& words) const;

    // For whoever differentiates it.
    std::int64_t vocabulary() const { return vocabulary_; }
    std::int64_t chunk_rows() const;
    torch::Tensor logits(const torch::Tensor& states) const;         // fp32 [m, vocabulary]
    torch::Tensor back(const torch::Tensor& logit_gradients) const;  // fp32 [m, width]

private:
    struct Packed;
    Placement placement_;
    std::int64_t vocabulary_, width_;
    double scale_;
    torch::Tensor words_;             // torch route, in the placement's type
    std::unique_ptr<Packed> packed_;  // packed products
};

}  // namespace rootstock
