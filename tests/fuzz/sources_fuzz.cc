// Where credentials stand in a request: header, cookie lines, arguments, path. Lines: name, other
// value, what, text. After stripping, no reading of the text that any application could have may
// find the name again; what remains must stand in the text as it was.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "http/credential_text.h"
#include "http/path.h"
#include "policy/source.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace gate;

std::vector<std::string_view> pieces(std::string_view text, char separator) {
    std::vector<std::string_view> out;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i != text.size() && text[i] != separator) continue;
        out.push_back(text.substr(start, i - start));
        start = i + 1;
    }
    return out;
}

std::string_view without_blanks(std::string_view text) {
    const std::size_t start = text.find_first_not_of(" \t");
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(" \t") - start + 1);
}

std::size_t count_cookies(std::string_view line, std::string_view name) {
    std::size_t count = 0;
    for (const std::string_view crumb : pieces(line, ';')) {
        const std::size_t equals = crumb.find('=');
        if (equals != std::string_view::npos && without_blanks(crumb.substr(0, equals)) == name)
            ++count;
    }
    return count;
}

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 &&
            hex(text[i + 2]) >= 0) {
            out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

bool is_called(std::string_view argument, std::string_view name) {
    const std::string assigned = std::string(name) + '=';
    const std::string decoded = percent_decoded(argument);
    return argument == name || argument.starts_with(assigned) || decoded == name ||
           decoded.starts_with(assigned);
}

std::size_t count_arguments(std::string_view query, std::string_view name) {
    const auto all = pieces(query, '&');
    return static_cast<std::size_t>(
        std::ranges::count_if(all, [&](std::string_view one) { return is_called(one, name); }));
}

// `shorter` is `longer` with some octets left out.
bool is_subsequence(std::string_view shorter, std::string_view longer) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < longer.size() && at < shorter.size(); ++i) {
        if (longer[i] == shorter[at]) ++at;
    }
    return at == shorter.size();
}

void check_cookie(std::string_view name, std::string_view line) {
    if (name.empty() || name.find_first_of("=; \t") != std::string_view::npos) return;
    http::Found found;
    http::from_cookie_line(line, name, found);
    GATE_INVARIANT(found.count == count_cookies(line, name));
    GATE_INVARIANT(found.value.empty() || line.find(found.value) != std::string_view::npos);
    GATE_INVARIANT(found.value.find(';') == std::string_view::npos);
    const std::string stripped = http::without_cookie(line, name);
    GATE_INVARIANT(count_cookies(stripped, name) == 0);
    GATE_INVARIANT(is_subsequence(stripped, line));
    if (found.count == 0) GATE_INVARIANT(stripped == line);
    for (const std::string_view crumb : pieces(line, ';')) {
        const std::size_t equals = crumb.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view other = without_blanks(crumb.substr(0, equals));
        if (other == name || other.empty()) continue;
        GATE_INVARIANT(count_cookies(stripped, other) == count_cookies(line, other));
    }
}

void check_arguments(std::string_view name, std::string_view query) {
    if (name.empty() || name.find_first_of("=&") != std::string_view::npos) return;
    const http::Found found = http::from_arguments(query, name);
    GATE_INVARIANT(found.count == count_arguments(query, name));
    const std::string stripped = http::without_argument(query, name);
    GATE_INVARIANT(count_arguments(stripped, name) == 0);
    if (found.count == 0) GATE_INVARIANT(stripped == query);
    const std::size_t kept = pieces(query, '&').size() - found.count;
    GATE_INVARIANT(kept == 0 ? stripped.empty() : pieces(stripped, '&').size() == kept);

    // Overwriting what argument_values() names leaves nothing of any value.
    std::string scrubbed(query);
    std::size_t end = 0;
    for (const http::Span span : http::argument_values(query, name)) {
        GATE_INVARIANT(span.size > 0 && span.offset >= end &&
                       span.offset + span.size <= query.size());
        end = span.offset + span.size;
        std::fill_n(scrubbed.begin() + static_cast<std::ptrdiff_t>(span.offset), span.size, '*');
    }
    for (const std::string_view one : pieces(scrubbed, '&')) {
        if (one.substr(0, one.find('=')) != name) continue;
        GATE_INVARIANT(one.find_first_not_of('*', std::min(name.size() + 1, one.size())) ==
                       std::string_view::npos);
    }
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

void check_header(std::string_view scheme, std::string_view value) {
    // Schemes come from nginx.conf: they begin with no blank.
    if (!scheme.empty() && static_cast<unsigned char>(scheme.front()) <= ' ') return;
    const http::Found found = http::from_header(value, scheme);
    if (scheme.empty()) {
        GATE_INVARIANT(found.value == value && found.count == (value.empty() ? 0 : 1));
        return;
    }
    std::string_view text = value;
    while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
    const bool names = text.size() >= scheme.size() &&
                       std::equal(scheme.begin(), scheme.end(), text.begin(),
                                  [](char a, char b) { return lower(a) == lower(b); });
    const bool ends = text.size() == scheme.size() ||
                      (names && static_cast<unsigned char>(text[scheme.size()]) <= ' ');
    GATE_INVARIANT(found.count == (names && ends ? 1 : 0));
    if (found.value.empty()) return;
    // Other blanks than one space leave a value that is no credential.
    const bool strict = text.size() == value.size() && value[scheme.size()] == ' ';
    GATE_INVARIANT(found.value == (strict ? value.substr(scheme.size() + 1) : value));
}

// Whether the path climbs for a reader who decodes `rounds` times and takes backslashes for
// slashes.
bool climbs(std::string_view path, int rounds) {
    std::string text(path);
    for (; rounds > 0; --rounds) text = percent_decoded(text);
    std::replace(text.begin(), text.end(), '\\', '/');
    return std::ranges::any_of(pieces(text, '/'), [](std::string_view segment) {
        return segment == ".." || segment.starts_with("..;");
    });
}

void check_path(std::string_view path) {
    const bool found = http::has_climbing_segment(path);
    for (int rounds = 0; rounds < 3; ++rounds) GATE_INVARIANT(found || !climbs(path, rounds));
    if (path.find_first_of("%\\;\xc0\xc1\xe0\xf0") == std::string_view::npos) {
        GATE_INVARIANT(found == climbs(path, 0));
    }
    // Encoding once more hides what nginx would have seen.
    const std::string encoded = http::percent_encode(path);
    GATE_INVARIANT(percent_decoded(encoded) == path);
    GATE_INVARIANT(encoded.find_first_of(" /?&=#\"\r\n") == std::string::npos);

    const std::string target = http::safe_return_target(path);
    GATE_INVARIANT(target == path || target == "/");
    GATE_INVARIANT(target.front() == '/');
    GATE_INVARIANT(target.find_first_of("\\ \t\r\n") == std::string::npos);
    std::string seen = target;
    for (int round = 0; round < 4; ++round) {
        GATE_INVARIANT(!seen.starts_with("//") && !seen.starts_with("/\\"));
        seen = percent_decoded(seen);
    }
}

void check_origin(std::string_view origin, std::string_view host) {
    const bool cross = http::is_cross_site(origin, "", "https", host, "");
    if (origin.empty()) GATE_INVARIANT(!cross);
    if (!cross && !origin.empty()) {
        GATE_INVARIANT(origin.size() > 8 && std::string_view("://") == origin.substr(5, 3));
    }
    GATE_INVARIANT(!http::is_cross_site(origin, "same-origin", "https", host, ""));
    GATE_INVARIANT(http::is_cross_site(origin, "cross-site", "https", host, ""));
    if (!origin.empty())
        GATE_INVARIANT(!http::is_cross_site(origin, "cross-site", "https", host, origin));
}

// Sources as the text spells them: "h1=a" is a header named once with the value "a".
void check_selection(std::string_view text, policy::ConflictRule rule) {
    std::vector<policy::Candidate> candidates;
    for (const std::string_view one : pieces(text, ',')) {
        if (one.size() < 3 || candidates.size() == 8) continue;
        policy::Candidate candidate;
        using policy::SourceType;
        constexpr std::string_view kTypes = "hcavCx";
        const std::size_t type = kTypes.find(one[0]);
        if (type == std::string_view::npos) continue;
        constexpr std::array kMap{SourceType::kHeader,   SourceType::kCookie,
                                  SourceType::kArgument, SourceType::kVariable,
                                  SourceType::kCookie,   static_cast<SourceType>(9)};
        candidate.type = kMap[type];
        candidate.cross_site = one[0] == 'C';
        candidate.count =
            one[1] >= '0' && one[1] <= '9' ? static_cast<std::size_t>(one[1] - '0') : 1;
        candidate.value = candidate.count == 0 ? std::string_view() : one.substr(3);
        candidates.push_back(candidate);
        GATE_INVARIANT(policy::name_of(candidate.type).empty() == (one[0] == 'x'));
    }
    const auto selected = policy::select_credential(candidates, rule);
    const auto counts = [&](auto wanted) { return std::ranges::any_of(candidates, wanted); };
    const bool deliberate = counts([](const policy::Candidate& c) {
        return c.count > 0 && c.type != policy::SourceType::kCookie;
    });
    const bool eligible_cookie = !deliberate && counts([](const policy::Candidate& c) {
        return c.count > 0 && c.type == policy::SourceType::kCookie && !c.cross_site;
    });
    if (!selected) {
        GATE_INVARIANT(refusal_class(selected.error()) == RefusalClass::kInvalidRequest);
        return;
    }
    const policy::Candidate* chosen = selected->candidate;
    GATE_INVARIANT((chosen != nullptr) == (deliberate || eligible_cookie));
    if (chosen == nullptr) return;
    GATE_INVARIANT(chosen->count == 1 && !(chosen->cross_site));
    GATE_INVARIANT((chosen->type == policy::SourceType::kCookie) == !deliberate);
    if (rule == policy::ConflictRule::kFirst) return;
    for (const policy::Candidate& other : candidates) {
        const bool cookie = other.type == policy::SourceType::kCookie;
        if (other.count == 0 || (cookie && (deliberate || other.cross_site))) continue;
        GATE_INVARIANT(other.count == 1 && other.value == chosen->value);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    gate::fuzz::Input input(data, size);
    const std::string_view what = input.line();
    const std::string_view name = input.line();
    const std::string_view text = input.rest();
    if (what == "cookie") check_cookie(name, text);
    if (what == "args") check_arguments(name, text);
    if (what == "header") check_header(name, text);
    if (what == "path") check_path(text);
    if (what == "origin") check_origin(text, name);
    if (what == "select") check_selection(text, policy::ConflictRule::kRefuse);
    if (what == "first") check_selection(text, policy::ConflictRule::kFirst);
    GATE_INVARIANT(http::is_safe_method(name) ==
                   (name == "GET" || name == "HEAD" || name == "OPTIONS" || name == "TRACE"));
    return 0;
}
