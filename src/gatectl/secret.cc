// gatectl secret new.
#include <array>
#include <charconv>

#include "crypto/digest.h"
#include "gatectl/command.h"
#include "gatectl/encoding.h"
#include "gatectl/output.h"

namespace gate::ctl {

namespace {

constexpr std::size_t kMinOctets = 32;
constexpr std::size_t kMaxOctets = 1024;
constexpr std::size_t kDefaultOctets = 64;  // enough for HS512 (RFC 7518 section 3.2)

int run_new(const Arguments& arguments, Io& io) {
    std::size_t size = kDefaultOctets;
    if (const auto text = arguments.value("octets")) {
        const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), size);
        if (error != std::errc{} || end != text->data() + text->size() || size < kMinOctets ||
            size > kMaxOctets) {
            return misuse(io, "--octets: expected a number from 32 to 1024");
        }
    }
    if (arguments.has("hex") && arguments.has("base64")) {
        return misuse(io, "--hex and --base64 exclude each other");
    }
    ByteVector octets(size);
    if (!crypto::random_bytes(octets)) return refuse(io, "the machine has no entropy");
    const bool base64 = arguments.has("base64");
    std::string text = base64 ? encode_base64(octets) : to_hex(octets);
    if (arguments.has("json")) {
        JsonObject object;
        object.text("secret", text).text("encoding", base64 ? "base64" : "hex");
        io.out << object.str() << '\n';
    } else {
        io.out << text << '\n';
    }
    wipe(text.data(), text.size());
    wipe(octets.data(), octets.size());
    return kDone;
}

constexpr std::array kNewOptions{
    Option{"octets", "N", "how many random octets (64)"},
    Option{"hex", "", "write them in hexadecimal (default)"},
    Option{"base64", "", "write them in base64"},
    Option{"json", "", "print JSON"},
};

constexpr std::array<Command, 1> kCommands{{
    {"secret new", "", "Make a random secret for a file",
     "The text serves secret_file= of a gate_issuer block, with hex or base64 as written or as\n"
     "text, and pepper_file of a gate_keys block. Keep it private:\n\n"
     "  (umask 077; gatectl secret new >/etc/nginx/hs.secret)",
     kNewOptions, 0, 0, run_new},
}};

}  // namespace

std::span<const Command> secret_commands() {
    return kCommands;
}

}  // namespace gate::ctl
