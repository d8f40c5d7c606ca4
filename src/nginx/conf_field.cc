#include "nginx/setters.h"

namespace gate::nginx {

// gate_field name json_name [unit=..]
bool set_gate_field(Directive& directive, LocConf& loc) {
    const auto& values = directive.values();
    const auto field = policy::find_request_field(values[0]);
    if (!field) return directive.unknown(values[0], policy::request_field_names());
    std::optional<policy::TimeUnit> unit;
    if (values.size() > 2) {
        const auto name = option(values[2], "unit");
        unit = name ? policy::find_time_unit(*name) : std::nullopt;
        if (!unit)
            return directive.unknown(values[2], "unit=s, unit=m, unit=h, unit=d or unit=unix");
    }
    policy::FieldNames names;
    if (loc.fields.set()) names = *loc.fields;
    if (const auto set = names.set(*field, values[1], unit); !set) {
        return directive.fail(set.error());
    }
    loc.fields = std::move(names);
    return true;
}

}  // namespace gate::nginx
