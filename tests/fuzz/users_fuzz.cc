// User files, and users as Redis holds them. The first line says what follows:
//   file    a user file, JSON or htpasswd
//   fields  name and value of a hash's fields in turn, a line each
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "users/password_hash.h"
#include "users/user_fields.h"
#include "users/user_table.h"

namespace {

using namespace gate;
using users::User;
using users::UserTable;

void check_error(const std::string& error) {
    GATE_INVARIANT(!error.empty());
    for (const char c : error) GATE_INVARIANT(static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
}

void check_user(const User& user) {
    GATE_INVARIANT(!user.name.empty() && user.name.size() <= 256);
    GATE_INVARIANT(std::ranges::none_of(
        user.name, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f || c == ':'; }));
    GATE_INVARIANT(static_cast<bool>(users::usable_hash(user.password)));
    const std::string_view scheme = users::scheme_of(user.password);
    GATE_INVARIANT(!scheme.empty() && user.password.starts_with(scheme));
    GATE_INVARIANT(scheme != "$1$" && scheme.size() < user.password.size());
    // The others take their time.
    if (users::is_weak(user.password)) {
        GATE_INVARIANT(!users::verify(user.password, user.password));
        GATE_INVARIANT(!users::verify(user.password, ""));
    }
    const std::vector<std::string> fields = users::fields_of_user(user);
    GATE_INVARIANT(fields.size() >= 8 && fields.size() % 2 == 0);
    std::vector<users::Field> views;
    for (std::size_t i = 0; i < fields.size(); i += 2) views.emplace_back(fields[i], fields[i + 1]);
    const auto again = users::user_of_fields(views);
    GATE_INVARIANT(again && again->to_json() == user.to_json());
}

void check_decoys(const UserTable& table) {
    for (const std::string_view name : {"", "nobody", "root"}) {
        const std::string_view decoy = table.decoy(name);
        GATE_INVARIANT(decoy == table.decoy(name));
        const bool of_a_user = std::ranges::any_of(
            table.users(), [&](const auto& user) { return user->password == decoy; });
        GATE_INVARIANT(of_a_user == !table.users().empty());
    }
}

void check_file(std::string_view text) {
    const auto table = UserTable::parse(text);
    if (!table) {
        check_error(table.error());
        return;
    }
    std::set<std::string> names;
    std::size_t weak = 0;
    for (const auto& user : table->users()) {
        check_user(*user);
        GATE_INVARIANT(names.insert(user->name).second);
        GATE_INVARIANT(table->find(user->name) == user);
        GATE_INVARIANT(table->find(user->name + ":") == nullptr);
        weak += users::is_weak(user->password) ? 1 : 0;
    }
    GATE_INVARIANT(table->notes().size() == weak);
    check_decoys(*table);
    // What is written back says the same.
    const std::string written = UserTable::to_json(table->users());
    const auto again = UserTable::parse(written);
    GATE_INVARIANT(again && again->users().size() == table->users().size());
    GATE_INVARIANT(UserTable::to_json(again->users()) == written);
}

void check_fields(gate::fuzz::Input& input) {
    std::vector<users::Field> fields;
    while (!input.empty()) {
        const std::string_view name = input.line();
        fields.emplace_back(name, input.line());
    }
    const auto user = users::user_of_fields(fields);
    if (!user) {
        check_error(user.error());
        return;
    }
    check_user(*user);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    gate::fuzz::Input input(data, size);
    if (input.line() == "fields") {
        check_fields(input);
    } else {
        check_file(input.rest());
    }
    return 0;
}
