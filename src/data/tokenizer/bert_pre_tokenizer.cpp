#include "data/tokenizer/bert_pre_tokenizer.h"

#include <array>

#include "data/text/bert_classes.h"
#include "data/text/utf8.h"

namespace rootstock {
namespace {

std::array<std::uint8_t, 128> ascii_classes() {
    std::array<std::uint8_t, 128> classes{};
    for (std::size_t c = 0; c < classes.size(); ++c) classes[c] = bert_class(static_cast<std::int32_t>(c));
    return classes;
}

}  // namespace

void BertPreTokenizer::split(std::string_view text, ByteSpan part, std::vector<ByteSpan>& words) const {
    static const auto ascii = ascii_classes();
    std::size_t word = part.begin;  // where the current word began
    auto add = [&](std::size_t begin, std::size_t end) {
        if (begin < end) words.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    };
    for (std::size_t at = part.begin; at < part.end;) {
        std::size_t length = 1;
        std::uint8_t flags;
        if (is_ascii(text[at])) {
            flags = ascii[static_cast<unsigned char>(text[at])];
        } else {
            auto decoded = decode_utf8(text.substr(at));
            flags = bert_class(decoded.code_point);
            length = decoded.length;
        }
        if (flags & (bert_white_space | bert_punctuation)) {
            add(word, at);
            if (flags & bert_punctuation) add(at, at + length);
            word = at + length;
        }
        at += length;
    }
    add(word, part.end);
}

}  // namespace rootstock
