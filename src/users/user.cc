#include "users/user.h"

#include <array>

#include "base/ascii.h"
#include "base/json_object.h"
#include "base/utf8.h"
#include "jose/member_reader.h"
#include "users/password_hash.h"

namespace gate::users {

namespace {

using jose::MemberReader;

constexpr std::array<std::string_view, 10> kMembers{
    "v", "name", "password", "roles", "scopes", "groups", "email", "status", "created", "labels"};

Status<std::string> read_identity(const MemberReader& reader, User& user) {
    const std::string expected =
        "1 to " + std::to_string(kMaxName) + " octets of UTF-8 without ':' and control characters";
    const auto good = [](std::string_view name) { return !name_problem(name); };
    if (auto done = reader.text("name", user.name, good, expected, true); !done) return done;
    const auto any = [](std::string_view) { return true; };
    if (auto done = reader.text("password", user.password, any, "the hash of a password", true);
        !done) {
        return done;
    }
    if (const auto usable = usable_hash(user.password); !usable) {
        return fail("member \"password\" is wrong: the hash " + usable.error());
    }
    return reader.text("email", user.email, jose::is_clean_text,
                       "a string without control characters", false);
}

Status<std::string> read_status(const MemberReader& reader, User& user) {
    const jose::Value value = reader.member("status");
    if (!value.present()) return Done{};
    for (const UserStatus status : {UserStatus::kActive, UserStatus::kDisabled}) {
        if (value.string() != name_of(status)) continue;
        user.status = status;
        return Done{};
    }
    return reader.wrong("status", "active or disabled");
}

Status<std::string> read_rest(const MemberReader& reader, User& user) {
    if (auto done = reader.list("roles", user.roles); !done) return done;
    if (auto done = reader.list("scopes", user.scopes); !done) return done;
    if (auto done = reader.list("groups", user.groups); !done) return done;
    if (auto done = read_status(reader, user); !done) return done;
    std::optional<Seconds> created;
    if (auto done = reader.instant("created", created); !done) return done;
    user.created = created.value_or(0);
    return reader.object("labels", user.labels);
}

}  // namespace

std::string_view name_of(UserStatus status) noexcept {
    switch (status) {
        case UserStatus::kActive:
            return "active";
        case UserStatus::kDisabled:
            return "disabled";
    }
    return "";
}

std::optional<std::string> name_problem(std::string_view name) {
    if (name.empty() || name.size() > kMaxName) {
        return "a name has 1 to " + std::to_string(kMaxName) + " octets";
    }
    if (!is_utf8(name)) return "a name is UTF-8";
    if (has_control_character(name)) return "a name has no control characters";
    if (name.find(':') != name.npos) return "a name has no ':', which Basic could not carry";
    return std::nullopt;
}

Result<User, std::string> User::from_json(jose::Value object) {
    if (!object.is(jose::Value::Kind::kObject))
        return fail(std::string("a user must be an object"));
    const MemberReader reader(object, MemberReader::Values::kHidden);
    User user;
    if (auto done = reader.check_members(kMembers, kVersion); !done) return fail(done.error());
    if (auto done = read_identity(reader, user); !done) return fail(done.error());
    if (auto done = read_rest(reader, user); !done) return fail(done.error());
    return user;
}

std::string User::to_json() const {
    JsonObject object;
    object.text("name", name);
    if (!password.empty()) object.text("password", password);
    if (!roles.empty()) object.texts("roles", roles);
    if (!scopes.empty()) object.texts("scopes", scopes);
    if (!groups.empty()) object.texts("groups", groups);
    if (!email.empty()) object.text("email", email);
    object.text("status", name_of(status));
    if (created != 0) object.text("created", rfc3339(created));
    if (labels.root().present()) object.raw("labels", labels.root().dump());
    return object.str();
}

}  // namespace gate::users
