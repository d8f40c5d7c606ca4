// Tokens (RFC 9110 section 5.6.2): names of headers, cookies, schemes.
#pragma once

#include <algorithm>
#include <string_view>

#include "base/ascii.h"

namespace gate::http {

constexpr bool is_token(std::string_view text) noexcept {
    const auto is_tchar = [](char c) {
        return is_word(c) || std::string_view("!#$%&'*+-.^`|~").find(c) != std::string_view::npos;
    };
    return !text.empty() && std::ranges::all_of(text, is_tchar);
}

}  // namespace gate::http
