// Where users are kept: a user file or a store in Redis, the same for the commands.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gatectl/command.h"
#include "gatectl/store_change.h"
#include "users/user.h"

namespace gate::ctl {

using UserPtr = std::shared_ptr<const users::User>;

struct UserListing {
    std::vector<UserPtr> users;         // by creation
    std::vector<std::string> problems;  // of what is there and is no user
};

// A store in the middle of a change.
class UserEdit {
public:
    // nullptr: no user has that name.
    virtual Result<UserPtr, Refusal> find(std::string_view name) = 0;
    // A new user, or another one in place of that of its name.
    virtual void put(UserPtr user) = 0;
    virtual void remove(const std::string& name) = 0;

protected:
    ~UserEdit() = default;
};

class UserStore {
public:
    virtual ~UserStore() = default;

    // Errors are sentences.
    virtual Result<UserListing, std::string> list() = 0;
    // nullptr: no user has that name.
    virtual Result<UserPtr, std::string> find(std::string_view name) = 0;
    // All that `edit` does, or nothing, if it refuses. It may be called several times.
    using Edit = std::function<Status<Refusal>(UserEdit&)>;
    virtual Result<Outcome, std::string> change(const Edit& edit) = 0;
    // How many users one change should hold at most.
    virtual std::size_t at_once() const noexcept = 0;
};

// The store that the command line names: a FILE in front of `operands` other arguments, or --redis
// and nothing in front of them. Errors are about usage; nothing is opened yet.
struct ChosenUserStore {
    std::unique_ptr<UserStore> store;
    std::vector<std::string> operands;
};
Result<ChosenUserStore, std::string> choose_user_store(const Arguments& arguments,
                                                       std::size_t operands,
                                                       MissingFile missing = MissingFile::kRefuse);

// "no user has the name "x"".
std::string no_user(std::string_view name);

// The user's JSON form without the hash, of which only the scheme is told.
std::string public_json(const users::User& user);

// Oldest first.
void sort_users(std::vector<UserPtr>& users);

}  // namespace gate::ctl
