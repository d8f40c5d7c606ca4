#include "cache/revocation_item.h"

#include <charconv>
#include <system_error>

#include "cache/percent_text.h"

namespace gate::cache {

namespace {

// Seconds as std::to_string() writes them.
std::optional<std::uint32_t> parse_instant(std::string_view text) noexcept {
    std::uint32_t instant = 0;
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, instant);
    if (error != std::errc() || rest != end || instant == kEveryInstant) return std::nullopt;
    return instant;
}

// The text up to the next ':', which is dropped; all of it where there is none.
std::string_view cut(std::string_view& text) noexcept {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    text.remove_prefix(colon == text.npos ? text.size() : colon + 1);
    return part;
}

}  // namespace

std::string format_item(const RevocationItem& item) {
    std::string text(name_of(item.kind));
    text += ':';
    append_encoded(text, item.issuer);
    text += ':';
    append_encoded(text, item.kind == RevocationKind::kAll ? std::string_view() : item.value);
    if (item.issued_until != kEveryInstant)
        text.append(":").append(std::to_string(item.issued_until));
    return text;
}

std::optional<RevocationItem> parse_item(std::string_view text) {
    if (text.size() > kMaxRevocationItem) return std::nullopt;
    const auto kind = find_revocation_kind(cut(text));
    auto issuer = decoded(cut(text));
    const bool bounded = text.find(':') != text.npos;
    auto value = decoded(cut(text));
    if (!kind || !issuer || !value) return std::nullopt;
    if (*kind == RevocationKind::kAll && !value->empty()) return std::nullopt;
    RevocationItem item{*kind, *std::move(issuer), *std::move(value), kEveryInstant};
    if (bounded) {
        const auto instant = parse_instant(text);
        if (!instant) return std::nullopt;
        item.issued_until = *instant;
    }
    return item;
}

}  // namespace gate::cache
