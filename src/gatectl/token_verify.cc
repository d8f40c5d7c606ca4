// gatectl token verify.
#include "gatectl/input.h"
#include "gatectl/key_material.h"
#include "gatectl/output.h"
#include "gatectl/token_commands.h"
#include "jose/jwt.h"

namespace gate::ctl {

namespace {

Result<jose::Issuer, std::string> issuer_of_options(const Arguments& arguments,
                                                    crypto::AlgSet served) {
    jose::Issuer issuer;
    issuer.name = "command line";
    const auto algorithms = algorithms_option(arguments);
    if (!algorithms) return fail(algorithms.error());
    issuer.algorithms = algorithms->empty() ? served : *algorithms;
    issuer.iss = arguments.value("issuer");
    issuer.audiences = arguments.values("audience");
    issuer.audience_off = issuer.audiences.empty();
    issuer.types = arguments.values("type");
    if (const auto text = arguments.value("leeway")) {
        const auto leeway = parse_duration(*text);
        if (!leeway || *leeway > jose::kMaxLeeway) {
            return fail(std::string("--leeway: expected a time of at most 300s"));
        }
        issuer.leeway_exp = issuer.leeway_nbf = issuer.leeway_iat = *leeway;
    }
    return issuer;
}

// verify_jwt on a text: with an issuer name absent, any iss passes.
Result<jose::Claims, Reason> judge(std::string_view text, const jose::Issuer& issuer,
                                   const jose::KeySet& keys, Seconds now) {
    const auto token = jose::parse_token(text);
    if (!token) return fail(token.error());
    const auto payload = jose::Document::parse(text_of(token->payload));
    if (!payload) return fail(payload.error());
    return verify_jwt(*token, *payload, issuer, keys, now);
}

void print_verdict(const Arguments& arguments, Io& io, const Result<jose::Claims, Reason>& claims) {
    const Reason reason = claims ? Reason::kNone : claims.error();
    if (arguments.has("json")) {
        JsonObject object;
        object.text("verdict", claims ? "accept" : "reject").text("reason", code(reason));
        if (claims) object.raw("claims", claims->payload.root().dump());
        io.out << object.str() << '\n';
        return;
    }
    io.out << (claims ? "accept" : "reject " + std::string(code(reason))) << '\n';
    if (!claims) return;
    for (const std::string_view name : claims->payload.root().member_names()) {
        io.out << "  " << printable(name) << ' '
               << printable(claims->payload.root().member(name).dump()) << '\n';
    }
}

}  // namespace

int run_token_verify(const Arguments& arguments, Io& io) {
    if (!arguments.has("jwks") && !arguments.has("pem") && !arguments.has("secret-file")) {
        return misuse(io, "give the keys: --jwks, --pem or --secret-file");
    }
    const auto keys = load_verifiers(arguments);
    if (!keys) return refuse(io, keys.error());
    for (const std::string& warning : keys->warnings()) io.err << "gatectl: " << warning << '\n';
    const auto issuer = issuer_of_options(arguments, keys->algs());
    if (!issuer) return misuse(io, issuer.error());
    const Secret token = read_credential(io.in);
    if (token.empty()) return misuse(io, "no token on standard input");
    const auto claims = judge(token.text(), *issuer, *keys, io.now);
    print_verdict(arguments, io, claims);
    return claims ? kDone : kRefused;
}

}  // namespace gate::ctl
