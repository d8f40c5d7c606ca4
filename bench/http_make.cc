// http_make tokens COUNT KEY.pem HEADER PAYLOAD OUT: RS256 tokens, one a line; "%07d" in the
// payload becomes the number of the token.
// http_make journal COUNT OUT: a journal of revoked ids (src/cache/journal.h), none of which a
// token of the benchmark carries. Stands on its own, so that a benchmark of two versions of the
// core gets the same input.
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace {

void must(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "http_make: cannot %s\n", what);
    std::exit(2);
}

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_MD_CTX* ctx) const { EVP_MD_CTX_free(ctx); }
};

std::string base64url(std::string_view octets) {
    std::string out(4 * (octets.size() / 3 + 1) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(octets.data()),
                                     static_cast<int>(octets.size()));
    out.resize(static_cast<std::size_t>(size));
    while (!out.empty() && out.back() == '=') out.pop_back();
    for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return out;
}

std::string sign(EVP_PKEY* key, std::string_view input) {
    const std::unique_ptr<EVP_MD_CTX, Close> ctx(EVP_MD_CTX_new());
    std::array<unsigned char, 1024> signature{};
    std::size_t size = signature.size();
    must(
        EVP_DigestSignInit(ctx.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
            EVP_DigestSign(ctx.get(), signature.data(), &size,
                           reinterpret_cast<const unsigned char*>(input.data()), input.size()) == 1,
        "sign");
    return {reinterpret_cast<const char*>(signature.data()), size};
}

void write_tokens(int count, const char* pem, std::string_view header, std::string_view payload,
                  std::FILE* out) {
    const std::unique_ptr<std::FILE, Close> file(std::fopen(pem, "re"));
    must(file != nullptr, "open the key");
    const std::unique_ptr<EVP_PKEY, Close> key(
        PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr));
    must(key != nullptr, "read the key");
    const std::string head = base64url(header) + '.';
    constexpr std::string_view kPlace = "%07d";
    for (int number = 1; number <= count; ++number) {
        std::array<char, 16> digits{};
        std::snprintf(digits.data(), digits.size(), "%07d", number);
        std::string text(payload);
        for (std::size_t at = 0; (at = text.find(kPlace, at)) != std::string::npos;) {
            text.replace(at, kPlace.size(), digits.data());
        }
        const std::string input = head + base64url(text);
        std::fprintf(out, "%s.%s\n", input.c_str(), base64url(sign(key.get(), input)).c_str());
    }
}

// CRC-32C (RFC 3720 appendix B.4), bit by bit turned into a table.
std::uint32_t crc32c(std::string_view text) {
    static const auto table = [] {
        std::array<std::uint32_t, 256> out{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78U : 0);
            }
            out[i] = value;
        }
        return out;
    }();
    std::uint32_t crc = 0xffffffffU;
    for (const char c : text) {
        crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xff];
    }
    return ~crc;
}

// The last entry names a token that proves, by its refusal, that all were read.
void write_journal(int count, std::FILE* out) {
    for (int number = 1; number <= count; ++number) {
        std::array<char, 32> name{"c2b7a59999999"};
        if (number < count) std::snprintf(name.data(), name.size(), "revoked-%08d", number);
        std::array<char, 256> line{};
        std::snprintf(line.data(), line.size(),
                      "2026-01-01T00:00:00Z jti https%%3A%%2F%%2Fidp.example.com%%2Frealms%%2Fcorp "
                      "%s - 2099-01-01T00:00:00Z",
                      name.data());
        std::fprintf(out, "%08x %s\n", crc32c(line.data()), line.data());
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc > 2 ? argv[1] : "";
    const bool tokens = what == "tokens" && argc == 7;
    must(tokens || (what == "journal" && argc == 4), "understand the arguments");
    const std::unique_ptr<std::FILE, Close> out(std::fopen(argv[argc - 1], "we"));
    must(out != nullptr, "write the output");
    if (tokens) {
        write_tokens(std::atoi(argv[2]), argv[3], argv[4], argv[5], out.get());
    } else {
        write_journal(std::atoi(argv[2]), out.get());
    }
    return std::ferror(out.get()) != 0 ? 1 : 0;
}
