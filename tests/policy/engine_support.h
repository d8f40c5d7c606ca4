// What the tests of the engine share.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "policy/engine.h"

namespace gate::policy {

inline constexpr Seconds kNow = 1700000000;

inline std::shared_ptr<const RoleMap> role_map(std::string_view text) {
    auto map = RoleMap::parse(text);
    EXPECT_TRUE(map);
    return std::make_shared<const RoleMap>(*std::move(map));
}

// "verified", "anonymous", "need", or the code of the refusal.
inline std::string name_of_outcome(const Outcome& outcome) {
    if (std::holds_alternative<Verified>(outcome)) return "verified";
    if (std::holds_alternative<VerifiedKey>(outcome)) return "verified";
    if (std::holds_alternative<Anonymous>(outcome)) return "anonymous";
    if (std::holds_alternative<Need>(outcome)) return "need";
    return std::string(code(std::get<Deny>(outcome).reason));
}

inline const Principal& principal_of(const Outcome& outcome) {
    static const Principal nobody;
    static std::shared_ptr<const Principal> made;
    if (const auto* key = std::get_if<VerifiedKey>(&outcome)) {
        made = principal_of(*key, std::pmr::get_default_resource());
        return *made;
    }
    const auto* verified = std::get_if<Verified>(&outcome);
    EXPECT_NE(verified, nullptr) << name_of_outcome(outcome);
    return verified != nullptr ? *verified->principal : nobody;
}

}  // namespace gate::policy
