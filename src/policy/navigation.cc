// Is a request a browser's navigation? Content negotiation on Accept (RFC 9110 section 12.5.1).
#include <algorithm>

#include "base/ascii.h"
#include "policy/challenge.h"

namespace gate::policy {

namespace {

std::string lower_trimmed(std::string_view text) {
    const std::size_t start = text.find_first_not_of(" \t");
    if (start == std::string_view::npos) return {};
    return ascii_lower(text.substr(start, text.find_last_not_of(" \t") - start + 1));
}

// Takes the piece before the next `separator` off `rest`.
std::string_view take(std::string_view& rest, char separator) noexcept {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view piece = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return piece;
}

// "0.8" as 800; a malformed weight counts as none (0). qvalue has at most three decimals.
int thousandths(std::string_view q) noexcept {
    if (q.empty() || q.size() > 5 || (q[0] != '0' && q[0] != '1')) return 0;
    if (q.size() > 1 && q[1] != '.') return 0;
    int value = (q[0] - '0') * 1000;
    int unit = 100;
    for (char c : q.substr(std::min<std::size_t>(2, q.size()))) {
        if (c < '0' || c > '9') return 0;
        value += (c - '0') * unit;
        unit /= 10;
    }
    return std::min(value, 1000);
}

struct Range {
    std::string type;
    int weight = 1000;
};

Range parse_range(std::string_view text) {
    Range range{lower_trimmed(take(text, ';'))};
    while (!text.empty()) {
        const std::string parameter = lower_trimmed(take(text, ';'));
        if (parameter.starts_with("q="))
            range.weight = thousandths(std::string_view(parameter).substr(2));
    }
    return range;
}

bool is_json(std::string_view type) noexcept {
    return type == "application/json" ||
           (type.starts_with("application/") && type.ends_with("+json"));
}

// text/html is named, and no JSON type is named with a higher weight, or with the same one before
// it.
bool prefers_html(std::string_view accept) {
    int html = 0;
    int json = 0;
    while (!accept.empty()) {
        const Range range = parse_range(take(accept, ','));
        if (range.type == "text/html" && range.weight > json) html = std::max(html, range.weight);
        if (is_json(range.type)) json = std::max(json, range.weight);
    }
    return html > 0 && html >= json;
}

}  // namespace

bool is_browser_navigation(std::string_view method, std::string_view sec_fetch_mode,
                           std::string_view accept) {
    if (method != "GET" && method != "HEAD") return false;
    if (!sec_fetch_mode.empty()) return sec_fetch_mode == "navigate";
    return prefers_html(accept);
}

}  // namespace gate::policy
