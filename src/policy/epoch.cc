#include "policy/epoch.h"

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace gate::policy {

namespace {

// Every part with its length, so that no two sequences of parts have one text.
class Text {
public:
    void add(std::string_view part) {
        text_ += std::to_string(part.size());
        text_ += ':';
        text_ += part;
    }
    void add(Seconds number) { add(std::string_view(std::to_string(number))); }
    void add(bool flag) { add(std::string_view(flag ? "on" : "off")); }
    void add(const std::vector<std::string>& list) {
        add(static_cast<Seconds>(list.size()));
        for (const std::string& element : list) add(std::string_view(element));
    }
    void add(const std::optional<std::string>& value) {
        add(value.has_value());
        if (value) add(std::string_view(*value));
    }
    const std::string& str() const { return text_; }

private:
    std::string text_;
};

std::uint64_t number_of(const Text& text) {
    const crypto::Digest256 digest = crypto::sha256(bytes_of(text.str()));
    std::uint64_t epoch = 0;
    std::memcpy(&epoch, digest.data(), sizeof epoch);
    return epoch != 0 ? epoch : 1;
}

}  // namespace

std::uint64_t epoch_of(const jose::Issuer& issuer, std::string_view keys) {
    // Names all members: one more, and this does not compile until it is added below.
    const auto& [name, iss, algorithms, audience_off, audiences, types, leeway_exp, leeway_nbf,
                 leeway_iat, require_exp, max_lifetime, require_claims, subject_claim, client_claim,
                 scope_claim, role_claim, group_claim, signing] = issuer;
    static_cast<void>(signing);  // makes tokens, judges none
    Text text;
    text.add(std::string_view("issuer"));
    text.add(std::string_view(name));
    text.add(iss);
    text.add(std::string_view(algorithms.names()));
    text.add(audience_off);
    text.add(audiences);
    text.add(types);
    for (const Seconds number : {leeway_exp, leeway_nbf, leeway_iat, max_lifetime})
        text.add(number);
    text.add(require_exp);
    for (const auto* list : {&require_claims, &subject_claim, &client_claim, &scope_claim,
                             &role_claim, &group_claim}) {
        text.add(*list);
    }
    text.add(keys);
    return number_of(text);
}

std::uint64_t epoch_of_store(std::string_view name, std::string_view rules) {
    Text text;
    text.add(std::string_view("store"));
    text.add(name);
    text.add(rules);
    return number_of(text);
}

}  // namespace gate::policy
