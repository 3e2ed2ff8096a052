#pragma once
// Normalizers besides BERT's and the Unicode forms: small rewritings of text.

#include "data/tokenizer/pattern.h"

namespace rootstock {

// Cuts white space off the ends.
class StripNormalizer final : public Normalizer {
public:
    StripNormalizer(bool left, bool right) : left_(left), right_(right) {}
    void normalize(TextView in, TextBuffer& out) const override;

private:
    bool left_, right_;
};

// Drops marks (categories M*).
class StripAccentsNormalizer final : public Normalizer {
public:
    void normalize(TextView in, TextBuffer& out) const override;
};

class LowercaseNormalizer final : public Normalizer {
public:
    void normalize(TextView in, TextBuffer& out) const override;
};

// Drops control characters, turns white space and a few others into spaces (SentencePiece's nmt rules).
class NmtNormalizer final : public Normalizer {
public:
    void normalize(TextView in, TextBuffer& out) const override;
};

// Puts `content` in the place of every match.
class ReplaceNormalizer final : public Normalizer {
public:
    ReplaceNormalizer(Pattern pattern, std::string content)
        : pattern_(std::move(pattern)), content_(std::move(content)) {}
    void normalize(TextView in, TextBuffer& out) const override;

private:
    Pattern pattern_;
    std::string content_;
};

// The same for a text of one byte or more, without a pattern.
class ReplaceTextNormalizer final : public Normalizer {
public:
    ReplaceTextNormalizer(std::string text, std::string content)
        : text_(std::move(text)), content_(std::move(content)) {}
    void normalize(TextView in, TextBuffer& out) const override;

private:
    std::string text_, content_;
};

class PrependNormalizer final : public Normalizer {
public:
    explicit PrependNormalizer(std::string text) : text_(std::move(text)) {}
    void normalize(TextView in, TextBuffer& out) const override;

private:
    std::string text_;
};

class NormalizerChain final : public Normalizer {
public:
    explicit NormalizerChain(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
    void normalize(TextView in, TextBuffer& out) const override;

private:
    std::vector<std::unique_ptr<Normalizer>> steps_;
};

}  // namespace rootstock
