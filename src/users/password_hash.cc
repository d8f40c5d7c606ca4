#include "users/password_hash.h"

#include <crypt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "users/htpasswd_hash.h"

namespace gate::users {

namespace {

static_assert(kMaxPassword + 1 == CRYPT_MAX_PASSPHRASE_SIZE);

constexpr std::string_view kDigits =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kMaxHash = 256;
// Hashed in place of a password that cannot match. Of the length of many: sha-crypt takes longer
// for long ones.
constexpr std::string_view kStandIn = "stand-in";
constexpr std::string_view kRemedy = "; set a new password with \"gatectl user passwd\"";

enum class Family : std::uint8_t { kYescrypt, kScrypt, kBcrypt, kSha, kHtpasswd };

struct Scheme {
    std::string_view prefix;
    Family family;
    std::size_t digits;  // behind the last '$'
};

constexpr std::array<Scheme, 11> kSchemes{{{"$y$", Family::kYescrypt, 43},
                                           {"$gy$", Family::kYescrypt, 43},
                                           {"$7$", Family::kScrypt, 43},
                                           {"$2a$", Family::kBcrypt, 53},
                                           {"$2b$", Family::kBcrypt, 53},
                                           {"$2y$", Family::kBcrypt, 53},
                                           {"$6$", Family::kSha, 86},
                                           {"$5$", Family::kSha, 43},
                                           {"$apr1$", Family::kHtpasswd, 0},
                                           {"{SHA}", Family::kHtpasswd, 0},
                                           {"{SSHA}", Family::kHtpasswd, 0}}};

const Scheme* find_scheme(std::string_view text) noexcept {
    const auto found = std::ranges::find_if(
        kSchemes, [&](const Scheme& scheme) { return text.starts_with(scheme.prefix); });
    return found != kSchemes.end() ? &*found : nullptr;
}

// ---- syntax

bool are_digits(std::string_view text) noexcept {
    return text.find_first_not_of(kDigits) == text.npos;
}

bool is_complete(const Scheme& scheme, std::string_view text) {
    if (scheme.family == Family::kHtpasswd) return is_htpasswd_hash(text);
    const std::string_view digits = text.substr(text.rfind('$') + 1);
    if (digits.size() != scheme.digits || !are_digits(digits)) return false;
    const std::string setting(text);
    const int judged = crypt_checksalt(setting.c_str());
    return setting.size() == std::strlen(setting.c_str()) && judged != CRYPT_SALT_INVALID &&
           judged != CRYPT_SALT_METHOD_DISABLED;
}

std::optional<unsigned> parse_number(std::string_view text) noexcept {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// A number of 30 bits, the least significant digit first.
std::uint64_t scrypt_number(std::string_view digits) noexcept {
    std::uint64_t number = 0;
    for (std::size_t i = digits.size(); i-- > 0;) number = number << 6 | kDigits.find(digits[i]);
    return number;
}

// Octets of memory, each of which is written and read once; 0: parameters that no tool writes.
std::uint64_t scrypt_size(std::string_view parameters) noexcept {
    if (parameters.size() < 11 || !are_digits(parameters)) return 0;
    constexpr std::uint64_t kMost = 1 << 20;
    const std::size_t log = kDigits.find(parameters[0]);
    const std::uint64_t r = scrypt_number(parameters.substr(1, 5));
    const std::uint64_t p = scrypt_number(parameters.substr(6, 5));
    if (log > 32 || r > kMost || p > kMost) return ~std::uint64_t{0};
    return (std::uint64_t{128} << log) * (r * p > kMost ? kMost : r * p);
}

// "j9T": flavour, log2 N, r, as crypt_gensalt() writes them (crypt(5)).
std::uint64_t yescrypt_size(std::string_view parameters) noexcept {
    constexpr std::size_t kMostDigit = 47;  // larger ones begin a longer number
    if (parameters.size() != 3 || parameters[0] != 'j' || !are_digits(parameters)) return 0;
    const std::size_t log = kDigits.find(parameters[1]);
    const std::size_t r = kDigits.find(parameters[2]);
    if (log > kMostDigit || r > kMostDigit) return 0;
    return (std::uint64_t{256} << log) * (r + 1);
}

// Whether checking it is no attack on who checks.
bool is_bearable(const Scheme& scheme, std::string_view text) noexcept {
    constexpr std::uint64_t kMostMemory = std::uint64_t{256} << 20;
    constexpr unsigned kMostBcrypt = 16;
    constexpr unsigned kLeastRounds = 1000;  // or crypt(3) fails
    constexpr unsigned kMostRounds = 5000000;
    constexpr std::string_view kRounds = "rounds=";
    text.remove_prefix(scheme.prefix.size());
    const std::string_view first = text.substr(0, text.find('$'));
    switch (scheme.family) {
        case Family::kYescrypt: {
            const std::uint64_t size = yescrypt_size(first);
            return size > 0 && size <= kMostMemory;
        }
        case Family::kScrypt: {
            const std::uint64_t size = scrypt_size(first);
            return size > 0 && size <= kMostMemory;
        }
        case Family::kBcrypt:
            return parse_number(first).value_or(kMostBcrypt + 1) <= kMostBcrypt;
        case Family::kSha: {
            if (!first.starts_with(kRounds)) return true;
            const unsigned rounds = parse_number(first.substr(kRounds.size())).value_or(0);
            return rounds >= kLeastRounds && rounds <= kMostRounds;
        }
        case Family::kHtpasswd:
            return true;
    }
    return false;
}

// What it is that has none of our prefixes.
std::string_view kind_of(std::string_view text) noexcept {
    constexpr std::size_t kDesSize = 13;
    if (text.empty()) return "is missing";
    if (text.front() == '!' || text.front() == '*') return "is locked, and no password matches it";
    if (text.starts_with("$1$")) return "is made by md5crypt ($1$), which is guessed quickly";
    if (text.starts_with("{PLAIN}")) return "is the password itself";
    if (text.front() == '$' || text.front() == '{' || text.front() == '_') {
        return "is of a kind that is not supported";
    }
    if (text.size() == kDesSize && are_digits(text)) {
        return "is a traditional DES hash, of which 8 octets count, or the password itself";
    }
    return "is no hash but perhaps the password itself";
}

// ---- crypt(3)

struct WipeAndDelete {
    void operator()(crypt_data* data) const noexcept {
        wipe(data, sizeof *data);
        delete data;
    }
};
using CryptData = std::unique_ptr<crypt_data, WipeAndDelete>;

// What crypt(3) makes of it, in `data`; empty where it fails. Both texts are short enough and
// without NUL.
std::string_view run_crypt(crypt_data& data, std::string_view password, std::string_view setting) {
    static_assert(sizeof data.setting > kMaxHash && sizeof data.input > kMaxPassword);
    std::ranges::copy(password, data.input);
    std::ranges::copy(setting, data.setting);
    const char* made = crypt_r(data.input, data.setting, &data);
    return made == nullptr || made[0] == '*' ? std::string_view{} : std::string_view(made);
}

bool matches_crypt(std::string_view hash, std::string_view password) {
    const CryptData data(new crypt_data());
    return crypto::equal_constant_time(bytes_of(run_crypt(*data, password, hash)), bytes_of(hash));
}

// Why no hash of this kind can be of that password; empty if one can.
std::string_view password_problem(std::string_view password, bool bcrypt) noexcept {
    if (password.empty()) return "a password must not be empty";
    if (password.size() > kMaxPassword) return "a password has at most 511 octets";
    if (password.find('\0') != password.npos) return "a password must not have a NUL in it";
    if (bcrypt && password.size() > kMaxBcryptPassword) {
        return "bcrypt takes passwords of at most 72 octets";
    }
    return {};
}

// ---- making

struct Method {
    std::string_view name;
    const char* prefix;
    unsigned least;
    unsigned most;
    unsigned usual;
};

// In the order of HashMethod.
constexpr std::array<Method, 3> kMethods{{{"yescrypt", "$y$", 1, 9, 5},
                                          {"bcrypt", "$2b$", 10, 16, 12},
                                          {"sha512", "$6$", 5000, 5000000, 200000}}};

}  // namespace

bool verify(std::string_view hash, std::string_view password) {
    if (!usable_hash(hash)) return false;
    const Family family = find_scheme(hash)->family;
    const bool possible = password_problem(password, family == Family::kBcrypt).empty();
    const std::string_view tried = possible ? password : kStandIn;
    const bool matches = family == Family::kHtpasswd ? matches_htpasswd_hash(hash, tried)
                                                     : matches_crypt(hash, tried);
    return matches && possible;
}

Status<std::string> usable_hash(std::string_view text) {
    const auto wrong = [](std::string_view what) {
        return fail(std::string(what).append(kRemedy));
    };
    const Scheme* scheme = find_scheme(text);
    if (scheme == nullptr) return wrong(kind_of(text));
    if (text.size() > kMaxHash || !is_complete(*scheme, text)) {
        return wrong("is cut off or damaged");
    }
    if (!is_bearable(*scheme, text)) return wrong("has parameters that are wrong or cost too much");
    return Done{};
}

bool is_weak(std::string_view hash) noexcept {
    const Scheme* scheme = find_scheme(hash);
    return scheme != nullptr && scheme->family == Family::kHtpasswd;
}

std::string_view scheme_of(std::string_view hash) noexcept {
    const Scheme* scheme = find_scheme(hash);
    return scheme != nullptr ? scheme->prefix : std::string_view{};
}

std::optional<HashMethod> find_hash_method(std::string_view name) noexcept {
    const auto found = std::ranges::find(kMethods, name, &Method::name);
    if (found == kMethods.end()) return std::nullopt;
    return static_cast<HashMethod>(found - kMethods.begin());
}

Status<std::string> check_cost(HashMethod method, unsigned cost) {
    const Method& chosen = kMethods[static_cast<std::size_t>(method)];
    if (cost == 0 || (cost >= chosen.least && cost <= chosen.most)) return Done{};
    return fail("the cost of " + std::string(chosen.name) + " is a number from " +
                std::to_string(chosen.least) + " to " + std::to_string(chosen.most));
}

Result<std::string, std::string> make_hash(std::string_view password, HashMethod method,
                                           unsigned cost) {
    const Method& chosen = kMethods[static_cast<std::size_t>(method)];
    const std::string_view problem = password_problem(password, method == HashMethod::kBcrypt);
    if (!problem.empty()) return fail(std::string(problem));
    if (const auto good = check_cost(method, cost); !good) return fail(good.error());
    std::array<std::uint8_t, 32> random{};
    if (!crypto::random_bytes(random)) return fail(std::string("the machine has no entropy"));
    std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
    const CryptData data(new crypt_data());
    const char* salted = crypt_gensalt_rn(chosen.prefix, cost != 0 ? cost : chosen.usual,
                                          text_of(random).data(), static_cast<int>(random.size()),
                                          setting.data(), static_cast<int>(setting.size()));
    std::string hash;
    if (salted != nullptr) hash = run_crypt(*data, password, salted);
    if (!usable_hash(hash)) return fail(std::string("the password could not be hashed"));
    return hash;
}

}  // namespace gate::users
