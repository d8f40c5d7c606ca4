#include "tests/mutate/mutator.h"

#include <algorithm>
#include <array>

#include "base/base64url.h"
#include "crypto/digest.h"

namespace gate::mutate {

namespace {

std::string encoded(std::string_view text) {
    return base64url_encode(bytes_of(text));
}

std::string decoded(const std::string& part) {
    const auto octets = base64url_decode(part);
    return octets ? std::string(text_of(*octets)) : std::string();
}

// Replaces the first `from`; the text as it was where there is none.
std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

}  // namespace

std::size_t Mutator::below(std::size_t limit) {
    return static_cast<std::size_t>(random_() % limit);
}

Mutator::Parts Mutator::parts_of(const std::string& text) {
    const std::size_t first = text.find('.');
    const std::size_t second = text.find('.', first + 1);
    return {text.substr(0, first), text.substr(first + 1, second - first - 1),
            text.substr(second + 1)};
}

std::string Mutator::flip_bits(std::string octets) {
    if (octets.empty()) return octets;
    for (std::size_t n = 1 + below(3); n-- > 0;) {
        char& octet = octets[below(octets.size())];
        octet = static_cast<char>(octet ^ 1 << below(8));
    }
    return octets;
}

// Inserts, drops, doubles, cuts or overwrites octets.
std::string Mutator::edit(std::string octets) {
    if (octets.empty()) return std::string(1, static_cast<char>(below(256)));
    const std::size_t at = below(octets.size());
    const std::size_t size = 1 + below(std::min<std::size_t>(octets.size() - at, 8));
    switch (below(5)) {
        case 0:
            return octets.insert(at, 1, static_cast<char>(below(256)));
        case 1:
            return octets.erase(at, size);
        case 2:
            return octets.insert(at, octets.substr(at, size));
        case 3:
            return octets.substr(0, at);
        default:
            octets[at] = static_cast<char>(below(256));
            return octets;
    }
}

Mutant Mutator::change_text(const Valid& valid) {
    const bool flips = chance(2);
    return {flips ? flip_bits(valid.text) : edit(valid.text), flips ? "bits flipped" : "edited"};
}

// The change is made below base64url, so that the token stays well formed.
Mutant Mutator::change_part(const Valid& valid) {
    Parts parts = parts_of(valid.text);
    std::string& part = chance(2) ? parts.header : parts.payload;
    const std::string octets = decoded(part);
    part = encoded(chance(2) ? flip_bits(octets) : edit(octets));
    return {parts.text(), "part changed"};
}

Mutant Mutator::change_signature(const Valid& valid) {
    Parts parts = parts_of(valid.text);
    std::string octets = decoded(parts.signature);
    switch (below(5)) {
        case 0:
            octets = edit(octets);
            break;
        case 1:
            octets = std::string(octets.size(), chance(2) ? '\0' : '\xff');
            break;
        case 2:  // halves exchanged: R and S of ECDSA and EdDSA
            std::rotate(octets.begin(),
                        octets.begin() + static_cast<std::ptrdiff_t>(octets.size() / 2),
                        octets.end());
            break;
        case 3:
            octets.insert(chance(2) ? 0 : octets.size(), 1, '\0');
            break;
        default:
            octets = flip_bits(octets);
    }
    parts.signature = encoded(octets);
    return {parts.text(), "signature changed"};
}

Mutant Mutator::swap_parts(const Valid& valid) {
    Parts parts = parts_of(valid.text);
    const Parts other = parts_of(any_valid().text);
    switch (below(6)) {
        case 0:
            parts.signature = other.signature;
            break;
        case 1:
            parts.header = other.header;
            break;
        case 2:
            std::swap(parts.header, parts.payload);
            break;
        case 3:
            std::swap(parts.payload, parts.signature);
            break;
        case 4:
            return {parts.header + '.' + parts.payload + (chance(2) ? "." : ""), "cut short"};
        default:
            return {valid.text + '.' + other.signature, "a fourth part"};
    }
    return {parts.text(), "parts swapped"};
}

Mutant Mutator::edit_header(const Valid& valid) {
    constexpr std::array<std::string_view, 18> kAlgs{
        "none",  "None",  "HS256", "HS384", "HS512", "RS256",  "RS384", "RS512", "PS256",
        "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "rs256", ""};
    constexpr std::array<std::string_view, 10> kExtra{R"("crit":["exp"],)",
                                                      R"("b64":false,)",
                                                      R"("enc":"A128GCM",)",
                                                      R"("zip":"DEF",)",
                                                      R"("jwk":{"kty":"oct","k":"AAAA"},)",
                                                      R"("jku":"https://x.test/",)",
                                                      R"("kid":"x",)",
                                                      R"("alg":"none",)",
                                                      R"("x5c":["AAAA"],)",
                                                      R"("typ":1,)"};
    constexpr std::array<std::string_view, 6> kKids{"rsa", "ec", "ed", "oct", "", "../../etc"};
    Parts parts = parts_of(valid.text);
    std::string header = decoded(parts.header);
    const std::string name(crypto::info(valid.alg).name);
    switch (below(3)) {
        case 0:
            header = replaced(header, name, kAlgs[below(kAlgs.size())]);
            break;
        case 1:
            header.insert(1, kExtra[below(kExtra.size())]);
            break;
        default:
            header = replaced(header, R"("typ":"JWT")",
                              R"("kid":")" + std::string(kKids[below(kKids.size())]) + '"');
    }
    parts.header = encoded(header);
    if (chance(4)) parts.signature.clear();
    return {parts.text(), "header edited"};
}

Mutant Mutator::edit_payload(const Valid& valid) {
    constexpr std::array<std::array<std::string_view, 2>, 8> kEdits{{{"alice", "admin"},
                                                                     {"4102444800", "4102444801"},
                                                                     {"orders:read", "orders:*"},
                                                                     {"staff", "admin"},
                                                                     {"{", "{ "},
                                                                     {"}", ",\"admin\":true}"},
                                                                     {"\"sub\"", "\"sub\":1,\"x\""},
                                                                     {"1700000000", "1600000000"}}};
    Parts parts = parts_of(valid.text);
    const auto& [from, to] = kEdits[below(kEdits.size())];
    parts.payload = encoded(replaced(decoded(parts.payload), from, to));
    return {parts.text(), "payload edited"};
}

// The same octets, spelled as strict base64url does not allow.
Mutant Mutator::respell(const Valid& valid) {
    std::string text = valid.text;
    switch (below(6)) {
        case 0:
            text += chance(2) ? "=" : "==";
            break;
        case 1:
            std::ranges::replace(text, '-', '+');
            std::ranges::replace(text, '_', '/');
            break;
        case 2:  // spare bits of the last character
            text.back() = static_cast<char>(text.back() + 1);
            break;
        case 3:
            text.insert(below(text.size() + 1), 1, "\n\t \r\0"[below(5)]);
            break;
        case 4:
            text.insert(chance(2) ? 0 : text.size(), chance(2) ? " " : "\"");
            break;
        default:
            text.insert(text.find('.'), "=");
    }
    return {text, "spelled otherwise"};
}

// HMAC under what an attacker knows: public key octets, nothing, the header.
Mutant Mutator::confuse_key(const Valid& valid) {
    Parts parts = parts_of(valid.text);
    const std::string name(crypto::info(valid.alg).name);
    parts.header = encoded(replaced(decoded(parts.header), name, "HS256"));
    const std::string input = parts.header + '.' + parts.payload;
    const std::string secret = chance(3) ? std::string() : world_.public_octets;
    const ByteVector raw = base64url_decode(secret).value_or(ByteVector());
    const Bytes key = chance(2) ? Bytes(raw) : bytes_of(secret);
    parts.signature = base64url_encode(crypto::hmac_sha256(key, bytes_of(input)));
    return {parts.text(), "signed with public octets"};
}

Mutant Mutator::wrong_keys(const Valid& valid) {
    const bool secret = valid.alg == crypto::Alg::kHS256;
    return {valid.text, "judged with other keys",
            secret == chance(4) ? &world_.strangers : &world_.strange_secret};
}

Mutant Mutator::next() {
    const Valid& valid = any_valid();
    Mutant mutant;
    switch (below(12)) {
        case 0:
        case 1:
            mutant = change_text(valid);
            break;
        case 2:
        case 3:
            mutant = change_part(valid);
            break;
        case 4:
        case 5:
            mutant = change_signature(valid);
            break;
        case 6:
            mutant = swap_parts(valid);
            break;
        case 7:
            mutant = edit_header(valid);
            break;
        case 8:
            mutant = edit_payload(valid);
            break;
        case 9:
            mutant = respell(valid);
            break;
        case 10:
            mutant = confuse_key(valid);
            break;
        default:
            mutant = wrong_keys(valid);
    }
    mutant.what = valid.name + ", " + mutant.what;
    return mutant;
}

}  // namespace gate::mutate
