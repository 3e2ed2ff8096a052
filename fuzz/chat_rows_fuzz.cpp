// data/dataset: a line of a chat file, and a line of a job folder's token rows. The first byte chooses which.

#include "data/data.h"
#include "input.h"

using namespace rootstock;

namespace {

void read_conversation(std::string_view line) {
    auto example = read_chat_line(line, {.row_bytes_max = 1 << 16, .messages_max = 64});
    if (!example) return;
    if (example->messages.size() != example->weights.size()) std::abort();
    static const Tokenizer tokenizer = *Tokenizer::parse(
        R"({"model":{"type":"WordLevel","vocab":{"[UNK]":0,"<|end|>":1,"a":2},"unk_token":"[UNK]"},)"
        R"("added_tokens":[{"id":1,"content":"<|end|>","special":true,"single_word":false,"lstrip":false,)"
        R"("rstrip":false,"normalized":false}],"pre_tokenizer":{"type":"Whitespace"}})",
        "the fuzz tokenizer");
    static const ChatTemplate form = *ChatTemplate::parse(
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}<|end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}",
        "the fuzz template");
    static const int ends[] = {1};
    TokenRowOptions options{.max_tokens = 64, .end_ids = ends, .special_tokens = {{"eos_token", "<|end|>"}}};
    options.form = &form;
    auto tokens = tokenise_chat(*example, tokenizer, options);
    if (!tokens) return;
    const auto& row = tokens->row;
    if (row.ids.size() != row.weights.size() || row.ids.size() > 64 || row.weights[0] != 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto text = fuzz::as_text(data + 1, size - 1);
    if ((data[0] & 1) != 0) {
        read_conversation(text);
    } else if (auto row = read_token_row(text, "the input", 1000)) {
        if (row->ids.size() != row->weights.size() || row->weight() <= 0) std::abort();
    }
    return 0;
}
