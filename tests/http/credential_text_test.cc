#include "http/credential_text.h"

#include <gtest/gtest.h>

namespace gate::http {
namespace {

Found cookies(std::initializer_list<std::string_view> lines, std::string_view name) {
    Found found;
    for (std::string_view line : lines) from_cookie_line(line, name, found);
    return found;
}

void expect_found(const Found& found, std::size_t count, std::string_view value) {
    EXPECT_EQ(found.count, count);
    EXPECT_EQ(found.value, value);
}

TEST(FromHeader, TakesTheRestAfterSchemeAndOneSpace) {
    expect_found(from_header("Bearer abc", "Bearer"), 1, "abc");
    expect_found(from_header("Bearer a b", "Bearer"), 1, "a b");
}

TEST(FromHeader, MatchesTheSchemeWithoutCase) {
    expect_found(from_header("bEARER abc", "Bearer"), 1, "abc");
    expect_found(from_header("BEARER abc", "bearer"), 1, "abc");
    // '@' and '`', '[' and '{' differ by the case bit but are no letters.
    expect_found(from_header("@ abc", "`"), 0, "");
    expect_found(from_header("[ abc", "{"), 0, "");
    expect_found(from_header("AZ abc", "az"), 1, "abc");
}

TEST(FromHeader, KeepsASecondSpaceSoThatTheValueIsMalformed) {
    expect_found(from_header("Bearer  abc", "Bearer"), 1, " abc");
}

TEST(FromHeader, CountsABareSchemeAsAnEmptyCredential) {
    expect_found(from_header("Bearer", "Bearer"), 1, "");
    expect_found(from_header("Bearer ", "Bearer"), 1, "");
}

TEST(FromHeader, IgnoresOtherSchemes) {
    for (std::string_view value : {"Basic abc", "Bearerabc", "Bearer: abc", "xBearer abc", "Beare",
                                   "", "Basic dTpw, Bearer abc", "JWT x"}) {
        expect_found(from_header(value, "Bearer"), 0, "");
    }
}

TEST(FromHeader, WithoutSchemeTakesTheWholeValue) {
    expect_found(from_header("Bearer abc", ""), 1, "Bearer abc");
    expect_found(from_header("x", ""), 1, "x");
    expect_found(from_header("", ""), 0, "");
}

TEST(FromCookieLine, FindsACookieWithOrWithoutBlanks) {
    expect_found(cookies({"jwt=X"}, "jwt"), 1, "X");
    expect_found(cookies({"a=b;jwt=X"}, "jwt"), 1, "X");
    expect_found(cookies({"a=b; jwt=X; c=d"}, "jwt"), 1, "X");
    expect_found(cookies({"a=b;\tjwt=X\t ;c=d"}, "jwt"), 1, "X");
    expect_found(cookies({"a=b; jwt = X "}, "jwt"), 1, "X");
    expect_found(cookies({"jwt=a=b"}, "jwt"), 1, "a=b");
}

TEST(FromCookieLine, ComparesNamesExactly) {
    for (std::string_view line : {"JWT=X", "jwt.x=X", "xjwt=X", "jwt_0=X", "jw=X", "jwt", "=jwt",
                                  ";;;;", "", "a=jwt=X", "X", "=", "a=b,jwt=X"}) {
        expect_found(cookies({line}, "jwt"), 0, "");
    }
}

TEST(FromCookieLine, NeverFindsANamelessCookie) {
    // A crumb without '=' has no name; an empty name is one that somebody configured.
    expect_found(cookies({"X"}, ""), 0, "");
    expect_found(cookies({"=X"}, ""), 1, "X");
}

TEST(FromCookieLine, DropsOnePairOfQuotes) {
    expect_found(cookies({"jwt=\"X\""}, "jwt"), 1, "X");
    expect_found(cookies({"jwt=\"\"X\"\""}, "jwt"), 1, "\"X\"");
    expect_found(cookies({"jwt=\"X"}, "jwt"), 1, "\"X");
    expect_found(cookies({"jwt=X\""}, "jwt"), 1, "X\"");
    expect_found(cookies({"jwt=\""}, "jwt"), 1, "\"");
    expect_found(cookies({"jwt=\"\""}, "jwt"), 1, "");
}

TEST(FromCookieLine, CountsRepetitionsOverAllLines) {
    expect_found(cookies({"jwt=X; jwt=Y"}, "jwt"), 2, "X");
    expect_found(cookies({"jwt=X", "jwt=X"}, "jwt"), 2, "X");
    expect_found(cookies({"jwt=; jwt=Y"}, "jwt"), 2, "Y");
    expect_found(cookies({"jwt="}, "jwt"), 1, "");
}

TEST(WithoutCookie, LeavesTheOthersAsTheyWere) {
    EXPECT_EQ(without_cookie("jwt=X", "jwt"), "");
    EXPECT_EQ(without_cookie("jwt=X; a=b", "jwt"), "a=b");
    EXPECT_EQ(without_cookie("a=b; jwt=X", "jwt"), "a=b");
    EXPECT_EQ(without_cookie("a=b; jwt=X;c=d", "jwt"), "a=b;c=d");
    EXPECT_EQ(without_cookie("a=b; jwt=X; c=\"d\"; jwt=Y", "jwt"), "a=b; c=\"d\"");
    EXPECT_EQ(without_cookie("jwt=X; \t", "jwt"), "");
    EXPECT_EQ(without_cookie("a=b; jwt =X; c=d", "jwt"), "a=b; c=d");
}

TEST(WithoutCookie, ReturnsTheSameLineWhereNothingMatches) {
    for (std::string_view line : {"", " a=b;;c", "JWT=X; a", ";;", " jwt"}) {
        EXPECT_EQ(without_cookie(line, "jwt"), line);
    }
}

TEST(WithoutCookie, LeavesNothingThatIsFoundAgain) {
    for (std::string_view line : {"jwt=X;jwt=Y", " jwt=X ; a=b;jwt=", "jwt\t=X;=jwt=Z"}) {
        EXPECT_EQ(cookies({without_cookie(line, "jwt")}, "jwt").count, 0u) << line;
    }
}

TEST(FromArguments, FindsExactNames) {
    expect_found(from_arguments("t=X", "t"), 1, "X");
    expect_found(from_arguments("a=b&t=X&c", "t"), 1, "X");
    expect_found(from_arguments("t=X;x=1", "t"), 1, "X;x=1");
    expect_found(from_arguments("t=a=b", "t"), 1, "a=b");
    expect_found(from_arguments("t=%41", "t"), 1, "%41");
    for (std::string_view query : {"", "xt=X", "tt=X", "T=X", "&&", "=t", "a=t=X"}) {
        expect_found(from_arguments(query, "t"), 0, "");
    }
}

TEST(FromArguments, CountsEveryMention) {
    expect_found(from_arguments("t=X&t=Y", "t"), 2, "X");
    expect_found(from_arguments("t&t=Y", "t"), 2, "Y");
    expect_found(from_arguments("t=&t=Y", "t"), 2, "Y");
    expect_found(from_arguments("t", "t"), 1, "");
    expect_found(from_arguments("t=", "t"), 1, "");
}

TEST(ArgumentValues, GivesTheSpansToOverwrite) {
    const std::string_view query = "a=1&t=XYZ&t=&t&t=Q";
    const auto spans = argument_values(query, "t");
    ASSERT_EQ(spans.size(), 2u);
    EXPECT_EQ(query.substr(spans[0].offset, spans[0].size), "XYZ");
    EXPECT_EQ(spans[1].offset, query.size() - 1);
    EXPECT_EQ(spans[1].size, 1u);
    EXPECT_EQ(argument_values("%74%3Dsecret", "t").size(), 1u);
    EXPECT_EQ(argument_values("%74%3dsecret&t%3Ds", "t").at(1).offset, 17u);
    EXPECT_TRUE(argument_values("%7", "t").empty());
    EXPECT_TRUE(argument_values("%7gt=1&t%3=2&tt=3&t=", "t").empty());
    EXPECT_TRUE(argument_values("x=t", "t").empty());
    EXPECT_TRUE(argument_values("", "t").empty());
}

TEST(WithoutArgument, LeavesTheOthersAsTheyWere) {
    EXPECT_EQ(without_argument("t=X", "t"), "");
    EXPECT_EQ(without_argument("t", "t"), "");
    EXPECT_EQ(without_argument("a=%2F&t=X&b", "t"), "a=%2F&b");
    EXPECT_EQ(without_argument("t=X&a=b&t=Y", "t"), "a=b");
    EXPECT_EQ(without_argument("tt=X&&T=1", "t"), "tt=X&&T=1");
    EXPECT_EQ(without_argument("", "t"), "");
}

TEST(FromHeader, RefusesOtherBlanksThanOneSpace) {
    for (const char* text : {"\tBearer x", " Bearer x", "Bearer\tx", "Bearer\vx", "\fbearer x"}) {
        const Found found = from_header(text, "Bearer");
        EXPECT_EQ(found.count, 1u) << text;
        EXPECT_EQ(found.value, text);
    }
    EXPECT_EQ(from_header("\t", "Bearer").count, 0u);
}

TEST(FromArguments, CountsEncodedNamesWithoutAcceptingThem) {
    const Found found = from_arguments("a=1&access%5Ftoken=x", "access_token");
    EXPECT_EQ(found.count, 1u);
    EXPECT_EQ(found.value, "access%5Ftoken=x");
    EXPECT_EQ(from_arguments("t=1&%74=2", "t").count, 2u);
    EXPECT_EQ(from_arguments("t%3d1", "t").value, "t%3d1");
    EXPECT_EQ(from_arguments("tt=1&t1&%7=2", "t").count, 0u);
    EXPECT_EQ(without_argument("a=1&%74=2&b&t=3", "t"), "a=1&b");
}

TEST(IsCrossSite, BelievesSecFetchSiteFirst) {
    EXPECT_FALSE(is_cross_site("https://evil.test", "same-origin", "https", "a.test", ""));
    EXPECT_FALSE(is_cross_site("https://evil.test", "none", "https", "a.test", ""));
    EXPECT_TRUE(is_cross_site("https://a.test", "same-site", "https", "a.test", ""));
    EXPECT_TRUE(is_cross_site("", "cross-site", "https", "a.test", ""));
    EXPECT_TRUE(is_cross_site("https://a.test", "Same-Origin", "https", "a.test", ""));
}

TEST(IsCrossSite, ComparesOriginWithSchemeAndHost) {
    EXPECT_FALSE(is_cross_site("https://a.test", "", "https", "a.test", ""));
    EXPECT_FALSE(is_cross_site("https://a.test", "", "https", "A.Test:443", ""));
    EXPECT_FALSE(is_cross_site("http://a.test:80", "", "http", "a.test", ""));
    EXPECT_FALSE(is_cross_site("https://a.test:8443", "", "https", "a.test:8443", ""));
    EXPECT_TRUE(is_cross_site("https://a.test:8443", "", "https", "a.test", ""));
    EXPECT_TRUE(is_cross_site("https://a.test:80", "", "https", "a.test", ""));
    EXPECT_TRUE(is_cross_site("http://a.test:443", "", "http", "a.test", ""));
    EXPECT_TRUE(is_cross_site("http://a.test", "", "https", "a.test", ""));
    EXPECT_TRUE(is_cross_site("https://evil.test", "", "https", "a.test", ""));
    EXPECT_TRUE(is_cross_site("https://a.test.evil.test", "", "https", "a.test", ""));
    EXPECT_TRUE(is_cross_site("https://evil-a.test", "", "https", "a.test", ""));
    EXPECT_TRUE(is_cross_site("https://a.test/", "", "https", "a.test", ""));
}

TEST(IsCrossSite, TakesAnythingElseForAnotherSite) {
    EXPECT_TRUE(is_cross_site("null", "", "https", "a.test", ""));
    EXPECT_TRUE(is_cross_site("a.test", "", "https", "a.test", ""));
    EXPECT_TRUE(is_cross_site("https://", "", "https", "", ""));
    EXPECT_TRUE(is_cross_site("https://", "", "https", ":443", ""));
    EXPECT_TRUE(is_cross_site("://", "", "", "", ""));
}

TEST(IsCrossSite, TrustsARequestWithoutEitherHeader) {
    EXPECT_FALSE(is_cross_site("", "", "https", "a.test", ""));
}

TEST(IsCrossSite, AllowsOneMoreOriginExactly) {
    EXPECT_FALSE(
        is_cross_site("https://b.test", "cross-site", "https", "a.test", "https://b.test"));
    EXPECT_FALSE(is_cross_site("https://b.test", "", "https", "a.test", "https://b.test"));
    EXPECT_FALSE(is_cross_site("https://a.test", "", "https", "a.test", "https://b.test"));
    EXPECT_TRUE(is_cross_site("https://B.test", "", "https", "a.test", "https://b.test"));
    EXPECT_TRUE(is_cross_site("", "cross-site", "https", "a.test", ""));
}

TEST(IsSafeMethod, KnowsTheFourOfRfc9110) {
    for (std::string_view method : {"GET", "HEAD", "OPTIONS", "TRACE"})
        EXPECT_TRUE(is_safe_method(method));
    for (std::string_view method :
         {"POST", "PUT", "DELETE", "PATCH", "get", "", "GETX", "CONNECT"}) {
        EXPECT_FALSE(is_safe_method(method)) << method;
    }
}

}  // namespace
}  // namespace gate::http
