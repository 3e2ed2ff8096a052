#include <gtest/gtest.h>

#include "infer/constrain/compile.h"
#include "infer/constrain/test_vocabularies.h"

namespace rootstock {
namespace {

class ToolConstraintTest : public ::testing::Test {
protected:
    static const Tokenizer& tokenizer() {
        static const auto made = test::shared_tokenizer("qwen3").value();
        return made;
    }
    static const SharedVocabulary& vocabulary() {
        static const int ends[] = {*tokenizer().token_id("<|im_end|>")};
        static const auto made = OutputVocabulary::make(tokenizer(), ends).value();
        return made;
    }

    std::vector<CallableTool> tools() const {
        return {
            {"weather",
             json::parse(R"({"type": "object", "properties": {"city": {"$ref": "#/$defs/city"}}, "required": ["city"],
                    "$defs": {"city": {"enum": ["Berlin", "Paris"]}}})"),
             false},
            {"now", nullptr, false}};
    }
    bool allows(const ToolCallOptions& options, std::string_view text) {
        const auto constraint = compile_tool_calls(tools(), options, vocabulary());
        EXPECT_TRUE(constraint) << constraint.error().message;
        const auto state = (*constraint)->begin();
        std::vector<std::int32_t> ids;
        EXPECT_TRUE(tokenizer().encode_ids(text, {}, ids));
        std::vector<std::uint64_t> bits(vocabulary()->id_end() / 64 + 1);
        for (const auto id : ids) {
            state->mask(bits);
            if (!(bits[static_cast<std::size_t>(id) / 64] >> (id % 64) & 1)) return false;
            state->accept(id);
        }
        return state->may_end();
    }
};

const char* const kWeather =
    "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Berlin\"}}\n</tool_call>";

TEST_F(ToolConstraintTest, CallsOnlyAndValidOnes) {
    EXPECT_TRUE(allows({}, kWeather));
    EXPECT_TRUE(
        allows({}, std::string(kWeather) + "\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>"));
    EXPECT_FALSE(allows({.text = {}, .several = false}, std::string(kWeather) + "\n" + kWeather));
    EXPECT_FALSE(allows({}, "Hello"));
    EXPECT_FALSE(allows({}, "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>"));
    EXPECT_FALSE(allows({}, "<tool_call>\n{\"name\": \"rain\", \"arguments\": {}}\n</tool_call>"));
    EXPECT_FALSE(allows({}, ""));
}

TEST_F(ToolConstraintTest, WordsBeforeOrInstead) {
    const ToolCallOptions words{.text = {}, .words_allowed = true};
    EXPECT_TRUE(allows(words, ""));
    EXPECT_TRUE(allows(words, "It is <b>sunny</b>: 5 < 6 <tool"));
    EXPECT_TRUE(allows(words, std::string("I look. ") + kWeather));
    EXPECT_FALSE(allows(words, "I look. <tool_call>nothing</tool_call>"));
    EXPECT_FALSE(allows(words, std::string(kWeather) + " done"));
}

TEST_F(ToolConstraintTest, OtherMarks) {
    const ToolCallOptions bare{.text = {"", "", "parameters"}, .words_allowed = true};
    EXPECT_TRUE(allows(bare, R"({"name": "weather", "parameters": {"city": "Paris"}})"));
    EXPECT_FALSE(
        allows(bare, R"({"name": "weather", "parameters": {"city": "Paris"}}{"name": "now", "parameters": {}})"));
    EXPECT_FALSE(allows(bare, R"( {"name": "weather")"));
    EXPECT_TRUE(allows(bare, "The set {1, 2}"));
    const ToolCallOptions listed{.text = {"[TOOL_CALLS]", "", "arguments", true}};
    EXPECT_TRUE(allows(
        listed,
        R"([TOOL_CALLS] [{"name": "now", "arguments": {}}, {"name": "weather", "arguments": {"city": "Berlin"}}])"));
    EXPECT_FALSE(allows(listed, "[TOOL_CALLS] []"));
}

TEST_F(ToolConstraintTest, NoToolsAreRefused) {
    EXPECT_FALSE(compile_tool_calls({}, {}, vocabulary()));
    const std::vector<CallableTool> wrong{{"f", json::parse(R"({"not": {}})"), false}};
    const auto refused = compile_tool_calls(wrong, {}, vocabulary());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("\"not\""), std::string::npos);
}

}  // namespace
}  // namespace rootstock
