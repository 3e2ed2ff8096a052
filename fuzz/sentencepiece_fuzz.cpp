// data/tokenizer: a SentencePiece model, then texts through it and back.

#include <fstream>

#include "data/data.h"
#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto path = fuzz::scratch_folder() / "spiece.model";
    std::ofstream(path, std::ios::binary) << fuzz::as_text(data, size);
    auto tokenizer = Tokenizer::load_file(path);
    if (!tokenizer) return 0;
    for (const char* text : {"", "Hello, world!  caf\u00e9 \u4f60\u597d", "\u2581 \ufb01 \u3000ing"}) {
        auto encoding = tokenizer->encode(text);
        if (encoding) fuzz::use(tokenizer->decode(encoding->ids).size());
    }
    return 0;
}
