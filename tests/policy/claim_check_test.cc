#include "policy/claim_check.h"

#include <gtest/gtest.h>

namespace gate::policy {
namespace {

using Op = ClaimOperator;

constexpr Truth kFalse = Truth::kFalse;
constexpr Truth kTrue = Truth::kTrue;
constexpr Truth kUnknown = Truth::kUnknown;

std::vector<RuleValue> valid(std::initializer_list<std::string_view> texts) {
    std::vector<RuleValue> values;
    for (std::string_view text : texts) values.push_back({text, true});
    return values;
}

// `json` is the claim's JSON text; "" for a missing claim.
Truth check(std::string_view json, Op op, const std::vector<RuleValue>& values) {
    const auto document =
        jose::Document::parse(json.empty() ? "{}" : "{\"c\":" + std::string(json) + "}");
    EXPECT_TRUE(document) << json;
    if (!document) return kUnknown;
    Requirement requirement;
    requirement.kind = RequirementKind::kClaim;
    requirement.op = op;
    return check_claim(document->root().member("c"), requirement, values);
}

Truth check(std::string_view json, Op op, std::string_view value) {
    return check(json, op, valid({value}));
}

Truth check_invalid(std::string_view json, Op op, std::string_view value) {
    return check(json, op, std::vector<RuleValue>{{value, false}});
}

constexpr Op kScalarOps[] = {Op::kEq, Op::kNe, Op::kLt, Op::kLe, Op::kGt, Op::kGe, Op::kIn};

TEST(ClaimCheck, NeverHoldsForAMissingClaim) {
    for (Op op : {Op::kEq, Op::kNe, Op::kLt, Op::kLe, Op::kGt, Op::kGe, Op::kIn, Op::kAny, Op::kAll,
                  Op::kMatch}) {
        EXPECT_EQ(check("", op, "a"), kUnknown);
        EXPECT_EQ(check("", op, ""), kUnknown);
    }
}

TEST(ClaimCheck, NeverHoldsForNullObjectsAndUnfitArrays) {
    for (Op op : kScalarOps) {
        for (const char* claim : {"null", "{}", "[]", "[\"a\"]", "{\"a\":1}"}) {
            EXPECT_EQ(check(claim, op, "a"), kUnknown) << claim;
            EXPECT_EQ(check(claim, op, ""), kUnknown) << claim;
        }
    }
    for (Op op : {Op::kAny, Op::kAll}) {
        for (const char* claim : {"null", "{}", "7", "true", "{\"a\":\"a\"}"})
            EXPECT_EQ(check(claim, op, "a"), kUnknown) << claim;
    }
}

TEST(ClaimCheck, NeverHoldsWithoutValues) {
    for (Op op : {Op::kEq, Op::kNe, Op::kLt, Op::kIn, Op::kAny, Op::kAll}) {
        EXPECT_EQ(check("\"a\"", op, std::vector<RuleValue>{}), kUnknown);
        EXPECT_EQ(check("[]", op, std::vector<RuleValue>{}), kUnknown);
    }
}

TEST(ClaimCheck, ComparesStringsByOctets) {
    EXPECT_EQ(check("\"b\"", Op::kEq, "b"), kTrue);
    EXPECT_EQ(check("\"b\"", Op::kEq, "B"), kFalse);
    EXPECT_EQ(check("\"b\"", Op::kEq, "bb"), kFalse);
    EXPECT_EQ(check("\"b\"", Op::kEq, ""), kFalse);
    EXPECT_EQ(check("\"\"", Op::kEq, ""), kTrue);
    EXPECT_EQ(check("\"b\\u0000\"", Op::kEq, "b"), kFalse);
    EXPECT_EQ(check("\"b\"", Op::kNe, "a"), kTrue);
    EXPECT_EQ(check("\"b\"", Op::kNe, "b"), kFalse);
    EXPECT_EQ(check("\"10\"", Op::kEq, "10.0"), kFalse);
    EXPECT_EQ(check("\"true\"", Op::kEq, "true"), kTrue);
}

TEST(ClaimCheck, OrdersStrings) {
    const struct {
        const char* value;
        Truth lt, le, gt, ge;
    } rows[] = {{"a", kFalse, kFalse, kTrue, kTrue},
                {"b", kFalse, kTrue, kFalse, kTrue},
                {"c", kTrue, kTrue, kFalse, kFalse}};
    for (const auto& row : rows) {
        EXPECT_EQ(check("\"b\"", Op::kLt, row.value), row.lt) << row.value;
        EXPECT_EQ(check("\"b\"", Op::kLe, row.value), row.le) << row.value;
        EXPECT_EQ(check("\"b\"", Op::kGt, row.value), row.gt) << row.value;
        EXPECT_EQ(check("\"b\"", Op::kGe, row.value), row.ge) << row.value;
    }
}

TEST(ClaimCheck, OrdersNumbers) {
    const struct {
        const char* value;
        Truth lt, le, gt, ge;
    } rows[] = {{"9", kFalse, kFalse, kTrue, kTrue},    {"10", kFalse, kTrue, kFalse, kTrue},
                {"10.0", kFalse, kTrue, kFalse, kTrue}, {"1e1", kFalse, kTrue, kFalse, kTrue},
                {"10.5", kTrue, kTrue, kFalse, kFalse}, {"-11", kFalse, kFalse, kTrue, kTrue}};
    for (const auto& row : rows) {
        for (const char* claim : {"10", "10.0"}) {
            EXPECT_EQ(check(claim, Op::kLt, row.value), row.lt) << row.value;
            EXPECT_EQ(check(claim, Op::kLe, row.value), row.le) << row.value;
            EXPECT_EQ(check(claim, Op::kGt, row.value), row.gt) << row.value;
            EXPECT_EQ(check(claim, Op::kGe, row.value), row.ge) << row.value;
        }
    }
}

TEST(ClaimCheck, ComparesNumbersWithNumbersOnly) {
    EXPECT_EQ(check("7", Op::kEq, "7"), kTrue);
    EXPECT_EQ(check("7", Op::kEq, "7.0"), kTrue);
    EXPECT_EQ(check("7.5", Op::kEq, "7.5"), kTrue);
    EXPECT_EQ(check("-7", Op::kEq, "-7"), kTrue);
    EXPECT_EQ(check("7", Op::kNe, "8"), kTrue);
    EXPECT_EQ(check("7", Op::kNe, "7"), kFalse);
    for (Op op : kScalarOps) {
        for (const char* value : {"", "seven", "7x", "+7", " 7", "7 ", "0x7", "inf", "nan", "-",
                                  "-inf", "--7", "1e99999", ".5", "-.5", "true", "/", ":"}) {
            EXPECT_EQ(check("7", op, value), kUnknown) << value;
        }
    }
    EXPECT_EQ(check("0", Op::kEq, "0"), kTrue);
    EXPECT_EQ(check("9", Op::kEq, "9"), kTrue);
}

TEST(ClaimCheck, ComparesLargeIntegersExactly) {
    EXPECT_EQ(check("9007199254740993", Op::kEq, "9007199254740993"), kTrue);
    EXPECT_EQ(check("9007199254740993", Op::kEq, "9007199254740992"), kFalse);
    EXPECT_EQ(check("9223372036854775807", Op::kEq, "9223372036854775806"), kFalse);
    EXPECT_EQ(check("9223372036854775807", Op::kGt, "9223372036854775806"), kTrue);
}

TEST(ClaimCheck, ComparesBooleansWithTrueAndFalse) {
    EXPECT_EQ(check("true", Op::kEq, "true"), kTrue);
    EXPECT_EQ(check("false", Op::kEq, "false"), kTrue);
    EXPECT_EQ(check("true", Op::kEq, "false"), kFalse);
    EXPECT_EQ(check("false", Op::kEq, "true"), kFalse);
    EXPECT_EQ(check("true", Op::kNe, "false"), kTrue);
    EXPECT_EQ(check("true", Op::kIn, valid({"x", "true"})), kTrue);
    for (const char* value : {"1", "True", "", "yes"}) {
        EXPECT_EQ(check("true", Op::kEq, value), kUnknown) << value;
        EXPECT_EQ(check("true", Op::kNe, value), kUnknown) << value;
        EXPECT_EQ(check("false", Op::kNe, value), kUnknown) << value;
    }
    for (Op op : {Op::kLt, Op::kLe, Op::kGt, Op::kGe})
        EXPECT_EQ(check("true", op, "true"), kUnknown);
}

TEST(ClaimCheck, NeverComparesWithAnUnsafeValue) {
    for (const char* claim : {"\"a\"", "7", "true"}) {
        for (Op op : kScalarOps) {
            for (const char* value : {"a", "b", "7", "8", "true", "false"})
                EXPECT_EQ(check_invalid(claim, op, value), kUnknown);
        }
    }
    for (Op op : {Op::kAny, Op::kAll}) {
        EXPECT_EQ(check_invalid("\"a\"", op, "a"), kUnknown);
        EXPECT_EQ(check_invalid("[\"a\"]", op, "a"), kUnknown);
        EXPECT_EQ(check_invalid("[]", op, "a"), kUnknown);
    }
}

TEST(ClaimCheck, FindsAScalarIn) {
    EXPECT_EQ(check("\"b\"", Op::kIn, valid({"a", "b"})), kTrue);
    EXPECT_EQ(check("\"b\"", Op::kIn, valid({"b", "a"})), kTrue);
    EXPECT_EQ(check("\"c\"", Op::kIn, valid({"a", "b"})), kFalse);
    EXPECT_EQ(check("\"a b\"", Op::kIn, valid({"a", "b"})), kFalse);
    EXPECT_EQ(check("7", Op::kIn, valid({"6", "7"})), kTrue);
    EXPECT_EQ(check("7", Op::kIn, valid({"6", "8"})), kFalse);
    EXPECT_EQ(check("7", Op::kIn, valid({"x", "7"})), kTrue);
    EXPECT_EQ(check("7", Op::kIn, valid({"7", "x"})), kTrue);
    EXPECT_EQ(check("7", Op::kIn, valid({"x", "8"})), kUnknown);
    EXPECT_EQ(check("7", Op::kIn, valid({"8", "x"})), kUnknown);
    EXPECT_EQ(check("\"b\"", Op::kIn, std::vector<RuleValue>{{"a", true}, {"b", false}}), kUnknown);
}

TEST(ClaimCheck, FindsAnyOfTheValues) {
    EXPECT_EQ(check("[\"a\",\"b\"]", Op::kAny, valid({"b", "x"})), kTrue);
    EXPECT_EQ(check("[\"a\",\"b\"]", Op::kAny, valid({"x", "a"})), kTrue);
    EXPECT_EQ(check("[\"a\",\"b\"]", Op::kAny, valid({"x", "y"})), kFalse);
    EXPECT_EQ(check("[\"ab\"]", Op::kAny, valid({"a", "b"})), kFalse);
    EXPECT_EQ(check("[]", Op::kAny, valid({"a"})), kFalse);
    EXPECT_EQ(check("\"a\"", Op::kAny, valid({"b", "a"})), kTrue);
    EXPECT_EQ(check("\"a b\"", Op::kAny, valid({"a"})), kFalse);
    EXPECT_EQ(check("[1,2]", Op::kAny, valid({"2"})), kTrue);
    EXPECT_EQ(check("[1,2]", Op::kAny, valid({"3"})), kFalse);
    EXPECT_EQ(check("[true]", Op::kAny, valid({"true"})), kTrue);
    EXPECT_EQ(check("[[\"a\"]]", Op::kAny, valid({"a"})), kUnknown);
    EXPECT_EQ(check("[1]", Op::kAny, valid({"a"})), kUnknown);
    EXPECT_EQ(check("[1,\"a\"]", Op::kAny, valid({"a"})), kTrue);
}

TEST(ClaimCheck, FindsAllOfTheValues) {
    EXPECT_EQ(check("[\"a\",\"b\",\"c\"]", Op::kAll, valid({"c", "a"})), kTrue);
    EXPECT_EQ(check("[\"a\",\"b\"]", Op::kAll, valid({"a", "c"})), kFalse);
    EXPECT_EQ(check("[\"a\",\"b\"]", Op::kAll, valid({"c", "a"})), kFalse);
    EXPECT_EQ(check("[]", Op::kAll, valid({"a"})), kFalse);
    EXPECT_EQ(check("\"a\"", Op::kAll, valid({"a"})), kTrue);
    EXPECT_EQ(check("\"a\"", Op::kAll, valid({"a", "b"})), kFalse);
    EXPECT_EQ(check("[1]", Op::kAll, valid({"1", "a"})), kUnknown);
    EXPECT_EQ(check("[1]", Op::kAll, valid({"a", "1"})), kUnknown);
    EXPECT_EQ(check("[1]", Op::kAll, valid({"a", "2"})), kFalse);
}

TEST(ClaimCheck, Exists) {
    EXPECT_EQ(check("", Op::kExists, std::vector<RuleValue>{}), kFalse);
    for (const char* claim : {"\"\"", "0", "false", "[]", "{}"})
        EXPECT_EQ(check(claim, Op::kExists, std::vector<RuleValue>{}), kTrue);
    EXPECT_EQ(check("null", Op::kExists, std::vector<RuleValue>{}), kUnknown);
}

TEST(ClaimCheck, MatchesStrings) {
    const auto with = [](std::string_view json, std::string_view expression) {
        const auto document = jose::Document::parse("{\"c\":" + std::string(json) + "}");
        Requirement requirement;
        requirement.op = Op::kMatch;
        requirement.pattern = *Pattern::compile(expression);
        return check_claim(document->root().member("c"), requirement, {});
    };
    EXPECT_EQ(with("\"alice@corp.test\"", "@corp\\.test$"), kTrue);
    EXPECT_EQ(with("\"alice@corp.test.evil\"", "@corp\\.test$"), kFalse);
    EXPECT_EQ(with("\"" + std::string(40, 'a') + "b\"", "^(a+)+$"), kUnknown);
    for (const char* claim : {"7", "null", "[\"a\"]", "true", "{}"})
        EXPECT_EQ(with(claim, ""), kUnknown) << claim;
    EXPECT_EQ(check("\"a\"", Op::kMatch, "a"), kUnknown) << "no pattern";
}

TEST(ClaimCheck, HoldsForNoUnknownOperator) {
    EXPECT_EQ(check("\"a\"", static_cast<Op>(99), "a"), kUnknown);
}

}  // namespace
}  // namespace gate::policy
