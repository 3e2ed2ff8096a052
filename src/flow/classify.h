#pragma once
// Texts or pictures classified on this machine, without server, key or books: `rootstock classify` (classify.cpp).
//
//   adapter of the catalog   its live version, or the newest when none is live; or the version that is named
//   base model               by its own classification head

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/base.h"
#include "data/data.h"
#include "model/model.h"
#include "native/native.h"
#include "store/store.h"

namespace rootstock {

struct ClassifyOrder {
    std::string name;    // adapter ("spam", "spam@2") or base model
    std::string tenant;  // owner of the adapter, by name or id; empty: the house
    NativeOptions native = {};
};

class Classifier {
public:
    // not_found: no adapter or model of this name; unsupported: a base model without classification head; and what
    // loading says. An adapter's self-tests are asked before it is used.
    static Result<Classifier> open(store::Database& records, const Home& home, const ClassifyOrder& order);

    bool reads_pictures() const { return pictures_.has_value(); }
    const std::string& reference() const { return reference_; }  // "spam@2", or the base model's name
    const std::vector<std::string>& labels() const { return labels_; }

    // Probabilities of the labels for a text, or for the picture in a file. Errors: those of the tokenizer or of
    // PictureReader; too long texts are cut as the adapter was tuned to.
    Result<std::vector<float>> classify(const std::string& text_or_file);

private:
    Classifier() = default;
    Result<void> load(const std::filesystem::path& base, const NativeOptions& options);
    Result<void> graft(const std::filesystem::path& folder, const std::string& base_digest);
    Result<Logits> logits_of(const std::string& text_or_file);

    std::string reference_;
    std::vector<std::string> labels_;
    std::shared_ptr<const NativeModel> model_;
    std::optional<Executor> executor_;
    std::optional<Tokenizer> tokenizer_;
    std::optional<PictureReader> pictures_;
    std::shared_ptr<const NativeAdapter> adapter_;  // null: the model's own head
    int max_tokens_ = 0;
};

// Numbers above 0 that add up to 1, in the place of logits.
void softmax_into(std::span<const float> logits, std::span<float> probabilities);

}  // namespace rootstock
