#include "conftext/tree.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/conftext/memory_files.h"

namespace gate::conftext {
namespace {

// The tree as text: name(args)@file:line{children}.
std::string shape(const std::vector<Node>& nodes) {
    std::string text;
    for (const Node& node : nodes) {
        text += node.name + "(";
        for (const std::string& arg : node.args) text += (text.back() == '(' ? "" : ",") + arg;
        text += ")@" + node.file + ":" + std::to_string(node.line);
        if (node.block) text += "{" + shape(node.children) + "}";
        text += " ";
    }
    return text;
}

std::string read(std::map<std::string, std::string> contents) {
    const auto tree = read_tree("/etc/nginx.conf", memory_files(std::move(contents)));
    return tree ? shape(*tree) : "none";
}

TEST(ConfTree, KeepsNamesArgumentsBlocksAndLines) {
    EXPECT_EQ(read({{"/etc/nginx.conf", "a 1 2;\nb {\n  c x\n y;\n}\n"}}),
              "a(1,2)@/etc/nginx.conf:1 b()@/etc/nginx.conf:2{c(x,y)@/etc/nginx.conf:3 } ");
}

TEST(ConfTree, PutsIncludedFilesInPlaceWithTheirOwnLines) {
    EXPECT_EQ(read({{"/etc/nginx.conf", "http {\ninclude sub/x.conf;\nz;\n}"},
                    {"/etc/sub/x.conf", "\nb;\ninclude y.conf;"},
                    {"/etc/y.conf", "d;"}}),
              "http()@/etc/nginx.conf:1{b()@/etc/sub/x.conf:2 d()@/etc/y.conf:1 "
              "z()@/etc/nginx.conf:3 } ");
}

TEST(ConfTree, ExpandsPatternsAndTakesAbsolutePaths) {
    EXPECT_EQ(read({{"/etc/nginx.conf", "include c/*.conf; include none/*; include /opt/q;"},
                    {"/etc/c/1.conf", "a;"},
                    {"/etc/c/2.conf", "b;"},
                    {"/etc/c/3.txt", "c;"},
                    {"/opt/q", "q;"}}),
              "a()@/etc/c/1.conf:1 b()@/etc/c/2.conf:1 q()@/opt/q:1 ");
}

TEST(ConfTree, IsNothingWhenAFileIsMissing) {
    EXPECT_EQ(read({{"/etc/nginx.conf", "a; include gone;"}}), "none");
    EXPECT_EQ(read({}), "none");
}

TEST(ConfTree, IsNothingWhenTheTextIsNoConfiguration) {
    for (const char* text : {"a", "a {", "a; }", "; a;", "{ }", "a } ;", "a \"b", "a { b }"}) {
        EXPECT_EQ(read({{"/etc/nginx.conf", text}}), "none") << text;
    }
}

TEST(ConfTree, EndsWithAFileThatIncludesItself) {
    EXPECT_EQ(read({{"/etc/nginx.conf", "include nginx.conf;"}}), "none");
    EXPECT_EQ(read({{"/etc/nginx.conf", "include *.conf;"}, {"/etc/b.conf", "include *.conf;"}}),
              "none");
}

TEST(ConfTree, BoundsTheSizeOfAllFilesTogether) {
    const std::string half = "#" + std::string(kMaxBytes / 2, 'x') + "\n";
    EXPECT_EQ(read({{"/etc/nginx.conf", "include a;"}, {"/etc/a", half}}), "");
    EXPECT_EQ(read({{"/etc/nginx.conf", "include a; include a;"}, {"/etc/a", half}}), "none");
}

TEST(ConfTree, BoundsTheDepthOfBlocks) {
    const auto nested = [](std::size_t depth) {
        std::string text;
        for (std::size_t i = 0; i < depth; ++i) text += "a {";
        return text + std::string(depth, '}');
    };
    EXPECT_NE(read({{"/etc/nginx.conf", nested(kMaxBlockDepth - 1)}}), "none");
    EXPECT_EQ(read({{"/etc/nginx.conf", nested(100000)}}), "none");
}

TEST(ConfTree, PassesOverBlocksOfLua) {
    EXPECT_EQ(read({{"/etc/nginx.conf", "content_by_lua_block { x = '}' ; }\nb;"}}),
              "content_by_lua_block()@/etc/nginx.conf:1{} b()@/etc/nginx.conf:2 ");
}

TEST(ConfTree, FindsIncludesBesideARelativeMainFile) {
    const auto tree =
        read_tree("nginx.conf", memory_files({{"nginx.conf", "include x;"}, {"x", "a;"}}));
    ASSERT_TRUE(tree);
    EXPECT_EQ(shape(*tree), "a()@x:1 ");
}

}  // namespace
}  // namespace gate::conftext
