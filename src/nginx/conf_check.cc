#include "nginx/conf_check.h"

#include <algorithm>

#include "nginx/setters.h"

namespace gate::nginx {

namespace {

bool check_issuers(ngx_conf_t* cf, const GateConf& gate) {
    for (std::size_t i = 0; i < gate.issuers.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const jose::Issuer& first = gate.issuers[j]->issuer;
            const jose::Issuer& second = gate.issuers[i]->issuer;
            if (first.iss != second.iss) continue;
            const std::string same = first.iss ? "\"issuer " + *first.iss + "\"" : "\"issuer off\"";
            return fail_at(cf, gate.where.text(),
                           "\"gate\" accepts the issuers " + quoted(first.name) + " and " +
                               quoted(second.name) + ", which both have " + same +
                               "; their tokens could not be told apart: name one of them");
        }
    }
    return true;
}

bool check_stores(ngx_conf_t* cf, const GateConf& gate) {
    for (std::size_t i = 0; i < gate.stores.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const policy::KeyStore& first = gate.stores[j]->store;
            const policy::KeyStore& second = gate.stores[i]->store;
            if (first.format.prefix != second.format.prefix) continue;
            const std::string same = first.format.prefix.empty()
                                         ? "no prefix"
                                         : "the prefix " + quoted(first.format.prefix);
            return fail_at(cf, gate.where.text(),
                           "\"gate\" accepts the key stores " + quoted(first.name) + " and " +
                               quoted(second.name) + ", which both have " + same +
                               "; their keys could not be told apart: give one another prefix");
        }
    }
    return true;
}

bool has_gate(const LocConf& loc) {
    return loc.gate.set() && loc.gate->on;
}

bool check_requirements(ngx_conf_t* cf, const LocConf& loc) {
    if (has_gate(loc) || loc.requires_.empty()) return true;
    const RequireConf& first = loc.requires_.front();
    const bool off = loc.gate.set() && loc.gate->where.line != 0;
    return fail_at(cf, first.where.text(),
                   quoted(first.directive) + " stands where " +
                       (off ? "\"gate off\" is in force" : "no gate is in force") +
                       ", so nothing would check it; write \"gate jwt;\" or \"gate key;\" there");
}

// The first of the sources that takes its credential from a header of that name.
const SourceConf* find_header(const std::vector<SourceConf>& sources, const std::string& normal) {
    const auto found = std::find_if(sources.begin(), sources.end(), [&](const SourceConf& source) {
        return source.type == policy::SourceType::kHeader &&
               normal_header_name(source.name) == normal;
    });
    return found == sources.end() ? nullptr : &*found;
}

bool check_identity_line(ngx_conf_t* cf, const IdentityLine& line, const LocConf& loc) {
    if (!has_gate(loc)) return true;
    const std::string normal = normal_header_name(line.name);
    const SourceConf* jwt = loc.gate->jwt ? find_header(*loc.jwt_sources, normal) : nullptr;
    const SourceConf* key = loc.gate->key ? find_header(*loc.key_sources, normal) : nullptr;
    const SourceConf* source = jwt != nullptr ? jwt : key;
    if (source == nullptr) return true;
    const std::string kind = jwt != nullptr ? "jwt" : "key";
    return fail_at(cf, line.where.text(),
                   quoted(line.directive) + " removes the header " + quoted(line.name) +
                       " from every request, but \"gate_source " + kind +
                       " header=" + source->name + "\" (" +
                       (source->where.line == 0 ? "the default" : source->where.text()) +
                       ") takes a credential from it; choose another name for one of them");
}

bool check_identity(ngx_conf_t* cf, const MainConf& main) {
    for (const IdentityLine& line : main.identity_lines) {
        for (const Level& level : main.levels) {
            if (!check_identity_line(cf, line, *level.conf)) return false;
        }
    }
    return true;
}

void warn_of_audience(ngx_conf_t* cf, const MainConf& main) {
    for (const auto& live : main.issuers) {
        if (!live->issuer.audience_off) continue;
        warn_at(cf, live->where,
                "gate_issuer " + quoted(live->issuer.name) +
                    " has \"audience off\": tokens that it issued for other services are accepted "
                    "here; name this service by \"audience NAME;\"");
    }
}

}  // namespace

bool check_gate(ngx_conf_t* cf, const GateConf& gate) {
    return check_issuers(cf, gate) && check_stores(cf, gate);
}

bool check_configuration(ngx_conf_t* cf, const MainConf& main, const LocConf& http) {
    if (!check_requirements(cf, http)) return false;
    for (const Level& level : main.levels) {
        if (!check_requirements(cf, *level.conf)) return false;
    }
    if (!check_identity(cf, main)) return false;
    warn_of_audience(cf, main);
    warn_of_error_pages(cf, main);
    warn_of_unreadable_files(cf, main);
    return true;
}

}  // namespace gate::nginx
