#include "nginx/endpoint.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "nginx/bridge.h"
#include "nginx/compat.h"
#include "nginx/content.h"
#include "nginx/decide.h"
#include "nginx/extraction.h"
#include "nginx/headers.h"
#include "nginx/limits.h"

namespace gate::nginx {

namespace {

using policy::BodyProblem;
using policy::RequestFields;

Reason reason_of(BodyProblem problem) noexcept {
    switch (problem) {
        case BodyProblem::kMalformed:
            return Reason::kBodyMalformed;
        case BodyProblem::kTooLarge:
            return Reason::kBodyTooLarge;
        case BodyProblem::kMediaType:
            return Reason::kMediaType;
    }
    return Reason::kInternal;
}

ngx_int_t refuse_request(ngx_http_request_t* r, Record& record, const LocConf& location,
                         Reason reason) {
    record.begin_decision();
    reason = charge_failure(r, record, location, reason);
    const int status = status_of(refusal_class(reason));
    return record.refuse(r, {.status = status >= 500 ? GateStatus::kError : GateStatus::kDenied,
                             .reason = reason,
                             .http_status = status,
                             .scopes = {},
                             .where = {},
                             .location = &location});
}

// The usual body of an answer, parsed once in a worker.
const policy::ReplyTemplate& usual_body(policy::ReplyOutcome outcome) {
    static std::map<policy::ReplyOutcome, policy::ReplyTemplate> parsed;
    auto found = parsed.find(outcome);
    if (found == parsed.end()) {
        auto body = policy::parse_reply(outcome, policy::default_reply(outcome).json);
        if (!body) throw std::logic_error(body.error());
        found = parsed.emplace(outcome, std::move(*body)).first;
    }
    return found->second;
}

const ReplyConf* reply_for(const LocConf& location, policy::ReplyOutcome outcome) {
    const auto found =
        std::ranges::find(*location.replies, std::optional(outcome), &ReplyConf::outcome);
    return found == location.replies->end() ? nullptr : &*found;
}

}  // namespace

// Between nginx's handlers and an endpoint.
class EndpointHandler {
public:
    // From the content phase, which counts the request as answered unless it is told otherwise.
    static ngx_int_t resume(Endpoint& endpoint) {
        const auto rc = step(endpoint);
        if (rc) return *rc;
        ++endpoint.r_->main->count;
        return NGX_DONE;
    }

    static ngx_int_t begin(Endpoint& endpoint) {
        return endpoint.body_.read(endpoint.r_, RequestFields::kMaxBody, on_body);
    }

    static bool serves(const Endpoint& endpoint, const LocConf& location) noexcept {
        return &endpoint.location_ == &location;
    }

private:
    static Endpoint::Step step(Endpoint& endpoint) {
        return guard(endpoint.r_, Endpoint::Step(NGX_HTTP_INTERNAL_SERVER_ERROR),
                     [&] { return endpoint.go_on(); });
    }

    static void on_body(ngx_http_request_t* r) {
        const auto rc = step(*Record::find(r)->endpoint);
        if (rc) ngx_http_finalize_request(r, *rc);
    }
};

RequestBody& RequestBody::of(ngx_http_request_t* r) noexcept {
    return Record::find(r)->endpoint->body_;
}

Endpoint::Endpoint(ngx_http_request_t* r, Record& record)
    : r_(r), record_(record), location_(loc_conf(r)) {}

Result<RequestFields, ngx_int_t> Endpoint::fields() {
    if (body_.too_large()) return fail(refuse(Reason::kBodyTooLarge));
    auto fields = RequestFields::parse(header_value(r_, "content-type"), body_.text());
    if (!fields) return fail(refuse(reason_of(fields.error().problem)));
    return std::move(*fields);
}

Endpoint::Step Endpoint::wait() {
    const auto give_up = [](void* endpoint) noexcept {
        static_cast<Endpoint*>(endpoint)->abandon();
    };
    if (waiter_.wait(r_, give_up, this)) return std::nullopt;
    abandon();
    return refuse(Reason::kHashQueueFull);
}

ngx_int_t Endpoint::refuse(Reason reason) {
    return refuse_request(r_, record_, location_, reason);
}

ngx_int_t Endpoint::answer(policy::ReplyOutcome outcome,
                           const policy::ReplyTemplate::Fields& fields) {
    if (const ReplyConf* reply = reply_for(location_, outcome)) {
        return send_content(r_, static_cast<ngx_uint_t>(reply->status), reply->type,
                            reply->body->render(fields));
    }
    const policy::DefaultReply usual = policy::default_reply(outcome);
    if (usual.json.empty()) return send_no_content(r_);
    return send_content(r_, static_cast<ngx_uint_t>(usual.status), "application/json",
                        usual_body(outcome).render(fields));
}

ngx_int_t serve_endpoint(ngx_http_request_t* r, std::string_view method,
                         MakeEndpoint make) noexcept {
    return guard(r, ngx_int_t{NGX_HTTP_INTERNAL_SERVER_ERROR}, [&]() -> ngx_int_t {
        if (r != r->main) return NGX_HTTP_FORBIDDEN;
        const LocConf& location = loc_conf(r);
        Record& record = Record::of(r);
        if (record.endpoint != nullptr && EndpointHandler::serves(*record.endpoint, location)) {
            return EndpointHandler::resume(*record.endpoint);
        }
        if (*location.preflight == Preflight::kAnswer && is_preflight(r)) {
            return NGX_HTTP_NO_CONTENT;
        }
        if (view(r->method_name) != method) {
            const ngx_str_t allowed = str(method);
            if (add_response_header(r, "Allow", allowed) == nullptr) {
                return NGX_HTTP_INTERNAL_SERVER_ERROR;
            }
            return refuse_request(r, record, location, Reason::kMethodNotAllowed);
        }
        record.endpoint = make(r, record);
        return EndpointHandler::begin(*record.endpoint);
    });
}

bool check_open_endpoint(ngx_conf_t* cf, const LocConf& loc) {
    if (!loc.gate.set() || !loc.gate->on) return true;
    return fail_at(cf, loc.content.where.text(),
                   quoted(loc.content.directive) +
                       " decides for itself, but a gate is in force here (" +
                       loc.gate->where.text() + "); write \"gate off;\" in this location");
}

}  // namespace gate::nginx
