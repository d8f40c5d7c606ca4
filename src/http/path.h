// Raw request paths: segments that climb, as nginx or an application may read them, and addresses
// to come back to after a login.
#pragma once

#include <string>
#include <string_view>

namespace gate::http {

// True when the raw path (before '?') climbs: a segment is ".." after any treatment that nginx or
// an application may apply: percent-decoding, once or again (%2e, %252e), a trailing ";..."
// parameter, backslash, %5c or an encoded slash as separator, overlong UTF-8 (%c0%ae, %e0%80%ae,
// %c0%af). Plain ones count too: nginx resolves them before it chooses a location, but proxy_pass
// without a URI sends the raw path, which an application may read otherwise. "." is the same but
// for its plain and once-encoded forms, which lead nowhere.
bool has_climbing_segment(std::string_view raw_path);

// A first look: true means that nothing in `text` climbs or hides anything that could; false, that
// has_climbing_segment() must look.
bool is_level(std::string_view text) noexcept;

// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
std::string percent_encode(std::string_view text);

// Path and query of this request as a value for a login page's return argument: never a scheme or
// an authority, so it cannot leave this host. A path that begins with "//" or "/\", plain or
// encoded (any number of times), or holds a control character, blank or backslash becomes "/".
std::string safe_return_target(std::string_view raw_uri);

}  // namespace gate::http
