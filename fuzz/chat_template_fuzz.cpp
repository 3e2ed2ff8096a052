// data/chat: a template, run on a conversation that shows it most kinds of values.

#include "data/data.h"
#include "input.h"

using namespace rootstock;

namespace {

const json::value& conversation() {
    static const json::value messages = json::parse(R"([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "caf\u00e9 \u4f60\u597d"}, {"type": "image"}]},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "call12345", "type": "function",
            "function": {"name": "get", "arguments": {"a": 1, "b": [2.5, null, true, "x"]}}}]},
        {"role": "tool", "content": "7.5", "tool_call_id": "call12345"},
        {"role": "assistant", "content": "<think>\nhm\n</think>\n\n7.5"}])");
    return messages;
}

ChatOptions options() {
    ChatOptions options;
    options.add_generation_prompt = true;
    options.tools =
        json::parse(R"([{"type": "function", "function": {"name": "get", "parameters": {"type": "object"}}}])");
    options.special_tokens = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
    options.variables = {{"n", 3}, {"f", 0.5}, {"enable_thinking", false}};
    options.limits = {.steps_max = 100'000, .output_bytes_max = 1 << 20};  // so that a run stays short
    return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto chat = ChatTemplate::parse(fuzz::as_text(data, size), "the input");
    if (!chat) return 0;
    static const ChatOptions given = options();
    auto marked = chat->render_marked(conversation(), given);
    if (!marked) return 0;
    for (auto span : marked->assistant)
        if (span.begin > span.end || span.end > marked->text.size()) std::abort();
    return 0;
}
