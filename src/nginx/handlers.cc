#include "nginx/handlers.h"

#include <algorithm>

#include "nginx/bridge.h"
#include "nginx/decide.h"
#include "nginx/early_hook.h"
#include "nginx/extraction.h"
#include "nginx/identity.h"
#include "nginx/limits.h"
#include "nginx/record.h"

namespace gate::nginx {

namespace {

using policy::Denied;

// Runs a handler's body; what goes wrong inside is a refusal with 500.
template <class Body>
ngx_int_t fail_closed(ngx_http_request_t* r, Body&& body) noexcept {
    return guard(r, ngx_int_t{NGX_HTTP_INTERNAL_SERVER_ERROR}, body);
}

ngx_int_t refuse(ngx_http_request_t* r, Record& record, const LocConf& location, Denied denied) {
    denied.reason = charge_failure(r, record, location, denied.reason);
    const int status = status_of(denied);
    const GateStatus outcome = status >= 500 ? GateStatus::kError : GateStatus::kDenied;
    const ngx_int_t answer =
        record.refuse(r, {.status = *location.dry_run ? GateStatus::kDryRun : outcome,
                          .reason = denied.reason,
                          .http_status = status,
                          .scopes = denied.scopes.empty() ? "" : copy(r->pool, denied.scopes),
                          .where = denied.where.empty() ? "" : copy(r->pool, denied.where),
                          .location = &location});
    return *location.dry_run ? NGX_DECLINED : answer;
}

// Whether all that `location` looks up has been looked up for `decided`: a subrequest cannot wait.
bool has_looked(const LocConf& decided, const LocConf& location) {
    return std::ranges::all_of(*location.lookups, [&](const auto& lookup) {
        return std::ranges::find(*decided.lookups, lookup) != decided.lookups->end();
    });
}

// Subrequests share the main request's identity; they enter a gated location only on its strength.
ngx_int_t judge_subrequest(ngx_http_request_t* r, const LocConf& location) {
    if (!location.gate->on || *location.dry_run) return NGX_DECLINED;
    const Record* record = Record::find(r);
    const Identity* identity = nullptr;
    if (record != nullptr && record->decision.status == GateStatus::kPassed &&
        has_looked(*record->decision.location, location)) {
        identity = &record->identity;
    }
    auto met = meets(r, identity, location);
    if (met) return NGX_DECLINED;
    const std::string line = "auth: deny subrequest \"" + log_escaped(view(r->uri), 256) +
                             "\" reason=" + std::string(code(met.error().reason));
    const ngx_str_t text = str(line);
    ngx_log_error(*location.log_level, r->connection->log, 0, "%V", &text);
    // Whoever asked by this subrequest judges its status: no error_page may make a 200 of it, and
    // auth_request knows 401 and 403 only.
    r->error_page = 1;
    return status_of(met.error()) == NGX_HTTP_UNAUTHORIZED ? NGX_HTTP_UNAUTHORIZED
                                                           : NGX_HTTP_FORBIDDEN;
}

bool is_answered_preflight(ngx_http_request_t* r, const LocConf& location) {
    return *location.preflight != Preflight::kCheck && is_preflight(r);
}

// A dry run leaves the request as it is.
void find_credential(ngx_http_request_t* r, Record& record, const LocConf& location) {
    if (*location.dry_run) return extract(r, record, location);
    clear_identity(r, record);
    take(r, record, location);
}

ngx_int_t judge_early(ngx_http_request_t* r, Record& record, const LocConf& location) {
    if (*location.dry_run || is_answered_preflight(r, location)) return NGX_DECLINED;
    Reason problem = early_problem(record, location);
    if (problem == Reason::kNone) return NGX_DECLINED;
    // Under "satisfy any" another module may still let the request in.
    auto* core = static_cast<ngx_http_core_loc_conf_t*>(
        ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    Denied denied{.reason = problem, .status = 0, .scopes = {}, .where = {}};
    if (core->satisfy == NGX_HTTP_SATISFY_ANY && status_of(denied) == NGX_HTTP_UNAUTHORIZED) {
        return NGX_DECLINED;
    }
    record.begin_decision();
    return refuse(r, record, location, denied);
}

ngx_int_t admit(ngx_http_request_t* r, Record& record, const LocConf& location) {
    if (*location.dry_run) {
        record.decision.location = &location;
        record.decision.status = GateStatus::kDryRun;
        return NGX_DECLINED;
    }
    record.pass(location);
    if (!set_identity(r, record, location)) {
        return refuse(r, record, location,
                      {.reason = Reason::kClaimUnsafe, .status = 0, .scopes = {}, .where = {}});
    }
    // An anonymous request satisfies nothing by itself: other access modules have their say.
    return record.identity.known() ? NGX_OK : NGX_DECLINED;
}

ngx_int_t judge(ngx_http_request_t* r) {
    const LocConf& location = loc_conf(r);
    Record& record = Record::of(r);
    if (!location.gate->on) {
        if (record.decision.status == GateStatus::kNone)
            record.decision.status = GateStatus::kSkipped;
        return NGX_DECLINED;
    }
    if (!record.waits_in(location)) {
        record.begin_decision();
        if (!*location.dry_run && is_answered_preflight(r, location)) {
            record.decision.status = GateStatus::kSkipped;
            record.decision.location = &location;
            return *location.preflight == Preflight::kAnswer ? NGX_HTTP_NO_CONTENT : NGX_DECLINED;
        }
        // An "if" of the rewrite module may have brought other sources than hook 2 saw.
        if (record.extraction.location != &location) find_credential(r, record, location);
    }
    auto decided = decide(r, record, location);
    if (!decided) return NGX_AGAIN;
    if (!*decided) return refuse(r, record, location, decided->error());
    return admit(r, record, location);
}

// Bodies of the handlers for what is not decided in passing.

[[gnu::noinline]] ngx_int_t take_and_judge(ngx_http_request_t* r) noexcept {
    return fail_closed(r, [&]() -> ngx_int_t {
        const LocConf& location = loc_conf(r);
        if (r != r->main) return judge_subrequest(r, location);
        Record& record = Record::of(r);
        if (!record.entered) {
            if (ngx_int_t rc = enter(r, record); rc != NGX_DECLINED) return rc;
        }
        if (!location.gate->on) return NGX_DECLINED;
        find_credential(r, record, location);
        return judge_early(r, record, location);
    });
}

[[gnu::noinline]] ngx_int_t judge_request(ngx_http_request_t* r) noexcept {
    return fail_closed(r, [&] { return judge(r); });
}

[[gnu::noinline]] ngx_int_t admit_known(ngx_http_request_t* r, Record& record,
                                        const LocConf& location) noexcept {
    return fail_closed(r, [&] { return admit(r, record, location); });
}

[[gnu::noinline]] ngx_int_t settle_request(ngx_http_request_t* r) noexcept {
    return guard(r, ngx_int_t{NGX_OK}, [&]() -> ngx_int_t {
        Record* const record = Record::find(r);
        // A request that nginx refused before any phase is logged all the same.
        if (record == nullptr || !record->entered) hide_arguments(r);
        if (record != nullptr) record->settle();
        return NGX_OK;
    });
}

}  // namespace

[[gnu::hot]] ngx_int_t on_server_rewrite(ngx_http_request_t* r) noexcept {
    if (r != r->main) return NGX_DECLINED;
    return fail_closed(r, [&]() -> ngx_int_t {
        Record& record = Record::of(r);
        return record.entered ? NGX_DECLINED : enter(r, record);
    });
}

[[gnu::hot]] ngx_int_t on_rewrite(ngx_http_request_t* r) noexcept {
    Record* const record = Record::known(r);
    if (record == nullptr || !record->entered || r != r->main) return take_and_judge(r);
    const LocConf& location = loc_conf(r);
    return fail_closed(r, [&]() -> ngx_int_t {
        const bool done = take_lone_header(r, *record, location) || !location.gate->on;
        return done ? NGX_DECLINED : take_and_judge(r);
    });
}

[[gnu::hot]] ngx_int_t on_access(ngx_http_request_t* r) noexcept {
    Record* const record = Record::known(r);
    const LocConf& location = loc_conf(r);
    if (record == nullptr || record->waits || !passes_again(r, *record, location)) {
        return judge_request(r);
    }
    if (location.sets_identity) return admit_known(r, *record, location);
    record->pass(location);
    return NGX_OK;
}

ngx_int_t on_precontent(ngx_http_request_t* r) noexcept {
    if (r != r->main) return NGX_DECLINED;
    if (pending_refusal(r) == nullptr) return NGX_DECLINED;
    if (Record* record = Record::find(r)) record->overrule();
    return NGX_DECLINED;
}

[[gnu::hot]] ngx_int_t on_log(ngx_http_request_t* r) noexcept {
    if (r != r->main) return NGX_OK;
    const Record* const record = Record::known(r);
    return record != nullptr && record->settles_itself() ? NGX_OK : settle_request(r);
}

}  // namespace gate::nginx
