#include "data/chat/evaluator.h"

#include <algorithm>

#include "data/chat/access.h"
#include "data/chat/compare.h"
#include "data/chat/loop_state.h"
#include "data/chat/python_text.h"

namespace rootstock::chat {

Evaluator::OpenScope::OpenScope(Evaluator& evaluator, Scope* parent)
    : evaluator_(evaluator), before_(evaluator.scope_), scope_(std::make_unique<Scope>()) {
    scope_->parent = parent;
    evaluator_.scope_ = scope_.get();
}

Evaluator::OpenScope::~OpenScope() {
    evaluator_.scope_ = before_;
    if (scope_->kept) evaluator_.kept_scopes_.push_back(std::move(scope_));
}

Evaluator::Evaluator(const ChatLimits& limits, Clock& clock, std::vector<std::pair<std::string, Value>> variables)
    : work_(limits), clock_(clock), variables_(std::move(variables)) {}

Result<void> Evaluator::run(const Body& body) {
    OpenScope scope(*this, nullptr);
    ROOTSTOCK_CHECKED(run_body(body));
    return {};
}

Result<Evaluator::Flow> Evaluator::run_body(const Body& body) {
    ROOTSTOCK_CHECKED(work_.enter());
    for (const auto& statement : body) {
        line_ = statement.line;
        ROOTSTOCK_CHECKED(work_.spend(1));
        ROOTSTOCK_TRY(flow, std::visit([this](const auto& node) { return execute(node); }, statement.node));
        if (flow == Flow::next) continue;
        work_.leave();
        return flow;
    }
    work_.leave();
    return Flow::next;
}

Result<Evaluator::Flow> Evaluator::execute(const Data& statement) {
    ROOTSTOCK_CHECKED(write(statement.text));
    return Flow::next;
}

Result<Evaluator::Flow> Evaluator::execute(const Print& statement) {
    ROOTSTOCK_TRY(value, value_of(*statement.value));
    ROOTSTOCK_TRY(text, text_of(work_, value));
    ROOTSTOCK_CHECKED(write(text));
    return Flow::next;
}

Result<Evaluator::Flow> Evaluator::execute(const If& statement) {
    for (const auto& [condition, body] : statement.branches) {
        ROOTSTOCK_TRY(value, value_of(*condition));
        if (value.truth()) return run_body(body);
    }
    return run_body(statement.otherwise);
}

Result<std::vector<Value>> Evaluator::loop_items(const For& statement) {
    ROOTSTOCK_TRY(over, value_of(*statement.over));
    ROOTSTOCK_TRY(items, items_of(work_, over));
    if (!statement.condition) return std::move(items);
    std::vector<Value> chosen;
    for (const auto& item : items) {
        OpenScope scope(*this, scope_);
        ROOTSTOCK_CHECKED(assign(statement.target, item));
        ROOTSTOCK_TRY(yes, value_of(*statement.condition));
        if (yes.truth()) chosen.push_back(item);
    }
    return chosen;
}

Result<Evaluator::Flow> Evaluator::execute(const For& statement) {
    ROOTSTOCK_TRY(items, loop_items(statement));
    if (items.empty()) {
        OpenScope scope(*this, scope_);
        return run_body(statement.otherwise);
    }
    auto loop = std::make_shared<LoopState>();
    for (const auto& item : items) loop->depth = std::max(loop->depth, item.depth());
    loop->items = std::move(items);
    for (std::size_t i = 0; i < loop->items.size(); ++i) {
        OpenScope scope(*this, scope_);
        loop->index = i;
        ROOTSTOCK_CHECKED(work_.spend(1));
        set("loop", Value(loop));
        ROOTSTOCK_CHECKED(assign(statement.target, loop->items[i]));
        ROOTSTOCK_TRY(flow, run_body(statement.body));
        if (flow == Flow::leave_loop) break;
    }
    return Flow::next;
}

Result<Evaluator::Flow> Evaluator::execute(const Set& statement) {
    ROOTSTOCK_TRY(value, value_of(*statement.value));
    ROOTSTOCK_CHECKED(assign(statement.target, value));
    return Flow::next;
}

Result<Evaluator::Flow> Evaluator::execute(const SetBlock& statement) {
    ROOTSTOCK_TRY(text, captured(statement.body));
    ROOTSTOCK_TRY(value, filtered(statement.filter, std::move(text)));
    ROOTSTOCK_CHECKED(assign(statement.target, value));
    return Flow::next;
}

Result<Evaluator::Flow> Evaluator::execute(const FilterBlock& statement) {
    ROOTSTOCK_TRY(text, captured(statement.body));
    ROOTSTOCK_TRY(value, filtered(statement.filter, std::move(text)));
    ROOTSTOCK_TRY(made, text_of(work_, value));
    ROOTSTOCK_CHECKED(write(made));
    return Flow::next;
}

Result<Evaluator::Flow> Evaluator::execute(const With& statement) {
    std::vector<Value> values;
    for (const auto& [target, expression] : statement.values) {
        ROOTSTOCK_TRY(value, value_of(*expression));
        values.push_back(std::move(value));
    }
    OpenScope scope(*this, scope_);
    for (std::size_t i = 0; i < values.size(); ++i) ROOTSTOCK_CHECKED(assign(statement.values[i].first, values[i]));
    return run_body(statement.body);
}

Result<Evaluator::Flow> Evaluator::execute(const MacroDefinition& statement) {
    for (auto* scope = scope_; scope; scope = scope->parent) scope->kept = true;
    const auto* macro = statement.macro.get();
    set(macro->name, Value(Callable{Callable::Kind::macro, macro->name, nullptr, macro, scope_}));
    return Flow::next;
}

Result<Evaluator::Flow> Evaluator::execute(const CallBlock& statement) {
    for (auto* scope = scope_; scope; scope = scope->parent) scope->kept = true;
    const auto& node = std::get<Call>(statement.call->node);
    ROOTSTOCK_TRY(callee, value_of(*node.callee));
    ROOTSTOCK_TRY(given, arguments_of(node.arguments));
    const auto* macro = statement.caller.get();
    given.named.emplace_back("caller", Value(Callable{Callable::Kind::macro, macro->name, nullptr, macro, scope_}));
    ROOTSTOCK_TRY(value, call(callee, given));
    ROOTSTOCK_TRY(text, text_of(work_, value));
    ROOTSTOCK_CHECKED(write(text));
    return Flow::next;
}

Result<Evaluator::Flow> Evaluator::execute(const Generation& statement) {
    std::size_t begin = output_.size();
    ROOTSTOCK_TRY(text, captured(statement.body));
    spans_.push_back({begin, begin + text.size()});
    ROOTSTOCK_CHECKED(write(text));
    return Flow::next;
}

Result<Evaluator::Flow> Evaluator::execute(const Break&) { return Flow::leave_loop; }
Result<Evaluator::Flow> Evaluator::execute(const Continue&) { return Flow::next_round; }

Result<std::string> Evaluator::captured(const Body& body) {
    std::string text;
    auto* before = std::exchange(target_, &text);
    OpenScope scope(*this, scope_);
    ROOTSTOCK_CHECKED(run_body(body));
    target_ = before;
    return text;
}

Result<Value> Evaluator::filtered(const ExpressionPtr& filter, std::string text) {
    if (!filter) return Value(std::move(text));
    const auto* before = std::exchange(block_text_, &text);
    ROOTSTOCK_TRY(value, value_of(*filter));
    block_text_ = before;
    return std::move(value);
}

Result<void> Evaluator::write(std::string_view text) {
    ROOTSTOCK_CHECKED(work_.spend(text.size() / 16));
    if (text.size() > work_.limits().output_bytes_max - std::min(target_->size(), work_.limits().output_bytes_max))
        return work_.handle(work_.limits().output_bytes_max + 1);
    target_->append(text);
    return {};
}

void Evaluator::set(std::string_view name, const Value& value) {
    for (auto& [key, held] : scope_->names)
        if (key == name) {
            held = value;
            return;
        }
    scope_->names.emplace_back(name, value);
}

Result<void> Evaluator::assign(const Target& target, const Value& value) {
    if (!target.parts.empty()) {
        ROOTSTOCK_TRY(items, items_of(work_, value));
        if (items.size() != target.parts.size())
            return fault(fmt::format("{} values are given to {} names", items.size(), target.parts.size()));
        for (std::size_t i = 0; i < items.size(); ++i) ROOTSTOCK_CHECKED(assign(target.parts[i], items[i]));
        return {};
    }
    if (target.attribute.empty()) {
        ROOTSTOCK_CHECKED(work_.spend(scope_->names.size() / 8));
        set(target.name, value);
        return {};
    }
    ROOTSTOCK_TRY(object, evaluate(Name{target.name}));
    if (!object.space()) return fault(fmt::format("'{}' is no namespace; make it with namespace()", target.name));
    auto& members = spaces_[object.space()->number];
    ROOTSTOCK_CHECKED(work_.spend(members.size() / 8));
    for (auto& [key, held] : members)
        if (key == target.attribute) {
            held = value;
            return {};
        }
    members.emplace_back(target.attribute, value);
    return {};
}

Result<Value> Evaluator::call_macro(const Macro& macro, Scope* seen, const GivenArguments& given) {
    ROOTSTOCK_CHECKED(work_.enter());
    OpenScope scope(*this, seen);
    if (given.placed.size() > macro.parameters.size())
        return fault(fmt::format("the macro '{}' takes at most {} arguments", macro.name, macro.parameters.size()));
    for (const auto& [key, value] : given.named) {
        auto is_key = [&](const Parameter& parameter) { return parameter.name == key; };
        if (key == "caller")
            set("caller", value);
        else if (std::ranges::none_of(macro.parameters, is_key))
            return fault(fmt::format("the macro '{}' has no parameter '{}'", macro.name, key));
    }
    for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
        const auto& parameter = macro.parameters[i];
        if (const auto* value = given.find(i, parameter.name)) {
            set(parameter.name, *value);
            continue;
        }
        ROOTSTOCK_TRY(value, parameter.fallback ? value_of(*parameter.fallback)
                                                : Result<Value>(Value::undefined(parameter.name)));
        set(parameter.name, value);
    }
    ROOTSTOCK_TRY(text, captured(macro.body));
    work_.leave();
    return Value(std::move(text));
}

}  // namespace rootstock::chat
