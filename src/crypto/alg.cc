#include "crypto/alg.h"

#include <array>

namespace gate::crypto {

namespace {

// clang-format off
constexpr std::array<AlgInfo, kAlgCount> kAlgs{{
    {Alg::kHS256, "HS256", Family::kOct, Hash::kSha256, Curve::kNone, false,  32, 32},
    {Alg::kHS384, "HS384", Family::kOct, Hash::kSha384, Curve::kNone, false,  48, 48},
    {Alg::kHS512, "HS512", Family::kOct, Hash::kSha512, Curve::kNone, false,  64, 64},
    {Alg::kRS256, "RS256", Family::kRsa, Hash::kSha256, Curve::kNone, false,   0,  0},
    {Alg::kRS384, "RS384", Family::kRsa, Hash::kSha384, Curve::kNone, false,   0,  0},
    {Alg::kRS512, "RS512", Family::kRsa, Hash::kSha512, Curve::kNone, false,   0,  0},
    {Alg::kPS256, "PS256", Family::kRsa, Hash::kSha256, Curve::kNone, true,    0,  0},
    {Alg::kPS384, "PS384", Family::kRsa, Hash::kSha384, Curve::kNone, true,    0,  0},
    {Alg::kPS512, "PS512", Family::kRsa, Hash::kSha512, Curve::kNone, true,    0,  0},
    {Alg::kES256, "ES256", Family::kEc,  Hash::kSha256, Curve::kP256, false,  64,  0},
    {Alg::kES384, "ES384", Family::kEc,  Hash::kSha384, Curve::kP384, false,  96,  0},
    {Alg::kES512, "ES512", Family::kEc,  Hash::kSha512, Curve::kP521, false, 132,  0},
    {Alg::kEdDSA, "EdDSA", Family::kOkp, Hash::kNone,   Curve::kNone, false,   0,  0},
}};
// clang-format on

struct CurveName {
    Curve curve;
    std::string_view name;
};

constexpr std::array<CurveName, 5> kCurves{{
    {Curve::kP256, "P-256"},
    {Curve::kP384, "P-384"},
    {Curve::kP521, "P-521"},
    {Curve::kEd25519, "Ed25519"},
    {Curve::kEd448, "Ed448"},
}};

}  // namespace

const AlgInfo& info(Alg alg) noexcept {
    return kAlgs[static_cast<std::size_t>(alg)];
}

std::optional<Alg> find_alg(std::string_view name) noexcept {
    for (const AlgInfo& entry : kAlgs) {
        if (entry.name == name) return entry.alg;
    }
    return std::nullopt;
}

std::optional<Curve> find_curve(std::string_view crv) noexcept {
    for (const CurveName& entry : kCurves) {
        if (entry.name == crv) return entry.curve;
    }
    return std::nullopt;
}

std::string_view name_of(Curve curve) noexcept {
    for (const CurveName& entry : kCurves) {
        if (entry.curve == curve) return entry.name;
    }
    return "";
}

std::string_view name_of(Family family) noexcept {
    switch (family) {
        case Family::kOct:
            return "oct";
        case Family::kRsa:
            return "RSA";
        case Family::kEc:
            return "EC";
        case Family::kOkp:
            return "OKP";
    }
    return "";
}

std::string AlgSet::names() const {
    std::string out;
    for (const AlgInfo& entry : kAlgs) {
        if (!contains(entry.alg)) continue;
        if (!out.empty()) out += ' ';
        out += entry.name;
    }
    return out;
}

}  // namespace gate::crypto
