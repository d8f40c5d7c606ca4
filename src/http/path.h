// Raw request paths: dot segments in spellings that nginx leaves alone but an application may
// resolve.
#pragma once

#include <string>
#include <string_view>

namespace gate::http {

// True when a segment of the raw path (before '?') is "." or ".." only after a treatment that nginx
// does not apply: a trailing ";..." parameter, backslash or %5c as separator, dots, slashes or
// semicolons encoded twice (%252e, %25252e), or as overlong UTF-8 (%c0%ae, %e0%80%ae, %c0%af).
// Plain and once-encoded ".." between plain or once-encoded slashes is false: nginx resolves it
// itself. Linear in the path's size.
bool has_hidden_dot_segment(std::string_view raw_path);

// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
std::string percent_encode(std::string_view text);

// Path and query of this request as a value for a login page's return argument: never a scheme or
// an authority, so it cannot leave this host. A path that begins with "//" or "/\", plain or
// encoded (any number of times), or holds a control character, blank or backslash becomes "/".
std::string safe_return_target(std::string_view raw_uri);

}  // namespace gate::http
