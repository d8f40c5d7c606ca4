#include "nginx/refusal_log.h"

#include <array>

#include "jose/header.h"
#include "nginx/bridge.h"
#include "nginx/ticker.h"

namespace gate::nginx {

namespace {

// Repeats are told apart by address and reason; a few hundred pairs a second are plenty to stay
// readable.
struct Repeat {
    std::uint64_t key = 0;
    time_t second = 0;
    ngx_uint_t count = 0;
    ngx_uint_t level = 0;
    Reason reason = Reason::kNone;
    std::array<char, NGX_SOCKADDR_STRLEN> address{};
    std::size_t address_size = 0;
};

constexpr std::size_t kRepeatSlots = 256;
std::array<Repeat, kRepeatSlots> repeats;

void summarise(Repeat& repeat, ngx_log_t* log) {
    if (repeat.count == 0) return;
    ngx_str_t address = {repeat.address_size, reinterpret_cast<u_char*>(repeat.address.data())};
    ngx_log_error(repeat.level, log, 0, "auth: repeated %ui times reason=%s client=%V",
                  repeat.count, code(repeat.reason).data(), &address);
    repeat.count = 0;
}

// Runs while there is something to summarise.
Ticker summary;

void summarise_old() {
    bool later = false;
    for (Repeat& repeat : repeats) {
        if (repeat.count == 0) continue;
        if (repeat.second == ngx_time()) {
            later = true;
        } else {
            summarise(repeat, ngx_cycle->log);
        }
    }
    if (!later) summary.stop();
}

// True when this refusal only adds to the count of one that has just been written.
bool is_repeat(const Record& record) {
    const ngx_connection_t* connection = record.main()->connection;
    std::string_view address = view(connection->addr_text);
    std::string text(address);
    text.push_back(static_cast<char>(record.decision.reason));
    text.push_back(static_cast<char>(record.decision.status));
    const std::uint64_t key = siphash64(main_conf(record.main()).token_id_key, bytes_of(text));

    Repeat& repeat = repeats[key % kRepeatSlots];
    time_t now = ngx_time();
    if (repeat.key == key && repeat.second == now) {
        ++repeat.count;
        if (!summary.running()) summary.start(1000, summarise_old);
        return true;
    }
    summarise(repeat, connection->log);
    repeat.key = key;
    repeat.second = now;
    repeat.level = *record.decision.location->log_level;
    repeat.reason = record.decision.reason;
    repeat.address_size = std::min(address.size(), repeat.address.size());
    ngx_memcpy(repeat.address.data(), address.data(), repeat.address_size);
    return false;
}

std::string_view request_id(ngx_http_request_t* r) {
    static ngx_str_t name = ngx_string("request_id");
    ngx_http_variable_value_t* value =
        ngx_http_get_variable(r, &name, ngx_hash_key(name.data, name.len));
    if (value == nullptr || value->not_found) return "-";
    return {reinterpret_cast<const char*>(value->data), value->len};
}

std::string describe(Record& record) {
    const Extraction& extraction = record.extraction;
    bool present = extraction.credential.kind != policy::CredentialKind::kNone;
    std::string line = "auth: ";
    line += record.decision.status == GateStatus::kDryRun ? "would deny" : "deny";
    line.append(" reason=").append(code(record.decision.reason));
    line.append(" src=").append(present ? policy::name_of(extraction.source) : "-");
    line.append(" kind=").append(policy::name_of(extraction.credential.kind));
    if (extraction.credential.kind == policy::CredentialKind::kJwt &&
        record.decision.reason != Reason::kTokTooLong) {
        jose::HeaderHint hint = jose::header_hint(extraction.credential.text);
        line.append(" alg=\"").append(log_escaped(hint.alg, 16)).append("\"");
        line.append(" kid=\"").append(log_escaped(hint.kid, 64)).append("\"");
    } else if (const auto* principal = record.principal();
               principal != nullptr && !principal->key_id().empty()) {
        line.append(" key=\"").append(log_escaped(principal->key_id(), 64)).append("\"");
    }
    if (present)
        line.append(" tid=").append(token_id(main_conf(record.main()), extraction.credential.text));
    line.append(" status=").append(std::to_string(record.decision.http_status));
    if (!record.decision.where.empty()) line.append(" rule=").append(record.decision.where);
    line.append(" id=").append(request_id(record.main()));
    return line;
}

}  // namespace

void stop_summaries() noexcept {
    summary.stop();
}

std::string token_id(const MainConf& conf, std::string_view credential) {
    if (credential.empty()) return {};
    SipDigest digest = siphash128(conf.token_id_key, bytes_of(credential));
    return to_hex(Bytes(digest).first(6));
}

void log_refusal(Record& record) {
    ngx_log_t* log = record.main()->connection->log;
    // Operators must see each of these.
    bool ours = record.decision.status == GateStatus::kError;
    ngx_uint_t level = ours ? ngx_uint_t{NGX_LOG_ERR} : *record.decision.location->log_level;
    if (level > log->log_level) return;
    if (!ours && is_repeat(record)) return;
    std::string line = describe(record);
    ngx_str_t text = str(line);
    ngx_log_error(level, log, 0, "%V", &text);
}

}  // namespace gate::nginx
