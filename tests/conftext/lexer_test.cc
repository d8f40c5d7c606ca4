#include "conftext/lexer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace gate::conftext {
namespace {

// The tokens as one text: words in brackets, "?" for what nginx refuses.
std::string tokens(std::string_view text) {
    Lexer lexer(text);
    std::string all;
    for (;;) {
        const Token token = lexer.next();
        switch (token.kind) {
            case TokenKind::kWord:
                all += "[" + token.text + "]";
                break;
            case TokenKind::kSemicolon:
                all += ";";
                break;
            case TokenKind::kOpen:
                all += "{";
                break;
            case TokenKind::kClose:
                all += "}";
                break;
            case TokenKind::kEnd:
                return all;
            case TokenKind::kBad:
                return all + "?";
        }
    }
}

TEST(ConfLexer, SplitsWordsAtBlanksSemicolonsAndBraces) {
    EXPECT_EQ(tokens("a b\tc;\nserver{listen 80;}"), "[a][b][c];[server]{[listen][80];}");
}

TEST(ConfLexer, KeepsAClosingBraceInsideAWord) {
    EXPECT_EQ(tokens("a b};"), "[a][b}];");
}

TEST(ConfLexer, KeepsBracesOfVariables) {
    EXPECT_EQ(tokens("set $a x${b}y;"), "[set][$a][x${b}y];");
}

TEST(ConfLexer, TakesQuotedWordsWhole) {
    EXPECT_EQ(tokens(R"(return 200 "a; {b} 'c'" 'd "e"';)"),
              R"([return][200][a; {b} 'c'][d "e"];)");
}

TEST(ConfLexer, AllowsEmptyQuotedWords) {
    EXPECT_EQ(tokens("a \"\" '';"), "[a][][];");
}

TEST(ConfLexer, ResolvesTheEscapesOfNginxAndNoOthers) {
    EXPECT_EQ(tokens(R"(a "\"\'\\\t\r\n\d\$" x\;y \ z;)"), "[a][\"'\\\t\r\n\\d\\$][x\\;y][\\ z];");
}

TEST(ConfLexer, TakesAQuoteInsideAWordAsText) {
    EXPECT_EQ(tokens("a b\"c d;"), "[a][b\"c][d];");
}

TEST(ConfLexer, EndsAQuotedWordBeforeAParenthesis) {
    EXPECT_EQ(tokens("if ($a = \"b c\") { }"), "[if][($a][=][b c][)]{}");
}

TEST(ConfLexer, RefusesTextGluedToAQuote) {
    EXPECT_EQ(tokens("a \"b\"c;"), "[a][b]?");
}

TEST(ConfLexer, RefusesAQuoteThatNeverEnds) {
    EXPECT_EQ(tokens("a \"b;\n"), "[a]?");
}

TEST(ConfLexer, SkipsCommentsOnlyBetweenWords) {
    EXPECT_EQ(tokens("# x; {\na b#c; # \"d\ne;"), "[a][b#c];[e];");
}

TEST(ConfLexer, TakesAnyByte) {
    EXPECT_EQ(tokens(std::string_view("a\0b \xff;", 6)), std::string("[a\0b][\xff];", 9));
}

TEST(ConfLexer, SurvivesABackslashAtTheEnd) {
    EXPECT_EQ(tokens("a\\"), "[a\\]");
    EXPECT_EQ(tokens("\"a\\"), "?");
}

TEST(ConfLexer, CountsLinesAlsoInsideQuotes) {
    Lexer lexer("a\n\"b\nc\" # x\n\nd;");
    std::vector<std::size_t> lines;
    for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
        lines.push_back(token.line);
    }
    EXPECT_EQ(lines, (std::vector<std::size_t>{1, 2, 5, 5}));
}

TEST(ConfLexer, PassesOverLuaWithBracesInStringsAndComments) {
    Lexer lexer("x_by_lua_block { if a then b = {'}', \"\\\"}\"} end -- }\n} c;");
    lexer.next();
    ASSERT_EQ(lexer.next().kind, TokenKind::kOpen);
    ASSERT_TRUE(lexer.skip_foreign_block());
    const Token token = lexer.next();
    EXPECT_EQ(token.text, "c");
    EXPECT_EQ(token.line, 2U);
}

TEST(ConfLexer, SaysWhenAForeignBlockNeverEnds) {
    Lexer lexer("{ '}'");
    ASSERT_EQ(lexer.next().kind, TokenKind::kOpen);
    EXPECT_FALSE(lexer.skip_foreign_block());
}

}  // namespace
}  // namespace gate::conftext
