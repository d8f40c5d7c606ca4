#include "gatectl/output.h"

#include <gtest/gtest.h>

namespace gate::ctl {
namespace {

TEST(Table, AlignsColumnsByTheirWidestCell) {
    Table table({"A", "LONG", "C"});
    EXPECT_TRUE(table.empty());
    table.add({"wide cell", "x", "end"});
    EXPECT_FALSE(table.empty());
    EXPECT_EQ(table.str(),
              "A          LONG  C\n"
              "wide cell  x     end\n");
}

TEST(Table, CountsCharactersOfUtf8AndNotOctets) {
    Table table({"A", "B"});
    table.add({"\xc3\xa9\xc3\xa9", "x"});
    EXPECT_EQ(table.str(), "A   B\n\xc3\xa9\xc3\xa9  x\n");
}

TEST(Table, EscapesControlCharacters) {
    Table table({"A"});
    table.add({"x\x1b[31m\ny"});
    EXPECT_EQ(table.str(), "A\nx\\x1b[31m\\x0ay\n");
}

TEST(Printable, EscapesDelete) {
    EXPECT_EQ(printable("a\x7f"), "a\\x7f");
}

}  // namespace
}  // namespace gate::ctl
