// Passwords that people choose: from the terminal or standard input, never from the command line,
// which others can see and shells remember.
#pragma once

#include <array>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "gatectl/command.h"

namespace gate::ctl {

inline constexpr std::array kPasswordOptions{
    Option{"password-stdin", "", "the first line of standard input is the password"},
    Option{"generate", "", "make a password, and print it once"},
    Option{"hash", "METHOD", "yescrypt (default), bcrypt or sha512"},
    Option{"cost", "N", "of the hash: yescrypt 1 to 9 (5), bcrypt 10 to 16 (12), or rounds"}};

struct NewPassword {
    Secret text;  // empty unless it was made here
    std::string hash;
};

// What --hash and --cost say that cannot be, a sentence; to be asked before anybody types.
Status<std::string> check_hash_options(const Arguments& arguments);

// From the first line of `in`, from a generator, or twice from the terminal without echo; hashed.
// Errors are sentences.
Result<NewPassword, std::string> new_password(const Arguments& arguments, Io& io,
                                              const std::string& name);

}  // namespace gate::ctl
