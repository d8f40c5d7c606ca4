// gate_jwks: the content handler that publishes the keys of an issuer.
#include <algorithm>
#include <span>
#include <utility>

#include "base/base64url.h"
#include "crypto/digest.h"
#include "jose/jwk_text.h"
#include "nginx/bridge.h"
#include "nginx/compat.h"
#include "nginx/conf_check.h"
#include "nginx/content.h"
#include "nginx/setters.h"

namespace gate::nginx {

namespace {

// A key that is added is known everywhere within this time.
constexpr std::string_view kCache = "public, max-age=300";

PublishedKeys publish(const LiveIssuer& live) {
    std::string text = jose::public_jwks(*live.trusted.keys, live.issuer.algorithms);
    const auto digest = crypto::sha256(bytes_of(text));
    std::string tag = '"' + base64url_encode(std::span(digest).first(16)) + '"';
    return {live.trusted.keys, std::move(text), std::move(tag)};
}

// RFC 9110 section 8.8.3, strong; nginx answers If-None-Match by it. False when memory is short.
bool set_etag(ngx_http_request_t* r, std::string_view tag) {
    r->headers_out.etag = add_response_header(r, "ETag", str(copy(r->pool, tag)));
    return r->headers_out.etag != nullptr;
}

ngx_int_t jwks_handler(ngx_http_request_t* r) noexcept {
    return guard(r, ngx_int_t{NGX_HTTP_INTERNAL_SERVER_ERROR}, [&]() -> ngx_int_t {
        if (const ngx_int_t rc = accept_reading(r); rc != NGX_OK) return rc;
        const ContentConf& content = loc_conf(r).content;
        const LiveIssuer& live = *content.issuer;
        // Without keys nothing of it is in force: that nobody may take for a set without keys.
        if (!live.trusted.keys) return NGX_HTTP_SERVICE_UNAVAILABLE;
        if (content.published->of != live.trusted.keys) *content.published = publish(live);
        const PublishedKeys& published = *content.published;
        if (!set_etag(r, published.tag)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
        return send_content(r, NGX_HTTP_OK, jose::kJwkSetType, published.text, kCache);
    });
}

bool complete_level(ngx_conf_t* cf, const MainConf& main, LocConf& loc) {
    ContentConf& content = loc.content;
    content.issuer = find_issuer(cf, main, content);
    if (content.issuer == nullptr) return false;
    content.published = std::make_shared<PublishedKeys>();
    const crypto::AlgSet algs = content.issuer->issuer.algorithms;
    if ((algs & crypto::kHmacAlgs) == algs) {
        return fail_at(cf, content.where.text(),
                       "\"gate_jwks\" names issuer " + quoted(content.issuer_name) +
                           ", whose algorithms (" + algs.names() +
                           ") need secrets, which are not published; remove the line");
    }
    return true;
}

}  // namespace

bool set_gate_jwks(Directive& directive, LocConf& loc) {
    if (!set_content(directive, loc, jwks_handler, complete_level)) return false;
    const auto name = option(directive.values()[0], "issuer");
    if (!name)
        return directive.unknown(directive.values()[0],
                                 "issuer= with the name of a gate_issuer block");
    loc.content.issuer_name = *name;
    return true;
}

}  // namespace gate::nginx
