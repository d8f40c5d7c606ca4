#include "jose/token.h"

#include "base/base64url.h"

namespace gate::jose {

namespace {

struct Parts {
    std::string_view header;
    std::string_view payload;
    std::string_view signature;
};

// Exactly three parts; stops at the third dot, however many follow.
std::optional<Parts> split(std::string_view token) noexcept {
    const std::size_t first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const std::size_t second = token.find('.', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    if (token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
    return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                 token.substr(second + 1)};
}

}  // namespace

Result<Token, Reason> parse_token(std::string_view text, HeaderCache* headers) {
    const auto parts = split(text);
    if (!parts || parts->header.empty()) return fail(Reason::kTokMalformed);
    auto header = headers != nullptr ? headers->get(parts->header) : parse_header(parts->header);
    if (!header) return fail(header.error());
    auto payload = base64url_decode(parts->payload);
    auto signature = base64url_decode(parts->signature);
    if (!payload || !signature) return fail(Reason::kTokB64);
    const std::size_t signed_size = parts->header.size() + 1 + parts->payload.size();
    return Token{*std::move(header), text.substr(0, signed_size), *std::move(payload),
                 *std::move(signature)};
}

}  // namespace gate::jose
