// Chat templates against the reference renderer: tests/golden/make_chat_golden.py says how the values were made.

#include <gtest/gtest.h>

#include <cstdlib>

#include "data/data.h"
#include "data/test_places.h"

namespace rootstock {
namespace {

json::value golden_file() {
    // A file made with --full holds every published template at hand, with whole texts.
    const char* full = std::getenv("ROOTSTOCK_CHAT_GOLDEN");
    auto path = full ? std::filesystem::path(full) : test::golden() / "chat_cases.json";
    auto text = read_file(path);
    return json::parse(text.value());
}

std::string text_at(const json::value& value, std::string_view key) { return std::string(value.at(key).as_string()); }

json::value or_null(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value ? *value : json::value();
}

std::vector<ChatSpan> spans_of(const json::value& list) {
    std::vector<ChatSpan> spans;
    for (const auto& span : list.as_array())
        spans.push_back({span.at(0).to_number<std::size_t>(), span.at(1).to_number<std::size_t>()});
    return spans;
}

class ChatGolden : public testing::Test {
protected:
    json::value golden_ = golden_file();
    ManualClock clock_{Timestamp{golden_.at("now").as_int64() * 1'000'000}};

    ChatOptions options_for(const json::object& conversation) {
        ChatOptions options;
        options.add_generation_prompt = conversation.at("prompt").as_bool();
        options.tools = or_null(conversation, "tools");
        options.documents = or_null(conversation, "documents");
        options.special_tokens = golden_.at("tokens").as_object();
        if (conversation.contains("variables")) options.variables = conversation.at("variables").as_object();
        options.clock = &clock_;
        return options;
    }

    void expect_case(const ChatTemplate& chat, const json::object& conversation, const json::object& wanted) {
        SCOPED_TRACE(json::serialize(conversation));
        auto options = options_for(conversation);
        auto text = chat.render(conversation.at("messages"), options);
        if (wanted.contains("error")) {
            EXPECT_FALSE(text) << "the reference refuses it: " << json::serialize(wanted) << "\n" << *text;
            return;
        }
        ASSERT_TRUE(text) << text.error().message;
        if (wanted.contains("text")) {
            EXPECT_EQ(*text, wanted.at("text").as_string());
        }
        EXPECT_EQ(text->size(), wanted.at("bytes").as_int64()) << *text;
        EXPECT_EQ(sha256_hex(*text).substr(0, 12), wanted.at("sha256").as_string()) << *text;
        if (!wanted.contains("spans")) return;
        auto marked = chat.render_marked(conversation.at("messages"), options).value();
        EXPECT_EQ(marked.assistant, spans_of(wanted.at("spans")));
    }
};

TEST_F(ChatGolden, SmallTemplatesPrintWhatTheReferencePrints) {
    for (const auto& snippet : golden_.at("snippets").as_array()) {
        SCOPED_TRACE(std::string(snippet.at(0).as_string()));
        ChatOptions options;
        options.variables = golden_.at("variables").as_object();
        options.clock = &clock_;
        auto chat = ChatTemplate::parse(snippet.at(0).as_string(), "the test");
        auto text = chat ? chat->render(json::array(), options) : fail(chat.error());
        if (snippet.at(1).is_null()) {
            EXPECT_FALSE(text) << "the reference refuses it, we print: " << *text;
        } else if (text) {
            EXPECT_EQ(*text, snippet.at(1).as_string());
        } else
            ADD_FAILURE() << text.error().message;
    }
}

TEST_F(ChatGolden, PublishedTemplatesRenderAsTheReferenceRendersThem) {
    std::size_t cases_seen = 0;
    for (const auto& entry : golden_.at("templates").as_array()) {
        SCOPED_TRACE(text_at(entry, "name"));
        std::string text;
        if (const auto* file = entry.as_object().if_contains("file"))
            text = text_at(json::parse(read_file(test::shared_data() / std::string(file->as_string())).value()),
                           "chat_template");
        else
            text = text_at(entry, "text");
        auto chat = ChatTemplate::parse(text, "the test");
        ASSERT_TRUE(chat) << chat.error().message;
        EXPECT_EQ(chat->marks_generation(), entry.at("marked").as_bool());
        const auto& cases = entry.at("cases").as_array();
        const auto& conversations = golden_.at("conversations").as_array();
        for (std::size_t i = 0; i < cases.size(); ++i, ++cases_seen)
            expect_case(*chat, conversations[i].as_object(), cases[i].as_object());
    }
    EXPECT_GT(cases_seen, 500U);
}

}  // namespace
}  // namespace rootstock
