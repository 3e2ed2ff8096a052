#include "data/dataset/chat_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_places.h"

namespace rootstock {
namespace {

using testing::HasSubstr;

// The reason why a line cannot be used; its field stands in front.
std::string reason(std::string_view line) {
    auto example = read_chat_line(line);
    if (example) return "";
    return example.error().param + "|" + example.error().message;
}

TEST(ChatLine, AConversationComesAsTemplatesWantIt) {
    auto example = read_chat_line(R"({"messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "How "}, {"type": "text", "text": "warm?"}], "name": "an"},
        {"role": "assistant", "content": null, "weight": 0, "tool_calls": [{"id": "c1", "type": "function",
            "function": {"name": "weather", "arguments": "{\"city\": \"Oslo\", \"days\": 2}"}}]},
        {"role": "tool", "content": "7", "tool_call_id": "c1"},
        {"role": "assistant", "content": "Seven degrees.", "weight": 0.25}],
        "tools": [{"type": "function", "function": {"name": "weather"}}], "parallel_tool_calls": false})");
    ASSERT_TRUE(example) << example.error().message;
    ASSERT_EQ(example->messages.size(), 5u);
    EXPECT_EQ(example->messages[1].at("content").as_string(), "How warm?");
    const auto& call = example->messages[2].at("tool_calls").as_array()[0].at("function");
    EXPECT_EQ(call.at("arguments").at("city").as_string(), "Oslo");
    EXPECT_EQ(call.at("arguments").at("days").as_int64(), 2);
    EXPECT_TRUE(example->messages[2].at("content").is_null());
    EXPECT_FALSE(example->messages[4].as_object().contains("weight"));
    EXPECT_THAT(example->weights, testing::ElementsAre(0, 0, 0, 0, 0.25f));
    EXPECT_EQ(example->tools.as_array().size(), 1u);
}

TEST(ChatLine, TheOlderFormsAreRead) {
    auto plain = read_chat_line(R"({"prompt": "2 + 2 =", "completion": " 4"})");
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_EQ(plain->prompt, "2 + 2 =");
    EXPECT_EQ(plain->completion, " 4");
    EXPECT_TRUE(plain->messages.empty());
    auto functions = read_chat_line(
        R"({"messages": [{"role": "assistant", "content": "x"}], "functions": [{"name": "f", "parameters": {}}]})");
    ASSERT_TRUE(functions) << functions.error().message;
    EXPECT_EQ(functions->tools.as_array()[0].at("function").at("name").as_string(), "f");
}

TEST(ChatLine, EveryFaultHasItsPlaceAndSentence) {
    const std::tuple<const char*, const char*, const char*> cases[] = {
        {"[1]", "", "JSON object"},
        {"{\"messages\": [", "", "the line"},
        {R"({"text": "a"})", "messages", "is missing"},
        {R"({"messages": []})", "messages", "at least one"},
        {R"({"messages": [3]})", "messages[0]", "must be an object"},
        {R"({"messages": [{"role": "bot", "content": "x"}]})", "messages[0].role", "role must be"},
        {R"({"messages": [{"role": "user"}]})", "messages[0].content", "missing"},
        {R"({"messages": [{"role": "assistant", "content": null, "tool_calls": null}]})", "messages[0].content",
         "missing"},
        {R"({"messages": [{"role": "user", "content": 5}]})", "messages[0].content", "must be text"},
        {R"({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]})",
         "messages[0].content", "'image_url'"},
        {R"({"messages": [{"role": "user", "content": "x", "weight": 1}]})", "messages[0].weight", "only messages of"},
        {R"({"messages": [{"role": "assistant", "content": "x", "weight": 1.5}]})", "messages[0].weight",
         "from 0 to 1"},
        {R"({"messages": [{"role": "assistant", "content": "x", "weight": "1"}]})", "messages[0].weight", "number"},
        {R"({"messages": [{"role": "assistant", "content": "x", "weight": 0}]})", "messages", "nothing to learn"},
        {R"({"messages": [{"role": "user", "content": "x"}]})", "messages", "last message"},
        {R"({"messages": [{"role": "user", "content": "x", "contents": 1}]})", "messages[0]", "'contents'"},
        {R"({"messages": [{"role": "assistant", "content": "x"}], "max_tokens": 1})", "", "'max_tokens'"},
        {R"({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}]})",
         "messages[0].tool_calls", "not a JSON object"},
        {R"({"messages": [{"role": "user", "content": "x", "tool_calls": [{"function": {"name": "f"}}]}]})",
         "messages[0]", "only the assistant"},
        {R"({"messages": [{"role": "assistant", "content": "x"}], "tools": {}})", "tools", "list"},
        {R"({"prompt": "a"})", "completion", "must be text"},
        {R"({"prompt": "a", "completion": ""})", "completion", "nothing to learn"},
        {R"({"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []})", "", "DPO"},
        {R"({"prompt": "a", "chosen": "b", "rejected": "c"})", "", "DPO"},
    };
    for (const auto& [line, field, words] : cases) {
        auto found = reason(line);
        EXPECT_THAT(found, testing::StartsWith(std::string(field) + "|")) << line;
        EXPECT_THAT(found, HasSubstr(words)) << line;
    }
}

TEST(ChatLine, ManyMessagesAreTooMany) {
    EXPECT_THAT(reason(R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})"),
                "");
    auto few =
        read_chat_line(R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})",
                       {.messages_max = 1});
    ASSERT_FALSE(few);
    EXPECT_THAT(few.error().message, HasSubstr("more than 1"));
}

class ChatFiles : public testing::Test {
protected:
    std::filesystem::path path_ = std::filesystem::path(testing::TempDir()) / "chat_dataset_test.jsonl";
    void write(const std::string& text) { ASSERT_TRUE(write_file_atomically(path_, text)); }
};

const char* const good = R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})";

TEST_F(ChatFiles, BadRowsComeBackWithRowLineAndReason) {
    write("\xEF\xBB\xBF" + std::string(good) + "\r\n\n  \n{\"prompt\": 1}\n" + good + "\nnonsense\n" +
          R"({"prompt": ")" + std::string(5000, 'x') + R"(", "completion": "y"})");
    auto dataset = read_chat_dataset(path_, {.row_bytes_max = 4096});
    ASSERT_TRUE(dataset) << dataset.error().message;
    EXPECT_EQ(dataset->rows, 5);
    ASSERT_EQ(dataset->examples.size(), 2u);
    EXPECT_EQ(dataset->examples[1].row, 3);
    EXPECT_EQ(dataset->examples[1].line, 5);
    ASSERT_EQ(dataset->problems.size(), 3u);
    EXPECT_EQ(dataset->problems[0].row, 2);
    EXPECT_EQ(dataset->problems[0].line, 4);
    EXPECT_EQ(dataset->problems[0].field, "prompt");
    EXPECT_EQ(dataset->problems[1].row, 4);
    EXPECT_THAT(dataset->problems[2].reason, HasSubstr("larger than 4,096 bytes"));
    EXPECT_EQ(dataset->digest, *sha256_file(path_));
}

TEST_F(ChatFiles, WithoutAUsableRowTheFirstProblemIsNamed) {
    write("");
    EXPECT_THAT(read_chat_dataset(path_).error().message, HasSubstr("no rows"));
    write("\n{\"a\": 1}\n");
    auto none = read_chat_dataset(path_);
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().message, HasSubstr("row 1 (line 2)"));
    write(std::string(good) + "\n" + good + "\n");
    EXPECT_EQ(read_chat_dataset(path_, {.rows_max = 1}).error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace rootstock
