// A command of gatectl as data: its options, its help, and what runs. Commands take their streams
// and the clock as parameters, so that tests run them inside the test's process.
#pragma once

#include <cstddef>
#include <istream>
#include <map>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace gate::ctl {

// Exit status of the tool.
inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;  // a bad key or token, a broken file, nothing found
inline constexpr int kUsage = 2;

struct Io {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    Seconds now;
};

struct Option {
    std::string_view name;   // without dashes; one letter is a short option
    std::string_view value;  // what to call its value in help; empty: a switch
    std::string_view help;
    bool repeatable = false;
};

// What the command line said, checked against the command's table.
class Arguments {
public:
    const std::vector<std::string>& positional() const noexcept { return positional_; }
    bool has(std::string_view option) const { return options_.find(option) != options_.end(); }
    // The value, or nullopt where the option was not given.
    std::optional<std::string> value(std::string_view option) const;
    std::string value_or(std::string_view option, std::string_view otherwise) const;
    // All values of a repeatable option.
    std::vector<std::string> values(std::string_view option) const;

    void add(std::string_view option, std::string value);
    void add_positional(std::string value) { positional_.push_back(std::move(value)); }

private:
    std::vector<std::string> positional_;
    std::map<std::string, std::vector<std::string>, std::less<>> options_;
};

struct Command {
    std::string_view name;       // "key create"
    std::string_view arguments;  // "FILE ID"
    std::string_view summary;    // one line
    std::string_view details;    // paragraphs for its help
    std::span<const Option> options;
    std::size_t min_arguments;
    std::size_t max_arguments;
    int (*run)(const Arguments&, Io&);
    std::span<const Option> redis_options = {};  // of commands that know stores in Redis
};

// Errors are sentences for people. "--name value", "--name=value", "-n value"; "--" ends options.
Result<Arguments, std::string> parse_arguments(const Command& command,
                                               std::span<const std::string> words);

// All of `command`'s help.
std::string help_of(const Command& command);

// Every command, in the order of the help.
std::span<const Command* const> all_commands();

// The whole tool: `words` is the command line without the program's name.
int run_tool(std::span<const std::string> words, Io& io);

// Say on `io.err` why not, and give the status back.
int refuse(Io& io, std::string_view text);
int misuse(Io& io, std::string_view text);

// The families of commands.
std::span<const Command> key_change_commands();
std::span<const Command> key_view_commands();
std::span<const Command> key_import_commands();
std::span<const Command> user_change_commands();
std::span<const Command> user_view_commands();
std::span<const Command> user_import_commands();
std::span<const Command> store_commands();
std::span<const Command> revoke_commands();
std::span<const Command> secret_commands();
std::span<const Command> token_commands();
std::span<const Command> jwks_commands();
std::span<const Command> explain_commands();
std::span<const Command> route_commands();
std::span<const Command> jws_check_commands();

}  // namespace gate::ctl
