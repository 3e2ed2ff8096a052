#pragma once
// Rows of tokens with what each of them counts in the loss: what a language model learns from.
//
// A conversation is written as the model's chat template has it, and counts where the assistant speaks: its words and
// the token that ends its turn, times the message's weight. All else is read and not learned.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/base.h"
#include "data/chat/chat_template.h"
#include "data/dataset/chat_dataset.h"
#include "data/tokenizer/tokenizer.h"

namespace rootstock {

struct TokenRow {
    std::int64_t row = 0;           // 1-based data row of the file
    std::string text;               // gives `ids` without special tokens added; empty when the row was cut
    std::vector<std::int32_t> ids;  // at least two
    std::vector<float> weights;     // [ids]; of the loss of saying this token after those before it; the first is 0

    double weight() const;  // their sum; above 0
};

enum class LongRows { cut, refuse };

struct TokenRowOptions {
    int max_tokens = 0;                  // 0: no limit
    LongRows long_rows = LongRows::cut;  // cut: the beginning goes, the last words stay
    std::span<const int> end_ids;        // tokens that end a text: white space behind them is not learned
    json::object special_tokens;         // "bos_token"..., as the tokenizer spells them
    const ChatTemplate* form = nullptr;  // null: the model has none, and conversations are refused
};

struct TokenisedRow {
    TokenRow row;
    std::size_t full_tokens = 0;  // before it was cut
    bool ends = false;            // what is learned last is a token that ends a text
};

// unsupported: no template; a template in which the assistant's words cannot be found, or messages with weights of
// their own cannot be told apart. invalid_argument: the template refuses the conversation. too_long: max_tokens with
// LongRows::refuse, or nothing that counts is left after cutting. Each message says what to do.
Result<TokenisedRow> tokenise_chat(const ChatExample& example, const Tokenizer& tokenizer,
                                   const TokenRowOptions& options);

// A job folder's train.jsonl for a language model (docs/formats/job-folder.md), one row a line:
//   {"row": 17, "text": "...", "ids": [1, 2, 3], "learn": [[begin, end, weight], ...]}
Result<void> write_token_rows(const std::filesystem::path& path, std::span<const TokenRow> rows);

// corrupt names the line: not as above, ids outside [0, vocabulary), spans out of order or outside the row.
Result<std::vector<TokenRow>> read_token_rows(const std::filesystem::path& path, std::int32_t vocabulary);
Result<TokenRow> read_token_row(std::string_view line, std::string_view where, std::int32_t vocabulary);

// Indices of rows held out: about `share` of them, chosen by the seed; rows with the same tokens stand on one side.
struct RowSplit {
    std::vector<std::size_t> train, held_out;
};
RowSplit split_token_rows(std::span<const TokenRow> rows, double share, std::uint64_t seed);

}  // namespace rootstock
