// The principal of a token: from its claims when it has just been verified, or from stretches of
// its payload that a verdict remembers.
#pragma once

#include <memory>
#include <memory_resource>
#include <string_view>

#include "jose/issuer.h"
#include "jose/jwt.h"
#include "policy/principal.h"
#include "policy/recent_verdicts.h"
#include "policy/roles.h"
#include "policy/verdict.h"

namespace gate::policy {

// A token that is known to be good. `token` is the credential's text and must outlive this.
struct Recalled {
    std::string_view token;
    const jose::Issuer* issuer = nullptr;
    std::shared_ptr<const RoleMap> roles;
    LocalPtr<SharedPrincipal> identity;  // nullptr: this request's alone
    VerdictWords words{};                // where `identity` does not have them
};

std::shared_ptr<Principal> principal_of(const jose::Claims& claims, const jose::Issuer& issuer,
                                        std::shared_ptr<const RoleMap> roles,
                                        std::pmr::memory_resource* memory);

std::shared_ptr<Principal> principal_of(const Recalled& recalled,
                                        std::pmr::memory_resource* memory);

// The same from recalled.identity, made there when nobody has asked before. It stands on a copy of
// the token, and so may outlive the request.
std::shared_ptr<const Principal> shared_principal_of(const Recalled& recalled);

// Fills in where `payload`, the decoded payload of `token`, says what `claims` found in it; what
// cannot be read back exactly like that sets needs_payload.
void note_identity(Verdict& verdict, std::string_view token, std::string_view payload,
                   const jose::Claims& claims, const jose::Issuer& issuer);

// Parts of a compact token that was parsed before.
std::string_view encoded_header(std::string_view token) noexcept;
std::string_view encoded_payload(std::string_view token) noexcept;

}  // namespace gate::policy
