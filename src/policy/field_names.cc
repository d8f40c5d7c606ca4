#include "policy/field_names.h"

#include <utility>

#include "base/ascii.h"

namespace gate::policy {

namespace {

constexpr std::array<std::string_view, kRequestFields> kNames{
    "username", "password", "refresh_token", "token",   "name", "label",
    "scopes",   "roles",    "groups",        "expires", "ttl",  "owner"};

constexpr Seconds kMaxLifetime = Seconds{100} * 365 * 86400;

bool has_unit(RequestField field) noexcept {
    return field == RequestField::kExpires || field == RequestField::kTtl;
}

// How many seconds one is, and what people call it; 0 for an instant.
std::pair<Seconds, std::string_view> measure_of(TimeUnit unit) noexcept {
    switch (unit) {
        case TimeUnit::kSeconds:
            return {1, "seconds"};
        case TimeUnit::kMinutes:
            return {60, "minutes"};
        case TimeUnit::kHours:
            return {3600, "hours"};
        case TimeUnit::kDays:
            return {86400, "days"};
        case TimeUnit::kUnix:
        case TimeUnit::kRfc3339:
            break;
    }
    return {0, ""};
}

using Expiry = Result<std::optional<Seconds>, std::string>;

std::string about(std::string_view name) {
    return "field \"" + std::string(name) + "\" ";
}

Expiry from_now(const RequestFields& fields, std::string_view name, TimeUnit unit, Seconds now) {
    const auto [length, units] = measure_of(unit);
    auto count = fields.integer(name);
    if (!count || !*count) return count;
    if (**count < 1 || **count > kMaxLifetime / length) {
        return fail(about(name) + "is out of range; expected 1 to " +
                    std::to_string(kMaxLifetime / length) + " " + std::string(units));
    }
    return std::optional<Seconds>(now + **count * length);
}

Expiry at_instant(const RequestFields& fields, std::string_view name, TimeUnit unit, Seconds now) {
    auto when = fields.instant(name);
    if (unit == TimeUnit::kUnix && (!when || !fields.integer(name))) {
        return fail(about(name) + "is wrong; expected Unix seconds");
    }
    if (!when || !*when) return when;
    if (**when <= now) return fail(about(name) + "is in the past; expected a later instant");
    if (**when - now > kMaxLifetime) {
        return fail(about(name) + "is more than 100 years away; expected an earlier instant");
    }
    return when;
}

Expiry read(const RequestFields& fields, const FieldNames& names, RequestField field, Seconds now) {
    const TimeUnit unit = names.unit(field);
    return measure_of(unit).first != 0 ? from_now(fields, names[field], unit, now)
                                       : at_instant(fields, names[field], unit, now);
}

}  // namespace

std::string_view name_of(RequestField field) noexcept {
    return kNames[static_cast<std::size_t>(field)];
}

std::optional<RequestField> find_request_field(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<RequestField>(i);
    }
    return std::nullopt;
}

std::string request_field_names() {
    std::string names;
    for (const std::string_view name : kNames) names.append(names.empty() ? "" : ", ").append(name);
    return names;
}

std::optional<TimeUnit> find_time_unit(std::string_view name) noexcept {
    constexpr std::array<std::pair<std::string_view, TimeUnit>, 5> kUnits{
        {{"s", TimeUnit::kSeconds},
         {"m", TimeUnit::kMinutes},
         {"h", TimeUnit::kHours},
         {"d", TimeUnit::kDays},
         {"unix", TimeUnit::kUnix}}};
    for (const auto& [known, unit] : kUnits) {
        if (known == name) return unit;
    }
    return std::nullopt;
}

FieldNames::FieldNames() {
    for (std::size_t i = 0; i < kNames.size(); ++i) entries_[i].name = kNames[i];
    entries_[static_cast<std::size_t>(RequestField::kExpires)].unit = TimeUnit::kRfc3339;
}

Status<std::string> FieldNames::set(RequestField field, std::string_view json_name,
                                    std::optional<TimeUnit> unit) {
    const std::string name(name_of(field));
    Entry& target = entries_[static_cast<std::size_t>(field)];
    if (target.set) return fail("has a name for " + name + " twice");
    if (json_name.empty() || has_control_character(json_name)) {
        return fail("has no usable name for " + name +
                    "; expected text without control characters");
    }
    if (unit && !has_unit(field)) {
        return fail("has a unit for " + name + "; only expires and ttl have one");
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (entries_[i].name != json_name || &entries_[i] == &target) continue;
        if (entries_[i].set) {
            return fail("has the name \"" + std::string(json_name) + "\" for " +
                        std::string(kNames[i]) + " and " + name);
        }
        entries_[i].name.clear();
    }
    target.name = json_name;
    target.set = true;
    if (unit) target.unit = *unit;
    return Done{};
}

Result<std::optional<Seconds>, std::string> read_expiry(const RequestFields& fields,
                                                        const FieldNames& names, Seconds now) {
    const auto expires = read(fields, names, RequestField::kExpires, now);
    if (!expires) return expires;
    const auto ttl = read(fields, names, RequestField::kTtl, now);
    if (!ttl) return ttl;
    if (*expires && *ttl) {
        return fail(about(names[RequestField::kExpires]) + "and " +
                    about(names[RequestField::kTtl]) + "contradict each other; send one of them");
    }
    return *expires ? expires : ttl;
}

}  // namespace gate::policy
