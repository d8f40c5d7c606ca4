#include "users/user_table.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json_text.h"
#include "crypto/digest.h"
#include "users/password_hash.h"

namespace gate::users {

namespace {

constexpr std::int64_t kFileVersion = 1;
constexpr std::string_view kBlanks = " \t\r\n";

// Of 32 random octets that were thrown away.
constexpr std::string_view kNobody =
    "$y$j9T$.Pxr2MUMXgs0h/EUNpESqF7RCjoykgVNvuWv05RvOqC$d2p6R80RwPABVKkc/Gf7/"
    "K2bJ3UCH78CRD2r6WAO7X2";

// Not where name and hash are the wrong way round.
bool may_be_shown(std::string_view name) {
    return !name_problem(name) && !usable_hash(name);
}

std::string describe(std::size_t index, jose::Value user) {
    std::string text = "user " + std::to_string(index + 1);
    const auto name = user.member("name").string();
    if (name && may_be_shown(*name)) text += " (" + json_string(*name) + ")";
    return text;
}

Status<std::string> check_frame(jose::Value root) {
    for (std::string_view name : root.member_names()) {
        if (name != "version" && name != "users") {
            return fail("member " + json_string(name) + " is unknown; known are version, users");
        }
    }
    const jose::Value version = root.member("version");
    if (version.present() && version.integer() != kFileVersion) {
        return fail("member \"version\" must be " + std::to_string(kFileVersion));
    }
    if (!root.member("users").is(jose::Value::Kind::kArray)) {
        return fail(std::string("member \"users\" must be an array of users"));
    }
    return Done{};
}

// name:hash[:rest]
Result<User, std::string> parse_line(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return fail(std::string("is not name:hash"));
    User user;
    user.name = line.substr(0, colon);
    const std::string_view rest = line.substr(colon + 1);
    user.password = rest.substr(0, rest.find(':'));
    if (const auto problem = name_problem(user.name)) return fail(*problem);
    const auto usable = usable_hash(user.password);
    if (usable) return user;
    const std::string whose =
        may_be_shown(user.name) ? "user " + json_string(user.name) + ": " : "";
    return fail(whose + "the hash " + usable.error());
}

}  // namespace

bool UserTable::add(User user) {
    auto kept = std::make_shared<const User>(std::move(user));
    if (!by_name_.emplace(kept->name, users_.size()).second) return false;
    if (is_weak(kept->password)) {
        notes_.push_back("user " + json_string(kept->name) + " has a weak hash (" +
                         std::string(scheme_of(kept->password)) + ")");
    }
    users_.push_back(std::move(kept));
    return true;
}

Status<std::string> UserTable::parse_json(std::string_view text) {
    const auto document = jose::Document::parse(text, jose::kOperatorLimits);
    if (!document) return fail("not strict JSON (" + std::string(code(document.error())) + ")");
    const jose::Value root = document->root();
    if (auto framed = check_frame(root); !framed) return framed;
    const jose::Value users = root.member("users");
    for (std::size_t i = 0; i < users.size(); ++i) {
        auto user = User::from_json(users.at(i));
        if (!user) return fail(describe(i, users.at(i)) + ": " + user.error());
        if (!add(*std::move(user))) {
            return fail(describe(i, users.at(i)) + ": another user has the same name");
        }
    }
    return Done{};
}

Status<std::string> UserTable::parse_lines(std::string_view text) {
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with('#') || line.find_first_not_of(kBlanks) == line.npos) continue;
        auto user = parse_line(line);
        const std::string place = "line " + std::to_string(number) + ": ";
        if (!user) return fail(place + user.error());
        const std::string name = json_string(user->name);
        if (!add(*std::move(user))) return fail(place + "another user has the name " + name);
    }
    return Done{};
}

Result<UserTable, std::string> UserTable::parse(std::string_view text) {
    UserTable table;
    const auto parsed = is_json(text) ? table.parse_json(text) : table.parse_lines(text);
    if (!parsed) return fail(parsed.error());
    const crypto::Digest256 digest = crypto::sha256(bytes_of(text));
    std::copy_n(digest.begin(), table.key_.size(), table.key_.begin());
    return table;
}

bool UserTable::is_json(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(kBlanks);
    return first != text.npos && text[first] == '{';
}

std::shared_ptr<const User> UserTable::find(std::string_view name) const noexcept {
    const auto found = by_name_.find(name);
    return found != by_name_.end() ? users_[found->second] : nullptr;
}

std::string_view UserTable::decoy(std::string_view name) const noexcept {
    if (users_.empty()) return kNobody;
    return users_[siphash64(key_, bytes_of(name)) % users_.size()]->password;
}

std::string UserTable::to_json(const std::vector<std::shared_ptr<const User>>& users) {
    std::string out = "{\"version\":1,\"users\":[";
    for (std::size_t i = 0; i < users.size(); ++i) {
        out += i == 0 ? "\n" : ",\n";
        out += users[i]->to_json();
    }
    return out + "\n]}\n";
}

}  // namespace gate::users
