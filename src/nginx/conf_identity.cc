#include <algorithm>

#include "base/ascii.h"
#include "nginx/setters.h"
#include "nginx/variables.h"

namespace gate::nginx {

namespace {

bool check_name(Directive& directive, std::string_view name) {
    if (!is_token(name))
        return directive.fail("has " + quoted(name) + ", which no header can be called");
    if (const char* why = forbidden_header(name)) {
        return directive.fail("cannot have the header " + quoted(name) + ": " + why);
    }
    return true;
}

bool defined_already(Directive& directive, std::string_view name) {
    return directive.fail("cannot set the variable \"$" + std::string(name) +
                          "\", which is defined already; choose another name");
}

// A variable of ours; what an operator's map or set made keeps its meaning.
bool add_claim_variable(Directive& directive, std::string_view name, ClaimVariable* claim) {
    ngx_str_t lower = str(copy(directive.cf()->pool, ascii_lower(name)));
    ngx_http_variable_t* variable =
        ngx_http_add_variable(directive.cf(), &lower, NGX_HTTP_VAR_NOCACHEABLE);
    if (variable == nullptr) return false;
    if (variable->get_handler != nullptr || variable->set_handler != nullptr) {
        return defined_already(directive, name);
    }
    variable->get_handler = claim_variable;
    variable->data = reinterpret_cast<uintptr_t>(claim);
    return true;
}

}  // namespace

bool set_gate_identity(Directive& directive, LocConf& loc) {
    const std::string_view name = directive.values()[0];
    if (!check_name(directive, name)) return false;
    std::vector<IdentityConf> lines;
    if (loc.identity.set()) lines = *loc.identity;
    const std::string normal = normal_header_name(name);
    for (const IdentityConf& other : lines) {
        if (normal_header_name(other.name) != normal) continue;
        return directive.fail("sets the header " + quoted(name) + " twice" +
                              (other.name == name ? "" : ", as " + quoted(other.name) + " before"));
    }
    IdentityConf line;
    line.name = name;
    line.lowcase = ascii_lower(name);
    line.hash = ngx_hash_key(reinterpret_cast<u_char*>(line.lowcase.data()), line.lowcase.size());
    line.where = directive.where();
    if (!directive.compile(directive.values()[1], line.value)) return false;
    lines.push_back(std::move(line));
    loc.identity = std::move(lines);
    MainConf& main = main_conf(directive.cf());
    main.identity_names.insert(normal);
    main.identity_lines.push_back(
        {std::string(directive.name()), std::string(name), directive.where()});
    return true;
}

bool set_gate_identity_clear(Directive& directive, SrvConf& srv) {
    const auto& values = directive.values();
    if (std::find(values.begin(), values.end(), "off") != values.end()) {
        if (values.size() > 1)
            return directive.fail("has \"off\" beside names; \"off\" stands alone");
        if (directive.cf()->cmd_type != NGX_HTTP_SRV_CONF) {
            return directive.fail("with \"off\" is allowed in server only");
        }
        if (srv.identity_clear_off.set()) return directive.duplicate();
        srv.identity_clear_off = true;
        return true;
    }
    MainConf& main = main_conf(directive.cf());
    for (std::string_view name : values) {
        if (!check_name(directive, name)) return false;
        main.identity_names.insert(normal_header_name(name));
        main.identity_lines.push_back(
            {std::string(directive.name()), std::string(name), directive.where()});
    }
    return true;
}

bool set_gate_claim(Directive& directive, MainConf& main) {
    const auto& values = directive.values();
    std::string_view name = values[0];
    if (!name.starts_with('$') || name.size() < 2 ||
        !std::all_of(name.begin() + 1, name.end(), is_word)) {
        return directive.fail("has the name " + quoted(name) +
                              "; expected a variable such as $name");
    }
    name.remove_prefix(1);
    if (ascii_lower(name).starts_with("gate_")) {
        return directive.fail("cannot set \"$" + std::string(name) +
                              "\"; names that begin with gate_ are the module's own");
    }
    auto claim = std::make_unique<ClaimVariable>();
    claim->name = ascii_lower(name);
    for (const auto& other : main.claim_variables) {
        if (other->name == claim->name) return defined_already(directive, name);
    }
    claim->path = values[1];
    if (claim->path.empty()) return directive.fail("has an empty path");
    if (values.size() > 2) {
        const auto form = option(values[2], "as");
        if (form == "json") {
            claim->form = ClaimForm::kJson;
        } else if (form == "base64url") {
            claim->form = ClaimForm::kBase64url;
        } else if (form != "text") {
            return directive.unknown(values[2], "as=text, as=json or as=base64url");
        }
    }
    if (!add_claim_variable(directive, name, claim.get())) return false;
    main.claim_variables.push_back(std::move(claim));
    return true;
}

}  // namespace gate::nginx
