// Members of a JSON object that an operator wrote: what is not exactly right is refused, in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "jose/json.h"

namespace gate::jose {

// At most 1024 octets without control characters: of a name, an owner, a scope.
bool is_clean_text(std::string_view text) noexcept;

// Each function leaves its target alone when the member is absent. Errors are sentences: "member
// \"status\" is \"on\"; expected active or disabled", and with kHidden "member \"status\" is wrong;
// expected ..".
class MemberReader {
public:
    enum class Values : std::uint8_t { kShown, kHidden };
    MemberReader(Value object, Values in_errors) : object_(object), in_errors_(in_errors) {}

    Value member(std::string_view name) const noexcept { return object_.member(name); }

    // No members but these; "v" is that version where it is there.
    Status<std::string> check_members(std::span<const std::string_view> known, int version) const;
    Status<std::string> text(std::string_view name, std::string& target,
                             bool (*good)(std::string_view), std::string_view expected,
                             bool required) const;
    // Of strings that are not empty and is_clean_text().
    Status<std::string> list(std::string_view name, std::vector<std::string>& target) const;
    Status<std::string> instant(std::string_view name, std::optional<Seconds>& target) const;
    Status<std::string> object(std::string_view name, Document& target) const;

    // "member "x" is <value>; expected ..": the value is shown, cut, as it stands in the file.
    Failure<std::string> wrong(std::string_view name, std::string_view expected) const;

private:
    Value object_;
    Values in_errors_;
};

}  // namespace gate::jose
