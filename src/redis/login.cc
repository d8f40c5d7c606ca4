#include "redis/login.h"

#include <optional>
#include <string_view>
#include <utility>

#include "redis/command.h"

namespace gate::redis {

namespace {

enum class Step : std::uint8_t { kAuth, kSelect, kSetName, kRole };

// What append_login() writes and read_login() reads, in order.
std::vector<Step> steps_of(const Login& login) {
    std::vector<Step> steps;
    if (login.password != nullptr) steps.push_back(Step::kAuth);
    if (login.db != 0) steps.push_back(Step::kSelect);
    if (!login.client_name.empty()) steps.push_back(Step::kSetName);
    steps.push_back(Step::kRole);
    return steps;
}

std::string_view name_of(Step step) noexcept {
    switch (step) {
        case Step::kAuth:
            return "AUTH";
        case Step::kSelect:
            return "SELECT";
        case Step::kSetName:
            return "CLIENT SETNAME";
        case Step::kRole:
            break;
    }
    return "ROLE";
}

void append_step(std::string& out, Step step, const Login& login) {
    switch (step) {
        case Step::kAuth:
            if (login.user.empty()) return append_command(out, {"AUTH", login.password->text()});
            return append_command(out, {"AUTH", login.user, login.password->text()});
        case Step::kSelect:
            return append_command(out, {"SELECT", std::to_string(login.db)});
        case Step::kSetName:
            return append_command(out, {"CLIENT", "SETNAME", login.client_name});
        case Step::kRole:
            return append_command(out, {"ROLE"});
    }
}

// An error's text as it may be shown. A server that has no AUTH answers with the beginning of what
// it was sent: ERR unknown command 'AUTH', with args beginning with: 'secret'.
std::string shown(const Login& login, Step step, std::string_view error) {
    constexpr std::size_t kShown = 100;
    constexpr std::size_t kTelling = 4;  // so much of a password's beginning gives it away
    if (step != Step::kAuth || error_kind(error) != ErrorKind::kOther) {
        return log_escaped(error, kShown);
    }
    std::string_view safe = error.substr(0, error.find(", with args"));
    const std::string_view begin = login.password->text().substr(0, kTelling);
    if (!begin.empty() && safe.find(begin) != safe.npos)
        safe = "an error that repeats the password";
    return log_escaped(safe, kShown);
}

LoginProblem problem_of(const Login& login, Step step, const Reply& reply) {
    const std::string begin = std::string(name_of(step)) + ": ";
    if (!reply.is(Reply::Type::kError)) {
        return {ErrorKind::kOther, begin + "the reply is none to this command"};
    }
    return {error_kind(reply.text), begin + shown(login, step, reply.text)};
}

// The name is for people who look at CLIENT LIST: old servers do not know it, users need not have
// the right to set it. Whatever says more about the server than that counts.
bool goes_without_name(const Reply& reply) noexcept {
    if (!reply.is(Reply::Type::kError)) return false;
    const ErrorKind kind = error_kind(reply.text);
    return kind == ErrorKind::kPermission ||
           (kind == ErrorKind::kOther && reply.text.starts_with("ERR "));
}

}  // namespace

std::optional<Role> read_role(const Reply& reply) noexcept {
    if (!reply.is(Reply::Type::kArray) || reply.items.empty()) return std::nullopt;
    const Reply& role = reply.items.front();
    if (!role.is(Reply::Type::kString)) return std::nullopt;
    if (role.text == "master") return Role::kMaster;
    if (role.text == "slave") return Role::kReplica;
    if (role.text == "sentinel") return Role::kSentinel;
    return std::nullopt;
}

std::size_t append_login(std::string& out, const Login& login) {
    // Room for all of it, so that no copy of the password stays behind where `out` has moved.
    constexpr std::size_t kFrames = 256;
    const std::size_t password = login.password != nullptr ? login.password->bytes().size() : 0;
    out.reserve(out.size() + password + login.user.size() + login.client_name.size() + kFrames);
    const std::vector<Step> steps = steps_of(login);
    for (const Step step : steps) append_step(out, step, login);
    return steps.size();
}

Result<Role, LoginProblem> read_login(const Login& login, const std::vector<Reply>& replies) {
    const std::vector<Step> steps = steps_of(login);
    if (replies.size() != steps.size()) {
        return fail(LoginProblem{ErrorKind::kOther,
                                 std::to_string(replies.size()) + " replies to the " +
                                     std::to_string(steps.size()) + " commands of a login"});
    }
    for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
        const bool good = replies[i].is_status("OK") ||
                          (steps[i] == Step::kSetName && goes_without_name(replies[i]));
        if (!good) return fail(problem_of(login, steps[i], replies[i]));
    }
    const auto role = read_role(replies.back());
    if (!role) return fail(problem_of(login, Step::kRole, replies.back()));
    return *role;
}

}  // namespace gate::redis
