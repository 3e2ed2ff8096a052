#include "data/tokenizer/wordpiece_decoder.h"

#include <utility>

namespace rootstock {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

// In this order, on every token with its space: what the reference does, " do not" included.
void clean_up(std::string& token) {
    constexpr std::pair<std::string_view, std::string_view> rules[] = {
        {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
        {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
    };
    for (const auto& [from, to] : rules) replace_all(token, from, to);
}

}  // namespace

std::string WordPieceDecoder::decode(std::span<const std::string_view> tokens) const {
    std::string text, piece;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        bool continues = i > 0 && tokens[i].starts_with(prefix_);
        piece = continues ? "" : i > 0 ? " " : "";
        piece += continues ? tokens[i].substr(prefix_.size()) : tokens[i];
        if (cleanup_) clean_up(piece);
        text += piece;
    }
    return text;
}

}  // namespace rootstock
