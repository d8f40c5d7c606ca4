// Where a credential stands in the text of a request: in an Authorization-like header, among
// cookies, among query arguments. All functions look at bytes only and return views into their
// input.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gate::http {

// How often a source named something, and the first value.
struct Found {
    std::size_t count = 0;
    std::string_view value;
};

// The credential of one header value. With a scheme (RFC 9110 section 11.1, matched without case)
// the rest after exactly one space is the value; "Bearer" alone, a second space, or other blanks
// before or after the scheme give an empty or malformed value, which later checks refuse, while
// another scheme gives count 0. With an empty `scheme` the whole value is the credential and an
// empty one counts 0.
Found from_header(std::string_view value, std::string_view scheme) noexcept;

// Adds the cookies called `name` (case-sensitive, RFC 6265 section 4.2.1) of one Cookie header line
// to `found`. One pair of double quotes around a value is dropped. An empty value counts but leaves
// found.value alone.
void from_cookie_line(std::string_view line, std::string_view name, Found& found) noexcept;

// The line without the cookies called `name`; the others keep their bytes and order.
std::string without_cookie(std::string_view line, std::string_view name);

// The arguments called `name` of a query string without '?'. Values are not decoded: a credential
// has one spelling. An argument whose name or '=' is percent-encoded counts too, with its whole
// text as a value that no check accepts: an application would decode it.
Found from_arguments(std::string_view query, std::string_view name) noexcept;

// Where the values of the arguments called `name` stand in `query`, for overwriting them in place.
struct Span {
    std::size_t offset;
    std::size_t size;
};
std::vector<Span> argument_values(std::string_view query, std::string_view name);

// The query without the arguments called `name`; the others keep their bytes and order.
std::string without_argument(std::string_view query, std::string_view name);

// Whether a request carries a cookie on behalf of another site: to be asked for unsafe methods and
// upgrades only. `origin`, `sec_fetch_site` are the header values ("" when absent). An Origin equal
// to `extra_allowed_origin` ("https://app.example.com"; "" for none) is ours. Else Sec-Fetch-Site
// decides if it is there: "same-origin" and "none" are ours. Else Origin must name `scheme` and
// `host`, default ports left out. With neither header (no browser of this decade) the request is
// ours.
bool is_cross_site(std::string_view origin, std::string_view sec_fetch_site,
                   std::string_view scheme, std::string_view host,
                   std::string_view extra_allowed_origin) noexcept;

// GET, HEAD, OPTIONS, TRACE (RFC 9110 section 9.2.1).
bool is_safe_method(std::string_view method) noexcept;

}  // namespace gate::http
