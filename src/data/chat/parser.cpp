#include "data/chat/parser.h"

#include <algorithm>
#include <array>

#include "data/chat/expression_parser.h"

namespace rootstock::chat {
namespace {

using Kind = Token::Kind;

constexpr int block_depth_max = 60;

class Parser {
public:
    explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)), expressions_(tokens_) {}

    Result<Body> run() {
        ROOTSTOCK_TRY(body, body_until({}));
        return std::move(body);
    }

private:
    // Statements up to a block whose name is in `ends`; the stream then stands at that name.
    Result<Body> body_until(std::vector<std::string_view> ends) {
        if (++depth_ > block_depth_max)
            return mistake(tokens_.line(), fmt::format("blocks nest deeper than {} levels", block_depth_max));
        Body body;
        while (!tokens_.at_end()) {
            int line = tokens_.line();
            if (tokens_.at(Kind::data))
                body.push_back({Data{tokens_.take().text}, line});
            else if (tokens_.at(Kind::print_begin)) {
                ROOTSTOCK_TRY(print, print_statement());
                body.push_back({std::move(print), line});
            } else {
                ROOTSTOCK_CHECKED(tokens_.expect(Kind::block_begin, "{%"));
                auto ends_here = [&](std::string_view end) { return tokens_.at_name(end); };
                if (std::ranges::any_of(ends, ends_here)) return --depth_, std::move(body);
                ROOTSTOCK_TRY(statement, block());
                body.push_back({std::move(statement), line});
            }
        }
        if (!ends.empty())
            return mistake(tokens_.line(),
                           fmt::format("the template ends inside a block; write {{% {} %}}", ends.back()));
        --depth_;
        return body;
    }

    // The same, with the end tag read whole.
    Result<Body> body_through(std::string_view end) {
        ROOTSTOCK_TRY(body, body_until({end}));
        tokens_.take();
        ROOTSTOCK_CHECKED(end_tag());
        return std::move(body);
    }

    Result<void> end_tag() { return tokens_.expect(Kind::block_end, "%}"); }

    Result<Print> print_statement() {
        tokens_.take();
        ROOTSTOCK_TRY(value, expressions_.tuple());
        ROOTSTOCK_CHECKED(tokens_.expect(Kind::print_end, "}}"));
        return Print{std::move(value)};
    }

    using Node = decltype(Statement::node);

    Result<Node> block() {
        int line = tokens_.line();
        ROOTSTOCK_TRY(name, tokens_.expect_any_name());
        static constexpr std::array<std::pair<std::string_view, Result<Node> (Parser::*)()>, 10> known{{
            {"if", &Parser::if_block},
            {"for", &Parser::for_block},
            {"set", &Parser::set_block},
            {"macro", &Parser::macro_block},
            {"call", &Parser::call_block},
            {"filter", &Parser::filter_block},
            {"with", &Parser::with_block},
            {"generation", &Parser::generation_block},
            {"break", &Parser::break_block},
            {"continue", &Parser::continue_block},
        }};
        for (const auto& [word, parse] : known)
            if (word == name) return (this->*parse)();
        return mistake(line, fmt::format("'{}' is no statement that chat templates may use here", name.substr(0, 40)));
    }

    Result<Node> if_block() {
        If statement;
        do {
            ROOTSTOCK_TRY(condition, expressions_.tuple(false));
            ROOTSTOCK_CHECKED(end_tag());
            ROOTSTOCK_TRY(body, body_until({"elif", "else", "endif"}));
            statement.branches.emplace_back(std::move(condition), std::move(body));
        } while (tokens_.skip_name("elif"));
        if (tokens_.skip_name("else")) {
            ROOTSTOCK_CHECKED(end_tag());
            ROOTSTOCK_TRY(body, body_until({"endif"}));
            statement.otherwise = std::move(body);
        }
        tokens_.take();
        ROOTSTOCK_CHECKED(end_tag());
        return statement;
    }

    Result<Node> for_block() {
        For statement;
        ROOTSTOCK_TRY(target, targets(false));
        statement.target = std::move(target);
        ROOTSTOCK_CHECKED(tokens_.expect_name("in"));
        ROOTSTOCK_TRY(over, expressions_.tuple(false));
        statement.over = std::move(over);
        if (tokens_.skip_name("if")) {
            ROOTSTOCK_TRY(condition, expressions_.choice());
            statement.condition = std::move(condition);
        }
        if (tokens_.at_name("recursive"))
            return mistake(tokens_.line(), "recursive loops are not known here; write a macro that calls itself");
        ROOTSTOCK_CHECKED(end_tag());
        ++loops_;
        ROOTSTOCK_TRY(body, body_until({"else", "endfor"}));
        --loops_;
        statement.body = std::move(body);
        if (tokens_.skip_name("else")) {
            ROOTSTOCK_CHECKED(end_tag());
            ROOTSTOCK_TRY(otherwise, body_until({"endfor"}));
            statement.otherwise = std::move(otherwise);
        }
        tokens_.take();
        ROOTSTOCK_CHECKED(end_tag());
        return statement;
    }

    Result<Node> set_block() {
        ROOTSTOCK_TRY(target, targets(true));
        if (tokens_.skip_sign("=")) {
            ROOTSTOCK_TRY(value, expressions_.tuple());
            ROOTSTOCK_CHECKED(end_tag());
            return Set{std::move(target), std::move(value)};
        }
        ROOTSTOCK_TRY(filter, expressions_.filters(nullptr, false));
        ROOTSTOCK_CHECKED(end_tag());
        ROOTSTOCK_TRY(body, body_through("endset"));
        return SetBlock{std::move(target), std::move(filter), std::move(body)};
    }

    Result<Node> filter_block() {
        ROOTSTOCK_TRY(filter, expressions_.filters(nullptr, true));
        ROOTSTOCK_CHECKED(end_tag());
        ROOTSTOCK_TRY(body, body_through("endfilter"));
        return FilterBlock{std::move(filter), std::move(body)};
    }

    Result<Node> with_block() {
        With statement;
        while (!tokens_.at(Kind::block_end)) {
            if (!statement.values.empty()) ROOTSTOCK_CHECKED(tokens_.expect_sign(","));
            ROOTSTOCK_TRY(target, one_target(false));
            ROOTSTOCK_CHECKED(tokens_.expect_sign("="));
            ROOTSTOCK_TRY(value, expressions_.choice());
            statement.values.emplace_back(std::move(target), std::move(value));
        }
        ROOTSTOCK_CHECKED(end_tag());
        ROOTSTOCK_TRY(body, body_through("endwith"));
        statement.body = std::move(body);
        return statement;
    }

    Result<Node> macro_block() {
        auto macro = std::make_unique<Macro>();
        ROOTSTOCK_TRY(name, tokens_.expect_any_name());
        macro->name = std::move(name);
        ROOTSTOCK_TRY(parameters, signature());
        macro->parameters = std::move(parameters);
        ROOTSTOCK_TRY(body, own_body("endmacro"));
        macro->body = std::move(body);
        return MacroDefinition{std::move(macro)};
    }

    Result<Node> call_block() {
        CallBlock statement{nullptr, std::make_unique<Macro>()};
        statement.caller->name = "caller";
        if (tokens_.at_sign("(")) {
            ROOTSTOCK_TRY(parameters, signature());
            statement.caller->parameters = std::move(parameters);
        }
        int line = tokens_.line();
        ROOTSTOCK_TRY(call, expressions_.unary());
        if (!std::holds_alternative<Call>(call->node))
            return mistake(line, "a call block needs a call, such as macro()");
        statement.call = std::move(call);
        ROOTSTOCK_TRY(body, own_body("endcall"));
        statement.caller->body = std::move(body);
        return statement;
    }

    Result<Node> generation_block() {
        ROOTSTOCK_TRY(body, own_body("endgeneration"));
        return Generation{std::move(body)};
    }

    Result<Node> break_block() {
        ROOTSTOCK_CHECKED(in_loop("break"));
        return Break{};
    }

    Result<Node> continue_block() {
        ROOTSTOCK_CHECKED(in_loop("continue"));
        return Continue{};
    }

    Result<void> in_loop(std::string_view word) {
        if (loops_ == 0) return mistake(tokens_.line(), fmt::format("'{}' stands outside a loop; remove it", word));
        return end_tag();
    }

    // A body that is called from elsewhere: the loops around it are not its own.
    Result<Body> own_body(std::string_view end) {
        ROOTSTOCK_CHECKED(end_tag());
        int loops = std::exchange(loops_, 0);
        ROOTSTOCK_TRY(body, body_through(end));
        loops_ = loops;
        return std::move(body);
    }

    Result<std::vector<Parameter>> signature() {
        ROOTSTOCK_CHECKED(tokens_.expect_sign("("));
        std::vector<Parameter> parameters;
        while (!tokens_.at_sign(")")) {
            Parameter parameter;
            ROOTSTOCK_TRY(name, tokens_.expect_any_name());
            parameter.name = std::move(name);
            if (tokens_.skip_sign("=")) {
                ROOTSTOCK_TRY(fallback, expressions_.choice());
                parameter.fallback = std::move(fallback);
            } else if (!parameters.empty() && parameters.back().fallback)
                return mistake(tokens_.line(), "a parameter without a default follows one with a default; move it up");
            parameters.push_back(std::move(parameter));
            if (!tokens_.skip_sign(",")) break;
        }
        ROOTSTOCK_CHECKED(tokens_.expect_sign(")"));
        return parameters;
    }

    // "a", "a, b", "(a, b), c"; with_attribute: also "space.name".
    Result<Target> targets(bool with_attribute) {
        ROOTSTOCK_TRY(first, one_target(with_attribute));
        if (!tokens_.at_sign(",")) return std::move(first);
        Target several;
        several.parts.push_back(std::move(first));
        while (tokens_.skip_sign(",")) {
            if (!tokens_.at(Kind::name) && !tokens_.at_sign("(")) break;
            if (tokens_.at_name("in")) break;
            ROOTSTOCK_TRY(next, one_target(false));
            several.parts.push_back(std::move(next));
        }
        return several;
    }

    Result<Target> one_target(bool with_attribute) {
        if (tokens_.skip_sign("(")) {
            if (++depth_ > block_depth_max) return mistake(tokens_.line(), "targets nest too deep");
            ROOTSTOCK_TRY(inside, targets(false));
            --depth_;
            ROOTSTOCK_CHECKED(tokens_.expect_sign(")"));
            return std::move(inside);
        }
        Target target;
        int line = tokens_.line();
        ROOTSTOCK_TRY(name, tokens_.expect_any_name());
        static constexpr std::string_view fixed[] = {"true", "True", "false", "False", "none", "None", "loop"};
        if (std::ranges::find(fixed, name) != std::end(fixed))
            return mistake(line, fmt::format("'{}' cannot be set; choose another name", name));
        target.name = std::move(name);
        if (with_attribute && tokens_.skip_sign(".")) {
            ROOTSTOCK_TRY(attribute, tokens_.expect_any_name());
            target.attribute = std::move(attribute);
        }
        return target;
    }

    TokenStream tokens_;
    ExpressionParser expressions_;
    int depth_ = 0, loops_ = 0;
};

}  // namespace

Result<Body> parse_template(std::string_view text) {
    ROOTSTOCK_TRY(tokens, cut(text));
    return Parser(std::move(tokens)).run();
}

}  // namespace rootstock::chat
