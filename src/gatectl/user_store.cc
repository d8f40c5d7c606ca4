#include "gatectl/user_store.h"

#include <algorithm>
#include <tuple>

#include "base/json_text.h"
#include "gatectl/redis_options.h"
#include "gatectl/redis_users.h"
#include "gatectl/user_file.h"
#include "users/password_hash.h"

namespace gate::ctl {

Result<ChosenUserStore, std::string> choose_user_store(const Arguments& arguments,
                                                       std::size_t operands, MissingFile missing) {
    const std::vector<std::string>& words = arguments.positional();
    const bool file = words.size() > operands;
    auto options = redis_options(arguments, file);
    if (!options) return fail(options.error());
    ChosenUserStore chosen;
    chosen.operands.assign(words.begin() + (file ? 1 : 0), words.end());
    if (file) {
        chosen.store = std::make_unique<FileUserStore>(words.front(), missing);
    } else if (*options) {
        chosen.store = std::make_unique<RedisUserStore>(**std::move(options));
    } else {
        return fail(
            std::string("which users? Give the FILE with them in front, or --redis "
                        "ADDRESS"));
    }
    return chosen;
}

std::string no_user(std::string_view name) {
    return "no user has the name " + json_string(name);
}

std::string public_json(const users::User& user) {
    users::User shown = user;
    shown.password.clear();
    std::string json = shown.to_json();
    json.pop_back();
    return json + ",\"scheme\":" + json_string(users::scheme_of(user.password)) + "}";
}

void sort_users(std::vector<UserPtr>& users) {
    std::ranges::sort(users, [](const UserPtr& a, const UserPtr& b) {
        return std::tie(a->created, a->name) < std::tie(b->created, b->name);
    });
}

}  // namespace gate::ctl
