#include "conftext/lexer.h"

namespace gate::conftext {

namespace {

bool is_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// nginx resolves these six escapes in every word and leaves any other backslash in place.
std::string unescape(std::string_view raw) {
    std::string text;
    text.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '\\' || i + 1 == raw.size()) {
            text += raw[i];
            continue;
        }
        const char next = raw[i + 1];
        switch (next) {
            case '"':
            case '\'':
            case '\\':
                text += next;
                break;
            case 't':
                text += '\t';
                break;
            case 'r':
                text += '\r';
                break;
            case 'n':
                text += '\n';
                break;
            default:
                text += '\\';
                text += next;
        }
        ++i;
    }
    return text;
}

}  // namespace

char Lexer::take() noexcept {
    const char c = text_[position_++];
    if (c == '\n') ++line_;
    return c;
}

void Lexer::skip_space_and_comments() noexcept {
    while (!at_end()) {
        const char c = text_[position_];
        if (c == '#') {
            while (!at_end() && text_[position_] != '\n') ++position_;
        } else if (is_space(c)) {
            take();
        } else {
            return;
        }
    }
}

Token Lexer::next() {
    if (after_quote_) {
        after_quote_ = false;
        if (at_end()) return {TokenKind::kBad, "", line_};
        const char c = text_[position_];
        if (!is_space(c) && c != ';' && c != '{' && c != ')') return {TokenKind::kBad, "", line_};
    }
    skip_space_and_comments();
    if (at_end()) return {TokenKind::kEnd, "", line_};
    switch (text_[position_]) {
        case ';':
            ++position_;
            return {TokenKind::kSemicolon, "", line_};
        case '{':
            ++position_;
            return {TokenKind::kOpen, "", line_};
        case '}':
            ++position_;
            return {TokenKind::kClose, "", line_};
        case '"':
        case '\'':
            return quoted(take());
        default:
            return word();
    }
}

Token Lexer::quoted(char quote) {
    const std::size_t line = line_;
    const std::size_t begin = position_;
    while (!at_end()) {
        const char c = take();
        if (c == quote) {
            after_quote_ = true;
            return {TokenKind::kWord, unescape(text_.substr(begin, position_ - 1 - begin)), line};
        }
        if (c == '\\' && !at_end()) take();
    }
    return {TokenKind::kBad, "", line};
}

Token Lexer::word() {
    const std::size_t line = line_;
    const std::size_t begin = position_;
    bool variable = false;  // the '{' of "${name}" opens no block
    while (!at_end()) {
        const char c = text_[position_];
        if (is_space(c) || c == ';' || (c == '{' && !variable)) break;
        variable = c == '$';
        take();
        if (c == '\\' && !at_end()) take();
    }
    return {TokenKind::kWord, unescape(text_.substr(begin, position_ - begin)), line};
}

bool Lexer::skip_foreign_block() {
    std::size_t depth = 1;
    while (!at_end()) {
        const char c = take();
        if (c == '"' || c == '\'') {
            while (!at_end()) {
                const char inner = take();
                if (inner == '\\' && !at_end()) {
                    take();
                } else if (inner == c) {
                    break;
                }
            }
        } else if (c == '-' && !at_end() && text_[position_] == '-') {
            while (!at_end() && text_[position_] != '\n') ++position_;
        } else if (c == '{') {
            ++depth;
        } else if (c == '}' && --depth == 0) {
            return true;
        }
    }
    return false;
}

}  // namespace gate::conftext
