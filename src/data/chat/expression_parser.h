#pragma once
// Expressions of a template, by recursive descent. Each function reads one level of precedence, loosest first:
// choice (if else), or, and, not, comparison, + -, ~, * / // %, **, sign, filters and tests, member access.

#include "data/chat/syntax.h"
#include "data/chat/token_stream.h"

namespace rootstock::chat {

class ExpressionParser {
public:
    explicit ExpressionParser(TokenStream& tokens) : tokens_(tokens) {}

    // One expression, or several with commas between, which make a tuple. `with_choice` allows "a if b else c"
    // without brackets, which the head of a for loop does not.
    Result<ExpressionPtr> tuple(bool with_choice = true);
    Result<ExpressionPtr> choice();
    // "|name(...)" after `input`, as many as there are; the first bar may be left out.
    Result<ExpressionPtr> filters(ExpressionPtr input, bool first_without_bar);
    Result<ExpressionPtr> unary(bool with_filters = true);

private:
    Result<ExpressionPtr> either();
    Result<ExpressionPtr> both();
    Result<ExpressionPtr> negation();
    Result<ExpressionPtr> comparison();
    Result<ExpressionPtr> sum();
    Result<ExpressionPtr> concat();
    Result<ExpressionPtr> product();
    Result<ExpressionPtr> power();
    Result<ExpressionPtr> binary(ExpressionPtr left, Result<ExpressionPtr> (ExpressionParser::*next)());
    Result<ExpressionPtr> primary();
    Result<ExpressionPtr> number();
    Result<ExpressionPtr> strings();
    Result<ExpressionPtr> in_brackets();
    Result<ExpressionPtr> list();
    Result<ExpressionPtr> dict();
    Result<ExpressionPtr> members(ExpressionPtr object);
    Result<ExpressionPtr> member(ExpressionPtr object);
    Result<ExpressionPtr> subscript(ExpressionPtr object);
    Result<ExpressionPtr> filters_and_tests(ExpressionPtr input);
    Result<ExpressionPtr> filter(ExpressionPtr input);
    Result<ExpressionPtr> test(ExpressionPtr input);
    Result<ExpressionPtr> call(ExpressionPtr callee);
    Result<std::string> dotted_name();
    Result<Arguments> arguments();

    TokenStream& tokens_;
    int nesting_ = 0;
};

}  // namespace rootstock::chat
