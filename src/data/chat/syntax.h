#pragma once
// The tree of a template: expressions that have a value and statements that write.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "data/chat/value.h"

namespace rootstock::chat {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Arguments {
    std::vector<ExpressionPtr> placed;
    std::vector<std::pair<std::string, ExpressionPtr>> named;
};

struct Literal {
    Value value;
};
struct Name {
    std::string name;
};
struct ListDisplay {
    std::vector<ExpressionPtr> items;
    bool tuple = false;
};
struct DictDisplay {
    std::vector<std::pair<ExpressionPtr, ExpressionPtr>> items;
};
struct Attribute {
    ExpressionPtr object;
    std::string name;
};
struct Item {
    ExpressionPtr object, index;
};
struct Slice {
    ExpressionPtr object, start, stop, step;  // the last three may be null
};
struct Call {
    ExpressionPtr callee;
    Arguments arguments;
};
struct Filter {
    ExpressionPtr input;  // null only in a filter block, where the block's text is the input
    std::string name;
    Arguments arguments;
};
struct Test {
    ExpressionPtr input;
    std::string name;
    Arguments arguments;
};
struct Unary {
    enum class Sign { minus, plus, negate } sign;
    ExpressionPtr operand;
};
struct Binary {
    std::string sign;  // + - * / // % **
    ExpressionPtr left, right;
};
struct Concat {
    std::vector<ExpressionPtr> parts;
};
struct Comparison {
    ExpressionPtr first;
    std::vector<std::pair<std::string, ExpressionPtr>> others;  // ==, <, ..., "in", "not in"
};
struct Logic {
    bool all = false;  // and; else or
    std::vector<ExpressionPtr> parts;
};
struct Choice {
    ExpressionPtr condition, then, otherwise;  // otherwise may be null
};

struct Expression {
    std::variant<Literal, Name, ListDisplay, DictDisplay, Attribute, Item, Slice, Call, Filter, Test, Unary, Binary,
                 Concat, Comparison, Logic, Choice>
        node;
    int line = 1;
    int depth = 1;  // of the tree below
};

struct Statement;
using Body = std::vector<Statement>;

// One name, or several that take a sequence apart.
struct Target {
    std::string name;       // empty when parts are given
    std::string attribute;  // of a namespace; only in set
    std::vector<Target> parts;
};

struct Data {
    std::string text;
};
struct Print {
    ExpressionPtr value;
};
struct If {
    std::vector<std::pair<ExpressionPtr, Body>> branches;
    Body otherwise;
};
struct For {
    Target target;
    ExpressionPtr over, condition;  // condition may be null
    Body body, otherwise;
};
struct Set {
    Target target;
    ExpressionPtr value;
};
struct SetBlock {
    Target target;
    ExpressionPtr filter;  // null, or the outermost of a chain whose innermost input is null
    Body body;
};
struct FilterBlock {
    ExpressionPtr filter;
    Body body;
};
struct With {
    std::vector<std::pair<Target, ExpressionPtr>> values;
    Body body;
};
struct Parameter {
    std::string name;
    ExpressionPtr fallback;  // null: undefined when not given
};
struct Macro {
    std::string name;
    std::vector<Parameter> parameters;
    Body body;
};
struct MacroDefinition {
    std::unique_ptr<Macro> macro;
};
struct CallBlock {
    ExpressionPtr call;
    std::unique_ptr<Macro> caller;
};
struct Generation {
    Body body;  // what the assistant said
};
struct Break {};
struct Continue {};

struct Statement {
    std::variant<Data, Print, If, For, Set, SetBlock, FilterBlock, With, MacroDefinition, CallBlock, Generation, Break,
                 Continue>
        node;
    int line = 1;
};

}  // namespace rootstock::chat
