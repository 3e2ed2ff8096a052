#pragma once
// Unicode normalization forms (UAX 15) with the reference's tables and its way of keeping places.

#include "data/tokenizer/pieces.h"

namespace rootstock {

enum class UnicodeForm { nfc, nfd, nfkc, nfkd };

class UnicodeFormNormalizer final : public Normalizer {
public:
    explicit UnicodeFormNormalizer(UnicodeForm form) : form_(form) {}
    void normalize(TextView in, TextBuffer& out) const override;

private:
    bool unchanged(std::string_view text) const;
    UnicodeForm form_;
};

// The reference's normalisation tables are those of Unicode 9: characters born later stay as they are.
bool known_to_reference(std::int32_t code_point);

}  // namespace rootstock
