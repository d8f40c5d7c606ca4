#include "policy/metrics_form.h"

#include <array>
#include <charconv>

namespace gate::policy {

std::string escaped_value(std::string_view value) {
    std::string out;
    std::size_t whole = 0;  // octets of `out` that end with a whole character
    for (const char c : value) {
        const bool continues = (static_cast<unsigned char>(c) & 0xc0) == 0x80;
        if (!continues) whole = out.size();
        if (c == '\n') {
            out += "\\n";
        } else {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        if (out.size() > kMaxLabelValue) return out.substr(0, whole);
    }
    return out;
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
    if (out.back() != ' ' && out.back() != '{') out += ',';
    out.append(name).append("=\"").append(escaped_value(value)).append("\"");
}

std::string series_text(std::string_view family, Labels labels) {
    std::string out(family);
    out += ' ';
    for (const auto& [name, value] : labels) append_label(out, name, value);
    return out;
}

std::pair<std::string_view, std::string_view> split_series(std::string_view text) {
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return {text, {}};
    return {text.substr(0, blank), text.substr(blank + 1)};
}

void append_number(std::string& out, std::uint64_t value) {
    out += std::to_string(value);
}

void append_seconds(std::string& out, double value, int places) {
    std::array<char, 64> text;
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value,
                                            std::chars_format::fixed, places);
    out.append(text.data(), error == std::errc() ? end : text.data());
}

void begin_family(std::string& out, std::string_view metric, std::string_view type,
                  std::string_view help) {
    out.append("# HELP ").append(metric).append(" ").append(help).append("\n");
    out.append("# TYPE ").append(metric).append(" ").append(type).append("\n");
}

}  // namespace gate::policy
