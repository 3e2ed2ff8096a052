#include "flow/writing/text_assembly.h"

namespace rootstock {
namespace {

// A special token has no bytes in a text, so it is told by its name.
std::string bytes_of(const Tokenizer& tokenizer, std::int32_t id) {
    auto bytes = tokenizer.bytes_in_text(id, false);
    return bytes && !bytes->empty() ? std::move(*bytes) : std::string(tokenizer.token(id));
}

ToldToken told(const Tokenizer& tokenizer, const WrittenToken& token) {
    ToldToken told{bytes_of(tokenizer, token.id), token.logprob, {}};
    for (const auto& chance : token.top) told.top.push_back({bytes_of(tokenizer, chance.id), chance.logprob});
    return told;
}

}  // namespace

TextAssembly::TextAssembly(const Tokenizer& tokenizer, const GenerateOrder& order, int first)
    : tokenizer_(tokenizer), first_(first), logprobs_(order.logprobs >= 0) {
    for (int choice = 0; choice < order.choices; ++choice)
        lines_.push_back({TextStream(tokenizer_, !order.show_special), StopFilter(order.stops)});
}

WrittenPiece TextAssembly::push(const WrittenToken& token) {
    auto& [stream, filter] = line(token.choice);
    WrittenPiece piece{first_ + token.choice, filter.push(stream.push(token.id)), {}};
    if (logprobs_) piece.tokens.push_back(told(tokenizer_, token));
    return piece;
}

WrittenPiece TextAssembly::finish(int choice) {
    auto& [stream, filter] = line(choice);
    WrittenPiece piece{first_ + choice, filter.push(stream.finish()), {}};
    piece.words += filter.finish();
    return piece;
}

}  // namespace rootstock
