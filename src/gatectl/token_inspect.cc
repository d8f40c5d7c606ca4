// gatectl token inspect.

#include "base/base64url.h"
#include "gatectl/input.h"
#include "gatectl/output.h"
#include "gatectl/token_commands.h"
#include "jose/json.h"

namespace gate::ctl {

namespace {

using jose::Value;

constexpr std::string_view kWarning = "NOT VERIFIED: anybody could have written this";

// One of the first two parts: its JSON, or why there is none.
struct Part {
    jose::Document document;
    std::string problem;
};

Part read_part(std::string_view text) {
    const auto octets = base64url_decode(text);
    if (!octets) return {{}, "is not base64url"};
    auto document = jose::Document::parse(text_of(*octets));
    if (!document)
        return {{}, "is not a strict JSON object (" + std::string(code(document.error())) + ")"};
    return {*std::move(document), {}};
}

bool is_time(std::string_view name) {
    return name == "exp" || name == "nbf" || name == "iat" || name == "auth_time";
}

void print_part(std::ostream& out, std::string_view title, const Part& part) {
    out << title << (part.problem.empty() ? "" : " " + part.problem) << '\n';
    for (const std::string_view name : part.document.root().member_names()) {
        const Value value = part.document.root().member(name);
        std::string label = "  " + printable(name);
        if (label.size() < 14) label.resize(14, ' ');
        out << label << ' ' << printable(value.dump());
        const auto when = value.integer();
        if (is_time(name) && when && *when >= 0) out << "  (" << rfc3339(*when) << ')';
        out << '\n';
    }
}

std::string json_of(const Part& part) {
    return part.problem.empty() ? part.document.root().dump() : "null";
}

}  // namespace

int run_token_inspect(const Arguments& arguments, Io& io) {
    const Secret input = read_credential(io.in);
    const std::string_view token = input.text();
    const std::size_t first = token.find('.');
    const std::size_t second = first == token.npos ? first : token.find('.', first + 1);
    if (second == token.npos || token.find('.', second + 1) != token.npos) {
        return refuse(io, "not a token: it must have three parts, separated by dots");
    }
    const Part header = read_part(token.substr(0, first));
    const Part payload = read_part(token.substr(first + 1, second - first - 1));
    const std::size_t signature = base64url_decoded_size(token.size() - second - 1);
    const bool readable = header.problem.empty() && payload.problem.empty();
    if (arguments.has("json")) {
        JsonObject object;
        object.boolean("verified", false).raw("header", json_of(header));
        object.raw("claims", json_of(payload));
        object.number("signature_octets", static_cast<std::int64_t>(signature));
        io.out << object.str() << '\n';
    } else {
        io.out << kWarning << '\n';
        print_part(io.out, "header", header);
        print_part(io.out, "claims", payload);
        io.out << "signature\n  " << signature << " octets\n";
    }
    return readable ? kDone : kRefused;
}

}  // namespace gate::ctl
