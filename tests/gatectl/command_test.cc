#include "gatectl/command.h"

#include <array>

#include "tests/gatectl/tool.h"

namespace gate::ctl {
namespace {

int run_nothing(const Arguments&, Io&) {
    return kDone;
}

constexpr std::array kOptions{Option{"name", "TEXT", "a name"},
                              Option{"scope", "S", "a scope", true}, Option{"json", "", "JSON"},
                              Option{"c", "FILE", "a file"}};
constexpr Command kCommand{"do it", "FILE [ID]", "Do it", "Details.", kOptions, 1, 2, run_nothing};

Result<Arguments, std::string> parse(std::vector<std::string> words) {
    return parse_arguments(kCommand, words);
}

std::string error_of(std::vector<std::string> words) {
    const auto parsed = parse(std::move(words));
    return parsed ? "" : parsed.error();
}

TEST(ParseArguments, TakesValuesBesideAndBehindEquals) {
    const auto parsed =
        parse({"--name", "a b", "file", "--scope=x=y", "--scope", "z", "-c", "conf"});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->value("name"), "a b");
    EXPECT_EQ(parsed->values("scope"), (std::vector<std::string>{"x=y", "z"}));
    EXPECT_EQ(parsed->value("c"), "conf");
    EXPECT_EQ(parsed->positional(), std::vector<std::string>{"file"});
    EXPECT_FALSE(parsed->has("json"));
    EXPECT_EQ(parsed->value("json"), std::nullopt);
    EXPECT_EQ(parsed->value_or("json", "no"), "no");
}

TEST(ParseArguments, TakesAValueThatLooksLikeAnOption) {
    const auto parsed = parse({"file", "--name", "--json"});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->value("name"), "--json");
    EXPECT_FALSE(parsed->has("json"));
}

TEST(ParseArguments, TreatsAllBehindTwoDashesAsArguments) {
    const auto parsed = parse({"--", "--name", "-c"});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->positional(), (std::vector<std::string>{"--name", "-c"}));
}

TEST(ParseArguments, TreatsASingleDashAsAnArgument) {
    const auto parsed = parse({"-"});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->positional(), std::vector<std::string>{"-"});
}

TEST(ParseArguments, RefusesWhatTheTableDoesNotHave) {
    EXPECT_EQ(error_of({"file", "--nme", "x"}),
              "unknown option \"--nme\"; see gatectl do it --help");
    EXPECT_EQ(error_of({"file", "-x"}), "unknown option \"-x\"; see gatectl do it --help");
    EXPECT_EQ(error_of({"file", "--name"}), "option \"--name\" needs a value");
    EXPECT_EQ(error_of({"file", "--json=1"}), "option \"--json\" has no value");
    EXPECT_EQ(error_of({"file", "--name", "a", "--name", "b"}), "option \"--name\" is given twice");
}

TEST(ParseArguments, RefusesTooFewAndTooManyArguments) {
    EXPECT_EQ(error_of({}), "usage: gatectl do it [OPTIONS] FILE [ID]");
    EXPECT_EQ(error_of({"a", "b", "c"}), "usage: gatectl do it [OPTIONS] FILE [ID]");
    EXPECT_EQ(error_of({"a", "b"}), "");
}

TEST(Help, ListsEveryCommandAndGoesToStandardOutput) {
    const ToolResult help = tool({"--help"});
    EXPECT_EQ(help.status, kDone);
    for (const Command* command : all_commands()) {
        EXPECT_NE(help.out.find("  " + std::string(command->name) + " "), std::string::npos)
            << command->name;
    }
    EXPECT_EQ(tool({"help"}).out, help.out);
}

TEST(Help, OfEachCommandNamesEachOption) {
    for (const Command* command : all_commands()) {
        std::istringstream words{std::string(command->name)};
        std::vector<std::string> line{std::istream_iterator<std::string>(words), {}};
        line.push_back("--help");
        const ToolResult help = tool(line);
        EXPECT_EQ(help.status, kDone) << command->name;
        EXPECT_TRUE(help.out.starts_with("usage: gatectl " + std::string(command->name)));
        for (const Option& option : command->options) {
            const std::string name =
                (option.name.size() == 1 ? "  -" : "  --") + std::string(option.name) + " ";
            EXPECT_NE(help.out.find(name), std::string::npos) << command->name << name;
        }
    }
}

TEST(Help, FitsATerminal) {
    for (const Command* command : all_commands()) {
        std::istringstream lines(help_of(*command));
        for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 96u) << line;
    }
}

TEST(RunTool, ExitsWithTwoForUsage) {
    EXPECT_EQ(tool({}).status, kUsage);
    EXPECT_EQ(tool({"nonsense"}).status, kUsage);
    EXPECT_EQ(tool({"nonsense"}).err,
              "gatectl: unknown command \"nonsense\"; see gatectl --help\n");
    EXPECT_EQ(tool({"key"}).status, kUsage);
    EXPECT_NE(tool({"key"}).err.find("key create, key rotate"), std::string::npos);
    EXPECT_EQ(tool({"key", "list"}).status, kUsage);
    EXPECT_EQ(tool({"key", "list", "x", "--bogus"}).status, kUsage);
}

TEST(RunTool, DoesNotTakeAnArgumentForHelp) {
    EXPECT_EQ(tool({"key", "list", "--", "--help"}).status, kRefused);
}

}  // namespace
}  // namespace gate::ctl
