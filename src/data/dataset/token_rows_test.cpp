#include "data/dataset/token_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "data/test_places.h"

namespace rootstock {
namespace {

using testing::HasSubstr;

Tokenizer tokenizer() { return *Tokenizer::load_file(test::golden() / "tokenizers" / "llama3_split.json"); }

constexpr int end_id = 2;  // </s>
const int end_ids[] = {end_id};

const char* const turns =
    "{% for m in messages %}<s>{{ m['role'] }}\n{{ m['content'] }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant\n{% endif %}";

ChatExample conversation(const char* line) {
    auto example = read_chat_line(line);
    EXPECT_TRUE(example) << example.error().message;
    return *example;
}

struct Fixture {
    Tokenizer tokens = tokenizer();
    ChatTemplate form;
    TokenRowOptions options;

    explicit Fixture(std::string_view text = turns) : form(*ChatTemplate::parse(text, "the model")) {
        options.end_ids = end_ids;
        options.special_tokens = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
        options.form = &form;
    }
    Result<TokenisedRow> tokenise(const ChatExample& example) const { return tokenise_chat(example, tokens, options); }
    // What is learned, as text; parts with a "|" between.
    std::string learned(const TokenRow& row) const {
        std::string text;
        for (std::size_t i = 0; i < row.ids.size(); ++i) {
            if (row.weights[i] == 0) continue;
            if (i > 0 && row.weights[i - 1] == 0 && !text.empty()) text += "|";
            text += tokens.decode({&row.ids[i], 1}, false);
        }
        return text;
    }
};

TEST(TokeniseChat, CountsTheTokensThatTransformersCounts) {
    auto golden = json::parse(*read_file(test::golden() / "chat_tokens.json")).as_object();
    ASSERT_EQ(golden.at("tokenizer").as_string(), "llama3_split");
    int cases = 0;
    for (const auto& value : golden.at("cases").as_array()) {
        for (const char* kind : {"template", "plain"}) {
            Fixture fixture(std::string(value.at(kind).as_string()));
            auto example = *read_chat_line(json::serialize(json::object{{"messages", value.at("messages")}}));
            auto found = fixture.tokenise(example);
            ASSERT_TRUE(found) << found.error().message;
            EXPECT_EQ(json::array(found->row.ids.begin(), found->row.ids.end()), value.at("ids").as_array());
            json::array mask;
            for (float weight : found->row.weights) mask.push_back(weight > 0 ? 1 : 0);
            EXPECT_EQ(mask, value.at("mask").as_array()) << kind << ", case " << cases;
            EXPECT_TRUE(found->ends);
            ++cases;
        }
    }
    EXPECT_EQ(cases, 12);
}

TEST(TokeniseChat, OnlyTheAssistantsWordsAndTheEndOfItsTurnCount) {
    Fixture fixture;
    auto found = fixture.tokenise(conversation(R"({"messages": [{"role": "user", "content": "Hi there"},
        {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Bye"},
        {"role": "assistant", "content": "So long"}]})"));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(fixture.learned(found->row), "Hello</s>|So long</s>");
    EXPECT_EQ(found->full_tokens, found->row.ids.size());
    std::vector<std::int32_t> again;
    ASSERT_TRUE(fixture.tokens.encode_ids(found->row.text, {.add_special_tokens = false}, again));
    EXPECT_EQ(again, found->row.ids);
}

TEST(TokeniseChat, EachMessageHasItsWeight) {
    Fixture fixture;
    auto found = fixture.tokenise(conversation(R"({"messages": [
        {"role": "assistant", "content": "one", "weight": 0}, {"role": "user", "content": "x"},
        {"role": "assistant", "content": "two", "weight": 0.5}, {"role": "user", "content": "y"},
        {"role": "assistant", "content": "three"}]})"));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(fixture.learned(found->row), "two</s>|three</s>");
    std::set<float> weights(found->row.weights.begin(), found->row.weights.end());
    EXPECT_EQ(weights, (std::set<float>{0, 0.5f, 1}));
}

TEST(TokeniseChat, GenerationBlocksThatDoNotMatchTheMessagesCannotBeWeighed) {
    const std::string two_parts =
        "{% for m in messages %}<s>{% generation %}{{ m['content'] }}{% endgeneration %} and {% generation %}</s>"
        "{% endgeneration %}{% endfor %}";
    Fixture fixture(two_parts);
    const char* same =
        R"({"messages": [{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}]})";
    EXPECT_TRUE(fixture.tokenise(conversation(same)));
    auto mixed = fixture.tokenise(conversation(
        R"({"messages": [{"role": "assistant", "content": "a", "weight": 0}, {"role": "assistant", "content": "b"}]})"));
    ASSERT_FALSE(mixed);
    EXPECT_EQ(mixed.error().code, ErrorCode::unsupported);
    EXPECT_THAT(mixed.error().message, HasSubstr("4 parts for 2 messages"));
}

TEST(TokeniseChat, ATemplateThatRewritesTheTurnsIsNamed) {
    const std::string last_only =
        "{% for m in messages %}<s>{{ m['role'] }}\n{% if loop.last %}{{ m['content'] }}{% endif %}</s>\n{% endfor %}"
        "{% if add_generation_prompt %}<s>assistant\n{% endif %}";
    Fixture fixture(last_only);
    auto found = fixture.tokenise(conversation(R"({"messages": [{"role": "assistant", "content": "aaa"},
        {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}]})"));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().reason, "chat_template_unmarked");
    EXPECT_THAT(found.error().message, HasSubstr("generation"));
}

TEST(TokeniseChat, WithoutATemplateOnlyPlainTextCanBeLearned) {
    Fixture fixture;
    fixture.options.form = nullptr;
    auto refused = fixture.tokenise(conversation(R"({"messages": [{"role": "assistant", "content": "a"}]})"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "no_chat_template");
    auto plain = fixture.tokenise(conversation(R"({"prompt": "Two and two is", "completion": " four"})"));
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_EQ(fixture.learned(plain->row), " four</s>");
    EXPECT_TRUE(plain->ends);
    EXPECT_TRUE(plain->row.text.empty());
}

TEST(TokeniseChat, LongRowsLoseTheirBeginningOrAreRefused) {
    Fixture fixture;
    auto example = conversation(R"({"messages": [{"role": "user", "content": "a long question about many things"},
                                                 {"role": "assistant", "content": "Yes"}]})");
    auto whole = *fixture.tokenise(example);
    fixture.options.max_tokens = static_cast<int>(whole.row.ids.size()) - 5;
    auto cut = fixture.tokenise(example);
    ASSERT_TRUE(cut) << cut.error().message;
    EXPECT_EQ(cut->row.ids, std::vector<std::int32_t>(whole.row.ids.begin() + 5, whole.row.ids.end()));
    EXPECT_EQ(cut->full_tokens, whole.row.ids.size());
    EXPECT_EQ(fixture.learned(cut->row), "Yes</s>");
    EXPECT_TRUE(cut->row.text.empty());
    fixture.options.long_rows = LongRows::refuse;
    auto refused = fixture.tokenise(example);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::too_long);
    fixture.options.long_rows = LongRows::cut;
    auto weightless = conversation(R"({"messages": [{"role": "assistant", "content": "first"},
        {"role": "user", "content": "much more text than fits"}, {"role": "assistant", "content": "x", "weight": 0}]})");
    fixture.options.max_tokens = 8;
    EXPECT_THAT(fixture.tokenise(weightless).error().message, HasSubstr("no word to learn is left"));
}

TEST(TokeniseChat, ATemplateWithoutAnEndDoesNotTeachToStop) {
    Fixture fixture(
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}");
    auto found = fixture.tokenise(conversation(
        R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]})"));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_FALSE(found->ends);
}

// ---- files and split

std::vector<TokenRow> some_rows(std::size_t count) {
    std::vector<TokenRow> rows;
    for (std::size_t i = 0; i < count; ++i) {
        const auto word = static_cast<std::int32_t>(i % 17);
        rows.push_back({static_cast<std::int64_t>(i + 1), "text", {1, word, 2, 3}, {0, 0.5f, 0.5f, 1}});
    }
    return rows;
}

TEST(TokenRows, ComeBackAsTheyWere) {
    test::TemporaryFolder folder;
    auto rows = some_rows(3);
    rows[1].text.clear();
    rows[2].weights = {0, 1, 0, 0.25f};
    ASSERT_TRUE(write_token_rows(folder / "train.jsonl", rows));
    auto again = read_token_rows(folder / "train.jsonl", 20);
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(again->size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ((*again)[i].row, rows[i].row);
        EXPECT_EQ((*again)[i].text, rows[i].text);
        EXPECT_EQ((*again)[i].ids, rows[i].ids);
        EXPECT_EQ((*again)[i].weights, rows[i].weights);
    }
}

TEST(TokenRows, DamagedLinesAreNamed) {
    for (const char* line : {
             R"({"row": 1, "ids": [1], "learn": [[1, 2, 1]]})",
             R"({"row": 1, "ids": [1, 20], "learn": [[1, 2, 1]]})",
             R"({"row": 1, "ids": [1, -1], "learn": [[1, 2, 1]]})",
             R"({"row": 1, "ids": [1, 2], "learn": []})",
             R"({"row": 1, "ids": [1, 2], "learn": [[0, 2, 1]]})",
             R"({"row": 1, "ids": [1, 2], "learn": [[1, 3, 1]]})",
             R"({"row": 1, "ids": [1, 2, 3], "learn": [[2, 3, 1], [1, 2, 1]]})",
             R"({"row": 1, "ids": [1, 2], "learn": [[1, 2, 2]]})",
             R"({"row": 1, "ids": [1, 2], "learn": [[1, 2, 0]]})",
             R"({"row": 0, "ids": [1, 2], "learn": [[1, 2, 1]]})",
             R"({"row": 1, "ids": [1, 2]})",
         }) {
        auto row = read_token_row(line, "train.jsonl, line 7", 20);
        ASSERT_FALSE(row) << line;
        EXPECT_EQ(row.error().code, ErrorCode::corrupt) << line;
        EXPECT_THAT(row.error().message, HasSubstr("line 7")) << line;
    }
}

TEST(TokenRows, TheSplitKeepsEqualRowsTogether) {
    auto rows = some_rows(500);
    auto split = split_token_rows(rows, 0.2, 5);
    EXPECT_EQ(split.train.size() + split.held_out.size(), rows.size());
    EXPECT_NEAR(static_cast<double>(split.held_out.size()), 100, 30);
    std::set<std::vector<std::int32_t>> learned;
    for (auto i : split.train) learned.insert(rows[i].ids);
    for (auto i : split.held_out) EXPECT_FALSE(learned.contains(rows[i].ids));
    EXPECT_EQ(split_token_rows(rows, 0.2, 5).train, split.train);
    EXPECT_NE(split_token_rows(rows, 0.2, 6).train, split.train);
    EXPECT_TRUE(split_token_rows(rows, 0, 5).held_out.empty());
}

}  // namespace
}  // namespace rootstock
