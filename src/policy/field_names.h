// gate_field: what the fields of the endpoints' requests are called, and in which unit they count.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "policy/request_fields.h"

namespace gate::policy {

enum class RequestField : std::uint8_t {
    kUsername,
    kPassword,
    kRefreshToken,
    kToken,
    kName,
    kLabel,
    kScopes,
    kRoles,
    kGroups,
    kExpires,
    kTtl,
    kOwner
};
inline constexpr std::size_t kRequestFields = 12;

// "username", "refresh_token", ..: what a field is called where the configuration says nothing.
std::string_view name_of(RequestField field) noexcept;
std::optional<RequestField> find_request_field(std::string_view name) noexcept;
// "username, password, ..", for messages.
std::string request_field_names();

// How kExpires and kTtl count: from now on in units, or as an instant.
enum class TimeUnit : std::uint8_t { kSeconds, kMinutes, kHours, kDays, kUnix, kRfc3339 };

// "s", "m", "h", "d", "unix".
std::optional<TimeUnit> find_time_unit(std::string_view name) noexcept;

class FieldNames {
public:
    FieldNames();

    // A name that one field is given is no other's any more by default. Errors are what a
    // directive's message goes on with: "has a name for ttl twice".
    Status<std::string> set(RequestField field, std::string_view json_name,
                            std::optional<TimeUnit> unit);

    // "", which no field of a request is called, where another one has the default name.
    std::string_view operator[](RequestField field) const noexcept { return entry(field).name; }
    TimeUnit unit(RequestField field) const noexcept { return entry(field).unit; }

private:
    struct Entry {
        std::string name;
        TimeUnit unit = TimeUnit::kSeconds;
        bool set = false;
    };
    const Entry& entry(RequestField field) const noexcept {
        return entries_[static_cast<std::size_t>(field)];
    }

    std::array<Entry, kRequestFields> entries_;
};

// When what the request asks for shall end: by kExpires or kTtl; nullopt for neither. Both at once,
// an instant that is not after `now`, and anything beyond 100 years are errors: sentences that name
// the field as the request does, never its value.
Result<std::optional<Seconds>, std::string> read_expiry(const RequestFields& fields,
                                                        const FieldNames& names, Seconds now);

}  // namespace gate::policy
