// data/tokenizer: a tokenizer.json, then texts through it and back.

#include "data/data.h"
#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto tokenizer = Tokenizer::parse(fuzz::as_text(data, size), "tokenizer.json");
    if (!tokenizer) return 0;
    for (const char* text :
         {"", "Hello, world! caf\u00e9 \u4f60\u597d [MASK] \u0130 e\u0301", "  playing\t\n the bank's card <b>"}) {
        auto encoding = tokenizer->encode(text, {.max_tokens = 16});
        if (encoding) fuzz::use(tokenizer->decode(encoding->ids).size());
        auto pair = tokenizer->encode_pair(text, "a b", {.max_tokens = 8});
        fuzz::use(pair.has_value());
    }
    return 0;
}
