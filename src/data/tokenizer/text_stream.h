#pragma once
// Decoding while a model generates: ids go in one by one, text comes out as soon as it is settled. Never half a
// character; special tokens stay hidden; all that comes out, finish() included, is what Tokenizer::decode gives for
// the whole list.

#include "data/tokenizer/tokenizer.h"

namespace rootstock {

class DecodeStage;

class TextStream {
public:
    explicit TextStream(const Tokenizer& tokenizer, bool skip_special = true);
    ~TextStream();
    TextStream(TextStream&&) noexcept;
    TextStream& operator=(TextStream&&) noexcept;

    // New text that this id settles; often a word, sometimes nothing.
    std::string push(std::int32_t id);
    // The rest. Call once, at the end.
    std::string finish();

private:
    std::shared_ptr<const TokenizerParts> parts_;
    std::unique_ptr<DecodeStage> stage_;
    bool skip_special_;
};

}  // namespace rootstock
