#include "base/json_object.h"
#include "nginx/directive.h"
#include "nginx/dump.h"

namespace gate::nginx {

namespace {

using Kind = SourceFile::Kind;

std::vector<std::string> names_of(crypto::AlgSet algs) {
    std::vector<std::string> names;
    if (algs.empty()) return names;
    const std::string all = algs.names();
    for (std::string_view name : split(all, ' ')) names.emplace_back(name);
    return names;
}

std::string_view name_of(Kind kind) {
    switch (kind) {
        case Kind::kJwks:
            return "jwks";
        case Kind::kPem:
            return "pem";
        case Kind::kSecret:
            return "secret";
        case Kind::kKeys:
            return "keys";
        case Kind::kPepper:
            return "pepper";
        case Kind::kRoles:
            return "roles";
        case Kind::kUsers:
            return "users";
    }
    return "";
}

std::string files_json(const std::vector<SourceFile>& files) {
    std::vector<std::string> elements;
    for (const SourceFile& file : files) {
        JsonObject object;
        object.text("kind", name_of(file.kind)).text("path", file.path);
        if (!file.kid.empty()) object.text("kid", file.kid);
        if (!file.algs.empty()) object.texts("algorithms", names_of(file.algs));
        if (file.kind == Kind::kSecret) object.text("encoding", name_of(file.encoding));
        elements.push_back(object.text("where", file.where).str());
    }
    return json_array(elements);
}

std::string issuer_json(const LiveIssuer& live) {
    const jose::Issuer& issuer = live.issuer;
    JsonObject object;
    object.text("name", issuer.name).text("where", live.where);
    if (issuer.iss) object.text("issuer", *issuer.iss);
    object.texts("algorithms", names_of(issuer.algorithms));
    object.boolean("audience_off", issuer.audience_off).texts("audiences", issuer.audiences);
    object.texts("types", issuer.types);
    object.number("leeway_exp", issuer.leeway_exp).number("leeway_nbf", issuer.leeway_nbf);
    object.number("leeway_iat", issuer.leeway_iat).boolean("require_exp", issuer.require_exp);
    object.number("max_lifetime", issuer.max_lifetime);
    object.texts("require_claims", issuer.require_claims);
    object.texts("subject_claim", issuer.subject_claim).texts("client_claim", issuer.client_claim);
    object.texts("scope_claim", issuer.scope_claim).texts("role_claim", issuer.role_claim);
    object.texts("group_claim", issuer.group_claim).text("roles", live.roles_name);
    return object.raw("files", files_json(live.files)).str();
}

std::string_view name_of(policy::RoleField field) {
    switch (field) {
        case policy::RoleField::kRoles:
            return "roles";
        case policy::RoleField::kScopes:
            return "scopes";
        case policy::RoleField::kGroups:
            return "groups";
    }
    return "";
}

std::string store_json(const LiveStore& live) {
    const bool keyed = live.store.digest == apikey::DigestKind::kHmacSha256;
    JsonObject object;
    object.text("name", live.store.name).text("where", live.where);
    object.text("prefix", live.store.format.prefix);
    object.boolean("checksum", live.store.format.checksum);
    object.text("digest", keyed ? "hmac-sha256" : "sha256");
    object.text("role_field", name_of(live.store.role_field)).text("roles", live.roles_name);
    return object.raw("files", files_json(live.files)).str();
}

}  // namespace

std::string issuers_json(const MainConf& main) {
    std::vector<std::string> elements;
    for (const auto& live : main.issuers) elements.push_back(issuer_json(*live));
    return json_array(elements);
}

std::string stores_json(const MainConf& main) {
    std::vector<std::string> elements;
    for (const auto& live : main.stores) elements.push_back(store_json(*live));
    return json_array(elements);
}

std::string roles_json(const MainConf& main) {
    std::vector<std::string> elements;
    for (const auto& live : main.roles) {
        JsonObject object;
        object.text("name", live->name).text("where", live->where);
        std::vector<std::string> roles;
        if (live->map) {
            for (std::string_view role : live->map->names()) roles.emplace_back(role);
        }
        elements.push_back(
            object.texts("roles", roles).raw("files", files_json(live->files)).str());
    }
    return json_array(elements);
}

}  // namespace gate::nginx
