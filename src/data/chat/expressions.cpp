#include <algorithm>

#include "data/chat/access.h"
#include "data/chat/arithmetic.h"
#include "data/chat/compare.h"
#include "data/chat/evaluator.h"
#include "data/chat/filters.h"
#include "data/chat/loop_state.h"
#include "data/chat/methods.h"
#include "data/chat/predicates.h"
#include "data/chat/python_text.h"

namespace rootstock::chat {

Result<Value> Evaluator::value_of(const Expression& expression) {
    line_ = expression.line;
    ROOTSTOCK_CHECKED(work_.spend(1));
    ROOTSTOCK_CHECKED(work_.enter());
    auto value = std::visit([this](const auto& node) { return evaluate(node); }, expression.node);
    work_.leave();
    return value;
}

Result<Value> Evaluator::evaluate(const Literal& node) { return node.value; }

Result<Value> Evaluator::evaluate(const Name& node) {
    for (auto* scope = scope_; scope; scope = scope->parent) {
        ROOTSTOCK_CHECKED(work_.spend(scope->names.size() / 8));
        for (const auto& [name, value] : scope->names)
            if (name == node.name) return value;
    }
    for (const auto& [name, value] : variables_)
        if (name == node.name) return value;
    if (is_function(node.name)) return Value(Callable{Callable::Kind::function, node.name, nullptr, nullptr, nullptr});
    return Value::undefined(node.name);
}

Result<Value> Evaluator::evaluate(const ListDisplay& node) {
    std::vector<Value> items;
    for (const auto& part : node.items) {
        ROOTSTOCK_TRY(item, value_of(*part));
        items.push_back(std::move(item));
    }
    return make_list(std::move(items), node.tuple ? RowKind::tuple : RowKind::list);
}

Result<Value> Evaluator::evaluate(const DictDisplay& node) {
    std::vector<std::pair<Value, Value>> items;
    for (const auto& [key_part, value_part] : node.items) {
        ROOTSTOCK_TRY(key, value_of(*key_part));
        ROOTSTOCK_TRY(value, value_of(*value_part));
        items.emplace_back(std::move(key), std::move(value));
    }
    ROOTSTOCK_CHECKED(work_.spend(items.size() * items.size() / 4));
    return make_dict(std::move(items));
}

Result<Value> Evaluator::member(const Value& object, const std::string& name) {
    const auto& members = spaces_[object.space()->number];
    ROOTSTOCK_CHECKED(work_.spend(members.size() / 8));
    for (const auto& [key, value] : members)
        if (key == name) return value;
    return Value::undefined(name);
}

Result<Value> Evaluator::evaluate(const Attribute& node) {
    ROOTSTOCK_TRY(object, value_of(*node.object));
    if (object.space()) return member(object, node.name);
    return attribute_of(work_, object, node.name);
}

Result<Value> Evaluator::evaluate(const Item& node) {
    ROOTSTOCK_TRY(object, value_of(*node.object));
    ROOTSTOCK_TRY(index, value_of(*node.index));
    if (object.space() && index.text()) return member(object, *index.text());
    return item_of(work_, object, index);
}

Result<Value> Evaluator::evaluate(const Slice& node) {
    ROOTSTOCK_TRY(object, value_of(*node.object));
    Value bounds[3];
    const ExpressionPtr* parts[3] = {&node.start, &node.stop, &node.step};
    for (int i = 0; i < 3; ++i) {
        ROOTSTOCK_TRY(bound, *parts[i] ? value_of(**parts[i]) : Result<Value>(Value(None{})));
        bounds[i] = bound;
    }
    return slice_of(work_, object, {&bounds[0], &bounds[1], &bounds[2]});
}

Result<GivenArguments> Evaluator::arguments_of(const Arguments& arguments) {
    GivenArguments given;
    for (const auto& part : arguments.placed) {
        ROOTSTOCK_TRY(value, value_of(*part));
        given.placed.push_back(std::move(value));
    }
    for (const auto& [name, part] : arguments.named) {
        ROOTSTOCK_TRY(value, value_of(*part));
        given.named.emplace_back(name, std::move(value));
    }
    return given;
}

Result<Value> Evaluator::evaluate(const Call& node) {
    ROOTSTOCK_TRY(callee, value_of(*node.callee));
    ROOTSTOCK_TRY(given, arguments_of(node.arguments));
    return call(callee, given);
}

Result<Value> Evaluator::call(const Value& callee, const GivenArguments& given) {
    if (callee.is_undefined()) return fail_undefined(callee);
    const auto* callable = callee.callable();
    if (!callable) return fault(fmt::format("a {} cannot be called; remove the brackets", callee.type_name()));
    if (callable->kind == Callable::Kind::function) return call_function(callable->name, given);
    if (callable->kind == Callable::Kind::macro) return call_macro(*callable->macro, callable->scope, given);
    return call_method(work_, *callable->receiver, callable->name, given);
}

Result<Value> Evaluator::evaluate(const Filter& node) {
    ROOTSTOCK_TRY(input, node.input ? value_of(*node.input) : work_.text(*block_text_));
    ROOTSTOCK_TRY(given, arguments_of(node.arguments));
    return apply_filter(work_, node.name, input, given);
}

Result<Value> Evaluator::evaluate(const Test& node) {
    ROOTSTOCK_TRY(input, value_of(*node.input));
    ROOTSTOCK_TRY(given, arguments_of(node.arguments));
    ROOTSTOCK_TRY(answer, apply_test(work_, node.name, input, given));
    return Value(answer);
}

Result<Value> Evaluator::evaluate(const Unary& node) {
    ROOTSTOCK_TRY(operand, value_of(*node.operand));
    if (node.sign == Unary::Sign::negate) return Value(!operand.truth());
    if (node.sign == Unary::Sign::minus) return negated(operand);
    if (operand.is_undefined()) return fail_undefined(operand);
    if (!operand.is_number()) return fault(fmt::format("'+' needs a number, not a {}", operand.type_name()));
    return calculate(work_, "+", Value(std::int64_t{0}), operand);
}

Result<Value> Evaluator::evaluate(const Binary& node) {
    ROOTSTOCK_TRY(left, value_of(*node.left));
    ROOTSTOCK_TRY(right, value_of(*node.right));
    return calculate(work_, node.sign, left, right);
}

Result<Value> Evaluator::evaluate(const Concat& node) {
    std::string made;
    for (const auto& part : node.parts) {
        ROOTSTOCK_TRY(value, value_of(*part));
        ROOTSTOCK_TRY(text, text_of(work_, value));
        made += text;
        ROOTSTOCK_CHECKED(work_.handle(made.size()));
    }
    return Value(std::move(made));
}

Result<bool> Evaluator::compare(std::string_view sign, const Value& left, const Value& right) {
    if (sign == "in") return contains(work_, right, left);
    if (sign == "<") return less(work_, left, right);
    if (sign == ">") return less(work_, right, left);
    if (sign == "==") return equal(work_, left, right);
    if (sign == "<=" || sign == ">=") {
        ROOTSTOCK_TRY(smaller, sign == "<=" ? less(work_, left, right) : less(work_, right, left));
        if (smaller) return true;
        return equal(work_, left, right);
    }
    ROOTSTOCK_TRY(is, sign == "!=" ? equal(work_, left, right) : contains(work_, right, left));
    return !is;
}

Result<Value> Evaluator::evaluate(const Comparison& node) {
    ROOTSTOCK_TRY(first, value_of(*node.first));
    Value left = first;
    for (const auto& [sign, part] : node.others) {
        ROOTSTOCK_TRY(right, value_of(*part));
        ROOTSTOCK_TRY(holds, compare(sign, left, right));
        if (!holds) return Value(false);
        left = right;
    }
    return Value(true);
}

Result<Value> Evaluator::evaluate(const Logic& node) {
    Value value;
    for (const auto& part : node.parts) {
        ROOTSTOCK_TRY(next, value_of(*part));
        value = next;
        if (value.truth() != node.all) break;
    }
    return value;
}

Result<Value> Evaluator::evaluate(const Choice& node) {
    ROOTSTOCK_TRY(condition, value_of(*node.condition));
    if (condition.truth()) return value_of(*node.then);
    if (node.otherwise) return value_of(*node.otherwise);
    return Value::undefined("the value of an 'if' without 'else'");
}

}  // namespace rootstock::chat
