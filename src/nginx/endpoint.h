// What the endpoints share: gate_login and its like read a body, may wait, and answer by a
// gate_reply or with what is usual. They refuse as the gate does everywhere: by a reason.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "nginx/bridge.h"
#include "nginx/conf.h"
#include "nginx/directive.h"
#include "nginx/ngx.h"
#include "nginx/record.h"
#include "nginx/request_body.h"
#include "nginx/waiting.h"
#include "policy/reply_fields.h"
#include "policy/request_fields.h"

namespace gate::nginx {

class Endpoint {
public:
    Endpoint(ngx_http_request_t* r, Record& record);
    Endpoint(const Endpoint&) = delete;
    Endpoint& operator=(const Endpoint&) = delete;
    virtual ~Endpoint() = default;

protected:
    // What the request is answered with, or nullopt while it waits. Called when the body is there,
    // and again when the waiter is woken.
    using Step = std::optional<ngx_int_t>;
    virtual Step go_on() = 0;
    // Nobody is there any more to be answered.
    virtual void abandon() noexcept = 0;

    ngx_http_request_t* request() noexcept { return r_; }
    const LocConf& location() const noexcept { return location_; }
    Record& record() noexcept { return record_; }
    Waiter& waiter() noexcept { return waiter_; }

    // The fields of the body; a status in place of them when they cannot be read.
    Result<policy::RequestFields, ngx_int_t> fields();
    // Waits until the waiter is woken; a refusal where it may not.
    Step wait();
    ngx_int_t refuse(Reason reason);
    // By the location's gate_reply for the outcome.
    ngx_int_t answer(policy::ReplyOutcome outcome, const policy::ReplyTemplate::Fields& fields);

private:
    friend class RequestBody;
    friend class EndpointHandler;

    ngx_http_request_t* r_;
    Record& record_;
    const LocConf& location_;
    RequestBody body_;
    Waiter waiter_;
};

using MakeEndpoint = Endpoint* (*)(ngx_http_request_t* r, Record& record);
ngx_int_t serve_endpoint(ngx_http_request_t* r, std::string_view method,
                         MakeEndpoint make) noexcept;

// A content handler: methods other than `method` are refused with 405, a preflight is answered as
// gate_preflight says, then an endpoint of that kind takes over, in the request's pool.
template <class Kind>
ngx_int_t serve(ngx_http_request_t* r, std::string_view method) noexcept {
    return serve_endpoint(r, method, [](ngx_http_request_t* request, Record& record) -> Endpoint* {
        return pool_new<Kind>(request->pool, request, record);
    });
}

// The endpoint in the place of an application decides for itself: false after a message where a
// gate is in force.
bool check_open_endpoint(ngx_conf_t* cf, const LocConf& loc);

}  // namespace gate::nginx
