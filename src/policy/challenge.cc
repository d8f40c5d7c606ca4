#include "policy/challenge.h"

#include <array>
#include <utility>

#include "base/ascii.h"
#include "base/json_text.h"

namespace gate::policy {

namespace {

constexpr std::array<std::pair<int, std::string_view>, 33> kTitles{{
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
}};

// Control characters would end the header line; they are left out.
std::string quoted_string(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        const auto octet = static_cast<std::uint8_t>(c);
        if (octet < 0x20 || octet == 0x7f) continue;
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

// RFC 6750 section 3.1; "" where the class has no challenge, or one without error. A requirement
// that answers 401 (error=401) wants another token, not more scopes.
std::string_view error_code(RefusalClass refusal, int status) noexcept {
    switch (refusal) {
        case RefusalClass::kInvalidToken:
            return "invalid_token";
        case RefusalClass::kInvalidRequest:
            return "invalid_request";
        case RefusalClass::kInsufficientScope:
            return status == 401 ? "invalid_token" : "insufficient_scope";
        case RefusalClass::kNone:
        case RefusalClass::kNoCredential:
        case RefusalClass::kLoginFailed:
        case RefusalClass::kBadRequest:
        case RefusalClass::kMethodNotAllowed:
        case RefusalClass::kContentTooLarge:
        case RefusalClass::kMediaType:
        case RefusalClass::kTooManyRequests:
        case RefusalClass::kUnavailable:
        case RefusalClass::kInternal:
            return "";
    }
    return "";
}

// "error" of bodies: the title as one word, "too_many_requests".
std::string error_word(int status) {
    std::string word(title_of(status));
    for (char& c : word) {
        c = c == ' ' ? '_' : ascii_lower(c);
    }
    return word;
}

std::string_view detail_of(int status) noexcept {
    switch (status) {
        case 400:
            return "The request is malformed, or its credentials contradict each other.";
        case 401:
            return "A valid credential is required.";
        case 403:
            return "The credential does not permit this request.";
        case 429:
            return "Too many requests; try again later.";
        case 500:
            return "The request could not be judged because of an internal error.";
        case 503:
            return "The request cannot be judged now; try again later.";
        default:
            return "The request was refused.";
    }
}

}  // namespace

std::optional<std::string> challenge(RefusalClass refusal, int status, std::string_view realm,
                                     std::string_view scopes) {
    const std::string_view error = error_code(refusal, status);
    if (error.empty() && refusal != RefusalClass::kNoCredential &&
        refusal != RefusalClass::kLoginFailed) {
        return std::nullopt;
    }
    // error=404 hides that there is something to ask for.
    if (status != 400 && status != 401 && status != 403) return std::nullopt;

    std::string out = "Bearer realm=" + quoted_string(realm);
    if (!error.empty()) out += ", error=" + quoted_string(error);
    if (error == "insufficient_scope" && !scopes.empty()) out += ", scope=" + quoted_string(scopes);
    return out;
}

std::string_view title_of(int status) noexcept {
    for (const auto& [known, title] : kTitles) {
        if (known == status) return title;
    }
    return "Error";
}

Body refusal_body(BodyFormat format, int status) {
    const std::string number = std::to_string(status);
    switch (format) {
        case BodyFormat::kProblem:
            return {"application/problem+json",
                    "{\"type\":\"about:blank\",\"title\":" + refusal_field("title", status) +
                        ",\"status\":" + number + "}"};
        case BodyFormat::kJson:
            return {"application/json",
                    "{\"error\":" + refusal_field("error", status) + ",\"status\":" + number + "}"};
        case BodyFormat::kText:
            break;
    }
    return {"text/plain", number + " " + std::string(title_of(status)) + "\n"};
}

std::string refusal_field(std::string_view field, int status) {
    if (field == "status") return std::to_string(status);
    if (field == "title") return json_string(title_of(status));
    if (field == "error") return json_string(error_word(status));
    if (field == "detail") return json_string(detail_of(status));
    return {};
}

}  // namespace gate::policy
