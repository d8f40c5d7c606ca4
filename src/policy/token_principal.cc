#include "policy/token_principal.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "base/base64url.h"
#include "jose/claim_span.h"

namespace gate::policy {

namespace {

using jose::ListForm;

// The text of a stretch, decoded behind what `text` holds. `text` has room for it.
std::string_view decode(std::string_view encoded, Stretch stretch, std::pmr::vector<char>& text) {
    const std::size_t start = text.size();
    text.resize(start + stretch.size);
    const std::span<std::uint8_t> out(reinterpret_cast<std::uint8_t*>(text.data() + start),
                                      stretch.size);
    base64url_decode_range(encoded, stretch.offset, out);
    return {text.data() + start, stretch.size};
}

// A JSON string without escapes, or a number as it stands.
std::string_view scalar(std::string_view json) noexcept {
    return json.starts_with('"') ? json.substr(1, json.size() - 2) : json;
}

void add_words(std::string_view text, TextList& list) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end != 0) list.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

// A string, or an array of strings, without escapes.
void read_list(std::string_view json, ListForm form, TextList& list) {
    if (json.starts_with('"') && form == ListForm::kSpaceSeparated) {
        add_words(scalar(json), list);
        return;
    }
    for (std::size_t open = json.find('"'); open != std::string_view::npos;) {
        const std::size_t close = json.find('"', open + 1);
        if (close == std::string_view::npos) return;
        if (close > open + 1) list.push_back(json.substr(open + 1, close - open - 1));
        open = json.find('"', close + 1);
    }
}

void read_stretches(const Verdict& verdict, std::string_view token, Principal& principal) {
    const std::string_view encoded = encoded_payload(token);
    // One piece of memory: the views must stay good.
    principal.text.reserve(std::size_t{verdict.subject.size} + verdict.client.size +
                           verdict.scopes.size + verdict.roles.size + verdict.groups.size);
    const auto text = [&](Stretch stretch) { return decode(encoded, stretch, principal.text); };
    principal.subject = scalar(text(verdict.subject));
    principal.client = scalar(text(verdict.client));
    read_list(text(verdict.scopes), ListForm::kSpaceSeparated, principal.scopes);
    read_list(text(verdict.roles), ListForm::kPlain, principal.roles);
    read_list(text(verdict.groups), ListForm::kPlain, principal.groups);
}

std::shared_ptr<Principal> new_principal(const jose::Issuer& issuer,
                                         std::shared_ptr<const RoleMap> roles,
                                         std::pmr::memory_resource* memory) {
    auto principal =
        std::allocate_shared<Principal>(std::pmr::polymorphic_allocator<Principal>(memory), memory);
    principal->kind = CredentialKind::kJwt;
    principal->source_name = issuer.name;
    principal->role_map = std::move(roles);
    return principal;
}

void read_claims(const jose::Claims& claims, Principal& principal) {
    principal.text.assign(claims.subject.begin(), claims.subject.end());
    principal.subject = {principal.text.data(), principal.text.size()};
    principal.issuer = claims.issuer;
    principal.client = claims.client;
    principal.scopes.assign(claims.scopes.begin(), claims.scopes.end());
    principal.roles.assign(claims.roles.begin(), claims.roles.end());
    principal.groups.assign(claims.groups.begin(), claims.groups.end());
    principal.expires = claims.expires;
    principal.claims = claims.payload;
}

// Where the first claim of `names` that is there stands; nullopt where no stretch can say it.
std::optional<Stretch> find_claim(std::string_view payload, const jose::Claims& claims,
                                  const jose::ClaimNames& names) {
    constexpr std::size_t kMax = std::numeric_limits<std::uint16_t>::max();
    for (const std::string& name : names) {
        if (!claims.payload.root().find(name).present()) continue;
        const std::string_view text = jose::claim_text(payload, name);
        const auto offset = static_cast<std::size_t>(text.data() - payload.data());
        const bool plain = !text.empty() && text.find('\\') == std::string_view::npos;
        if (!plain || offset > kMax || text.size() > kMax) return std::nullopt;
        return Stretch{static_cast<std::uint16_t>(offset), static_cast<std::uint16_t>(text.size())};
    }
    return Stretch{};
}

bool says(const Principal& principal, const jose::Claims& claims) {
    return principal.subject == claims.subject && principal.client == claims.client &&
           std::ranges::equal(principal.scopes, claims.scopes) &&
           std::ranges::equal(principal.roles, claims.roles) &&
           std::ranges::equal(principal.groups, claims.groups);
}

}  // namespace

std::string_view encoded_header(std::string_view token) noexcept {
    return token.substr(0, token.find('.'));
}

std::string_view encoded_payload(std::string_view token) noexcept {
    token.remove_prefix(std::min(token.find('.') + 1, token.size()));
    return token.substr(0, token.find('.'));
}

std::shared_ptr<Principal> principal_of(const jose::Claims& claims, const jose::Issuer& issuer,
                                        std::shared_ptr<const RoleMap> roles,
                                        std::pmr::memory_resource* memory) {
    auto principal = new_principal(issuer, std::move(roles), memory);
    read_claims(claims, *principal);
    return principal;
}

std::shared_ptr<Principal> principal_of(const Recalled& recalled,
                                        std::pmr::memory_resource* memory) {
    auto principal = new_principal(*recalled.issuer, recalled.roles, memory);
    principal->header = LazyDocument::of(encoded_header(recalled.token));
    const Verdict verdict = unpack(recalled.words);
    if (!verdict.needs_payload) {
        read_stretches(verdict, recalled.token, *principal);
        if (recalled.issuer->iss) principal->issuer = *recalled.issuer->iss;
        if (verdict.has_expires) principal->expires = verdict.expires;
        principal->claims = LazyDocument::of(encoded_payload(recalled.token));
        return principal;
    }
    const auto text = base64url_decode(encoded_payload(recalled.token));
    const auto payload = text ? jose::Document::parse(text_of(*text)) : fail(Reason::kTokB64);
    const auto claims =
        payload ? jose::read_claims(*payload, *recalled.issuer) : fail(payload.error());
    // They were read before: only memory can be missing.
    if (!claims) throw std::bad_alloc();
    read_claims(*claims, *principal);
    return principal;
}

std::shared_ptr<const Principal> shared_principal_of(const Recalled& recalled) {
    std::shared_ptr<const Principal>& known = recalled.identity->principal;
    if (known == nullptr || known->role_map != recalled.roles) {
        struct Standing {
            ~Standing() { wipe(token.data(), token.size()); }
            std::string token;
            std::shared_ptr<const Principal> principal;
        };
        const auto standing = std::make_shared<Standing>();
        standing->token = recalled.token;
        const Recalled copy{standing->token, recalled.issuer, recalled.roles, nullptr,
                            recalled.identity->words};
        standing->principal = principal_of(copy, std::pmr::new_delete_resource());
        known = {standing, standing->principal.get()};
    }
    return known;
}

void note_identity(Verdict& verdict, std::string_view token, std::string_view payload,
                   const jose::Claims& claims, const jose::Issuer& issuer) {
    const std::pair<Stretch*, const jose::ClaimNames*> places[] = {
        {&verdict.subject, &issuer.subject_claim}, {&verdict.client, &issuer.client_claim},
        {&verdict.scopes, &issuer.scope_claim},    {&verdict.roles, &issuer.role_claim},
        {&verdict.groups, &issuer.group_claim},
    };
    for (const auto& [stretch, names] : places) {
        const auto found = find_claim(payload, claims, *names);
        if (!found) verdict.needs_payload = true;
        *stretch = found.value_or(Stretch{});
    }
    if (verdict.needs_payload) return;
    // Whatever form a claim has, what will be read back is what verification found.
    const Recalled trial{token, &issuer, nullptr, nullptr, pack(verdict)};
    verdict.needs_payload = !says(*principal_of(trial, std::pmr::get_default_resource()), claims);
}

}  // namespace gate::policy
