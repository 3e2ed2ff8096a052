#include "flow/chat.h"

#include <gtest/gtest.h>

namespace rootstock {
namespace {

namespace fs = std::filesystem;

// What a filter shows when the text comes in pieces of `size` bytes.
std::string shown(const std::vector<std::string>& stops, const std::string& text, std::size_t size) {
    StopFilter filter(stops);
    std::string all;
    for (std::size_t at = 0; at < text.size() && !filter.stopped(); at += size)
        all += filter.push(text.substr(at, size));
    return all + filter.finish();
}

TEST(StopFilter, EndsBeforeTheFirstStopHoweverTheTextArrives) {
    for (std::size_t size = 1; size <= 12; ++size) {
        EXPECT_EQ(shown({"User:", "\n\n"}, "Hello.\nUser: and you?", size), "Hello.\n") << size;
        EXPECT_EQ(shown({"User:", "\n\n"}, "One\n\nTwo User:", size), "One") << size;
        EXPECT_EQ(shown({"aab"}, "aaaab rest", size), "aa") << size;
        EXPECT_EQ(shown({"stop"}, "it never sto", size), "it never sto") << size;
        EXPECT_EQ(shown({}, "all of it", size), "all of it") << size;
    }
}

TEST(StopFilter, HoldsBackOnlyWhatMayBeAStop) {
    StopFilter filter({"END"});
    EXPECT_EQ(filter.push("The EN"), "The ");
    EXPECT_EQ(filter.push("ORMOUS"), "ENORMOUS");
    EXPECT_EQ(filter.push(" E"), " ");
    EXPECT_EQ(filter.push("ND of it"), "");
    EXPECT_TRUE(filter.stopped());
    EXPECT_EQ(filter.push("more"), "");
    EXPECT_EQ(filter.finish(), "");
}

class ChatFormTest : public testing::Test {
protected:
    fs::path folder_ = fs::path(testing::TempDir()) / "rootstock_chat_form";
    void SetUp() override {
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void write(const char* name, const std::string& text) { ASSERT_TRUE(write_file_atomically(folder_ / name, text)); }
    std::string rendered() {
        auto form = read_chat_form(folder_);
        EXPECT_TRUE(form) << form.error().message;
        ChatOptions options;
        options.special_tokens = form->special_tokens;
        return form->form.render(json::array{json::object{{"role", "user"}, {"content", "hi"}}}, options).value_or("?");
    }
};

TEST_F(ChatFormTest, ReadsTheTemplateWhereverItStands) {
    write("tokenizer_config.json",
          R"({"chat_template": "{{ bos_token }}{{ messages[0].content }}", "bos_token": {"content": "<s>"}})");
    EXPECT_EQ(rendered(), "<s>hi");
    write("tokenizer_config.json", R"({"bos_token": "<b>", "chat_template": [{"name": "tool_use", "template": "no"},
          {"name": "default", "template": "{{ bos_token }}{{ messages[0].role }}"}]})");
    EXPECT_EQ(rendered(), "<b>user");
    write("chat_template.jinja", "{{ messages | length }}{{ bos_token }}");
    EXPECT_EQ(rendered(), "1<b>");
}

TEST_F(ChatFormTest, SaysThatAModelIsNotForConversations) {
    write("tokenizer_config.json", R"({"bos_token": "<s>"})");
    EXPECT_EQ(read_chat_form(folder_).error().reason, "no_chat_template");
    write("tokenizer_config.json", "{");
    EXPECT_EQ(read_chat_form(folder_).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace rootstock
