#pragma once
// A conversation with a chat model on this machine. The model's own template turns it into a prompt, the native
// executor writes on, and the words come out while they are made.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "data/data.h"
#include "flow/writing/tool_calls.h"
#include "infer/infer.h"

namespace rootstock {

struct ChatSettings {
    std::string system;              // what the model is told before the first word; empty: the template's own habit
    std::vector<std::string> stops;  // an answer ends before any of these
    std::function<CompiledConstraint(SharedVocabulary)> constraint;  // what an answer may be; empty: anything
    GenerateOptions generate;                                        // the seed grows by one with each answer
    NativeOptions native;
    std::filesystem::path adapter;    // of a language model; empty: the model as it is
    std::string adapter_base_digest;  // what it must have been made on; empty: not asked
    int context_tokens = 0;           // prompt and answer together; 0: what the model takes, at most 8,192
};

struct ChatAnswer {
    std::string text;
    Finish finish = Finish::stop;
    std::size_t prompt_tokens = 0, answer_tokens = 0;
    double seconds = 0;
};

class Chat {
public:
    // Of a model's folder. unsupported: the model does not write texts, or has no chat template. An adapter must answer
    // its self-tests; see load_adapter and check_self_tests.
    static Result<Chat> open(const std::filesystem::path& folder, ChatSettings settings);
    ~Chat();
    Chat(Chat&&) noexcept;
    Chat& operator=(Chat&&) noexcept;

    // The answer to `words`. `hear` gets its text piece by piece, whole characters, and ends it by answering false, as
    // SIGINT does; what was said until then stays in the conversation. too_long: the conversation no longer fits; the
    // words are not kept.
    Result<ChatAnswer> say(std::string_view words, const std::function<bool(std::string_view)>& hear);

    void forget();  // all but what the model was told first

private:
    struct State;
    explicit Chat(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Lets text through as long as it cannot be the beginning of a word that ends it.
class StopFilter {
public:
    explicit StopFilter(std::vector<std::string> stops) : stops_(std::move(stops)) {}

    std::string push(std::string_view text);  // what may be shown now
    std::string finish();                     // the rest, when nothing more comes
    bool stopped() const { return stopped_; }

private:
    std::vector<std::string> stops_;
    std::string held_;
    bool stopped_ = false;
};

// The template and the special tokens that a model's folder brings: chat_template.jinja, or tokenizer_config.json.
struct ChatForm {
    ChatTemplate form;
    json::object special_tokens;
    ToolForm tools = ToolForm::none;  // how the model says that it calls a function
};
Result<ChatForm> read_chat_form(const std::filesystem::path& folder);

}  // namespace rootstock
