#include "policy/field_names.h"

#include <gtest/gtest.h>

namespace gate::policy {
namespace {

constexpr Seconds kNow = 1700000000;
constexpr Seconds kCentury = Seconds{100} * 365 * 86400;

FieldNames names(RequestField field, std::string_view name, std::optional<TimeUnit> unit = {}) {
    FieldNames names;
    const auto done = names.set(field, name, unit);
    EXPECT_TRUE(done) << done.error();
    return names;
}

// Seconds from now, "-" for none, or the error.
std::string expiry(std::string_view body, const FieldNames& names = {}) {
    const auto fields = RequestFields::parse("", body);
    EXPECT_TRUE(fields);
    const auto expiry = read_expiry(*fields, names, kNow);
    if (!expiry) return expiry.error();
    return *expiry ? std::to_string(**expiry - kNow) : "-";
}

TEST(FieldNames, AreTheStandardOnesAtFirst) {
    const FieldNames names;
    for (std::size_t i = 0; i < kRequestFields; ++i) {
        const auto field = static_cast<RequestField>(i);
        EXPECT_EQ(names[field], name_of(field));
        EXPECT_EQ(find_request_field(name_of(field)), field);
    }
    EXPECT_EQ(find_request_field("Name"), std::nullopt);
    EXPECT_EQ(names.unit(RequestField::kTtl), TimeUnit::kSeconds);
    EXPECT_EQ(names.unit(RequestField::kExpires), TimeUnit::kRfc3339);
    EXPECT_EQ(request_field_names(),
              "username, password, refresh_token, token, name, label, scopes, roles, groups, "
              "expires, ttl, owner");
}

TEST(FieldNames, TakeNamesOfALegacyInterface) {
    FieldNames names;
    EXPECT_TRUE(names.set(RequestField::kUsername, "email", {}));
    EXPECT_TRUE(names.set(RequestField::kTtl, "valid_days", TimeUnit::kDays));
    EXPECT_EQ(names[RequestField::kUsername], "email");
    EXPECT_EQ(names[RequestField::kTtl], "valid_days");
    EXPECT_EQ(names.unit(RequestField::kTtl), TimeUnit::kDays);
    EXPECT_EQ(names[RequestField::kPassword], "password");
    EXPECT_EQ(names.set(RequestField::kTtl, "x", {}).error(), "has a name for ttl twice");
    EXPECT_EQ(names.set(RequestField::kOwner, "email", {}).error(),
              "has the name \"email\" for username and owner");
    EXPECT_EQ(names.set(RequestField::kName, "n", TimeUnit::kHours).error(),
              "has a unit for name; only expires and ttl have one");
    for (const char* bad : {"", "a\nb", "\x7f"}) {
        EXPECT_EQ(names.set(RequestField::kName, bad, {}).error(),
                  "has no usable name for name; expected text without control characters");
    }
    EXPECT_TRUE(names.set(RequestField::kName, "\xc3\xa4 b", {}));
}

TEST(FieldNames, GiveADefaultNameToOneFieldOnly) {
    FieldNames names;
    ASSERT_TRUE(names.set(RequestField::kTtl, "expires", TimeUnit::kDays));
    EXPECT_EQ(names[RequestField::kExpires], "");
    EXPECT_EQ(expiry(R"({"expires":2,"":"2030-01-01T00:00:00Z"})", names), "172800");
    ASSERT_TRUE(names.set(RequestField::kExpires, "until", {}));
    EXPECT_EQ(names[RequestField::kExpires], "until");
    EXPECT_EQ(expiry(R"({"until":1700000009})", names), "9");
}

TEST(TimeUnit, HasNames) {
    EXPECT_EQ(find_time_unit("s"), TimeUnit::kSeconds);
    EXPECT_EQ(find_time_unit("m"), TimeUnit::kMinutes);
    EXPECT_EQ(find_time_unit("h"), TimeUnit::kHours);
    EXPECT_EQ(find_time_unit("d"), TimeUnit::kDays);
    EXPECT_EQ(find_time_unit("unix"), TimeUnit::kUnix);
    EXPECT_EQ(find_time_unit("w"), std::nullopt);
    EXPECT_EQ(find_time_unit(""), std::nullopt);
}

TEST(Expiry, IsNoneWhereNothingIsAsked) {
    EXPECT_EQ(expiry(""), "-");
    EXPECT_EQ(expiry(R"({"ttl":null,"expires":null,"name":"x"})"), "-");
}

TEST(Expiry, CountsFromNow) {
    EXPECT_EQ(expiry("ttl=90"), "90");
    EXPECT_EQ(expiry(R"({"ttl":1})"), "1");
    EXPECT_EQ(expiry("t=3", names(RequestField::kTtl, "t", TimeUnit::kMinutes)), "180");
    EXPECT_EQ(expiry("t=3", names(RequestField::kTtl, "t", TimeUnit::kHours)), "10800");
    EXPECT_EQ(expiry("t=3", names(RequestField::kTtl, "t", TimeUnit::kDays)), "259200");
    EXPECT_EQ(expiry("d=3", names(RequestField::kExpires, "d", TimeUnit::kDays)), "259200");
    EXPECT_EQ(expiry("ttl=3153600000"), std::to_string(kCentury));
    EXPECT_EQ(expiry("ttl=3153600001"),
              "field \"ttl\" is out of range; expected 1 to 3153600000 seconds");
    EXPECT_EQ(expiry("t=36501", names(RequestField::kTtl, "t", TimeUnit::kDays)),
              "field \"t\" is out of range; expected 1 to 36500 days");
    EXPECT_NE(expiry("ttl=0").find("out of range"), std::string::npos);
    EXPECT_NE(expiry("ttl=-1").find("out of range"), std::string::npos);
    EXPECT_EQ(expiry("ttl=1d"), "field \"ttl\" is wrong; expected an integer");
}

TEST(Expiry, IsAnInstant) {
    EXPECT_EQ(expiry(R"({"expires":"2023-11-14T22:13:21Z"})"), "1");
    EXPECT_EQ(expiry(R"({"expires":1700000001})"), "1");
    const FieldNames unix_seconds = names(RequestField::kTtl, "exp", TimeUnit::kUnix);
    EXPECT_EQ(expiry("exp=1700000001", unix_seconds), "1");
    EXPECT_EQ(expiry("exp=2023-11-14T22:13:21Z", unix_seconds),
              "field \"exp\" is wrong; expected Unix seconds");
    EXPECT_EQ(expiry("exp=-1", unix_seconds), "field \"exp\" is wrong; expected Unix seconds");
    EXPECT_EQ(expiry(R"({"expires":1700000000})"),
              "field \"expires\" is in the past; expected a later instant");
    EXPECT_EQ(expiry(R"({"expires":4853600000})"), std::to_string(kCentury));
    EXPECT_EQ(expiry(R"({"expires":4853600001})"),
              "field \"expires\" is more than 100 years away; expected an earlier instant");
    EXPECT_EQ(expiry(R"({"expires":"soon"})"),
              "field \"expires\" is wrong; expected an instant such as \"2030-01-31T00:00:00Z\"");
}

TEST(Expiry, IsSaidOnce) {
    EXPECT_EQ(expiry("ttl=9&expires=1700000009"),
              "field \"expires\" and field \"ttl\" contradict each other; send one of them");
    EXPECT_EQ(expiry(R"({"ttl":9,"expires":null})"), "9");
    EXPECT_EQ(expiry(R"({"ttl":"x","expires":1700000009})"),
              "field \"ttl\" is wrong; expected an integer");
}

}  // namespace
}  // namespace gate::policy
