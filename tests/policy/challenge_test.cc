#include "policy/challenge.h"

#include <gtest/gtest.h>

#include <set>

#include "jose/json.h"

namespace gate::policy {
namespace {

using Class = RefusalClass;

TEST(Challenge, HasNoErrorWithoutCredential) {
    EXPECT_EQ(challenge(Class::kNoCredential, 401, "shop", "a"), "Bearer realm=\"shop\"");
}

TEST(Challenge, NamesTheErrorOfRfc6750) {
    EXPECT_EQ(challenge(Class::kInvalidToken, 401, "shop", "a"),
              "Bearer realm=\"shop\", error=\"invalid_token\"");
    EXPECT_EQ(challenge(Class::kInvalidRequest, 400, "shop", "a"),
              "Bearer realm=\"shop\", error=\"invalid_request\"");
    EXPECT_EQ(challenge(Class::kInsufficientScope, 403, "shop", "a:b c"),
              "Bearer realm=\"shop\", error=\"insufficient_scope\", scope=\"a:b c\"");
    EXPECT_EQ(challenge(Class::kInsufficientScope, 403, "", ""),
              "Bearer realm=\"\", error=\"insufficient_scope\"");
}

TEST(Challenge, AsksForAnotherTokenWhereARequirementAnswers401) {
    EXPECT_EQ(challenge(Class::kInsufficientScope, 401, "r", "a"),
              "Bearer realm=\"r\", error=\"invalid_token\"");
}

TEST(Challenge, IsAbsentForOtherClasses) {
    for (Class refusal : {Class::kNone, Class::kTooManyRequests, Class::kUnavailable,
                          Class::kInternal, static_cast<Class>(99)}) {
        for (int status : {400, 401, 403, 429, 500, 503})
            EXPECT_FALSE(challenge(refusal, status, "r", "a"));
    }
}

TEST(Challenge, IsAbsentForStatusesThatHideTheDoor) {
    for (int status : {402, 404, 410, 451, 302}) {
        EXPECT_FALSE(challenge(Class::kInsufficientScope, status, "r", "a"));
        EXPECT_FALSE(challenge(Class::kNoCredential, status, "r", ""));
    }
}

TEST(Challenge, QuotesRealmAndScopes) {
    EXPECT_EQ(challenge(Class::kNoCredential, 401, "a\"b\\c", ""), "Bearer realm=\"a\\\"b\\\\c\"");
    EXPECT_EQ(challenge(Class::kNoCredential, 401, "a\r\nX: y\x7f\x1f ~\xc3\xa9", ""),
              "Bearer realm=\"aX: y ~\xc3\xa9\"");
    EXPECT_EQ(challenge(Class::kInsufficientScope, 403, "r", "a\""),
              "Bearer realm=\"r\", error=\"insufficient_scope\", scope=\"a\\\"\"");
}

TEST(TitleOf, KnowsTheStatusesOfRefusals) {
    EXPECT_EQ(title_of(400), "Bad Request");
    EXPECT_EQ(title_of(401), "Unauthorized");
    EXPECT_EQ(title_of(403), "Forbidden");
    EXPECT_EQ(title_of(404), "Not Found");
    EXPECT_EQ(title_of(429), "Too Many Requests");
    EXPECT_EQ(title_of(500), "Internal Server Error");
    EXPECT_EQ(title_of(503), "Service Unavailable");
    EXPECT_EQ(title_of(418), "Error");
    EXPECT_EQ(title_of(0), "Error");
}

TEST(RefusalBody, IsAProblemDocument) {
    const Body body = refusal_body(BodyFormat::kProblem, 401);
    EXPECT_EQ(body.type, "application/problem+json");
    EXPECT_EQ(body.text, "{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401}");
}

TEST(RefusalBody, IsJsonWithAWordForTheStatus) {
    const std::pair<int, std::string_view> bodies[] = {
        {400, "{\"error\":\"bad_request\",\"status\":400}"},
        {401, "{\"error\":\"unauthorized\",\"status\":401}"},
        {403, "{\"error\":\"forbidden\",\"status\":403}"},
        {429, "{\"error\":\"too_many_requests\",\"status\":429}"},
        {500, "{\"error\":\"internal_server_error\",\"status\":500}"},
        {503, "{\"error\":\"service_unavailable\",\"status\":503}"},
        {414, "{\"error\":\"uri_too_long\",\"status\":414}"},
        {999, "{\"error\":\"error\",\"status\":999}"},
    };
    for (const auto& [status, text] : bodies) {
        const Body body = refusal_body(BodyFormat::kJson, status);
        EXPECT_EQ(body.type, "application/json");
        EXPECT_EQ(body.text, text);
        EXPECT_TRUE(jose::Document::parse(body.text));
    }
}

TEST(RefusalBody, IsPlainText) {
    for (BodyFormat format : {BodyFormat::kText, static_cast<BodyFormat>(9)}) {
        const Body body = refusal_body(format, 500);
        EXPECT_EQ(body.type, "text/plain");
        EXPECT_EQ(body.text, "500 Internal Server Error\n");
    }
}

TEST(RefusalField, IsJsonText) {
    EXPECT_EQ(refusal_field("status", 403), "403");
    EXPECT_EQ(refusal_field("title", 403), "\"Forbidden\"");
    EXPECT_EQ(refusal_field("error", 403), "\"forbidden\"");
    EXPECT_EQ(refusal_field("detail", 403), "\"The credential does not permit this request.\"");
    EXPECT_EQ(refusal_field("reason", 403), "");
    for (std::string_view field : kRefusalFields) EXPECT_NE(refusal_field(field, 500), "") << field;
}

TEST(RefusalField, ExplainsEachStatusInOtherWords) {
    std::set<std::string> details;
    for (int status : {400, 401, 403, 404, 429, 500, 503})
        details.insert(refusal_field("detail", status));
    EXPECT_EQ(details.size(), 7u);
    EXPECT_EQ(refusal_field("detail", 410), refusal_field("detail", 404));
}

constexpr std::string_view kFirefox =
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

TEST(BrowserNavigation, IsGetOrHead) {
    EXPECT_TRUE(is_browser_navigation("GET", "navigate", "*/*"));
    EXPECT_TRUE(is_browser_navigation("HEAD", "navigate", "*/*"));
    for (const char* method : {"POST", "PUT", "get", ""}) {
        EXPECT_FALSE(is_browser_navigation(method, "navigate", kFirefox)) << method;
    }
}

TEST(BrowserNavigation, BelievesSecFetchModeFirst) {
    EXPECT_FALSE(is_browser_navigation("GET", "cors", kFirefox));
    EXPECT_FALSE(is_browser_navigation("GET", "Navigate", kFirefox));
    EXPECT_TRUE(is_browser_navigation("GET", "navigate", "application/json"));
}

TEST(BrowserNavigation, ElseNeedsAnAcceptThatPrefersHtml) {
    for (std::string_view accept :
         {kFirefox, std::string_view("text/html"), std::string_view("TEXT/HTML"),
          std::string_view("\ttext/html ;q=0.001"),
          std::string_view("application/json;q=0.9,text/html"),
          std::string_view("text/html,application/json"),
          std::string_view("text/html;q=0.5,application/json;q=0.4"),
          std::string_view("text/html;level=1"), std::string_view("text/html;Q=1.000"),
          std::string_view("text/html;q=1."), std::string_view("text/html;q=1.5"),
          std::string_view(",,text/html"), std::string_view("text/html;;q=0.5"),
          std::string_view("text/html;q=0.2,application/json;q=0.199"),
          std::string_view("application/json;q=0.05,text/html;q=0.051"),
          std::string_view("text/html;q=0.2,text/json"),
          std::string_view("text/html;q=0.2,image/svg+json"),
          std::string_view("text/html;q=0.3,text/html;q=0.1,application/json;q=0.2"),
          std::string_view("application/json;q=0.9,text/html;q=1.5")}) {
        EXPECT_TRUE(is_browser_navigation("GET", "", accept)) << accept;
    }
    for (std::string_view accept : {"",
                                    "*/*",
                                    "text/*",
                                    "application/json",
                                    "text/html;q=0",
                                    "text/html;q=0.000",
                                    "text/html;q=x",
                                    "text/html;q=",
                                    "text/html;q=2",
                                    "text/html;q=0.1234",
                                    "text/html;q=0x1",
                                    "text/html;q=0.1x",
                                    "text/html;q=-1",
                                    "text/html;q=00.1",
                                    "application/json,text/html",
                                    "application/problem+json,text/html;q=0.9",
                                    "text/html;q=0.4,application/json;q=0.5",
                                    "text/html;q=0.4,application/json",
                                    "text/htmlx",
                                    "xtext/html",
                                    ",",
                                    ";",
                                    " ",
                                    "text/html;q=0.19,application/json;q=0.2",
                                    "application/vnd.x+json;q=0.3,text/html;q=0.3",
                                    "text/html;q=0./",
                                    "text/html;q=0.:"}) {
        EXPECT_FALSE(is_browser_navigation("GET", "", accept)) << accept;
    }
}

}  // namespace
}  // namespace gate::policy
