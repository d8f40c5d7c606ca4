// The frame of the pages that the gate shows to people: plain HTML that needs no script, no font
// and no picture, light or dark as the browser asks for.
#pragma once

#include <string>
#include <string_view>

namespace gate::policy {

inline constexpr std::string_view kPageType = "text/html; charset=utf-8";

// Nothing but the page's own style is loaded, and nobody frames it.
inline constexpr std::string_view kPageSecurityPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

// html_escaped(), and a browser may break the line behind each slash.
std::string breakable_path(std::string_view text);

// `title` is text, `body` HTML. `refresh`: seconds until the browser asks again, 0: never.
std::string html_page(std::string_view title, std::string_view body, unsigned refresh = 0);

}  // namespace gate::policy
