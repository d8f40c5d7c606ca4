#include "gatectl/user_file.h"

#include <algorithm>

#include "gatectl/files.h"

namespace gate::ctl {

namespace {

using users::UserTable;

constexpr mode_t kNewFileMode = 0640;

// Only JSON keeps all that a user has.
Result<UserTable, std::string> parse_user_file(const std::string& path, std::string_view text) {
    auto table = parse_users(path, text);
    if (table && !table->users().empty() && !UserTable::is_json(text)) {
        return fail(path +
                    ": is a file of the tool htpasswd, which changes it; \"gatectl user import\" "
                    "takes its users into a user file or a store in Redis");
    }
    return table;
}

class UsersEdit final : public UserEdit {
public:
    explicit UsersEdit(std::vector<UserPtr> users) : users_(std::move(users)) {
        for (std::size_t i = 0; i < users_.size(); ++i) places_.emplace(users_[i]->name, i);
    }

    Result<UserPtr, Refusal> find(std::string_view name) override {
        const auto place = places_.find(std::string(name));
        return place != places_.end() ? users_[place->second] : nullptr;
    }

    void put(UserPtr user) override {
        changed_ = true;
        const auto [place, added] = places_.emplace(user->name, users_.size());
        if (added) {
            users_.push_back(std::move(user));
        } else {
            users_[place->second] = std::move(user);
        }
    }

    void remove(const std::string& name) override {
        changed_ = true;
        const auto place = places_.find(name);
        if (place != places_.end()) users_[place->second] = nullptr;
        places_.erase(name);
    }

    bool changed() const noexcept { return changed_; }
    std::vector<UserPtr> take() {
        std::erase(users_, nullptr);
        return std::move(users_);
    }

private:
    std::vector<UserPtr> users_;
    std::unordered_map<std::string, std::size_t> places_;
    bool changed_ = false;
};

}  // namespace

Result<UserTable, std::string> parse_users(const std::string& path, std::string_view text) {
    auto table = UserTable::parse(text);
    if (!table) return fail(path + ": " + table.error());
    return table;
}

Result<UserListing, std::string> FileUserStore::list() {
    const auto text = read_file(path_, kMaxKeyFile);
    if (!text) return fail(text.error());
    const auto table = parse_user_file(path_, *text);
    if (!table) return fail(table.error());
    UserListing listing;
    listing.users = table->users();
    sort_users(listing.users);
    return listing;
}

Result<UserPtr, std::string> FileUserStore::find(std::string_view name) {
    const auto listing = list();
    if (!listing) return fail(listing.error());
    const auto found = std::ranges::find_if(
        listing->users, [&](const UserPtr& user) { return user->name == name; });
    return found != listing->users.end() ? *found : nullptr;
}

Result<Outcome, std::string> FileUserStore::change(const Edit& edit) {
    const auto file = FileChange::begin(path_);
    if (!file) return fail(file.error());
    const auto before = file->read(kMaxKeyFile);
    if (!before) return fail(before.error());
    if (!*before && missing_ == MissingFile::kRefuse) {
        return fail(path_ + ": No such file or directory");
    }
    const auto table = parse_user_file(path_, before->value_or(""));
    if (!table) return fail(table.error());
    UsersEdit users(table->users());
    if (const auto done = edit(users); !done) return fail(done.error().text);
    Outcome outcome;
    if (!users.changed()) return outcome;
    const std::string text = UserTable::to_json(users.take());
    if (text.size() > kMaxKeyFile) return fail(std::string("the file would be too large"));
    if (const auto again = UserTable::parse(text); !again) {
        return fail("the file would not load again: " + again.error());
    }
    if (const auto done = file->commit(text, kNewFileMode); !done) return fail(done.error());
    if (!*before) {
        outcome.notes.push_back(path_ +
                                " is new and readable by its owner and group only; nginx's workers "
                                "must be able to read it (chgrp)");
    }
    return outcome;
}

}  // namespace gate::ctl
