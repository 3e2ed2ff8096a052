#pragma once
// How models say that they call a function. Each family writes its own way, which its chat template shows:
//
//   marked   <tool_call>{"name": "f", "arguments": {...}}</tool_call>, once or more (Hermes, Qwen, SmolLM2)
//   listed   [TOOL_CALLS] [{"name": "f", "arguments": {...}}, ...] (Mistral)
//   bare     {"name": "f", "parameters": {...}} and nothing else (Llama 3.1)
//
// What does not read as a call stays text: a model is not obliged to write well.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock {

enum class ToolForm { none, marked, listed, bare };

// As a chat template shows it; none: it has no place for tools.
ToolForm tool_form(std::string_view chat_template);

struct ToolCall {
    std::string name;
    std::string arguments;  // JSON text, as OpenAI tells them
};

struct ToolReading {
    std::string words;  // what is not a call
    std::vector<ToolCall> calls;
};

ToolReading read_tool_calls(ToolForm form, std::string_view text);

// Where words end and calls may begin; empty: anywhere, so that nothing can be shown before the end.
std::string_view tool_mark(ToolForm form);

}  // namespace rootstock
