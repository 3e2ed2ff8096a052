#pragma once
// From a conversation to the text a chat model reads.
//
// A model brings its own template along (tokenizer_config.json, chat_template.jinja, GGUF tokenizer.chat_template),
// written in the part of Jinja2 that Hugging Face transformers renders: if, for (with loop, conditions, else, break
// and continue), set (values, blocks, namespaces), macro, call, filter, with, raw, generation; all expressions of
// Jinja; the filters, tests and methods that published templates use; raise_exception, strftime_now, namespace,
// range, dict. Output equals the reference's, byte for byte: trim_blocks and lstrip_blocks are on, undefined names
// print nothing, a template cannot change lists or dicts.
//
// Templates come from outside, so rendering is bounded by ChatLimits. A ChatTemplate is immutable, cheap to copy
// and safe to use from many threads.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "data/chat/work.h"

namespace rootstock {

struct ChatOptions {
    bool add_generation_prompt = false;  // end with the head of the answer that the model shall write
    json::value tools;                   // list of tool schemas; null: none
    json::value documents;               // list of objects; null: none
    json::object special_tokens;         // "bos_token", "eos_token"... as the tokenizer spells them
    json::object variables;              // anything else the template asks for ("enable_thinking": false)
    Clock* clock = nullptr;              // for strftime_now, in the machine's time zone; null: the machine's clock
    ChatLimits limits;
};

// A part of the rendered text, in bytes, end exclusive.
struct ChatSpan {
    std::size_t begin = 0, end = 0;
    bool operator==(const ChatSpan&) const = default;
};

struct RenderedChat {
    std::string text;
    std::vector<ChatSpan> assistant;  // what the assistant itself says, in order: what training counts
};

struct ChatTemplateParts;  // private to data/chat

class ChatTemplate {
public:
    // `what` names the template in messages. invalid_argument, with the line: a mistake in the template.
    // not_found: the text is empty, that is, the model has no chat template. too_large: above the limit.
    static Result<ChatTemplate> parse(std::string_view text, std::string_view what, const ChatLimits& limits = {});

    // `messages` is a list of objects with role and content as the template expects them; variables named in more
    // than one place count in this order: variables, special tokens, tools and documents.
    // invalid_argument: the template does not fit the conversation (reason "chat_template_fault") or refuses it
    // itself (reason "chat_template_refused"). too_large: a limit is reached (reason "chat_template_limit").
    Result<std::string> render(const json::value& messages, const ChatOptions& options = {}) const;

    // The same with the assistant's own words marked.
    //
    // A template with generation blocks says itself what they are. For any other the conversation is rendered again
    // for each assistant message: up to before it with the generation prompt, and up to and with it. The words begin
    // where the first of these ends, and end where the second stops agreeing with the whole; an end inside a marker
    // that begins with '<' or '[' is moved to the marker's beginning. So the mark that ends a turn is counted, and
    // the model learns to stop. unsupported: the template writes earlier turns differently later on, so that the
    // rule finds no words; give the model a template with generation blocks.
    Result<RenderedChat> render_marked(const json::value& messages, const ChatOptions& options = {}) const;

    bool marks_generation() const;  // whether there are generation blocks

private:
    explicit ChatTemplate(std::shared_ptr<const ChatTemplateParts> parts) : parts_(std::move(parts)) {}
    Result<RenderedChat> run(const json::value& messages, const ChatOptions& options) const;

    std::shared_ptr<const ChatTemplateParts> parts_;
};

}  // namespace rootstock
