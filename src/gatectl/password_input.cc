#include "gatectl/password_input.h"

#include <charconv>
#include <optional>

#include "base/base64url.h"
#include "crypto/digest.h"
#include "gatectl/input.h"
#include "gatectl/output.h"
#include "gatectl/terminal.h"
#include "users/password_hash.h"

namespace gate::ctl {

namespace {

constexpr std::size_t kRandomOctets = 18;  // 24 characters

std::optional<unsigned> cost_option(const Arguments& arguments) {
    const std::string text = arguments.value_or("cost", "0");
    unsigned cost = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cost);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return cost == 0 && arguments.has("cost") ? std::nullopt : std::optional(cost);
}

std::optional<users::HashMethod> method_option(const Arguments& arguments) {
    return users::find_hash_method(arguments.value_or("hash", "yescrypt"));
}

Result<Secret, std::string> random_password() {
    ByteVector random(kRandomOctets);
    if (!crypto::random_bytes(random)) return fail(std::string("the machine has no entropy"));
    std::string text = base64url_encode(random);
    Secret secret(bytes_of(text));
    wipe(text.data(), text.size());
    wipe(random.data(), random.size());
    return secret;
}

Result<Secret, std::string> ask_twice(const std::string& name) {
    const auto terminal = Terminal::open();
    if (!terminal) {
        return fail(terminal.error() + "; give --password-stdin, or --generate");
    }
    const std::string whose = "assword of " + printable(name);
    auto first = terminal->read_hidden("New p" + whose + ": ");
    if (!first) return first;
    const auto second = terminal->read_hidden("The same p" + whose + " again: ");
    if (!second) return fail(second.error());
    if (first->text() != second->text()) return fail(std::string("the two are not the same"));
    return first;
}

Result<Secret, std::string> read_password(const Arguments& arguments, Io& io,
                                          const std::string& name) {
    if (arguments.has("generate")) return random_password();
    if (arguments.has("password-stdin")) return read_line(io.in);
    return ask_twice(name);
}

}  // namespace

Status<std::string> check_hash_options(const Arguments& arguments) {
    if (arguments.has("generate") && arguments.has("password-stdin")) {
        return fail(std::string("--generate and --password-stdin exclude each other"));
    }
    const auto method = method_option(arguments);
    if (!method) return fail(std::string("--hash: expected yescrypt, bcrypt or sha512"));
    const auto cost = cost_option(arguments);
    if (!cost) return fail(std::string("--cost: expected a number"));
    if (const auto good = users::check_cost(*method, *cost); !good) {
        return fail("--cost: " + good.error());
    }
    return Done{};
}

Result<NewPassword, std::string> new_password(const Arguments& arguments, Io& io,
                                              const std::string& name) {
    auto text = read_password(arguments, io, name);
    if (!text) return fail(text.error());
    const auto method = method_option(arguments).value_or(users::HashMethod::kYescrypt);
    auto hash = users::make_hash(text->text(), method, cost_option(arguments).value_or(0));
    if (!hash) return fail(hash.error());
    NewPassword password;
    if (arguments.has("generate")) password.text = *std::move(text);
    password.hash = *std::move(hash);
    return password;
}

}  // namespace gate::ctl
