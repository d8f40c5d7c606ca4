#include "policy/principal.h"

#include <algorithm>
#include <new>

#include "base/ascii.h"
#include "base/base64url.h"
#include "policy/scope.h"

namespace gate::policy {

std::string_view name_of(CredentialKind kind) noexcept {
    switch (kind) {
        case CredentialKind::kNone:
            return "none";
        case CredentialKind::kJwt:
            return "jwt";
        case CredentialKind::kKey:
            return "key";
        case CredentialKind::kBasic:
            return "basic";
    }
    return "none";
}

LazyDocument LazyDocument::of(std::string_view encoded) {
    LazyDocument lazy;
    lazy.encoded_ = encoded;
    return lazy;
}

jose::Value LazyDocument::root() const {
    if (!encoded_.empty()) {
        const auto text = base64url_decode(encoded_);
        auto parsed = text ? jose::Document::parse(text_of(*text)) : fail(Reason::kTokB64);
        // It was parsed before: only memory can be missing, and no rule may go by an empty
        // document.
        if (!parsed) throw std::bad_alloc();
        document_ = *std::move(parsed);
        encoded_ = {};
    }
    return document_.root();
}

const std::optional<std::string>& JoinedText::of(std::span<const std::string_view> elements,
                                                 char separator) const {
    if (!made_) text_ = join_identity(elements, separator);
    made_ = true;
    return text_;
}

std::string_view Principal::key_id() const {
    if (record) return record->id;
    return header.root().member("kid").string().value_or(std::string_view());
}

bool Principal::has_scope(std::string_view scope) const noexcept {
    if (scope.empty()) return false;
    for (std::string_view own : scopes) {
        if (scopes_are_patterns ? scope_pattern_matches(own, scope) : own == scope) return true;
    }
    if (!role_map) return false;
    return std::any_of(roles.begin(), roles.end(),
                       [&](std::string_view role) { return role_map->role_grants(role, scope); });
}

bool Principal::has_role(std::string_view role) const noexcept {
    if (role.empty()) return false;
    return std::any_of(roles.begin(), roles.end(), [&](std::string_view own) {
        return own == role || (role_map && role_map->role_includes(own, role));
    });
}

std::optional<std::string> join_identity(std::span<const std::string_view> elements,
                                         char separator) {
    std::string out;
    for (std::string_view element : elements) {
        if (!is_safe_identity(element)) return std::nullopt;
        if (element.find(separator) != std::string_view::npos) return std::nullopt;
        if (!out.empty()) out += separator;
        out.append(element);
        if (out.size() > kMaxIdentitySize) return std::nullopt;
    }
    return out;
}

bool is_safe_identity(std::string_view value) noexcept {
    return value.size() <= kMaxIdentitySize && !has_control_character(value);
}

}  // namespace gate::policy
