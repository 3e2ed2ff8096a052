#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/data.h"

namespace rootstock {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view chatml =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + "
    "'\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

ChatTemplate parsed(std::string_view text) { return ChatTemplate::parse(text, "model").value(); }

json::value conversation() {
    return json::parse(R"([{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello é"},
                           {"role":"user","content":"Bye"},{"role":"assistant","content":"So long"}])");
}

Error refused(std::string_view text, const ChatLimits& limits = {}) {
    ChatOptions options;
    options.limits = limits;
    auto chat = ChatTemplate::parse(text, "model", limits);
    auto made = chat ? chat->render(conversation(), options) : fail(chat.error());
    EXPECT_FALSE(made) << text;
    return made ? Error{} : made.error();
}

std::vector<std::string> words(const RenderedChat& chat) {
    std::vector<std::string> words;
    for (auto span : chat.assistant) words.push_back(chat.text.substr(span.begin, span.end - span.begin));
    return words;
}

TEST(ChatTemplate, AModelWithoutOneSaysSo) {
    auto chat = ChatTemplate::parse("", "tiny-base");
    ASSERT_FALSE(chat);
    EXPECT_EQ(chat.error().code, ErrorCode::not_found);
    EXPECT_THAT(chat.error().message, HasSubstr("tiny-base has no chat template"));
}

TEST(ChatTemplate, MistakesNameTheirLine) {
    EXPECT_THAT(refused("a\n\n{% if x %}\n").message, HasSubstr("line 3: the template ends inside a block"));
    EXPECT_THAT(refused("a\n{{ 1 + }}").message, HasSubstr("line 2: expected a value"));
    EXPECT_THAT(refused("\n\n{{ messages.x.y }}").message, HasSubstr("line 3: 'x' is undefined"));
    EXPECT_THAT(refused("\xff").message, HasSubstr("not valid UTF-8 at byte 0"));
    EXPECT_EQ(refused("{{ raise_exception('no system turn') }}").reason, "chat_template_refused");
    EXPECT_THAT(refused("{{ raise_exception('no system turn') }}").message, HasSubstr("no system turn"));
}

TEST(ChatTemplate, EveryLimitIsANamedError) {
    auto limit = [](std::string_view text, ChatLimits limits = {}) {
        auto error = refused(text, limits);
        EXPECT_EQ(error.code, ErrorCode::too_large) << error.message;
        return error.param;
    };
    EXPECT_EQ(limit(std::string(300 * 1024, 'x')), "template_bytes_max");
    EXPECT_EQ(limit("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"), "steps_max");
    EXPECT_EQ(limit("{{ 'x' * 99999999 }}"), "output_bytes_max");
    EXPECT_EQ(
        limit("{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}"),
        "output_bytes_max");
    EXPECT_EQ(limit("{% for i in range(99999) %}{{ 'x' * 1000 }}{% endfor %}"), "output_bytes_max");
    EXPECT_EQ(limit("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"), "depth_max");
    EXPECT_EQ(limit("{% for m in messages %}{{ m }}{% endfor %}", {.steps_max = 5}), "steps_max");
}

// Lists that share their parts stand for more items than any machine holds; every walk over them is counted.
TEST(ChatTemplate, SharedPartsCannotMultiplyTheWork) {
    std::string doubling =
        "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}";
    for (std::string_view use :
         {"{{ ns.l == [ns.l[0], ns.l[1]] }}", "{{ ns.l }}", "{{ ns.l|tojson }}", "{{ ns.l < ns.l }}"})
        EXPECT_EQ(refused(doubling + std::string(use)).code, ErrorCode::too_large) << use;
    EXPECT_THAT(
        refused("{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}").message,
        HasSubstr("nested deeper"));
}

TEST(ChatTemplate, NestingOfTheTextIsBounded) {
    auto many = [](std::string_view part, int times) {
        std::string text;
        for (int i = 0; i < times; ++i) text += part;
        return text;
    };
    EXPECT_THAT(refused("{{ " + many("(", 9999) + many(")", 9999) + " }}").message, HasSubstr("nests deeper"));
    EXPECT_THAT(refused("{{ " + many("[", 9999) + many("]", 9999) + " }}").message, HasSubstr("nests deeper"));
    EXPECT_THAT(refused("{{ 1" + many("+1", 9999) + " }}").message, HasSubstr("nests deeper"));
    EXPECT_THAT(refused("{{ x" + many(".x", 9999) + " }}").message, HasSubstr("nests deeper"));
    EXPECT_THAT(refused("{{ " + many("not ", 9999) + "x }}").message, HasSubstr("too many 'not'"));
    EXPECT_THAT(refused("{{ " + many("-", 9999) + "1 }}").message, HasSubstr("nests deeper"));
    EXPECT_THAT(refused(many("{% if 1 %}", 9999)).message, HasSubstr("blocks nest deeper"));
    EXPECT_THAT(refused("{{ " + many("1 if 1 else ", 9999) + "1 }}").message, HasSubstr("nests deeper"));
}

TEST(ChatTemplate, SurvivesTruncationAtEveryByte) {
    std::string text =
        "{%- set ns = namespace(a=[1, 2.5]) -%}{% macro m(a, b='x\\u00e9') %}{{ a|tojson(indent=2) }}{% endmacro %}{# "
        "c #}"
        "{% for m in messages if m.role is not none %}{{ m['content'][1:-1]|trim ~ loop.index }}{% generation %}x"
        "{% endgeneration %}{% else %}{% endfor %}{% raw %}{{ {% endraw %}{% call(q) m(1) %}{% endcall %}";
    for (std::size_t size = 0; size < text.size(); ++size) {
        auto chat = ChatTemplate::parse(text.substr(0, size), "model");
        if (chat) static_cast<void>(chat->render(conversation()));
    }
}

TEST(ChatTemplate, MarksTheAssistantsWordsByGenerationBlocks) {
    auto chat = parsed(
        "{% for m in messages %}{% if m.role == 'assistant' %}A:{% generation %}{{ m.content }}|{% endgeneration %}"
        "{% else %}U:{{ m.content }}|{% endif %}{% endfor %}");
    EXPECT_TRUE(chat.marks_generation());
    auto marked = chat.render_marked(conversation()).value();
    EXPECT_EQ(marked.text, "U:Hi|A:Hello é|U:Bye|A:So long|");
    EXPECT_THAT(words(marked), ElementsAre("Hello é|", "So long|"));
}

TEST(ChatTemplate, MarksTheAssistantsWordsByPrefixes) {
    auto marked = parsed(chatml).render_marked(conversation()).value();
    EXPECT_THAT(words(marked), ElementsAre("Hello é<|im_end|>\n", "So long<|im_end|>\n"));
    // The text ends otherwise while no turn follows: the end is not moved into the marker that both begin with '<|'.
    auto phi = parsed(
        "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ '<|endoftext|>' }}{% endif %}");
    EXPECT_THAT(words(phi.render_marked(conversation()).value()),
                ElementsAre("Hello é<|end|>", "So long<|end|><|endoftext|>"));
}

TEST(ChatTemplate, SaysWhenEarlierTurnsAreRewritten) {
    auto chat = parsed("{{ messages|length }}{% for m in messages %}{{ m.content }}{% endfor %}");
    auto marked = chat.render_marked(conversation());
    ASSERT_FALSE(marked);
    EXPECT_EQ(marked.error().reason, "chat_template_unmarked");
}

TEST(ChatTemplate, VariablesGoBeforeSpecialTokens) {
    ChatOptions options;
    options.special_tokens = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
    options.variables = {{"eos_token", "<end>"}, {"enable_thinking", false}};
    auto chat = parsed("{{ bos_token }}{{ eos_token }}{{ enable_thinking }}{{ tools is none }}");
    EXPECT_EQ(chat.render(json::array(), options).value(), "<s><end>FalseTrue");
}

}  // namespace
}  // namespace rootstock
