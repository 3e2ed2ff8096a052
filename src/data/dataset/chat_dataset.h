#pragma once
// Conversations to learn from, in the JSONL files that fine-tuning APIs take. One object a line:
//
//   {"messages": [{"role": "system" | "developer" | "user" | "assistant" | "tool" | "function",
//                  "content": text, a list of {"type": "text", "text"}, or null beside tool calls,
//                  "weight": 0 to 1 (assistant only; 1), "name", "tool_calls", "tool_call_id", "function_call"}, ...],
//    "tools": [...], "functions": [...], "parallel_tool_calls": bool}
//   {"prompt": text, "completion": text}      the older form: plain text, no conversation
//
// The last message is the assistant's, and at least one of its messages has a weight above 0. A weight between 0 and 1
// is our extension. A row that is not like this becomes a Problem with its place and reason, like a faulty CSV row.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/base.h"
#include "data/reader/reader.h"

namespace rootstock {

struct ChatExample {
    std::int64_t row = 0;   // 1-based data row of the file
    std::int64_t line = 0;  // 1-based line of the file
    // As chat templates want them: without "weight", lists of text parts joined, the arguments of tool calls as
    // objects.
    json::array messages;
    json::value tools;               // null: none
    std::vector<float> weights;      // of each message; 0 for all that the assistant does not say
    std::string prompt, completion;  // of the older form, which has no messages
};

struct ChatDataset {
    std::vector<ChatExample> examples;  // in file order
    std::vector<Problem> problems;      // rows kept aside, in file order
    std::string digest;                 // SHA-256 of the file, lower-case hexadecimal
    std::int64_t rows = 0;              // data rows met, problems included
};

struct ChatReadOptions {
    std::size_t row_bytes_max = std::size_t{4} << 20;  // a larger row is a Problem
    std::size_t messages_max = 2048;                   // of a conversation
    std::int64_t rows_max = 10'000'000;
};

// not_found, io; invalid_argument: no rows, none that can be used (names the first problem), too many.
Result<ChatDataset> read_chat_dataset(const std::filesystem::path& path, const ChatReadOptions& options = {});

// One line. The error's field and message are the problem's.
Result<ChatExample> read_chat_line(std::string_view line, const ChatReadOptions& options = {});

}  // namespace rootstock
