// Pieces of the Prometheus text form (version 0.0.4).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace gate::policy {

// Octets of a label's value at most, after escaping: with three of them the text of a series fits
// into its place in the zone. Longer ones are cut.
inline constexpr std::size_t kMaxLabelValue = 64;

// A label's value; a cut never leaves half an escape or half a character.
std::string escaped_value(std::string_view value);

// `name="value"`, behind a comma unless `out` ends with a blank or a brace.
void append_label(std::string& out, std::string_view name, std::string_view value);

// The text of a series: `family name="value",..`.
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
std::string series_text(std::string_view family, Labels labels);
// The family of such a text, and the labels behind it.
std::pair<std::string_view, std::string_view> split_series(std::string_view text);

void append_number(std::string& out, std::uint64_t value);

// Seconds with so many decimal places.
void append_seconds(std::string& out, double value, int places = 3);

// The two lines before the samples of a family.
void begin_family(std::string& out, std::string_view metric, std::string_view type,
                  std::string_view help);

}  // namespace gate::policy
