#pragma once
// Runs a template's tree: names in scopes, statements that write, expressions that have values.
//
// Scopes follow the reference: for, macro, call, with, filter, block set and generation have a scope of their own,
// if has not; what is set inside a scope is gone after it, and only a namespace carries values out.

#include <memory>
#include <string>
#include <vector>

#include "data/chat/arguments.h"
#include "data/chat/syntax.h"
#include "data/chat/work.h"

namespace rootstock::chat {

struct Scope {
    Scope* parent = nullptr;
    std::vector<std::pair<std::string_view, Value>> names;
    bool kept = false;  // a macro looks into it: it lives as long as the rendering
};

struct GenerationSpan {
    std::size_t begin = 0, end = 0;  // bytes of the output
};

class Evaluator {
public:
    // `variables` are what the caller hands in: messages, tools and so on.
    Evaluator(const ChatLimits& limits, Clock& clock, std::vector<std::pair<std::string, Value>> variables);

    Result<void> run(const Body& body);

    int line() const { return line_; }  // of the statement or expression that was looked at last
    std::string take_output() { return std::move(output_); }
    std::vector<GenerationSpan> take_spans() { return std::move(spans_); }

private:
    enum class Flow { next, leave_loop, next_round };

    Result<Flow> run_body(const Body& body);
    Result<Flow> execute(const Data& statement);
    Result<Flow> execute(const Print& statement);
    Result<Flow> execute(const If& statement);
    Result<Flow> execute(const For& statement);
    Result<Flow> execute(const Set& statement);
    Result<Flow> execute(const SetBlock& statement);
    Result<Flow> execute(const FilterBlock& statement);
    Result<Flow> execute(const With& statement);
    Result<Flow> execute(const MacroDefinition& statement);
    Result<Flow> execute(const CallBlock& statement);
    Result<Flow> execute(const Generation& statement);
    Result<Flow> execute(const Break& statement);
    Result<Flow> execute(const Continue& statement);

    Result<Value> value_of(const Expression& expression);
    Result<Value> evaluate(const Literal& node);
    Result<Value> evaluate(const Name& node);
    Result<Value> evaluate(const ListDisplay& node);
    Result<Value> evaluate(const DictDisplay& node);
    Result<Value> evaluate(const Attribute& node);
    Result<Value> evaluate(const Item& node);
    Result<Value> evaluate(const Slice& node);
    Result<Value> evaluate(const Call& node);
    Result<Value> evaluate(const Filter& node);
    Result<Value> evaluate(const Test& node);
    Result<Value> evaluate(const Unary& node);
    Result<Value> evaluate(const Binary& node);
    Result<Value> evaluate(const Concat& node);
    Result<Value> evaluate(const Comparison& node);
    Result<Value> evaluate(const Logic& node);
    Result<Value> evaluate(const Choice& node);

    Result<GivenArguments> arguments_of(const Arguments& arguments);
    Result<bool> compare(std::string_view sign, const Value& left, const Value& right);
    Result<Value> member(const Value& object, const std::string& name);
    Result<Value> call(const Value& callee, const GivenArguments& given);
    Result<Value> call_macro(const Macro& macro, Scope* seen, const GivenArguments& given);
    Result<Value> filtered(const ExpressionPtr& filter, std::string text);

    // Built-in functions (functions.cpp).
    bool is_function(std::string_view name) const;
    Result<Value> call_function(std::string_view name, const GivenArguments& given);
    Result<Value> make_range(const GivenArguments& given);
    Result<Value> make_namespace(const GivenArguments& given);
    Result<Value> now_as_text(const GivenArguments& given);

    Result<std::vector<Value>> loop_items(const For& statement);
    Result<void> assign(const Target& target, const Value& value);
    Result<void> write(std::string_view text);
    Result<std::string> captured(const Body& body);  // in a scope of its own
    void set(std::string_view name, const Value& value);

    // A scope that ends with the block of C++ it stands in.
    class OpenScope {
    public:
        OpenScope(Evaluator& evaluator, Scope* parent);
        ~OpenScope();
        OpenScope(const OpenScope&) = delete;
        OpenScope& operator=(const OpenScope&) = delete;

    private:
        Evaluator& evaluator_;
        Scope* before_;
        std::unique_ptr<Scope> scope_;
    };

    Work work_;
    Clock& clock_;
    std::vector<std::pair<std::string, Value>> variables_;
    std::vector<std::unique_ptr<Scope>> kept_scopes_;
    std::vector<std::vector<std::pair<std::string, Value>>> spaces_;  // what namespaces hold, by their number
    Scope* scope_ = nullptr;
    std::string output_;
    std::string* target_ = &output_;  // where write() writes: the output, or a capture
    std::vector<GenerationSpan> spans_;
    const std::string* block_text_ = nullptr;  // input of the innermost filter of a block
    int line_ = 1;
};

}  // namespace rootstock::chat
