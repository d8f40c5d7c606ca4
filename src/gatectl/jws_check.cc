#include "gatectl/jws_check.h"

#include <array>

#include "gatectl/command.h"
#include "gatectl/encoding.h"
#include "gatectl/output.h"
#include "jose/jwt.h"

namespace gate::ctl {

namespace {

using jose::Value;

constexpr std::size_t kMaxIdLine = 256;

// The caller's own text around a hostile token or key set, whose limits are checked apart.
constexpr jose::JsonLimits kLineLimits{
    .depth = 256, .members = 100000, .elements = 1000000, .values = 10000000};

// "id" of a line that is not strict JSON, where it stands near its beginning, so that the answer
// can be told from the others; "null" elsewhere.
std::string id_of_broken_line(std::string_view line) {
    const std::string_view head = line.substr(0, kMaxIdLine);
    for (std::size_t end = head.find(','); end != head.npos; end = head.find(',', end + 1)) {
        const auto document = jose::Document::parse(std::string(head.substr(0, end)) + "}");
        if (document && document->root().member("id").present()) {
            return document->root().member("id").dump();
        }
    }
    return "null";
}

crypto::AlgSet algorithms_of(Value request) {
    const Value list = request.member("algorithms");
    if (!list.present()) return crypto::AlgSet::all();
    crypto::AlgSet algs;
    // A name that nobody implements allows nothing.
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (const auto alg = crypto::find_alg(list.at(i).string().value_or(""))) algs.insert(*alg);
    }
    return algs;
}

}  // namespace

Result<const jose::KeySet*, Reason> JwsChecker::keys_of(Value jwks) {
    std::string text = jwks.is(Value::Kind::kString) ? std::string(*jwks.string()) : jwks.dump();
    if (text != jwks_text_) {
        keys_ = {};
        const auto loaded = keys_.add_jwks(text);
        keys_failure_ = loaded ? Reason::kNone : loaded.error().reason;
        jwks_text_ = std::move(text);
    }
    if (keys_failure_ != Reason::kNone) return fail(keys_failure_);
    return &keys_;
}

Reason JwsChecker::judge_token(Value request, std::string_view text, std::string_view level,
                               Seconds now) {
    const auto keys = keys_of(request.member("jwks"));
    if (!keys) return keys.error();
    const auto token = jose::parse_token(text);
    if (!token) return token.error();
    const crypto::AlgSet algorithms = algorithms_of(request);
    if (level == "jws") {
        const auto verified = jose::verify_signature(*token, **keys, algorithms);
        return verified ? Reason::kNone : verified.error();
    }
    const auto payload = jose::Document::parse(text_of(token->payload));
    if (!payload) return payload.error();
    jose::Issuer issuer;
    issuer.algorithms = algorithms;
    issuer.audience_off = true;
    const auto claims = jose::verify_jwt(*token, *payload, issuer, **keys, now);
    return claims ? Reason::kNone : claims.error();
}

Result<Reason, JwsChecker::Malformed> JwsChecker::judge(Value request) {
    const auto malformed = [](std::string text) {
        return fail(Malformed{Reason::kJsonBad, std::move(text)});
    };
    const Value jwks = request.member("jwks");
    if (!jwks.is(Value::Kind::kObject) && !jwks.is(Value::Kind::kString)) {
        return malformed("\"jwks\" must be an object, or its text");
    }
    const Value level = request.member("level");
    const std::string_view wanted = level.present() ? level.string().value_or("") : "jwt";
    if (wanted != "jws" && wanted != "jwt") return malformed("\"level\" must be jws or jwt");
    const Value now = request.member("now");
    if (now.present() && !now.integer()) return malformed("\"now\" must be an integer");
    const Value list = request.member("algorithms");
    if (list.present() && !list.is(Value::Kind::kArray)) {
        return malformed("\"algorithms\" must be an array");
    }
    const auto token = request.member("token").string();
    const auto encoded = request.member("token_b64").string();
    if (token.has_value() == encoded.has_value()) {
        return malformed("needs either \"token\" or \"token_b64\"");
    }
    const auto decoded = encoded ? decode_base64(*encoded) : std::nullopt;
    if (encoded && !decoded) return malformed("\"token_b64\" is not base64");
    const Seconds clock = now.integer().value_or(now_);
    return judge_token(request, encoded ? text_of(*decoded) : *token, wanted, clock);
}

std::string JwsChecker::answer(std::string_view line) {
    const auto request = jose::Document::parse(line, kLineLimits);
    JsonObject answer;
    const auto reject = [&](Reason reason, std::string_view error) {
        misused_ = true;
        return answer.text("verdict", "reject").text("reason", code(reason)).text("error", error);
    };
    if (!request) {
        answer.raw("id", id_of_broken_line(line));
        return reject(request.error(), "the line is not strict JSON").str();
    }
    const Value id = request->root().member("id");
    answer.raw("id", id.present() ? id.dump() : "null");
    const auto reason = judge(request->root());
    if (!reason) return reject(reason.error().reason, reason.error().text).str();
    answer.text("verdict", *reason == Reason::kNone ? "accept" : "reject");
    return answer.text("reason", code(*reason)).str();
}

namespace {

int run_jws_check(const Arguments&, Io& io) {
    JwsChecker checker(io.now);
    std::string line;
    while (std::getline(io.in, line)) {
        if (line.empty()) continue;
        io.out << checker.answer(line) << '\n' << std::flush;
    }
    return checker.misused() ? kUsage : kDone;
}

constexpr std::array<Command, 1> kCommands{{
    {"jws-check",
     "",
     "Judge tokens for other programs, in JSON lines",
     "Reads one request a line from standard input and writes one answer a line:\n\n"
     "  {\"id\":\"x\",\"jwks\":{..},\"token\":\"..\",\"level\":\"jws\"}\n"
     "  {\"id\":\"x\",\"verdict\":\"accept\",\"reason\":\"\"}\n\n"
     "\"token_b64\" (padded base64) stands for \"token\" where that is no text. Optional:\n"
     "\"algorithms\" (all implemented), \"now\" (the clock), \"level\": \"jws\" judges the "
     "signature\n"
     "only, \"jwt\" (default) the default claim rules too, without issuer and audience. A line\n"
     "that is no request is answered \"reject\" with a member \"error\", and the exit status is 2.",
     {},
     0,
     0,
     run_jws_check},
}};

}  // namespace

std::span<const Command> jws_check_commands() {
    return kCommands;
}

}  // namespace gate::ctl
