#include "gatectl/command.h"

#include <algorithm>

namespace gate::ctl {

namespace {

constexpr std::string_view kIndent = "  ";

std::string dashed(std::string_view name) {
    return (name.size() == 1 ? "-" : "--") + std::string(name);
}

const Option* find_option(const Command& command, std::string_view name) {
    for (const auto options : {command.options, command.redis_options}) {
        const auto found = std::ranges::find(options, name, &Option::name);
        if (found != options.end()) return &*found;
    }
    return nullptr;
}

// One word that begins with a dash, and the words after it that may be its value.
class OptionReader {
public:
    OptionReader(const Command& command, std::span<const std::string> words)
        : command_(command), words_(words) {}

    // Takes the option at `index`, which moves to its last word.
    Status<std::string> take(std::size_t& index, Arguments& arguments) const {
        std::string_view word = words_[index];
        word.remove_prefix(word.starts_with("--") ? 2 : 1);
        const std::size_t equals = word.find('=');
        const std::string_view name = word.substr(0, equals);
        const Option* option = find_option(command_, name);
        if (option == nullptr) {
            return fail("unknown option \"" + dashed(name) + "\"; see gatectl " +
                        std::string(command_.name) + " --help");
        }
        if (!option->repeatable && arguments.has(name)) {
            return fail("option \"" + dashed(name) + "\" is given twice");
        }
        std::string value;
        if (equals != std::string_view::npos) {
            if (option->value.empty()) return fail("option \"" + dashed(name) + "\" has no value");
            value = word.substr(equals + 1);
        } else if (!option->value.empty()) {
            if (index + 1 >= words_.size()) {
                return fail("option \"" + dashed(name) + "\" needs a value");
            }
            value = words_[++index];
        }
        arguments.add(name, std::move(value));
        return Done{};
    }

private:
    const Command& command_;
    std::span<const std::string> words_;
};

std::string usage_of(const Command& command) {
    std::string text = "gatectl " + std::string(command.name);
    if (!command.options.empty()) text += " [OPTIONS]";
    if (!command.arguments.empty()) text += " " + std::string(command.arguments);
    return text;
}

std::string help_of_tool() {
    std::string text =
        "gatectl manages and examines what nginx-gate decides by: API keys, revocations, tokens, "
        "key sets\nand the configuration in force.\n\nCommands:\n";
    std::size_t width = 0;
    for (const Command* command : all_commands()) width = std::max(width, command->name.size());
    for (const Command* command : all_commands()) {
        text.append(kIndent).append(command->name);
        text.append(width + 2 - command->name.size(), ' ').append(command->summary) += '\n';
    }
    return text +
           "\ngatectl COMMAND --help tells the rest. Exit status: 0 done, 1 refused, 2 usage.\n";
}

// The command whose name the first words are, and how many words that is.
std::pair<const Command*, std::size_t> find_command(std::span<const std::string> words) {
    for (std::size_t count : {std::size_t{2}, std::size_t{1}}) {
        if (words.size() < count) continue;
        const std::string name = count == 2 ? words[0] + " " + words[1] : words[0];
        for (const Command* command : all_commands()) {
            if (command->name == name) return {command, count};
        }
    }
    return {nullptr, 0};
}

// Option and help in two columns, and one more row if it is not empty.
std::string table_of(std::span<const Option> options,
                     const std::pair<std::string, std::string_view>& last) {
    std::vector<std::pair<std::string, std::string_view>> rows;
    for (const Option& option : options) {
        std::string left = dashed(option.name);
        if (!option.value.empty()) left += " " + std::string(option.value);
        if (option.repeatable) left += " ...";
        rows.emplace_back(std::move(left), option.help);
    }
    if (!last.first.empty()) rows.push_back(last);
    std::size_t width = 0;
    for (const auto& row : rows) width = std::max(width, row.first.size());
    std::string text;
    for (const auto& [left, help] : rows) {
        text.append(kIndent).append(left).append(width + 2 - left.size(), ' ').append(help) += '\n';
    }
    return text;
}

bool is_help(std::string_view word) {
    return word == "--help" || word == "-h";
}

// "key" alone: what could follow.
std::string unknown_command(std::span<const std::string> words) {
    std::string family;
    for (const Command* command : all_commands()) {
        if (command->name.starts_with(words[0] + " ")) {
            family += (family.empty() ? "" : ", ") + std::string(command->name);
        }
    }
    if (!family.empty()) return "expected one of: " + family;
    return "unknown command \"" + words[0] + "\"; see gatectl --help";
}

}  // namespace

std::optional<std::string> Arguments::value(std::string_view option) const {
    const auto found = options_.find(option);
    if (found == options_.end()) return std::nullopt;
    return found->second.back();
}

std::string Arguments::value_or(std::string_view option, std::string_view otherwise) const {
    return value(option).value_or(std::string(otherwise));
}

std::vector<std::string> Arguments::values(std::string_view option) const {
    const auto found = options_.find(option);
    return found == options_.end() ? std::vector<std::string>() : found->second;
}

void Arguments::add(std::string_view option, std::string value) {
    options_[std::string(option)].push_back(std::move(value));
}

Result<Arguments, std::string> parse_arguments(const Command& command,
                                               std::span<const std::string> words) {
    const OptionReader reader(command, words);
    Arguments arguments;
    bool options_ended = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        // "-" alone names standard input.
        if (options_ended || !word.starts_with('-') || word == "-") {
            arguments.add_positional(word);
        } else if (word == "--") {
            options_ended = true;
        } else if (const auto taken = reader.take(i, arguments); !taken) {
            return fail(taken.error());
        }
    }
    const std::size_t count = arguments.positional().size();
    if (count < command.min_arguments || count > command.max_arguments) {
        return fail("usage: " + usage_of(command));
    }
    return arguments;
}

std::string help_of(const Command& command) {
    std::string text =
        "usage: " + usage_of(command) + "\n\n" + std::string(command.summary) + ".\n";
    if (!command.details.empty()) text.append("\n").append(command.details) += '\n';
    text += "\nOptions:\n" + table_of(command.options, {"--help", "print this"});
    if (!command.redis_options.empty()) {
        text += "\nOptions for a store in Redis:\n" + table_of(command.redis_options, {});
    }
    return text;
}

std::span<const Command* const> all_commands() {
    static const std::vector<const Command*> kAll = [] {
        std::vector<const Command*> all;
        for (const auto family :
             {key_change_commands(), key_view_commands(), key_import_commands(),
              user_change_commands(), user_view_commands(), user_import_commands(),
              revoke_commands(), store_commands(), secret_commands(), token_commands(),
              jwks_commands(), explain_commands(), route_commands(), jws_check_commands()}) {
            for (const Command& command : family) all.push_back(&command);
        }
        return all;
    }();
    return kAll;
}

int run_tool(std::span<const std::string> words, Io& io) {
    if (words.empty()) {
        io.err << help_of_tool();
        return kUsage;
    }
    if (is_help(words[0]) || words[0] == "help") {
        io.out << help_of_tool();
        return kDone;
    }
    const auto [command, used] = find_command(words);
    if (command == nullptr) return misuse(io, unknown_command(words));
    const auto rest = words.subspan(used);
    // Not behind "--": there it would be an argument.
    const auto options_end = std::ranges::find(rest, "--");
    if (std::any_of(rest.begin(), options_end, is_help)) {
        io.out << help_of(*command);
        return kDone;
    }
    const auto arguments = parse_arguments(*command, rest);
    if (!arguments) return misuse(io, arguments.error());
    return command->run(*arguments, io);
}

int refuse(Io& io, std::string_view text) {
    io.err << "gatectl: " << text << '\n';
    return kRefused;
}

int misuse(Io& io, std::string_view text) {
    io.err << "gatectl: " << text << '\n';
    return kUsage;
}

}  // namespace gate::ctl
