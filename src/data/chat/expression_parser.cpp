#include "data/chat/expression_parser.h"

#include <algorithm>
#include <charconv>

namespace rootstock::chat {
namespace {

using Kind = Token::Kind;

constexpr int depth_max = 150;  // of one expression's tree

int depth_of(const ExpressionPtr& part) { return part ? part->depth : 0; }
int depth_of(const Arguments& arguments) {
    int depth = 0;
    for (const auto& part : arguments.placed) depth = std::max(depth, depth_of(part));
    for (const auto& part : arguments.named) depth = std::max(depth, depth_of(part.second));
    return depth;
}

template <typename Node>
Result<ExpressionPtr> make(int line, int depth_below, Node node) {
    if (depth_below >= depth_max)
        return mistake(line, fmt::format("an expression nests deeper than {} levels; cut it with set", depth_max));
    return std::make_unique<Expression>(Expression{std::move(node), line, depth_below + 1});
}

bool is_comparison(std::string_view spelling) {
    return spelling == "==" || spelling == "!=" || spelling == "<" || spelling == "<=" || spelling == ">" ||
           spelling == ">=";
}

}  // namespace

Result<ExpressionPtr> ExpressionParser::tuple(bool with_choice) {
    int line = tokens_.line(), depth = 0;
    ListDisplay display{{}, true};
    bool comma = false;
    for (;;) {
        if (comma && (tokens_.at(Kind::print_end) || tokens_.at(Kind::block_end) || tokens_.at_sign(")"))) break;
        ROOTSTOCK_TRY(item, with_choice ? choice() : either());
        depth = std::max(depth, item->depth);
        display.items.push_back(std::move(item));
        if (!tokens_.skip_sign(",")) break;
        comma = true;
    }
    if (!comma) return std::move(display.items.front());
    return make(line, depth, std::move(display));
}

Result<ExpressionPtr> ExpressionParser::choice() {
    ROOTSTOCK_TRY(first, either());
    auto value = std::move(first);
    while (tokens_.at_name("if")) {
        int line = tokens_.take().line;
        ROOTSTOCK_TRY(condition, either());
        ExpressionPtr otherwise;
        if (tokens_.skip_name("else")) {
            if (++nesting_ > depth_max) return mistake(line, "too many choices follow each other; cut them with set");
            ROOTSTOCK_TRY(last, choice());
            --nesting_;
            otherwise = std::move(last);
        }
        int depth = std::max({condition->depth, value->depth, depth_of(otherwise)});
        ROOTSTOCK_TRY(made, make(line, depth, Choice{std::move(condition), std::move(value), std::move(otherwise)}));
        value = std::move(made);
    }
    return value;
}

Result<ExpressionPtr> ExpressionParser::either() {
    ROOTSTOCK_TRY(first, both());
    if (!tokens_.at_name("or")) return std::move(first);
    int line = tokens_.line(), depth = first->depth;
    Logic logic{false, {}};
    logic.parts.push_back(std::move(first));
    while (tokens_.skip_name("or")) {
        ROOTSTOCK_TRY(next, both());
        depth = std::max(depth, next->depth);
        logic.parts.push_back(std::move(next));
    }
    return make(line, depth, std::move(logic));
}

Result<ExpressionPtr> ExpressionParser::both() {
    ROOTSTOCK_TRY(first, negation());
    if (!tokens_.at_name("and")) return std::move(first);
    int line = tokens_.line(), depth = first->depth;
    Logic logic{true, {}};
    logic.parts.push_back(std::move(first));
    while (tokens_.skip_name("and")) {
        ROOTSTOCK_TRY(next, negation());
        depth = std::max(depth, next->depth);
        logic.parts.push_back(std::move(next));
    }
    return make(line, depth, std::move(logic));
}

Result<ExpressionPtr> ExpressionParser::negation() {
    if (!tokens_.at_name("not")) return comparison();
    int line = tokens_.take().line;
    if (++nesting_ > depth_max) return mistake(line, "too many 'not' follow each other; remove them");
    ROOTSTOCK_TRY(operand, negation());
    --nesting_;
    int depth = operand->depth;
    return make(line, depth, Unary{Unary::Sign::negate, std::move(operand)});
}

Result<ExpressionPtr> ExpressionParser::comparison() {
    int line = tokens_.line();
    ROOTSTOCK_TRY(first, sum());
    Comparison compared;
    int depth = first->depth;
    for (;;) {
        std::string sign;
        if (tokens_.at(Kind::sign) && is_comparison(tokens_.current().text))
            sign = tokens_.take().text;
        else if (tokens_.skip_name("in"))
            sign = "in";
        else if (tokens_.at_name("not") && tokens_.following().is_name("in"))
            tokens_.take(), tokens_.take(), sign = "not in";
        else
            break;
        ROOTSTOCK_TRY(next, sum());
        depth = std::max(depth, next->depth);
        compared.others.emplace_back(std::move(sign), std::move(next));
    }
    if (compared.others.empty()) return std::move(first);
    compared.first = std::move(first);
    return make(line, depth, std::move(compared));
}

Result<ExpressionPtr> ExpressionParser::binary(ExpressionPtr left, Result<ExpressionPtr> (ExpressionParser::*next)()) {
    auto sign = tokens_.take();
    ROOTSTOCK_TRY(right, (this->*next)());
    int depth = std::max(left->depth, right->depth);
    return make(sign.line, depth, Binary{sign.text, std::move(left), std::move(right)});
}

Result<ExpressionPtr> ExpressionParser::sum() {
    ROOTSTOCK_TRY(first, concat());
    auto value = std::move(first);
    while (tokens_.at_sign("+") || tokens_.at_sign("-")) {
        ROOTSTOCK_TRY(made, binary(std::move(value), &ExpressionParser::concat));
        value = std::move(made);
    }
    return value;
}

Result<ExpressionPtr> ExpressionParser::concat() {
    ROOTSTOCK_TRY(first, product());
    if (!tokens_.at_sign("~")) return std::move(first);
    int line = tokens_.line(), depth = first->depth;
    Concat joined;
    joined.parts.push_back(std::move(first));
    while (tokens_.skip_sign("~")) {
        ROOTSTOCK_TRY(next, product());
        depth = std::max(depth, next->depth);
        joined.parts.push_back(std::move(next));
    }
    return make(line, depth, std::move(joined));
}

Result<ExpressionPtr> ExpressionParser::product() {
    ROOTSTOCK_TRY(first, power());
    auto value = std::move(first);
    while (tokens_.at_sign("*") || tokens_.at_sign("/") || tokens_.at_sign("//") || tokens_.at_sign("%")) {
        ROOTSTOCK_TRY(made, binary(std::move(value), &ExpressionParser::power));
        value = std::move(made);
    }
    return value;
}

Result<ExpressionPtr> ExpressionParser::power() {
    auto plain_unary = [this] { return unary(); };
    ROOTSTOCK_TRY(first, plain_unary());
    auto value = std::move(first);
    while (tokens_.at_sign("**")) {
        int line = tokens_.take().line;
        ROOTSTOCK_TRY(right, plain_unary());
        int depth = std::max(value->depth, right->depth);
        ROOTSTOCK_TRY(made, make(line, depth, Binary{"**", std::move(value), std::move(right)}));
        value = std::move(made);
    }
    return value;
}

Result<ExpressionPtr> ExpressionParser::unary(bool with_filters) {
    if (++nesting_ > depth_max)
        return mistake(tokens_.line(),
                       fmt::format("an expression nests deeper than {} levels; cut it with set", depth_max));
    ExpressionPtr value;
    if (tokens_.at_sign("-") || tokens_.at_sign("+")) {
        auto sign = tokens_.take();
        ROOTSTOCK_TRY(operand, unary(false));
        int depth = operand->depth;
        auto which = sign.text == "-" ? Unary::Sign::minus : Unary::Sign::plus;
        ROOTSTOCK_TRY(made, make(sign.line, depth, Unary{which, std::move(operand)}));
        value = std::move(made);
    } else {
        ROOTSTOCK_TRY(made, primary());
        value = std::move(made);
    }
    ROOTSTOCK_TRY(object, members(std::move(value)));
    --nesting_;
    if (!with_filters) return std::move(object);
    return filters_and_tests(std::move(object));
}

Result<ExpressionPtr> ExpressionParser::primary() {
    int line = tokens_.line();
    if (tokens_.at(Kind::name)) {
        auto name = tokens_.take().text;
        if (name == "true" || name == "True") return make(line, 0, Literal{Value(true)});
        if (name == "false" || name == "False") return make(line, 0, Literal{Value(false)});
        if (name == "none" || name == "None") return make(line, 0, Literal{Value(None{})});
        return make(line, 0, Name{std::move(name)});
    }
    if (tokens_.at(Kind::string)) return strings();
    if (tokens_.at(Kind::integer) || tokens_.at(Kind::real)) return number();
    if (tokens_.at_sign("(")) return in_brackets();
    if (tokens_.at_sign("[")) return list();
    if (tokens_.at_sign("{")) return dict();
    return mistake(line, fmt::format("expected a value but found {}", tokens_.seen()));
}

Result<ExpressionPtr> ExpressionParser::strings() {
    int line = tokens_.line();
    std::string text;
    while (tokens_.at(Kind::string)) text += tokens_.take().text;  // strings beside each other are one
    return make(line, 0, Literal{Value(std::move(text))});
}

Result<ExpressionPtr> ExpressionParser::number() {
    auto token = tokens_.take();
    std::erase(token.text, '_');
    const char *begin = token.text.data(), *end = begin + token.text.size();
    if (token.kind == Kind::real) {
        double real = 0;
        if (std::from_chars(begin, end, real).ec != std::errc())
            return mistake(token.line, "a number is outside what 64 bits hold; write a smaller one");
        return make(token.line, 0, Literal{Value(real)});
    }
    std::int64_t whole = 0;
    if (std::from_chars(begin, end, whole).ec != std::errc())
        return mistake(token.line, "a number is outside what 64 bits hold; write a smaller one");
    return make(token.line, 0, Literal{Value(whole)});
}

Result<ExpressionPtr> ExpressionParser::in_brackets() {
    int line = tokens_.take().line;
    if (tokens_.skip_sign(")")) return make(line, 0, ListDisplay{{}, true});
    ROOTSTOCK_TRY(inside, tuple());
    ROOTSTOCK_CHECKED(tokens_.expect_sign(")"));
    return std::move(inside);
}

Result<ExpressionPtr> ExpressionParser::list() {
    int line = tokens_.take().line, depth = 0;
    ListDisplay display;
    while (!tokens_.at_sign("]")) {
        ROOTSTOCK_TRY(item, choice());
        depth = std::max(depth, item->depth);
        display.items.push_back(std::move(item));
        if (!tokens_.skip_sign(",")) break;
    }
    ROOTSTOCK_CHECKED(tokens_.expect_sign("]"));
    return make(line, depth, std::move(display));
}

Result<ExpressionPtr> ExpressionParser::dict() {
    int line = tokens_.take().line, depth = 0;
    DictDisplay display;
    while (!tokens_.at_sign("}")) {
        ROOTSTOCK_TRY(key, choice());
        ROOTSTOCK_CHECKED(tokens_.expect_sign(":"));
        ROOTSTOCK_TRY(value, choice());
        depth = std::max({depth, key->depth, value->depth});
        display.items.emplace_back(std::move(key), std::move(value));
        if (!tokens_.skip_sign(",")) break;
    }
    ROOTSTOCK_CHECKED(tokens_.expect_sign("}"));
    return make(line, depth, std::move(display));
}

Result<ExpressionPtr> ExpressionParser::members(ExpressionPtr object) {
    for (;;) {
        Result<ExpressionPtr> made;
        if (tokens_.at_sign("."))
            made = member(std::move(object));
        else if (tokens_.at_sign("["))
            made = subscript(std::move(object));
        else if (tokens_.at_sign("("))
            made = call(std::move(object));
        else
            return object;
        if (!made) return made;
        object = std::move(*made);
    }
}

Result<ExpressionPtr> ExpressionParser::member(ExpressionPtr object) {
    int line = tokens_.take().line, depth = object->depth;
    if (tokens_.at(Kind::integer)) {
        ROOTSTOCK_TRY(index, number());
        return make(line, depth, Item{std::move(object), std::move(index)});
    }
    ROOTSTOCK_TRY(name, tokens_.expect_any_name());
    return make(line, depth, Attribute{std::move(object), std::move(name)});
}

Result<ExpressionPtr> ExpressionParser::subscript(ExpressionPtr object) {
    int line = tokens_.take().line;
    ExpressionPtr parts[3];
    int colons = 0;
    while (!tokens_.at_sign("]")) {
        if (tokens_.skip_sign(":")) {
            if (++colons > 2) return mistake(line, "a slice has at most start, stop and step");
            continue;
        }
        if (parts[colons]) break;
        ROOTSTOCK_TRY(part, choice());
        parts[colons] = std::move(part);
    }
    ROOTSTOCK_CHECKED(tokens_.expect_sign("]"));
    int depth = std::max({object->depth, depth_of(parts[0]), depth_of(parts[1]), depth_of(parts[2])});
    if (colons > 0)
        return make(line, depth,
                    Slice{std::move(object), std::move(parts[0]), std::move(parts[1]), std::move(parts[2])});
    if (!parts[0]) return mistake(line, "the brackets are empty; write an index, a key or a slice");
    return make(line, depth, Item{std::move(object), std::move(parts[0])});
}

Result<ExpressionPtr> ExpressionParser::call(ExpressionPtr callee) {
    int line = tokens_.line();
    ROOTSTOCK_TRY(given, arguments());
    int depth = std::max(callee->depth, depth_of(given));
    return make(line, depth, Call{std::move(callee), std::move(given)});
}

Result<Arguments> ExpressionParser::arguments() {
    ROOTSTOCK_CHECKED(tokens_.expect_sign("("));
    Arguments given;
    while (!tokens_.at_sign(")")) {
        if (tokens_.at_sign("*") || tokens_.at_sign("**"))
            return mistake(tokens_.line(), "* and ** in a call are not known here; write the arguments one by one");
        bool named = tokens_.at(Kind::name) && tokens_.following().is_sign("=");
        if (!named && !given.named.empty())
            return mistake(tokens_.line(), "an argument without a name follows one with a name; move it to the front");
        std::string name;
        if (named) name = tokens_.take().text, tokens_.take();
        ROOTSTOCK_TRY(value, choice());
        if (named)
            given.named.emplace_back(std::move(name), std::move(value));
        else
            given.placed.push_back(std::move(value));
        if (!tokens_.skip_sign(",")) break;
    }
    ROOTSTOCK_CHECKED(tokens_.expect_sign(")"));
    return given;
}

Result<ExpressionPtr> ExpressionParser::filters_and_tests(ExpressionPtr input) {
    for (;;) {
        Result<ExpressionPtr> made;
        if (tokens_.skip_sign("|"))
            made = filter(std::move(input));
        else if (tokens_.at_name("is"))
            made = test(std::move(input));
        else if (tokens_.at_sign("("))  // a call may follow a filter or a test too
            made = call(std::move(input));
        else
            return input;
        if (!made) return made;
        input = std::move(*made);
    }
}

Result<ExpressionPtr> ExpressionParser::filters(ExpressionPtr input, bool first_without_bar) {
    while (first_without_bar || tokens_.skip_sign("|")) {
        first_without_bar = false;
        ROOTSTOCK_TRY(made, filter(std::move(input)));
        input = std::move(made);
    }
    return input;
}

Result<ExpressionPtr> ExpressionParser::filter(ExpressionPtr input) {
    int line = tokens_.line();
    ROOTSTOCK_TRY(name, dotted_name());
    Arguments given;
    if (tokens_.at_sign("(")) {
        ROOTSTOCK_TRY(read, arguments());
        given = std::move(read);
    }
    int depth = std::max(depth_of(input), depth_of(given));
    return make(line, depth, Filter{std::move(input), std::move(name), std::move(given)});
}

Result<ExpressionPtr> ExpressionParser::test(ExpressionPtr input) {
    int line = tokens_.take().line;
    bool negated = tokens_.skip_name("not");
    ROOTSTOCK_TRY(name, dotted_name());
    Arguments given;
    const auto& next = tokens_.current();
    bool is_value = next.kind == Kind::name || next.kind == Kind::string || next.kind == Kind::integer ||
                    next.kind == Kind::real || next.is_sign("[") || next.is_sign("{");
    if (next.is_sign("(")) {
        ROOTSTOCK_TRY(read, arguments());
        given = std::move(read);
    } else if (is_value && !next.is_name("else") && !next.is_name("or") && !next.is_name("and")) {
        if (next.is_name("is")) return mistake(line, "tests cannot be chained with 'is'; join them with 'and'");
        ROOTSTOCK_TRY(value, primary());
        ROOTSTOCK_TRY(argument, members(std::move(value)));
        given.placed.push_back(std::move(argument));
    }
    int depth = std::max(depth_of(input), depth_of(given));
    ROOTSTOCK_TRY(made, make(line, depth, Test{std::move(input), std::move(name), std::move(given)}));
    if (!negated) return std::move(made);
    return make(line, depth + 1, Unary{Unary::Sign::negate, std::move(made)});
}

Result<std::string> ExpressionParser::dotted_name() {
    ROOTSTOCK_TRY(name, tokens_.expect_any_name());
    while (tokens_.skip_sign(".")) {
        ROOTSTOCK_TRY(part, tokens_.expect_any_name());
        name += "." + part;
    }
    return name;
}

}  // namespace rootstock::chat
