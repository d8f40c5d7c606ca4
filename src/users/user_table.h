// The users of one file, found by name. Immutable once parsed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/siphash.h"
#include "users/user.h"

namespace gate::users {

class UserTable {
public:
    // Without users.
    UserTable() = default;

    // {"users":[user, ..]}, with or without "version":1, where the first octet that is no blank is
    // '{'. Otherwise lines of htpasswd: name:hash, and what follows a second ':' is ignored, as are
    // blank lines and those that begin with '#'. One broken user, or two of one name, refuse the
    // file: an operator's typing error must not silently lock out, or let in, anybody. Errors name
    // the line or the place in the array, and never hold a hash.
    static Result<UserTable, std::string> parse(std::string_view text);

    // Whether such a text is JSON and no htpasswd.
    static bool is_json(std::string_view text) noexcept;

    // The user of that name, octet by octet, or nullptr. A disabled user is found, too.
    std::shared_ptr<const User> find(std::string_view name) const noexcept;

    // A hash to check the password of an unknown name with, so that it takes as long as that of
    // some user takes: that of a user whom the name chooses, the same whenever it is asked for and
    // wherever this file was parsed, and which one nobody can tell who does not know the hashes.
    // Any answer of verify() counts as no. A hash that nobody knows the password of where there are
    // no users. Valid as long as the table.
    std::string_view decoy(std::string_view name) const noexcept;

    // In the file's order.
    const std::vector<std::shared_ptr<const User>>& users() const noexcept { return users_; }

    // Sentences for a warning: "user \"x\" has a weak hash ($apr1$)".
    const std::vector<std::string>& notes() const noexcept { return notes_; }

    // The file's text as JSON; ends with a newline.
    static std::string to_json(const std::vector<std::shared_ptr<const User>>& users);

private:
    Status<std::string> parse_json(std::string_view text);
    Status<std::string> parse_lines(std::string_view text);
    bool add(User user);  // false: the name is taken

    std::vector<std::shared_ptr<const User>> users_;
    std::unordered_map<std::string_view, std::size_t> by_name_;  // views of the names in users_
    std::vector<std::string> notes_;
    SipKey key_{};  // a digest of the text
};

}  // namespace gate::users
