#include "http/credential_text.h"

#include <algorithm>

#include "base/ascii.h"

namespace gate::http {

namespace {

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

// Calls visit(piece) for each piece of `text` between separators, the empty ones too.
template <class Visit>
void for_each_piece(std::string_view text, char separator, Visit visit) {
    while (true) {
        const std::size_t end = text.find(separator);
        visit(text.substr(0, end));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

// The name of a cookie pair. Blanks around it are not part of it: nginx and many applications skip
// them, so "jwt =x" must be the same cookie for us.
std::string_view cookie_name(std::string_view crumb) noexcept {
    const std::size_t equals = crumb.find('=');
    if (equals == std::string_view::npos) return {};
    return trimmed(crumb.substr(0, equals));
}

// The pieces of `text` that are not `named`, with their separators.
template <class Named>
std::string without(std::string_view text, char separator, Named named) {
    std::string out;
    out.reserve(text.size());
    bool first = true;
    for_each_piece(text, separator, [&](std::string_view piece) {
        if (named(piece)) return;
        if (!first) out += separator;
        first = false;
        out.append(piece);
    });
    return out;
}

// Scheme and authority of an origin, the authority without the scheme's default port.
std::string_view without_default_port(std::string_view scheme,
                                      std::string_view authority) noexcept {
    const std::string_view port = equal_ignoring_case(scheme, "https") ? ":443" : ":80";
    if (authority.ends_with(port)) authority.remove_suffix(port.size());
    return authority;
}

bool is_own_origin(std::string_view origin, std::string_view scheme,
                   std::string_view host) noexcept {
    constexpr std::string_view kMark = "://";
    const std::size_t mark = origin.find(kMark);
    const std::string_view own = without_default_port(scheme, host);
    if (mark == std::string_view::npos || own.empty()) return false;
    return equal_ignoring_case(origin.substr(0, mark), scheme) &&
           equal_ignoring_case(without_default_port(scheme, origin.substr(mark + kMark.size())),
                               own);
}

// One octet of `text` at `at`, percent-decoded; moves `at` behind it.
char decoded_octet(std::string_view text, std::size_t& at) noexcept {
    if (text[at] == '%' && text.size() - at > 2) {
        const int high = hex_value(text[at + 1]);
        const int low = hex_value(text[at + 2]);
        if (high >= 0 && low >= 0) {
            at += 3;
            return static_cast<char>(high * 16 + low);
        }
    }
    return text[at++];
}

// An argument that is called `name`, or that an application may take for it because the name and
// '=' are the same once decoded.
struct Named {
    bool matches = false;
    bool exact = false;
    std::size_t value = 0;  // where it begins; the argument's size when there is none
};

Named named_argument(std::string_view argument, std::string_view name) noexcept {
    if (argument == name) return {true, true, argument.size()};
    if (argument.starts_with(name) && argument[name.size()] == '=') {
        return {true, true, name.size() + 1};
    }
    std::size_t at = 0;
    for (const char wanted : name) {
        if (at == argument.size() || decoded_octet(argument, at) != wanted) return {};
    }
    if (at < argument.size() && decoded_octet(argument, at) != '=') return {};
    return {true, false, at};
}

}  // namespace

Found from_header(std::string_view value, std::string_view scheme) noexcept {
    if (scheme.empty()) return {value.empty() ? std::size_t{0} : std::size_t{1}, value};
    const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
    const auto begin = std::find_if_not(value.begin(), value.end(), blank);
    const std::string_view text(begin, value.end());
    if (!equal_ignoring_case(text.substr(0, scheme.size()), scheme)) return {};
    const std::string_view rest = text.substr(scheme.size());
    if (rest.empty()) return {1, {}};
    if (!blank(rest.front())) return {};
    // An application may forgive other blanks than the one space: the value then is the whole text,
    // which is no credential, so that the request is refused and not taken for one without.
    const bool strict = begin == value.begin() && rest.front() == ' ';
    return {1, strict ? rest.substr(1) : value};
}

void from_cookie_line(std::string_view line, std::string_view name, Found& found) noexcept {
    for_each_piece(line, ';', [&](std::string_view crumb) {
        if (crumb.find('=') == std::string_view::npos || cookie_name(crumb) != name) return;
        ++found.count;
        std::string_view value = trimmed(crumb.substr(crumb.find('=') + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        if (found.value.empty()) found.value = value;
    });
}

std::string without_cookie(std::string_view line, std::string_view name) {
    std::string out =
        without(line, ';', [&](std::string_view crumb) { return cookie_name(crumb) == name; });
    // Where the first cookie went, the blank that set off the second one has lost its meaning.
    if (out.size() != line.size()) out.erase(0, out.find_first_not_of(" \t"));
    return out;
}

Found from_arguments(std::string_view query, std::string_view name) noexcept {
    Found found;
    for_each_piece(query, '&', [&](std::string_view argument) {
        const Named named = named_argument(argument, name);
        if (!named.matches) return;
        ++found.count;
        if (found.value.empty()) found.value = argument.substr(named.exact ? named.value : 0);
    });
    return found;
}

std::vector<Span> argument_values(std::string_view query, std::string_view name) {
    std::vector<Span> spans;
    for_each_piece(query, '&', [&](std::string_view argument) {
        const Named named = named_argument(argument, name);
        if (!named.matches || named.value == argument.size()) return;
        spans.push_back({static_cast<std::size_t>(argument.data() - query.data()) + named.value,
                         argument.size() - named.value});
    });
    return spans;
}

std::string without_argument(std::string_view query, std::string_view name) {
    return without(query, '&', [&](std::string_view argument) {
        return named_argument(argument, name).matches;
    });
}

bool is_cross_site(std::string_view origin, std::string_view sec_fetch_site,
                   std::string_view scheme, std::string_view host,
                   std::string_view extra_allowed_origin) noexcept {
    if (!extra_allowed_origin.empty() && origin == extra_allowed_origin) return false;
    if (!sec_fetch_site.empty()) return sec_fetch_site != "same-origin" && sec_fetch_site != "none";
    return !origin.empty() && !is_own_origin(origin, scheme, host);
}

bool is_safe_method(std::string_view method) noexcept {
    return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

}  // namespace gate::http
