#pragma once
// What POST /v1/chat/completions is asked: the conversation as templates want it, tools, and the answer's shape.

#include "app/routes/writing.h"

namespace rootstock {

struct ChatRequest {
    GenerateOrder order;
    StreamChoice choice;
    ToolForm tools = ToolForm::none;  // how calls are written; none: no tools are offered
    bool one_call = false;            // parallel_tool_calls: false
};

// Errors name the field: invalid_argument, unsupported (parts that are no text; tools where the template has no place).
Result<ChatRequest> read_chat_request(const Exchange& exchange);

}  // namespace rootstock
