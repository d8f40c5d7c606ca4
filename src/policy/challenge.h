// Answers to a refused client: the RFC 6750 challenge and bodies that are constant per status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/reason.h"

namespace gate::policy {

// WWW-Authenticate value (RFC 6750 section 3) for a refusal; nullopt where the class has none, or
// the status is not 400, 401 or 403. `realm` and `scopes` are quoted (RFC 9110 section 5.6.4).
std::optional<std::string> challenge(RefusalClass refusal, int status, std::string_view realm,
                                     std::string_view scopes);

// "Unauthorized", "Forbidden", ..
std::string_view title_of(int status) noexcept;

enum class BodyFormat : std::uint8_t { kProblem, kJson, kText };

struct Body {
    std::string type;  // Content-Type
    std::string text;
};

// problem: RFC 9457 {"type":"about:blank","title":..,"status":..}; json: {"error":..,"status":..};
// text: "401 Unauthorized\n". The same bytes for every refusal with that status.
Body refusal_body(BodyFormat format, int status);

// The fields of a gate_reply for refusals, as JSON text: status, title, error, detail; "" for any
// other.
inline constexpr std::string_view kRefusalFields[] = {"status", "title", "error", "detail"};
std::string refusal_field(std::string_view field, int status);

// gate_error_format auto: nginx's page (nullopt) for a browser navigation, problem+json for the
// rest. A browser says Sec-Fetch-Mode: navigate, or, where it sends no such header, has an Accept
// that prefers text/html. GET and HEAD only: what else a browser sends cannot be repeated after a
// login.
bool is_browser_navigation(std::string_view method, std::string_view sec_fetch_mode,
                           std::string_view accept);

}  // namespace gate::policy
