// The fields of a request's body: the members of a JSON object, or the pairs of an HTML form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "jose/json.h"

namespace gate::policy {

enum class BodyForm : std::uint8_t { kJson, kForm };

// A body whose first octet behind blanks is '{' is JSON whatever its Content-Type says: curl -d
// sends JSON as a form. Else the media type decides, "" is a form's; nullopt for any but those two.
std::optional<BodyForm> body_form(std::string_view content_type, std::string_view body) noexcept;

enum class BodyProblem : std::uint8_t { kMalformed, kTooLarge, kMediaType };

// 400, 413, 415.
int status_of(BodyProblem problem) noexcept;

struct BodyError {
    BodyProblem problem;
    std::string text;  // a sentence without any value of the body
};

// Passwords and tokens are among the values: what is kept of the body is wiped in the end (what
// jansson's parser copied in passing is not). Views stay valid as long as the object, or the one
// that it was moved to, lives.
class RequestFields {
public:
    static constexpr std::size_t kMaxBody = 64 * 1024;
    static constexpr std::size_t kMaxFields = 64;

    // The body as it came and the value of Content-Type, "" for none. An empty or blank body has no
    // fields, whatever its type. Forms are decoded as WHATWG's URL standard says, but %XX must be
    // hexadecimal and the whole UTF-8. A name that comes twice, or a NUL anywhere, is malformed.
    static Result<RequestFields, BodyError> parse(std::string_view content_type,
                                                  std::string_view body);

    RequestFields(RequestFields&&) = default;
    RequestFields& operator=(RequestFields&& other) noexcept;
    RequestFields(const RequestFields&) = delete;
    RequestFields& operator=(const RequestFields&) = delete;
    ~RequestFields() { wipe_strings(); }

    // nullopt: there is no such field, or it is null; none is called "". Errors are sentences that
    // name the field and what was expected, never the value.
    template <class T>
    using Read = Result<std::optional<T>, std::string>;

    Read<std::string_view> text(std::string_view name) const;
    // A JSON integer, or decimal text.
    Read<std::int64_t> integer(std::string_view name) const;
    // true or false, also as text.
    Read<bool> boolean(std::string_view name) const;
    // RFC 3339 in UTC, or Unix seconds as integer() reads them; years 1970 to 9999.
    Read<Seconds> instant(std::string_view name) const;
    // An array of strings, or one text that is split at blanks.
    Read<std::vector<std::string_view>> list(std::string_view name) const;

    // Whether there is such a field that is not null.
    bool present(std::string_view name) const { return find(name).has_value(); }
    // Of all fields, those that are null too.
    std::vector<std::string_view> names() const;

private:
    struct Field {
        jose::Value json;                      // absent in a form
        std::optional<std::string_view> text;  // of a form, or a string
        std::optional<std::int64_t> integer() const noexcept;
    };

    RequestFields() = default;
    Status<BodyError> read_json(std::string_view body);
    Status<BodyError> read_form(std::string_view body);
    std::optional<Field> find(std::string_view name) const;
    void wipe_strings() noexcept;

    jose::Document document_;
    std::vector<std::string_view> strings_;  // of document_
    Secret decoded_;                         // what the pairs point into
    std::vector<std::pair<std::string_view, std::string_view>> pairs_;
};

}  // namespace gate::policy
