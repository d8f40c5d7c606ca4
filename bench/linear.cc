// The work for every hostile shape at several sizes, one callgrind dump for each: bench/count turns
// them into instruction counts and fails where twice the size costs more than 2.2 times as much.
#include <valgrind/callgrind.h>

#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "apikey/key_format.h"
#include "base/base64url.h"
#include "bench/tokens.h"
#include "http/credential_text.h"
#include "http/path.h"
#include "jose/signer.h"
#include "jose/token.h"
#include "tests/fuzz/test_keys.h"

namespace {

using namespace gate;

constexpr std::size_t kSizes[] = {128 * 1024, 256 * 1024, 512 * 1024};

// `text` as often as it fits into `size` octets.
std::string repeated(std::string_view text, std::size_t size) {
    std::string out;
    out.reserve(size);
    while (out.size() + text.size() <= size) out.append(text);
    return out;
}

std::string numbered(std::string_view before, std::string_view after, std::size_t size) {
    std::string out;
    for (std::size_t i = 0; out.size() + before.size() + after.size() + 8 <= size; ++i) {
        out.append(before).append(std::to_string(i)).append(after);
    }
    return out;
}

class World {
public:
    World() {
        const auto jwk = jose::Document::parse(test::kOctJwk);
        key_ = *jose::read_signing_jwk(jwk->root());
        auto keys = std::make_shared<jose::KeySet>();
        if (!keys->add_jwks(test::kOctJwk)) std::abort();
        issuer_.audience_off = true;
        issuer_.algorithms = {crypto::Alg::kHS256};
        trusted_ = {&issuer_, std::move(keys), nullptr};
        store_.format = {"acme_", true};
    }

    // Whatever `text` is, it is judged as a token: with the size limit out of the way.
    void judge(std::string_view text) const {
        policy::Request request;
        const policy::TrustedIssuer* const issuer = &trusted_;
        request.issuers = {&issuer, 1};
        const policy::KeyStore* stores[] = {&store_};
        request.stores = stores;
        request.max_size = ~std::size_t{0};
        request.now = bench::kNow;
        request.credential = policy::classify(text, request.stores);
        static_cast<void>(policy::Authentication(request).start());
        static_cast<void>(jose::header_hint(text));
    }

    // With a good signature, so that everything behind it runs.
    std::string signed_token(std::string_view payload) const {
        return *jose::sign_compact(*key_, crypto::Alg::kHS256, R"({"alg":"HS256"})", payload);
    }

private:
    std::shared_ptr<crypto::SigningKey> key_;
    jose::Issuer issuer_;
    policy::TrustedIssuer trusted_;
    policy::KeyStore store_;
};

struct Shape {
    const char* name;
    std::function<std::string(std::size_t)> make;  // not counted
    std::function<void(const std::string&)> work;
};

std::string header_token(const std::string& header) {
    return base64url_encode(bytes_of(header)) + ".e30.c2ln";
}

// Shapes of tokens; sizes are those of the JSON or of the token itself.
std::vector<Shape> token_shapes(const World& world) {
    const auto judge = [&world](const std::string& text) { world.judge(text); };
    const auto payload = [&world](std::string before, std::string_view unit, std::string after) {
        return [&world, before, unit, after](std::size_t size) {
            return world.signed_token(before + repeated(unit, size) + after);
        };
    };
    const std::string exp = R"({"exp":4102444800,)";
    return {
        {"dots", [](std::size_t n) { return std::string(n, '.'); }, judge},
        {"dots behind a header",
         [](std::size_t n) { return "eyJhbGciOiJIUzI1NiJ9" + std::string(n, '.'); }, judge},
        {"NUL octets", [](std::size_t n) { return std::string(n, '\0'); }, judge},
        {"nested objects", payload("", R"({"a":)", ""), judge},
        {"nested arrays", payload(R"({"a":)", "[", ""), judge},
        {"nested header", [](std::size_t n) { return header_token(repeated(R"({"a":)", n)); },
         judge},
        {"wide object",
         [&world](std::size_t n) {
             return world.signed_token('{' + numbered("\"m", "\":1,", n) + R"("z":1})");
         },
         judge},
        {"few members, long names",
         [&world](std::size_t n) {
             std::string text = R"({"exp":4102444800,)";
             for (int i = 0; i < 200; ++i)
                 text += '"' + std::string(n / 200, 'n') + std::to_string(i) + "\":1,";
             return world.signed_token(text + R"("z":1})");
         },
         judge},
        {"wide array", payload(exp + R"("roles":[)", "\"r\",", "\"r\"]}"), judge},
        {"scope of words", payload(exp + R"("scope":")", "a ", "\"}"), judge},
        {"scope of blanks", payload(exp + R"("scope":")", " ", "\"}"), judge},
        {"escaped NUL", payload(exp + R"("sub":")", "\\u0000", "\"}"), judge},
        {"escapes", payload(exp + R"("sub":")", "\\u00e9\\\"\\ud83d\\ude00", "\"}"), judge},
        {"open string", payload("{\"a\":\"", "\\\"", ""), judge},
        {"long whole number", payload("{\"exp\":", "9", "}"), judge},
        {"long fraction", payload("{\"exp\":0.", "9", "}"), judge},
        {"1e400", payload("{\"a\":1e400", " ", "}"), judge},
        {"long exponent", payload("{\"exp\":1e", "9", "}"), judge},
        {"long negative exponent", payload("{\"exp\":1e-", "0", "1}"), judge},
        {"blanks", payload(exp, " ", R"("a":1})"), judge},
        {"long kid",
         [](std::size_t n) {
             return header_token(R"({"alg":"HS256","kid":")" + std::string(n, 'k') + "\"}");
         },
         judge},
        {"long signature",
         [](std::size_t n) { return "eyJhbGciOiJIUzI1NiJ9.e30." + std::string(n, 'A'); }, judge},
        {"base64 wrong at the end",
         [](std::size_t n) { return std::string(n, 'A') + "=.e30.c2ln"; }, judge},
        {"API key", [](std::size_t n) { return "acme_" + std::string(n, 'k'); }, judge},
    };
}

// Shapes of requests around the token.
std::vector<Shape> request_shapes() {
    const auto text = [](std::string_view unit) {
        return [unit](std::size_t size) { return repeated(unit, size); };
    };
    const auto cookie = [](const std::string& line) {
        http::Found found;
        http::from_cookie_line(line, "jwt", found);
        static_cast<void>(http::without_cookie(line, "jwt"));
    };
    const auto arguments = [](const std::string& query) {
        static_cast<void>(http::from_arguments(query, "t"));
        static_cast<void>(http::argument_values(query, "t"));
        static_cast<void>(http::without_argument(query, "t"));
    };
    const auto path = [](const std::string& raw) {
        static_cast<void>(http::has_climbing_segment(raw));
        static_cast<void>(http::safe_return_target(raw));
        static_cast<void>(http::percent_encode(raw));
    };
    const auto header = [](const std::string& value) {
        static_cast<void>(http::from_header(value, "Bearer"));
        static_cast<void>(http::is_cross_site(value, "", "https", value, "https://a.test"));
        static_cast<void>(log_escaped(value, 64));
    };
    return {
        {"cookies", text("a=b; "), cookie},
        {"cookies of the name", text("jwt=x;"), cookie},
        {"cookie separators", text(";"), cookie},
        {"cookie blanks", text(" "), cookie},
        {"cookie of blanks", [](std::size_t n) { return "jwt" + std::string(n, ' ') + "=x"; },
         cookie},
        {"arguments", text("a=b&"), arguments},
        {"arguments of the name", text("t=x&"), arguments},
        {"ampersands", text("&"), arguments},
        {"path encoded many times", [](std::size_t n) { return "/%" + repeated("25", n) + "2e"; },
         path},
        {"path of escapes", text("/%2e%252e%c0%ae"), path},
        {"path of dots", text("/..;"), path},
        {"path of lead octets", text("\xf0\x80\x80"), path},
        {"header of blanks", [](std::size_t n) { return "Bearer" + std::string(n, ' '); }, header},
    };
}

}  // namespace

int main() {
    const World world;
    std::vector<Shape> shapes = token_shapes(world);
    for (Shape& shape : request_shapes()) shapes.push_back(std::move(shape));
    for (const Shape& shape : shapes) {
        // What runs for the first time resolves symbols and fetches algorithms.
        shape.work(shape.make(64));
        for (const std::size_t size : kSizes) {
            const std::string text = shape.make(size);
            CALLGRIND_ZERO_STATS;
            shape.work(text);
            const std::string name = std::string(shape.name) + " " + std::to_string(size);
            CALLGRIND_DUMP_STATS_AT(name.c_str());
        }
    }
    std::printf("linear: %zu shapes\n", shapes.size());
    return 0;
}
