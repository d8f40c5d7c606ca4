#include "jose/header.h"

#include <algorithm>
#include <functional>

#include "base/base64url.h"

namespace gate::jose {

namespace {

constexpr std::size_t kHintAlg = 16;
constexpr std::size_t kHintKid = 64;

// Longer headers are not looked into for a hint: the line must not cost more than the refusal.
constexpr std::size_t kHintHeader = 4096;

bool is_none(std::string_view name) noexcept {
    constexpr std::string_view kNone = "none";
    return std::ranges::equal(
        name, kNone, [](char c, char lower) { return c == lower || c == lower - 'a' + 'A'; });
}

// "alg": exact name of an algorithm (RFC 7515 section 4.1.1).
Result<crypto::Alg, Reason> algorithm_of(Value header) {
    const auto name = header.member("alg").string();
    if (!name) return fail(Reason::kAlgUnknown);
    if (const auto alg = crypto::find_alg(*name)) return *alg;
    return fail(is_none(*name) ? Reason::kAlgNone : Reason::kAlgUnknown);
}

Status<Reason> check_kid(Value kid) {
    if (!kid.present()) return Done{};
    const auto text = kid.string();
    if (!text || text->empty()) return fail(Reason::kKidType);
    if (text->size() > kMaxKidSize) return fail(Reason::kKidUnknown);
    return Done{};
}

// Extensions that change what the signature covers or how the payload is read. Parameters that only
// carry a key or point to one (jwk, jku, x5u, x5c, x5t) are ignored.
Status<Reason> check_extensions(Value header) {
    if (header.member("crit").present()) return fail(Reason::kCritUnsupported);
    const Value b64 = header.member("b64");
    // RFC 7797: true is the default; anything else would need "crit".
    if (b64.present() && b64.boolean() != true) return fail(Reason::kB64Unsupported);
    if (header.member("enc").present() || header.member("zip").present()) {
        return fail(Reason::kTokMalformed);
    }
    return Done{};
}

}  // namespace

Result<Header, Reason> parse_header(std::string_view encoded) {
    const auto octets = base64url_decode(encoded);
    if (!octets) return fail(Reason::kTokB64);
    auto document = Document::parse(text_of(*octets));
    if (!document) return fail(document.error());

    const Value root = document->root();
    const auto alg = algorithm_of(root);
    if (!alg) return fail(alg.error());
    if (const auto extensions = check_extensions(root); !extensions) {
        return fail(extensions.error());
    }
    const Value kid = root.member("kid");
    if (const auto kid_status = check_kid(kid); !kid_status) return fail(kid_status.error());
    const Value typ = root.member("typ");
    if (typ.present() && !typ.string()) return fail(Reason::kTypBad);
    return Header{*alg, kid.string(), typ.string(), *std::move(document)};
}

Result<Header, Reason> HeaderCache::get(std::string_view encoded) {
    if (encoded.size() > kMaxEncodedSize) return parse_header(encoded);
    Slot& slot = slots_[std::hash<std::string_view>()(encoded) % slots_.size()];
    if (slot.header && slot.encoded == encoded) return *slot.header;
    auto parsed = parse_header(encoded);
    if (parsed) {
        slot.encoded = encoded;
        slot.header = *parsed;
    }
    return parsed;
}

HeaderHint header_hint(std::string_view token) {
    HeaderHint hint;
    const std::string_view part = token.substr(0, token.find('.'));
    if (part.size() > kHintHeader) return hint;
    const auto octets = base64url_decode(part);
    if (!octets) return hint;
    const auto header = Document::parse(text_of(*octets));
    if (!header) return hint;
    hint.alg = header->root().member("alg").string().value_or("").substr(0, kHintAlg);
    hint.kid = header->root().member("kid").string().value_or("").substr(0, kHintKid);
    return hint;
}

}  // namespace gate::jose
