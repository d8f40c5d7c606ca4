#include "gatectl/token_commands.h"

#include <array>

namespace gate::ctl {

namespace {

constexpr Option kJson{"json", "", "print JSON"};
constexpr Option kSecretFile{"secret-file", "FILE", "an HMAC secret"};
constexpr Option kEncoding{"encoding", "FORM", "of the secret file: text (default), hex or base64"};

constexpr std::array kSignOptions{
    Option{"key", "FILE", "a private key: JWK, JWKS with --kid, or PEM"},
    kSecretFile,
    kEncoding,
    Option{"alg", "NAME", "the algorithm (the first that the key serves)"},
    Option{"kid", "KID", "the key's name in the header (that of the JWK)"},
    Option{"type", "TYP", "\"typ\" of the header (JWT)"},
    Option{"claims", "FILE", "a JSON object of claims; - is standard input"},
    Option{"issuer", "URL", "claim iss"},
    Option{"subject", "TEXT", "claim sub"},
    Option{"audience", "TEXT", "claim aud", true},
    Option{"client", "TEXT", "claim client_id"},
    Option{"scope", "SCOPES", "claim scope, separated by spaces"},
    Option{"role", "ROLE", "claim roles", true},
    Option{"group", "GROUP", "claim groups", true},
    Option{"claim", "NAME=TEXT", "any claim", true},
    Option{"claim-json", "NAME=JSON", "any claim that is no string", true},
    Option{"ttl", "TIME", "until exp (1h)"},
    Option{"bare", "", "add no iat, exp and jti of its own"},
    kJson};

constexpr std::array kInspectOptions{kJson};

constexpr std::array kVerifyOptions{
    Option{"jwks", "FILE", "a JWKS, or a JWK", true},
    Option{"pem", "FILE", "a public key or certificate", true},
    kSecretFile,
    kEncoding,
    Option{"alg", "NAME", "an allowed algorithm (all that the keys serve)", true},
    Option{"issuer", "URL", "what iss must be (anything)"},
    Option{"audience", "TEXT", "one of them must be in aud (anything)", true},
    Option{"type", "TYP", "an allowed \"typ\" (any)", true},
    Option{"leeway", "TIME", "on all times (exp 0s, nbf and iat 10s)"},
    kJson};

constexpr std::array<Command, 3> kCommands{{
    {"token sign", "", "Make a token",
     "Claims come from the options and from --claims; what is not given is added: iat, exp, jti.",
     kSignOptions, 0, 0, run_token_sign},
    {"token inspect", "", "Show what is in a token, without judging it",
     "The token is read from standard input. Nothing is verified: anybody could have written it.",
     kInspectOptions, 0, 0, run_token_inspect},
    {"token verify", "", "Judge a token by the keys and rules given",
     "The token is read from standard input. Exit status 0: good, 1: refused, with the reason.",
     kVerifyOptions, 0, 0, run_token_verify},
}};

}  // namespace

std::span<const Command> token_commands() {
    return kCommands;
}

}  // namespace gate::ctl
