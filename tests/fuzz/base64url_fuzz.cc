// Base64url has one spelling per value: what decodes must encode to the same characters, and what
// is refused must differ from every encoding.
#include <algorithm>
#include <array>
#include <string>

#include "base/base64url.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace gate;

bool in_alphabet(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

void check_text(std::string_view text) {
    const auto decoded = base64url_decode(text);
    if (decoded) {
        GATE_INVARIANT(decoded->size() == text.size() * 3 / 4);
        GATE_INVARIANT(std::all_of(text.begin(), text.end(), in_alphabet));
        GATE_INVARIANT(base64url_encode(*decoded) == text);
    }
    // The form without allocation says the same, writes no further than it says, and refuses a
    // buffer that is too small.
    std::string room(base64url_decoded_size(text.size()) + 1, '\x5a');
    const auto out = std::span(reinterpret_cast<std::uint8_t*>(room.data()), room.size() - 1);
    const auto written = base64url_decode(text, out);
    GATE_INVARIANT(static_cast<bool>(written) == decoded.has_value());
    GATE_INVARIANT(room.back() == '\x5a');
    if (written) {
        GATE_INVARIANT(*written == decoded->size());
        GATE_INVARIANT(std::equal(decoded->begin(), decoded->end(), out.begin()));
    }
    if (!out.empty()) GATE_INVARIANT(!base64url_decode(text, out.subspan(1)));
}

void check_octets(Bytes octets) {
    const std::string text = base64url_encode(octets);
    const auto back = base64url_decode(text);
    GATE_INVARIANT(back && std::equal(back->begin(), back->end(), octets.begin(), octets.end()));
    GATE_INVARIANT(!base64url_decode(text + "="));
    // Any part is what the whole holds there, and nothing is written behind it.
    for (std::size_t offset = 0; offset < octets.size(); offset += 1 + octets.size() / 8) {
        const std::size_t size = octets[offset] % (octets.size() - offset + 1);
        ByteVector part(size + 1, 0x5a);
        base64url_decode_range(text, offset, std::span(part).first(size));
        GATE_INVARIANT(std::equal(part.begin(), part.end() - 1, octets.begin() + offset));
        GATE_INVARIANT(part.back() == 0x5a);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check_text(text_of({data, size}));
    check_octets({data, size});
    return 0;
}
