// infer/constrain: a schema, a regular expression or a grammar, then some texts written under it.

#include "infer/constrain/compile.h"
#include "input.h"

using namespace rootstock;

namespace {

// A vocabulary of all bytes and some longer tokens.
SharedVocabulary vocabulary() {
    static const auto made = [] {
        const char* vocab =
            R"({"model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "{\"a\": ": 1, "\"}": 2, "true": 3, "12": 4, "</s>": 5}},)"
            R"("decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]}, "added_tokens": []})";
        auto text = json::parse(vocab);
        auto& ids = text.at("model").at("vocab").as_object();
        for (int byte = 0; byte < 256; ++byte) {
            char name[8];
            std::snprintf(name, sizeof name, "<0x%02X>", byte);
            ids[name] = 6 + byte;
        }
        const auto tokenizer = Tokenizer::parse(json::serialize(text), "tokenizer.json");
        ROOTSTOCK_CHECK(tokenizer.has_value(), "the vocabulary of this target is right");
        const int ends[] = {5};
        return *OutputVocabulary::make(*tokenizer, ends);
    }();
    return made;
}

void write(const Constraint& constraint, std::uint64_t seed) {
    SeededRandom random(seed);
    std::vector<std::uint64_t> bits(vocabulary()->id_end() / 64 + 1);
    const auto state = constraint.begin();
    const bool can_end = state->tokens_to_end() <= 40;
    for (int left = 40; left > 0 && !state->finished(); --left) {
        state->mask(bits);
        std::vector<std::int32_t> ids;
        for (std::size_t id = 0; id < vocabulary()->id_end(); ++id)
            if (bits[id / 64] >> (id % 64) & 1) ids.push_back(static_cast<std::int32_t>(id));
        if (can_end) std::erase_if(ids, [&](std::int32_t id) { return !state->fits(id, left - 1); });
        ROOTSTOCK_CHECK(!ids.empty(), "a text can always go on or end");
        state->accept(ids[random.below(ids.size())]);
    }
    ROOTSTOCK_CHECK(!can_end || state->may_end(), "a text that can end in time does");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto text = fuzz::as_text(data + 1, size - 1);
    const auto compiled = [&]() -> CompiledConstraint {
        switch (data[0] % 3) {
            case 0:
                return compile_regex(text, vocabulary());
            case 1:
                return compile_grammar(text, vocabulary());
            default: {
                ROOTSTOCK_TRY(schema, parse_json(text, "the schema"));
                return compile_json_schema(schema, vocabulary(), {.strict = data[0] >= 128});
            }
        }
    }();
    if (compiled)
        for (std::uint64_t seed = 0; seed < 3; ++seed) write(**compiled, seed);
    fuzz::use(compiled.has_value());
    return 0;
}
