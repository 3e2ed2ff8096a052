#include "flow/writing/tool_calls.h"

#include <gtest/gtest.h>

namespace rootstock {
namespace {

const char* weather = R"({"name": "get_weather", "arguments": {"city": "Paris"}})";

TEST(ToolCalls, ATemplateShowsItsForm) {
    EXPECT_EQ(tool_form("{% for message in messages %}{% endfor %}"), ToolForm::none);
    EXPECT_EQ(tool_form("{% if tools %}<tool_call>"), ToolForm::marked);
    EXPECT_EQ(tool_form("{% if tools %}[TOOL_CALLS]"), ToolForm::listed);
    EXPECT_EQ(tool_form("{% if tools %}\"parameters\""), ToolForm::bare);
}

TEST(ToolCalls, MarkedCallsAndTheWordsAroundThem) {
    const auto text =
        "Let me look.\n<tool_call>\n" + std::string(weather) + "\n</tool_call>\n<tool_call>" + weather + "</tool_call>";
    const auto reading = read_tool_calls(ToolForm::marked, text);
    EXPECT_EQ(reading.words, "Let me look.");
    ASSERT_EQ(reading.calls.size(), 2U);
    EXPECT_EQ(reading.calls[0].name, "get_weather");
    EXPECT_EQ(reading.calls[1].arguments, "{\"city\":\"Paris\"}");
}

TEST(ToolCalls, AModelThatStopsBeforeTheClosingMarkHasCalledToo) {
    EXPECT_EQ(read_tool_calls(ToolForm::marked, "<tool_call>" + std::string(weather)).calls.size(), 1U);
}

TEST(ToolCalls, ListedAndBareCalls) {
    const auto listed = read_tool_calls(ToolForm::listed, "[TOOL_CALLS] [" + std::string(weather) + "]");
    ASSERT_EQ(listed.calls.size(), 1U);
    EXPECT_TRUE(listed.words.empty());
    const auto bare = read_tool_calls(ToolForm::bare, R"( {"name": "f", "parameters": {"x": 1}} )");
    ASSERT_EQ(bare.calls.size(), 1U);
    EXPECT_EQ(bare.calls[0].arguments, "{\"x\":1}");
}

TEST(ToolCalls, ArgumentsWrittenAsATextAreTaken) {
    const auto reading = read_tool_calls(ToolForm::bare, R"({"name": "f", "arguments": "{\"x\": 1}"})");
    ASSERT_EQ(reading.calls.size(), 1U);
    EXPECT_EQ(reading.calls[0].arguments, "{\"x\": 1}");
}

TEST(ToolCalls, WhatDoesNotReadAsACallStaysText) {
    for (const std::string text : {"<tool_call>{\"name\": </tool_call>", "<tool_call>", "<tool_call>[]</tool_call> x",
                                   "<tool_call>{\"name\": 5}</tool_call>", "", "no call"}) {
        const auto reading = read_tool_calls(ToolForm::marked, text);
        EXPECT_TRUE(reading.calls.empty()) << text;
        EXPECT_EQ(reading.words, text);
    }
    EXPECT_EQ(read_tool_calls(ToolForm::listed, "[TOOL_CALLS] [{]").words, "[TOOL_CALLS] [{]");
    EXPECT_EQ(read_tool_calls(ToolForm::bare, "{\"x\": 1}").words, "{\"x\": 1}");
}

}  // namespace
}  // namespace rootstock
