// nginx.conf as words: quotes, escapes, comments and line numbers as nginx's own reader has them
// (ngx_conf_read_token). Never fails on bytes it does not know: what nginx would refuse is kBad.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gate::conftext {

enum class TokenKind { kWord, kSemicolon, kOpen, kClose, kEnd, kBad };

struct Token {
    TokenKind kind = TokenKind::kEnd;
    std::string text;      // of a word, without its quotes, escapes resolved
    std::size_t line = 1;  // where it begins, counted from 1
};

class Lexer {
public:
    // The text must outlive the lexer.
    explicit Lexer(std::string_view text) noexcept : text_(text) {}

    Token next();

    // Passes over a block of another language (Lua) whose '{' has just been read, up to and with
    // its '}'; braces in strings and comments of that language do not count. False where it never
    // ends.
    bool skip_foreign_block();

private:
    bool at_end() const noexcept { return position_ >= text_.size(); }
    char take() noexcept;
    void skip_space_and_comments() noexcept;
    Token word();
    Token quoted(char quote);
    std::string_view text_;
    std::size_t position_ = 0;
    std::size_t line_ = 1;
    bool after_quote_ = false;  // a quoted word must be followed by a separator
};

}  // namespace gate::conftext
