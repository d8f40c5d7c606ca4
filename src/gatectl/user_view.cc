// gatectl user list, show.
#include <array>

#include "base/text_list.h"
#include "gatectl/command.h"
#include "gatectl/output.h"
#include "gatectl/redis_options.h"
#include "gatectl/user_store.h"
#include "users/password_hash.h"

namespace gate::ctl {

namespace {

using users::User;

constexpr Option kJson{"json", "", "print JSON"};

std::string text_or(const std::string& text) {
    return text.empty() ? "-" : text;
}

std::string created_of(const User& user) {
    return user.created != 0 ? rfc3339(user.created) : "-";
}

// Of the hash only its kind.
std::string scheme_of(const User& user) {
    return std::string(users::scheme_of(user.password)) +
           (users::is_weak(user.password) ? " (weak)" : "");
}

int run_list(const Arguments& arguments, Io& io) {
    const auto chosen = choose_user_store(arguments, 0);
    if (!chosen) return misuse(io, chosen.error());
    const auto listing = chosen->store->list();
    if (!listing) return refuse(io, listing.error());
    std::vector<std::string> elements;
    Table table({"NAME", "STATUS", "CREATED", "HASH", "EMAIL", "ROLES", "SCOPES", "GROUPS"});
    for (const UserPtr& user : listing->users) {
        elements.push_back(public_json(*user));
        table.add({user->name, std::string(name_of(user->status)), created_of(*user),
                   scheme_of(*user), text_or(user->email), joined(user->roles, " "),
                   joined(user->scopes, " "), joined(user->groups, " ")});
    }
    if (arguments.has("json")) {
        io.out << JsonObject().raw("users", json_array(elements)).str() << '\n';
    } else if (table.empty()) {
        io.err << "gatectl: no users\n";
    } else {
        io.out << table.str();
    }
    for (const std::string& problem : listing->problems) refuse(io, problem);
    return listing->problems.empty() ? kDone : kRefused;
}

int run_show(const Arguments& arguments, Io& io) {
    const auto chosen = choose_user_store(arguments, 1);
    if (!chosen) return misuse(io, chosen.error());
    const auto found = chosen->store->find(chosen->operands[0]);
    if (!found) return refuse(io, found.error());
    if (*found == nullptr) return refuse(io, no_user(chosen->operands[0]));
    const User& user = **found;
    if (arguments.has("json")) {
        io.out << public_json(user) << '\n';
        return kDone;
    }
    const std::vector<std::pair<std::string_view, std::string>> rows{
        {"name", user.name},
        {"status", std::string(name_of(user.status))},
        {"created", created_of(user)},
        {"hash", scheme_of(user)},
        {"email", text_or(user.email)},
        {"roles", joined(user.roles, " ")},
        {"scopes", joined(user.scopes, " ")},
        {"groups", joined(user.groups, " ")},
        {"labels", user.labels.root().present() ? user.labels.root().dump() : "-"}};
    for (const auto& [name, value] : rows) {
        std::string label(name);
        label.resize(12, ' ');
        io.out << label << printable(value) << '\n';
    }
    return kDone;
}

constexpr std::array kOptions{kJson};

constexpr std::array<Command, 2> kCommands{{
    {"user list", "[FILE]", "List the users of a user file or store",
     "Of hashes of passwords only the kind is shown.", kOptions, 0, 1, run_list, kRedisViewOptions},
    {"user show", "[FILE] NAME", "Show a user's properties", "", kOptions, 1, 2, run_show,
     kRedisViewOptions},
}};

}  // namespace

std::span<const Command> user_view_commands() {
    return kCommands;
}

}  // namespace gate::ctl
