#pragma once
// The tokens of a template, read from left to right.

#include <fmt/format.h>

#include <vector>

#include "data/chat/lexer.h"

namespace rootstock::chat {

class TokenStream {
public:
    explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    const Token& current() const { return tokens_[at_]; }
    const Token& following() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
    int line() const { return current().line; }
    bool at_end() const { return current().kind == Token::Kind::end; }
    bool at(Token::Kind kind) const { return current().kind == kind; }
    bool at_sign(std::string_view spelling) const { return current().is_sign(spelling); }
    bool at_name(std::string_view spelling) const { return current().is_name(spelling); }

    Token take() {
        Token token = current();
        if (!at_end()) ++at_;
        return token;
    }
    bool skip_sign(std::string_view spelling) { return at_sign(spelling) && (take(), true); }
    bool skip_name(std::string_view spelling) { return at_name(spelling) && (take(), true); }

    Result<void> expect_sign(std::string_view spelling) {
        if (skip_sign(spelling)) return {};
        return mistake(line(), fmt::format("expected '{}' but found {}", spelling, seen()));
    }
    Result<void> expect_name(std::string_view spelling) {
        if (skip_name(spelling)) return {};
        return mistake(line(), fmt::format("expected '{}' but found {}", spelling, seen()));
    }
    Result<std::string> expect_any_name() {
        if (at(Token::Kind::name)) return take().text;
        return mistake(line(), fmt::format("expected a name but found {}", seen()));
    }
    Result<void> expect(Token::Kind kind, std::string_view spelling) {
        if (!at(kind)) return mistake(line(), fmt::format("expected '{}' but found {}", spelling, seen()));
        take();
        return {};
    }

    // The current token for a message.
    std::string seen() const {
        switch (current().kind) {
            case Token::Kind::end:
                return "the end of the template";
            case Token::Kind::data:
                return "text";
            case Token::Kind::print_begin:
                return "{{";
            case Token::Kind::print_end:
                return "}}";
            case Token::Kind::block_begin:
                return "{%";
            case Token::Kind::block_end:
                return "%}";
            case Token::Kind::string:
                return "a string";
            default:
                return fmt::format("'{}'", current().text.substr(0, 40));
        }
    }

private:
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

}  // namespace rootstock::chat
