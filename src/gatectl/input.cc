#include "gatectl/input.h"

#include <arpa/inet.h>

#include "base/json_text.h"

namespace gate::ctl {

Secret read_credential(std::istream& in) {
    std::string text(kMaxInput, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    std::string_view read(text.data(), static_cast<std::size_t>(in.gcount()));
    while (!read.empty() && (read.back() == '\n' || read.back() == '\r')) read.remove_suffix(1);
    Secret secret(bytes_of(read));
    wipe(text.data(), text.size());
    return secret;
}

std::string_view first_line(std::string_view text) noexcept {
    text = text.substr(0, text.find('\n'));
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

Secret read_line(std::istream& in) {
    constexpr std::size_t kMost = 4096;
    std::string line;
    line.reserve(kMost);  // so that no copy of it stays behind
    for (char c = 0; line.size() < kMost && in.get(c) && c != '\n';) line += c;
    Secret secret(bytes_of(first_line(line)));
    wipe(line.data(), line.size());
    return secret;
}

Result<std::optional<ByteVector>, std::string> parse_address_option(const Arguments& arguments) {
    const auto text = arguments.value("address");
    if (!text) return std::optional<ByteVector>();
    ByteVector octets(16);
    if (inet_pton(AF_INET6, text->c_str(), octets.data()) == 1) return std::optional(octets);
    octets.resize(4);
    if (inet_pton(AF_INET, text->c_str(), octets.data()) == 1) return std::optional(octets);
    return fail("--address: " + json_string(*text) + " is no address");
}

}  // namespace gate::ctl
