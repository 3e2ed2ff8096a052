// What constraints promise, on real vocabularies. Whole languages are compared with reference implementations by the
// scripts of tests/constrain.

#include "infer/constrain/constraint.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "infer/constrain/compile.h"
#include "infer/constrain/test_vocabularies.h"

namespace rootstock {
namespace {

struct Model {
    Tokenizer tokenizer;
    SharedVocabulary vocabulary;
};

// A tokenizer and its vocabulary, read once.
const Model& model(const std::string& name) {
    static std::map<std::string, Model> all;
    auto known = all.find(name);
    if (known == all.end()) {
        auto tokenizer = test::shared_tokenizer(name);
        ROOTSTOCK_CHECK(tokenizer.has_value(), "the shared tokenizers are there");
        std::vector<int> ends;
        for (const auto* end : {"<|endoftext|>", "<|im_end|>", "</s>"})
            if (const auto id = tokenizer->token_id(end)) ends.push_back(*id);
        auto vocabulary = OutputVocabulary::make(*tokenizer, ends);
        ROOTSTOCK_CHECK(vocabulary.has_value(), "their tokens have bytes");
        known = all.try_emplace(name, Model{*tokenizer, *vocabulary}).first;
    }
    return known->second;
}

class Writing {
public:
    Writing(const Model& model, const Constraint& constraint)
        : model_(model), state_(constraint.begin()), bits_(model.vocabulary->id_end() / 64 + 1) {}

    bool allows(std::int32_t id) {
        state_->mask(bits_);
        return bits_[static_cast<std::size_t>(id) / 64] >> (id % 64) & 1;
    }
    std::vector<std::int32_t> allowed() {
        state_->mask(bits_);
        std::vector<std::int32_t> ids;
        for (std::size_t id = 0; id < model_.vocabulary->id_end(); ++id)
            if (bits_[id / 64] >> (id % 64) & 1) ids.push_back(static_cast<std::int32_t>(id));
        return ids;
    }
    // Token by token, as the tokenizer cuts the text.
    bool takes(std::string_view text) {
        std::vector<std::int32_t> ids;
        EXPECT_TRUE(model_.tokenizer.encode_ids(text, {.add_special_tokens = false}, ids));
        for (const auto id : ids) {
            if (!allows(id)) return false;
            state_->accept(id);
        }
        return true;
    }
    ConstraintState& state() { return *state_; }

private:
    const Model& model_;
    std::unique_ptr<ConstraintState> state_;
    std::vector<std::uint64_t> bits_;
};

bool accepts(const Model& model, const CompiledConstraint& constraint, std::string_view text) {
    EXPECT_TRUE(constraint) << constraint.error().message;
    if (!constraint) return false;
    Writing writing(model, **constraint);
    return writing.takes(text) && writing.state().may_end();
}

TEST(Choices, OnlyTheseAndAllOfThem) {
    for (const auto* name : {"gpt2", "phi-3-mini"}) {
        const auto& gpt = model(name);
        const std::vector<std::string> choices{"yes", "yes, please", "no", "日本"};
        const auto constraint = compile_choices(choices, gpt.vocabulary);
        for (const auto& one : choices) EXPECT_TRUE(accepts(gpt, constraint, one)) << one;
        for (const auto* other : {"", "ye", "yes,", "yes, please!", "No", "日", "maybe"})
            EXPECT_FALSE(accepts(gpt, constraint, other)) << other;
    }
}

TEST(Choices, EndIdsAreAllowedExactlyWhereTheTextMayEnd) {
    const auto& gpt = model("gpt2");
    const auto constraint = compile_choices(std::vector<std::string>{"yes", "yes, please"}, gpt.vocabulary);
    ASSERT_TRUE(constraint);
    const auto end = gpt.vocabulary->end_ids()[0];
    Writing writing(gpt, **constraint);
    EXPECT_FALSE(writing.allows(end));
    ASSERT_TRUE(writing.takes("yes"));
    EXPECT_TRUE(writing.state().may_end());
    EXPECT_FALSE(writing.state().finished());
    EXPECT_TRUE(writing.allows(end));
    Writing other(gpt, **constraint);
    ASSERT_TRUE(other.takes("yes, please"));
    EXPECT_TRUE(other.state().finished());
    EXPECT_EQ(other.allowed(), std::vector<std::int32_t>{end});
    writing.state().accept(end);
    EXPECT_TRUE(writing.state().finished());
}

TEST(Choices, BitsBeyondTheVocabularyAreClear) {
    const auto& gpt = model("gpt2");
    const auto constraint = compile_regex(".*", gpt.vocabulary);
    ASSERT_TRUE(constraint);
    std::vector<std::uint64_t> bits(gpt.vocabulary->id_end() / 64 + 3, ~std::uint64_t{0});
    (*constraint)->begin()->mask(bits);
    EXPECT_EQ(bits[bits.size() - 1], 0u);
    EXPECT_EQ(bits[bits.size() - 2], 0u);
}

TEST(Choices, AModelThatCannotWriteThemSaysSo) {
    const auto& t5 = model("t5-small");
    const auto constraint = compile_choices(std::vector<std::string>{"{\"a\": 1}"}, t5.vocabulary);
    ASSERT_FALSE(constraint);
    EXPECT_EQ(constraint.error().reason, "constraint_impossible");
    EXPECT_TRUE(accepts(t5, compile_choices(std::vector<std::string>{"good", "bad news"}, t5.vocabulary), "bad news"));
}

TEST(Regex, FullMatchesOnly) {
    const auto& gpt = model("gpt2");
    const auto takes = [&](std::string_view pattern, std::string_view text) {
        return accepts(gpt, compile_regex(pattern, gpt.vocabulary), text);
    };
    EXPECT_TRUE(takes("[A-Z]{2}\\d+(\\.\\d{2})?", "AB123.45"));
    EXPECT_FALSE(takes("[A-Z]{2}\\d+(\\.\\d{2})?", "AB123.4"));
    EXPECT_TRUE(takes("^(?:a|bc)*$", "abcbca"));
    EXPECT_FALSE(takes("(?:a|bc)*", "abcb"));
    EXPECT_TRUE(takes("\\p{Lu}\\w*", "Äb"));
    EXPECT_TRUE(takes("\\p{Lu}.", "Äb"));
    EXPECT_FALSE(takes("\\p{Lu}.", "äb"));
    EXPECT_TRUE(takes("\\u{1F600}+", "😀😀"));
    EXPECT_FALSE(takes(".", "\n"));
    EXPECT_TRUE(takes("[^a]", "\n"));
    EXPECT_TRUE(takes("x{3,500}", std::string(499, 'x')));
    EXPECT_FALSE(takes("x{3,500}", std::string(501, 'x')));
    EXPECT_FALSE(takes("x{3,500}", "xx"));
    EXPECT_TRUE(takes("(ab?){2,200}", "abaab"));
}

// Rounds that may be empty were once followed with every count of them, and ran out of work at "the tokens from z on".
TEST(Regex, RoundsThatMayBeEmptyAreFollowedOnce) {
    const auto& gpt = model("gpt2");
    for (const auto* pattern : {"(?:[^\\d]?|[\\w-]{2}){1,5}", "(?:[^\\d]?|\\w{2}){3,5}"})
        for (const auto* text : {" z", " é", "z ", ""})
            EXPECT_TRUE(accepts(gpt, compile_regex(pattern, gpt.vocabulary), text)) << pattern << " " << text;
}

// Each letter may be a round or half of one: more readings than are followed.
TEST(Regex, WhatIsTooAmbiguousSaysThatItLeftTokensOut) {
    const auto& gpt = model("gpt2");
    const auto state_after = [&](std::string_view pattern, std::string_view text) {
        const auto constraint = compile_regex(pattern, gpt.vocabulary);
        EXPECT_TRUE(constraint);
        auto state = (*constraint)->begin();
        std::vector<std::uint64_t> bits(gpt.vocabulary->id_end() / 64 + 1);
        std::vector<std::int32_t> ids;
        EXPECT_TRUE(gpt.tokenizer.encode_ids(text, {.add_special_tokens = false}, ids));
        for (const auto id : ids) {
            state->mask(bits);
            if (!(bits[static_cast<std::size_t>(id) / 64] >> (id % 64) & 1)) break;
            state->accept(id);
        }
        state->mask(bits);
        return state;
    };
    EXPECT_TRUE(state_after("(?:[^\\d]|\\w{2}){2,300}", "abc zoo")->left_out());
    EXPECT_FALSE(state_after("[^\\d]{2,300}", "abc zoo")->left_out());
}

TEST(Regex, WhatItDoesNotKnowIsNamed) {
    const auto& gpt = model("gpt2");
    for (const auto& [pattern, word] : {std::pair{"(a)\\1", "reference"},
                                        {"a(?=b)", "ahead"},
                                        {"(?<!a)b", "behind"},
                                        {"\\bword", "boundary"},
                                        {"(?i)a", "flag"},
                                        {"(?>a)b", "atomic"},
                                        {"a++", "possessive"},
                                        {"\\p{Nonsense}", "Nonsense"},
                                        {"a\\qb", "\\q"}}) {
        const auto constraint = compile_regex(pattern, gpt.vocabulary);
        ASSERT_FALSE(constraint) << pattern;
        EXPECT_EQ(constraint.error().reason, "constraint_unsupported") << pattern;
        EXPECT_NE(constraint.error().message.find(word), std::string::npos) << constraint.error().message;
    }
    for (const auto* pattern :
         {"a(b", "a)b", "[a", "a{2", "a{3,2}", "*a", "a**", "[b-a]", "\\x1", "a^b", "a$b", "\xFF"}) {
        const auto constraint = compile_regex(pattern, gpt.vocabulary);
        ASSERT_FALSE(constraint) << pattern;
        EXPECT_EQ(constraint.error().reason, "constraint_invalid") << pattern;
    }
}

TEST(Regex, ImpossibleOnesAreRefused) {
    const auto& gpt = model("gpt2");
    for (const auto* pattern : {"[^\\s\\S]x", "a[^\\u{0}-\\u{10FFFF}]"}) {
        const auto none = compile_regex(pattern, gpt.vocabulary);
        ASSERT_FALSE(none) << pattern;
        EXPECT_EQ(none.error().reason, "constraint_impossible");
    }
}

TEST(Grammar, RecursionOnBothSides) {
    const auto& gpt = model("gpt2");
    const auto constraint = compile_grammar(R"g(# sums
root ::= sum
sum  ::= sum [+-] term | term
term ::= [0-9]+ | "(" sum ")"
)g",
                                            gpt.vocabulary);
    for (const auto* good : {"1", "12+3-4", "((1)+(2-3))", "1-(2-(3-(4-5)))"})
        EXPECT_TRUE(accepts(gpt, constraint, good)) << good;
    for (const auto* bad : {"", "1+", "(1", "1)", "+1", "1++2"}) EXPECT_FALSE(accepts(gpt, constraint, bad)) << bad;
    const auto list = compile_grammar("root ::= item root | item\nitem ::= \"x\" | \"y\" item", gpt.vocabulary);
    std::string many;
    for (int i = 0; i < 2000; ++i) many += i % 7 ? "x" : "yyx";
    EXPECT_TRUE(accepts(gpt, list, many));
    const auto palindromes =
        compile_grammar(R"(root ::= "a" root "a" | "b" root "b" | "" | "a" | "b")", gpt.vocabulary);
    EXPECT_TRUE(accepts(gpt, palindromes, "abbaabba"));
    EXPECT_TRUE(accepts(gpt, palindromes, "ababa"));
    EXPECT_FALSE(accepts(gpt, palindromes, "abab"));
    EXPECT_TRUE(accepts(gpt, palindromes, ""));
}

TEST(Grammar, FaultsSayTheirLine) {
    const auto& gpt = model("gpt2");
    for (const auto& [grammar, words] : {std::pair{"root ::= other", "no rule \"other\""},
                                         {"start ::= \"a\"", "no rule \"root\""},
                                         {"root ::= \"a\"\nroot ::= \"b\"", "second time"},
                                         {"root ::= (\"a\"", "not closed"},
                                         {"root ::= \"a", "not closed"},
                                         {"\nroot ::= *", "line 2"},
                                         {"root = \"a\"", "begins with name"},
                                         {"root ::= [b-a]", "backwards"},
                                         {"root ::= \"\\q\"", "escape"},
                                         {"root ::= \"\\uD800\"", "no character"}}) {
        const auto constraint = compile_grammar(grammar, gpt.vocabulary);
        ASSERT_FALSE(constraint) << grammar;
        EXPECT_EQ(constraint.error().reason, "constraint_invalid");
        EXPECT_NE(constraint.error().message.find(words), std::string::npos) << constraint.error().message;
    }
    const auto endless = compile_grammar("root ::= \"x\" root", gpt.vocabulary);
    ASSERT_FALSE(endless);
    EXPECT_EQ(endless.error().reason, "constraint_impossible");
}

// A hostile constraint is refused by its work, or is slow for nobody: grammars with exponentially many readings.
TEST(Grammar, AmbiguityStaysBounded) {
    const auto& gpt = model("gpt2");
    const auto constraint = compile_grammar(R"(root ::= s
s ::= s s | s s s | "a" | "aa" | a
a ::= "a" a | "a" a "b" | "a" a "c" | "a")",
                                            gpt.vocabulary);
    ASSERT_TRUE(constraint) << constraint.error().message;
    Writing writing(gpt, **constraint);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(writing.takes("aaaa"));
    EXPECT_TRUE(writing.state().may_end());
}

TEST(Constraints, HostileOnesAreRefusedByTheirWork) {
    const auto& gpt = model("gpt2");
    std::string nested = "x";
    for (int i = 0; i < 8; ++i) nested = "(" + nested + "|y){0,1000}z";
    for (const auto& pattern :
         {nested, std::string("(a|aa|aaa|b?){2000}(c|a{1,900}){1,90}"), std::string("(.?a){40}.{30}b.{90}|(.*a.{20})*"),
          std::string(90, '(') + std::string(90, ')'), "[" + std::string(200'000, '\\') + "]"}) {
        const auto constraint = compile_regex(pattern, gpt.vocabulary);
        if (!constraint) continue;
        Writing writing(gpt, **constraint);
        EXPECT_FALSE(writing.allowed().empty());
    }
    const auto blown = compile_regex("(a|b)*a(a|b){24}", gpt.vocabulary);
    ASSERT_FALSE(blown);
    EXPECT_EQ(blown.error().reason, "constraint_too_large");
    EXPECT_EQ(blown.error().code, ErrorCode::too_large);
}

// Never half a character at the end, never a byte that begins none.
TEST(Constraints, TextsAreWholeCharacters) {
    for (const auto* name : {"gpt2", "qwen3", "phi-3-mini", "t5-small"}) {
        SCOPED_TRACE(name);
        const auto& one = model(name);
        const auto constraint = compile_regex("[^\\x00-\\x7F]{1,6}", one.vocabulary);
        ASSERT_TRUE(constraint) << constraint.error().message;
        for (std::uint64_t seed = 0; seed < 40; ++seed) {
            SeededRandom random(seed);
            Writing writing(one, **constraint);
            std::string bytes;
            for (bool first = true; !writing.state().finished(); first = false) {
                const auto ids = writing.allowed();
                ASSERT_FALSE(ids.empty());
                const auto id = ids[random.below(ids.size())];
                bytes += one.vocabulary->bytes(id, first);
                writing.state().accept(id);
            }
            EXPECT_EQ(find_invalid_utf8(bytes), std::string_view::npos) << "seed " << seed;
            EXPECT_GT(bytes.size(), 0u);
        }
    }
}

// Constraints share masks where their rules are the same, never where they only look alike.
TEST(Constraints, WhatOneFindsOutIsRightForTheNext) {
    const auto& gpt = model("gpt2");
    for (int round = 0; round < 2; ++round) {
        EXPECT_TRUE(accepts(gpt, compile_regex("\"[a-z]*\"", gpt.vocabulary), "\"hello\""));
        EXPECT_FALSE(accepts(gpt, compile_regex("\"[a-y]*\"", gpt.vocabulary), "\"lazy\""));
        EXPECT_FALSE(accepts(gpt, compile_regex("\"[a-z]+\"", gpt.vocabulary), "\"\""));
        EXPECT_TRUE(accepts(gpt, compile_regex("\"[a-z]{2,300}\"", gpt.vocabulary), "\"hello\""));
        EXPECT_FALSE(accepts(gpt, compile_regex("\"[a-z]{2,400}\"", gpt.vocabulary), "\"h\""));
    }
}

// With as many tokens as tokens_to_end() asks for, a text always ends in time, whatever is drawn among those that fit.
TEST(Constraints, ATextEndsInTime) {
    const auto& gpt = model("gpt2");
    const auto schema = json::parse(R"({"type": "object", "required": ["name", "list"], "additionalProperties": false,
        "properties": {"name": {"type": "string", "minLength": 20}, "maybe": {"type": "array", "items": {"type": "string"}},
                       "list": {"type": "array", "minItems": 40, "items": {"enum": ["alpha", "beta"]}}}})");
    const auto constraint = compile_json_schema(schema, gpt.vocabulary);
    ASSERT_TRUE(constraint) << constraint.error().message;
    const int tokens = (*constraint)->begin()->tokens_to_end();
    EXPECT_GT(tokens, 40);
    for (const int more : {0, 1, 5, 50})
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
            SeededRandom random(seed);
            Writing writing(gpt, **constraint);
            for (int left = tokens + more; !writing.state().finished(); --left) {
                ASSERT_GT(left, 0) << "seed " << seed;
                auto ids = writing.allowed();
                random.shuffle(ids);
                const auto fits =
                    std::ranges::find_if(ids, [&](auto id) { return writing.state().fits(id, left - 1); });
                ASSERT_NE(fits, ids.end()) << "seed " << seed;
                writing.state().accept(*fits);
            }
        }
}

}  // namespace
}  // namespace rootstock
