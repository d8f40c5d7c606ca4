// gatectl user add, passwd, disable, enable, remove.
#include <array>

#include "base/json_text.h"
#include "gatectl/command.h"
#include "gatectl/key_options.h"
#include "gatectl/output.h"
#include "gatectl/password_input.h"
#include "gatectl/redis_options.h"
#include "gatectl/user_store.h"
#include "users/user_table.h"

namespace gate::ctl {

namespace {

using users::User;
using users::UserStatus;

constexpr Option kJson{"json", "", "print JSON"};

// By the rules of user files, before anybody is asked for a password: the hash is a stand-in.
Status<std::string> check_as_file_would(User user) {
    user.password = users::UserTable().decoy(user.name);
    const auto document = jose::Document::parse(user.to_json());
    if (!document) return fail("not usable: " + std::string(code(document.error())));
    const auto again = User::from_json(document->root());
    if (!again) return fail(again.error());
    return Done{};
}

Result<User, std::string> user_from_options(const Arguments& arguments, const std::string& name,
                                            Seconds now) {
    if (const auto problem = users::name_problem(name)) return fail(*problem);
    User user;
    user.name = name;
    user.created = now;
    user.roles = arguments.values("role");
    user.scopes = arguments.values("scope");
    user.groups = arguments.values("group");
    user.email = arguments.value_or("email", "");
    auto labels = labels_from_options(arguments);
    if (!labels) return fail(labels.error());
    user.labels = *std::move(labels);
    if (const auto good = check_as_file_would(user); !good) return fail(good.error());
    return user;
}

// What a command did, and the password that it made.
void print_done(const Arguments& arguments, Io& io, const User& user, std::string_view what,
                const NewPassword& password) {
    if (arguments.has("json")) {
        JsonObject object;
        object.text("name", user.name);
        if (!password.text.empty()) object.text("password", password.text.text());
        io.out << object.raw("user", public_json(user)).str() << '\n';
        return;
    }
    io.out << "user " << printable(user.name) << ' ' << what << '\n';
    if (password.text.empty()) return;
    io.out << "password  " << password.text.text() << '\n';
    io.err << "gatectl: this is the only time the password is shown\n";
}

int run_add(const Arguments& arguments, Io& io) {
    if (const auto good = check_hash_options(arguments); !good) return misuse(io, good.error());
    const auto chosen = choose_user_store(arguments, 1, MissingFile::kCreate);
    if (!chosen) return misuse(io, chosen.error());
    auto user = user_from_options(arguments, chosen->operands[0], io.now);
    if (!user) return misuse(io, user.error());
    const auto password = new_password(arguments, io, user->name);
    if (!password) return refuse(io, password.error());
    user->password = password->hash;
    const auto outcome = chosen->store->change([&](UserEdit& edit) -> Status<Refusal> {
        const auto found = edit.find(user->name);
        if (!found) return fail(found.error());
        if (*found != nullptr) {
            return fail(Refusal{"a user has the name " + json_string(user->name) + " already"});
        }
        edit.put(std::make_shared<const User>(*user));
        return Done{};
    });
    if (!outcome) return refuse(io, outcome.error());
    print_done(arguments, io, *user, "is added", *password);
    return conclude(io, *outcome);
}

// Changes the user that is named by `alter`, which tells whether there is anything to change.
template <class Alter>
int alter_user(const Arguments& arguments, Io& io, const ChosenUserStore& chosen,
               std::string_view what, const NewPassword& password, Alter alter) {
    User user;
    const auto outcome = chosen.store->change([&](UserEdit& edit) -> Status<Refusal> {
        const auto found = edit.find(chosen.operands[0]);
        if (!found) return fail(found.error());
        if (*found == nullptr) return fail(Refusal{no_user(chosen.operands[0])});
        user = **found;
        if (alter(user)) edit.put(std::make_shared<const User>(user));
        return Done{};
    });
    if (!outcome) return refuse(io, outcome.error());
    print_done(arguments, io, user, what, password);
    return conclude(io, *outcome);
}

int run_passwd(const Arguments& arguments, Io& io) {
    if (const auto good = check_hash_options(arguments); !good) return misuse(io, good.error());
    const auto chosen = choose_user_store(arguments, 1);
    if (!chosen) return misuse(io, chosen.error());
    const auto known = chosen->store->find(chosen->operands[0]);
    if (!known) return refuse(io, known.error());
    if (*known == nullptr) return refuse(io, no_user(chosen->operands[0]));
    const auto password = new_password(arguments, io, chosen->operands[0]);
    if (!password) return refuse(io, password.error());
    return alter_user(arguments, io, *chosen, "has a new password", *password, [&](User& user) {
        user.password = password->hash;
        return true;
    });
}

int change_status(const Arguments& arguments, Io& io, UserStatus status) {
    const auto chosen = choose_user_store(arguments, 1);
    if (!chosen) return misuse(io, chosen.error());
    const std::string what = "is " + std::string(name_of(status));
    return alter_user(arguments, io, *chosen, what, {}, [&](User& user) {
        const bool differs = user.status != status;
        user.status = status;
        return differs;
    });
}

int run_disable(const Arguments& arguments, Io& io) {
    return change_status(arguments, io, UserStatus::kDisabled);
}

int run_enable(const Arguments& arguments, Io& io) {
    return change_status(arguments, io, UserStatus::kActive);
}

int run_remove(const Arguments& arguments, Io& io) {
    const auto chosen = choose_user_store(arguments, 1);
    if (!chosen) return misuse(io, chosen.error());
    User user;
    const auto outcome = chosen->store->change([&](UserEdit& edit) -> Status<Refusal> {
        const auto found = edit.find(chosen->operands[0]);
        if (!found) return fail(found.error());
        if (*found == nullptr) return fail(Refusal{no_user(chosen->operands[0])});
        user = **found;
        edit.remove(user.name);
        return Done{};
    });
    if (!outcome) return refuse(io, outcome.error());
    print_done(arguments, io, user, "is removed", {});
    return conclude(io, *outcome);
}

constexpr std::array kAddOptions{
    Option{"role", "ROLE", "a role of the user", true},
    Option{"scope", "SCOPE", "a scope; may have wildcards", true},
    Option{"group", "GROUP", "a group the user is in", true},
    Option{"email", "ADDRESS", "the user's e-mail address"},
    Option{"label", "NAME=TEXT", "a claim of the user", true},
    Option{"label-json", "NAME=JSON", "a claim that is no string", true},
    kPasswordOptions[0],
    kPasswordOptions[1],
    kPasswordOptions[2],
    kPasswordOptions[3],
    kJson};

constexpr std::array kPasswdOptions{kPasswordOptions[0], kPasswordOptions[1], kPasswordOptions[2],
                                    kPasswordOptions[3], kJson};

constexpr std::array kOptions{kJson};

constexpr std::array<Command, 5> kCommands{{
    {"user add", "[FILE] NAME", "Add a user with a password",
     "FILE is the user file of a gate_users block; it is created if it is missing. With --redis "
     "the\n"
     "user goes into that store and there is no FILE. The password is asked for on the terminal,\n"
     "twice, or read from standard input; it is never on the command line, which others can see.\n"
     "Files that the tool htpasswd made are changed with it; \"gatectl user import\" converts "
     "them.",
     kAddOptions, 1, 2, run_add, kRedisChangeOptions},
    {"user passwd", "[FILE] NAME", "Give a user another password", "", kPasswdOptions, 1, 2,
     run_passwd, kRedisChangeOptions},
    {"user disable", "[FILE] NAME", "Refuse a user until enabled again", "", kOptions, 1, 2,
     run_disable, kRedisChangeOptions},
    {"user enable", "[FILE] NAME", "Accept a disabled user again", "", kOptions, 1, 2, run_enable,
     kRedisChangeOptions},
    {"user remove", "[FILE] NAME", "Remove a user", "", kOptions, 1, 2, run_remove,
     kRedisChangeOptions},
}};

}  // namespace

std::span<const Command> user_change_commands() {
    return kCommands;
}

}  // namespace gate::ctl
