#include "jose/member_reader.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/json_text.h"

namespace gate::jose {

namespace {

constexpr std::size_t kMaxTextSize = 1024;
constexpr Seconds kMaxInstant = 253402300799;  // 9999-12-31T23:59:59Z, the last of RFC 3339

}  // namespace

bool is_clean_text(std::string_view text) noexcept {
    return text.size() <= kMaxTextSize && !has_control_character(text);
}

Status<std::string> MemberReader::check_members(std::span<const std::string_view> known,
                                                int version) const {
    for (std::string_view name : object_.member_names()) {
        if (std::ranges::find(known, name) != known.end()) continue;
        std::string all;
        for (std::string_view member : known) {
            all += (all.empty() ? "" : ", ") + std::string(member);
        }
        return fail("member " + json_string(name) + " is unknown; known are " + all);
    }
    const Value told = object_.member("v");
    if (told.present() && told.integer() != version) return wrong("v", std::to_string(version));
    return Done{};
}

Status<std::string> MemberReader::text(std::string_view name, std::string& target,
                                       bool (*good)(std::string_view), std::string_view expected,
                                       bool required) const {
    const Value value = object_.member(name);
    if (!value.present() && !required) return Done{};
    const auto found = value.string();
    if (!found || !good(*found)) return wrong(name, expected);
    target = *found;
    return Done{};
}

Status<std::string> MemberReader::list(std::string_view name,
                                       std::vector<std::string>& target) const {
    const Value value = object_.member(name);
    if (!value.present()) return Done{};
    const std::string expected = "an array of non-empty strings without control characters";
    if (!value.is(Value::Kind::kArray)) return wrong(name, expected);
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto element = value.at(i).string();
        if (!element || element->empty() || !is_clean_text(*element)) return wrong(name, expected);
        target.emplace_back(*element);
    }
    return Done{};
}

Status<std::string> MemberReader::instant(std::string_view name,
                                          std::optional<Seconds>& target) const {
    const Value value = object_.member(name);
    if (!value.present()) return Done{};
    std::optional<Seconds> when = value.integer();
    if (const auto text_form = value.string()) when = parse_rfc3339(*text_form);
    if (!when || *when < 0 || *when > kMaxInstant) {
        return wrong(name, "an instant such as \"2030-01-31T00:00:00Z\"");
    }
    target = when;
    return Done{};
}

Status<std::string> MemberReader::object(std::string_view name, Document& target) const {
    const Value value = object_.member(name);
    if (!value.present()) return Done{};
    auto parsed = Document::parse(value.dump());
    if (!parsed) return wrong(name, "an object");
    target = *std::move(parsed);
    return Done{};
}

Failure<std::string> MemberReader::wrong(std::string_view name, std::string_view expected) const {
    constexpr std::size_t kShown = 60;
    const Value value = object_.member(name);
    std::string shown = "missing";
    if (value.present()) {
        shown = in_errors_ == Values::kShown ? value.dump() : "wrong";
        if (shown.size() > kShown) shown = shown.substr(0, kShown) + "..";
    }
    return fail("member " + json_string(name) + " is " + shown + "; expected " +
                std::string(expected));
}

}  // namespace gate::jose
