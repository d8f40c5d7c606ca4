#include "policy/requirement.h"

#include <gtest/gtest.h>

#include <deque>

namespace gate::policy {
namespace {

using Op = ClaimOperator;

// A rule under construction; requirements and values live as long as it does.
class RuleBuilder {
public:
    explicit RuleBuilder(std::string method = "GET") : method_(std::move(method)) {}

    Requirement& line(RequirementKind kind, std::initializer_list<RuleValue> values) {
        requirements_.push_back({});
        requirements_.back().kind = kind;
        requirements_.back().where = "nginx.conf:" + std::to_string(requirements_.size());
        values_.emplace_back(values);
        lines_.push_back({&requirements_.back(), values_.back()});
        return requirements_.back();
    }
    Requirement& scope(std::initializer_list<RuleValue> values) {
        return line(RequirementKind::kScope, values);
    }
    Requirement& role(std::initializer_list<RuleValue> values) {
        return line(RequirementKind::kRole, values);
    }
    Requirement& value(std::initializer_list<RuleValue> values) {
        return line(RequirementKind::kValue, values);
    }
    Requirement& claim(std::string path, Op op, std::initializer_list<RuleValue> values,
                       bool negated = false) {
        Requirement& requirement = line(RequirementKind::kClaim, values);
        requirement.claim_path = std::move(path);
        requirement.op = op;
        requirement.negated = negated;
        return requirement;
    }

    Result<Allow, Denied> judge(const Principal* principal) const {
        return authorize(principal, {lines_, method_});
    }
    Reason reason(const Principal* principal) const {
        const auto result = judge(principal);
        return result ? Reason::kNone : result.error().reason;
    }

private:
    std::string method_;
    std::deque<Requirement> requirements_;
    std::deque<std::vector<RuleValue>> values_;
    std::vector<RuleLine> lines_;
};

Principal user() {
    Principal principal;
    principal.kind = CredentialKind::kJwt;
    principal.scopes = {"orders:read", "users:read"};
    principal.roles = {"staff"};
    const auto claims = jose::Document::parse(
        "{\"tier\":3,\"plan\":\"gold\",\"org\":{\"id\":\"acme\"},\"a.b\":\"whole\",\"a\":{\"b\":"
        "\"nested\"},\"tags\":[\"x\",\"y\"]}");
    EXPECT_TRUE(claims);
    principal.claims = *claims;
    return principal;
}

TEST(FindOperator, KnowsAllNames) {
    const std::pair<std::string_view, Op> names[] = {
        {"eq", Op::kEq},   {"ne", Op::kNe},       {"lt", Op::kLt},        {"le", Op::kLe},
        {"gt", Op::kGt},   {"ge", Op::kGe},       {"in", Op::kIn},        {"any", Op::kAny},
        {"all", Op::kAll}, {"match", Op::kMatch}, {"exists", Op::kExists}};
    for (const auto& [name, op] : names) EXPECT_EQ(find_operator(name), op) << name;
    for (const char* bad : {"", "EQ", "=", "equals", "!eq", "i"})
        EXPECT_FALSE(find_operator(bad)) << bad;
}

TEST(Authorize, AllowsWhereNothingIsAsked) {
    const Principal principal = user();
    EXPECT_EQ(RuleBuilder().reason(&principal), Reason::kNone);
    EXPECT_EQ(RuleBuilder().reason(nullptr), Reason::kNone);
}

TEST(Authorize, AsksAnonymousForACredentialFirst) {
    RuleBuilder rule;
    rule.scope({{"orders:read"}}).methods = {"POST"};
    const auto result = rule.judge(nullptr);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason, Reason::kNoCredential);
    EXPECT_EQ(result.error().status, 0);
    EXPECT_EQ(result.error().scopes, "");
    EXPECT_EQ(result.error().where, "nginx.conf:1");
    RuleBuilder value;
    value.value({{"1"}});
    EXPECT_EQ(value.reason(nullptr), Reason::kNoCredential);
}

TEST(Authorize, NeedsTheScope) {
    const Principal principal = user();
    RuleBuilder good;
    good.scope({{"orders:read"}});
    EXPECT_EQ(good.reason(&principal), Reason::kNone);
    RuleBuilder bad;
    bad.scope({{"orders:write"}});
    const auto result = bad.judge(&principal);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason, Reason::kScopeMissing);
    EXPECT_EQ(result.error().status, 0);
    EXPECT_EQ(result.error().scopes, "orders:write");
    EXPECT_EQ(result.error().where, "nginx.conf:1");
}

TEST(Authorize, TakesAnyOrAllOfTheScopes) {
    const Principal principal = user();
    const auto with = [&](std::initializer_list<RuleValue> values, bool all) {
        RuleBuilder rule;
        rule.scope(values).all = all;
        return rule.reason(&principal);
    };
    EXPECT_EQ(with({{"x"}, {"users:read"}}, false), Reason::kNone);
    EXPECT_EQ(with({{"x"}, {"users:read"}}, true), Reason::kScopeMissing);
    EXPECT_EQ(with({{"orders:read"}, {"users:read"}}, true), Reason::kNone);
    EXPECT_EQ(with({{"x"}, {"y"}}, false), Reason::kScopeMissing);
    EXPECT_EQ(with({}, true), Reason::kScopeMissing);
    EXPECT_EQ(with({}, false), Reason::kScopeMissing);
}

TEST(Authorize, NeverMatchesUnsafeValues) {
    Principal principal = user();
    const auto with = [&](std::initializer_list<RuleValue> values, bool all) {
        RuleBuilder rule;
        rule.scope(values).all = all;
        return rule.reason(&principal);
    };
    EXPECT_EQ(with({{"orders:read", false}}, false), Reason::kScopeMissing);
    EXPECT_EQ(with({{"orders:read", false}, {"users:read"}}, false), Reason::kNone);
    EXPECT_EQ(with({{"orders:read", false}, {"users:read"}}, true), Reason::kScopeMissing);
    RuleBuilder role;
    role.role({{"staff", false}});
    EXPECT_EQ(role.reason(&principal), Reason::kRoleMissing);
}

TEST(Authorize, NeedsTheRole) {
    const Principal principal = user();
    RuleBuilder good;
    good.role({{"staff"}});
    EXPECT_EQ(good.reason(&principal), Reason::kNone);
    RuleBuilder bad;
    bad.role({{"admin"}, {"staff"}}).all = true;
    const auto result = bad.judge(&principal);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason, Reason::kRoleMissing);
    EXPECT_EQ(result.error().scopes, "");
    RuleBuilder any;
    any.role({{"admin"}, {"staff"}});
    EXPECT_EQ(any.reason(&principal), Reason::kNone);
    RuleBuilder scope_as_role;
    scope_as_role.role({{"orders:read"}});
    EXPECT_EQ(scope_as_role.reason(&principal), Reason::kRoleMissing);
}

TEST(Authorize, LooksUpClaimsByNameBeforePath) {
    const Principal principal = user();
    RuleBuilder rule;
    rule.claim("org.id", Op::kEq, {{"acme"}});
    rule.claim("a.b", Op::kEq, {{"whole"}});
    rule.claim("tier", Op::kGe, {{"3"}});
    rule.claim("tags", Op::kAll, {{"x"}, {"y"}});
    EXPECT_EQ(rule.reason(&principal), Reason::kNone);
}

TEST(Authorize, AnswersWithTheStatusOfTheClaimLine) {
    const Principal principal = user();
    for (int status : {401, 403}) {
        RuleBuilder rule;
        rule.claim("tier", Op::kGt, {{"3"}}).status = status;
        const auto result = rule.judge(&principal);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().reason, Reason::kClaimUnmet);
        EXPECT_EQ(result.error().status, status);
        EXPECT_EQ(result.error().scopes, "");
    }
}

TEST(Authorize, NegatesAComparisonThatCouldBeMade) {
    const Principal principal = user();
    const auto with = [&](std::string path, Op op, std::initializer_list<RuleValue> values) {
        RuleBuilder rule;
        rule.claim(std::move(path), op, values, true);
        return rule.reason(&principal);
    };
    EXPECT_EQ(with("plan", Op::kEq, {{"silver"}}), Reason::kNone);
    EXPECT_EQ(with("plan", Op::kEq, {{"gold"}}), Reason::kClaimUnmet);
    EXPECT_EQ(with("tags", Op::kAny, {{"z"}}), Reason::kNone);
    EXPECT_EQ(with("tags", Op::kAny, {{"x"}}), Reason::kClaimUnmet);
    EXPECT_EQ(with("missing", Op::kExists, {}), Reason::kNone);
    EXPECT_EQ(with("plan", Op::kExists, {}), Reason::kClaimUnmet);
}

TEST(Authorize, DoesNotTurnTheIncomparableIntoAPass) {
    const Principal principal = user();
    for (bool negated : {false, true}) {
        for (Op op : {Op::kEq, Op::kNe, Op::kLt, Op::kLe, Op::kGt, Op::kGe, Op::kIn, Op::kAny,
                      Op::kAll, Op::kMatch}) {
            RuleBuilder missing;
            missing.claim("missing", op, {{"x"}}, negated);
            EXPECT_EQ(missing.reason(&principal), Reason::kClaimUnmet);
            RuleBuilder other_type;
            other_type.claim("org", op, {{"x"}}, negated);
            EXPECT_EQ(other_type.reason(&principal), Reason::kClaimUnmet);
            RuleBuilder invalid;
            invalid.claim("plan", op, {{"silver", false}}, negated);
            EXPECT_EQ(invalid.reason(&principal), Reason::kClaimUnmet);
        }
    }
}

TEST(Authorize, NeedsValuesThatAreNeitherEmptyNorZero) {
    const Principal principal = user();
    const auto with = [&](std::initializer_list<RuleValue> values) {
        RuleBuilder rule;
        rule.value(values).status = 404;
        return rule.reason(&principal);
    };
    EXPECT_EQ(with({{"1"}}), Reason::kNone);
    EXPECT_EQ(with({{"00"}}), Reason::kNone);
    EXPECT_EQ(with({{"a:*", false}}), Reason::kNone);
    EXPECT_EQ(with({{"1"}, {"yes"}}), Reason::kNone);
    EXPECT_EQ(with({{""}}), Reason::kValueUnmet);
    EXPECT_EQ(with({{"0"}}), Reason::kValueUnmet);
    EXPECT_EQ(with({{"1"}, {"0"}}), Reason::kValueUnmet);
    EXPECT_EQ(with({}), Reason::kValueUnmet);
    RuleBuilder rule;
    rule.value({{"0"}}).status = 404;
    EXPECT_EQ(rule.judge(&principal).error().status, 404);
}

TEST(Authorize, NeedsEveryLine) {
    const Principal principal = user();
    RuleBuilder rule;
    rule.scope({{"orders:read"}});
    rule.role({{"admin"}});
    rule.scope({{"missing"}});
    const auto result = rule.judge(&principal);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason, Reason::kRoleMissing);
    EXPECT_EQ(result.error().where, "nginx.conf:2");
}

TEST(Authorize, AppliesALineToItsMethods) {
    const Principal principal = user();
    const auto with = [&](const std::string& method) {
        RuleBuilder rule(method);
        rule.scope({{"orders:read"}}).methods = {"GET"};
        rule.scope({{"orders:write"}}).methods = {"POST", "PUT"};
        return rule.reason(&principal);
    };
    EXPECT_EQ(with("GET"), Reason::kNone);
    EXPECT_EQ(with("HEAD"), Reason::kNone);
    EXPECT_EQ(with("POST"), Reason::kScopeMissing);
    EXPECT_EQ(with("PUT"), Reason::kScopeMissing);
    for (const char* method : {"DELETE", "PATCH", "OPTIONS", "get", "GETX", ""}) {
        EXPECT_EQ(with(method), Reason::kMethodNotCovered) << method;
    }
}

TEST(Authorize, CoversGetByGetOnly) {
    const Principal principal = user();
    RuleBuilder get;
    get.scope({{"orders:read"}}).methods = {"HEAD"};
    EXPECT_EQ(get.reason(&principal), Reason::kMethodNotCovered);
    RuleBuilder head("HEAD");
    head.scope({{"orders:read"}}).methods = {"HEAD"};
    EXPECT_EQ(head.reason(&principal), Reason::kNone);
    RuleBuilder strict("HEAD");
    strict.scope({{"orders:write"}}).methods = {"GET"};
    EXPECT_EQ(strict.reason(&principal), Reason::kScopeMissing);
}

TEST(Authorize, RefusesAMethodThatNoLineNames) {
    const Principal principal = user();
    RuleBuilder rule("DELETE");
    rule.scope({{"orders:read"}});
    rule.scope({{"orders:read"}}).methods = {"GET"};
    rule.scope({{"orders:write"}}).methods = {"POST"};
    const auto result = rule.judge(&principal);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason, Reason::kMethodNotCovered);
    EXPECT_EQ(result.error().where, "nginx.conf:2");
    EXPECT_EQ(result.error().status, 0);
    EXPECT_EQ(result.error().scopes, "");
}

TEST(Authorize, AppliesLinesWithoutMethodsToAll) {
    const Principal principal = user();
    RuleBuilder rule("POST");
    rule.scope({{"missing"}});
    rule.scope({{"orders:read"}}).methods = {"POST"};
    EXPECT_EQ(rule.reason(&principal), Reason::kScopeMissing);
    RuleBuilder plain("BREW");
    plain.scope({{"orders:read"}});
    EXPECT_EQ(plain.reason(&principal), Reason::kNone);
}

TEST(Authorize, ShowsOnlySafeScopesInTheChallenge) {
    const Principal principal = user();
    RuleBuilder rule;
    rule.scope({{"a:b"},
                {"no good"},
                {"c", false},
                {""},
                {"q\""},
                {"b\\"},
                {"x\x7f"},
                {"y\n"},
                {"\xc3\xa9"},
                {"!~"}});
    EXPECT_EQ(rule.judge(&principal).error().scopes, "a:b !~");
}

TEST(Authorize, RefusesAnUnknownKindOfLine) {
    const Principal principal = user();
    RuleBuilder rule;
    rule.line(static_cast<RequirementKind>(9), {{"x"}});
    EXPECT_EQ(rule.reason(&principal), Reason::kInternal);
}

}  // namespace
}  // namespace gate::policy
