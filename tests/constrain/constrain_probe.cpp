// Constraints from outside, for the scripts beside this file: one JSON object a line in, one a line out.
//
//   constrain_probe TOKENIZER
//   {"kind": "json_schema" | "json_object" | "regex" | "choices" | "grammar", "source": ..., "strict": false,
//    "walks": 10, "seed": 1, "tokens_max": 200, "accept": ["text", ...]}
//   -> {"error": "...", "reason": "..."}  or  {"texts": [...], "accepted": [...], "compile_ms": 1.5, "cut": 0}
//
// A walk writes random tokens of those allowed until the text is complete; within tokens_max it always is. A text is
// accepted when each of the tokens that the tokenizer makes of it is allowed in turn, and then the end; null stands for
// one that is not where the constraint says that it may have left something out.

#include <iostream>

#include "infer/constrain/compile.h"

namespace rootstock {
namespace {

CompiledConstraint compile(const json::object& task, const SharedVocabulary& vocabulary) {
    const std::string kind(task.at("kind").as_string());
    const auto& source = task.at("source");
    const auto* strict = task.if_contains("strict");
    if (kind == "json_schema") return compile_json_schema(source, vocabulary, {.strict = strict && strict->as_bool()});
    if (kind == "json_object") return compile_json_object(vocabulary);
    if (kind == "regex") return compile_regex(source.as_string(), vocabulary);
    if (kind == "grammar") return compile_grammar(source.as_string(), vocabulary);
    std::vector<std::string> choices;
    for (const auto& one : source.as_array()) choices.emplace_back(one.as_string());
    return compile_choices(choices, vocabulary);
}

class Probe {
public:
    Probe(Tokenizer tokenizer, SharedVocabulary vocabulary)
        : tokenizer_(std::move(tokenizer)), vocabulary_(std::move(vocabulary)), bits_(vocabulary_->id_end() / 64 + 1) {}

    json::object answer(const json::object& task) {
        const auto begin = monotonic_seconds();
        const auto constraint = compile(task, vocabulary_);
        const auto compile_ms = (monotonic_seconds() - begin) * 1e3;
        if (!constraint)
            return {{"error", constraint.error().message},
                    {"reason", constraint.error().reason},
                    {"compile_ms", compile_ms}};
        SeededRandom random(static_cast<std::uint64_t>(whole(task, "seed", 1)));
        json::array texts, accepted;
        cut_ = 0;
        for (auto left = whole(task, "walks", 0); left > 0; --left)
            texts.emplace_back(walk(**constraint, random, static_cast<int>(whole(task, "tokens_max", 200))));
        if (const auto* list = task.if_contains("accept"))
            for (const auto& text : list->as_array()) accepted.emplace_back(accepts(**constraint, text.as_string()));
        return {{"texts", texts}, {"accepted", accepted}, {"compile_ms", compile_ms}, {"cut", cut_}};
    }

private:
    static std::int64_t whole(const json::object& task, std::string_view name, std::int64_t fallback) {
        const auto* value = task.if_contains(name);
        return value ? value->as_int64() : fallback;
    }

    bool allowed(std::int32_t id) const {
        const auto at = static_cast<std::size_t>(id);
        return bits_[at / 64] >> (at % 64) & 1;
    }

    std::vector<std::int32_t> all_allowed() const {
        std::vector<std::int32_t> ids;
        for (std::size_t id = 0; id < vocabulary_->id_end(); ++id)
            if (allowed(static_cast<std::int32_t>(id))) ids.push_back(static_cast<std::int32_t>(id));
        return ids;
    }

    std::string walk(const Constraint& constraint, SeededRandom& random, int tokens_max) {
        const auto state = constraint.begin();
        std::vector<std::int32_t> written;
        const bool can_end = state->tokens_to_end() <= tokens_max;
        for (int left = tokens_max; left > 0 && !state->finished(); --left) {
            state->mask(bits_);
            const auto ids = all_allowed();
            ROOTSTOCK_CHECK(!ids.empty(), "a mask allows something");
            auto id = ids[random.below(ids.size())];
            for (int tries = 0; can_end && !state->fits(id, left - 1); ++tries)
                id = tries < 20 ? ids[random.below(ids.size())] : state->way_out();
            ROOTSTOCK_CHECK(allowed(id), "the way out is allowed");
            state->accept(id);
            if (!vocabulary_->ends(id)) written.push_back(id);
        }
        if (!state->may_end()) ++cut_;
        return tokenizer_.decode(written);
    }

    // true, false, or null: refused, where the mask had left ids out.
    json::value accepts(const Constraint& constraint, std::string_view text) {
        const auto state = constraint.begin();
        std::vector<std::int32_t> ids;
        if (!tokenizer_.encode_ids(text, {.add_special_tokens = false}, ids)) return false;
        for (const auto id : ids) {
            state->mask(bits_);
            if (!allowed(id)) return state->left_out() ? json::value(nullptr) : json::value(false);
            state->accept(id);
        }
        return state->may_end();
    }

    Tokenizer tokenizer_;
    SharedVocabulary vocabulary_;
    std::vector<std::uint64_t> bits_;
    int cut_ = 0;
};

Result<void> run(const char* place) {
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load_file(place));
    // Any special token may end a text here.
    std::vector<int> ends;
    for (const auto* name : {"<|endoftext|>", "<|im_end|>", "</s>"})
        if (const auto id = tokenizer.token_id(name)) ends.push_back(*id);
    ROOTSTOCK_TRY(vocabulary, OutputVocabulary::make(tokenizer, ends));
    Probe probe(tokenizer, vocabulary);
    for (std::string line; std::getline(std::cin, line);) {
        ROOTSTOCK_TRY(task, parse_json(line, "the task", {.depth_max = 200}));
        std::cout << json::serialize(probe.answer(task.as_object())) << std::endl;
    }
    return {};
}

}  // namespace
}  // namespace rootstock

int main(int count, char** words) {
    if (count != 2) return std::cerr << "constrain_probe TOKENIZER\n", 2;
    const auto done = rootstock::run(words[1]);
    if (!done) std::cerr << done.error().message << "\n";
    return done ? 0 : 1;
}
