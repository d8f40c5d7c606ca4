#include "apikey/record_fields.h"

#include <array>

namespace gate::apikey {

namespace {

using jose::FieldForm;

constexpr std::array<jose::KnownField, 16> kFields{{{"v", FieldForm::kVersion},
                                                    {"id", FieldForm::kText},
                                                    {"digest", FieldForm::kText},
                                                    {"name", FieldForm::kText},
                                                    {"owner", FieldForm::kText},
                                                    {"scopes", FieldForm::kList},
                                                    {"roles", FieldForm::kList},
                                                    {"groups", FieldForm::kList},
                                                    {"status", FieldForm::kText},
                                                    {"created", FieldForm::kInstant},
                                                    {"not_before", FieldForm::kInstant},
                                                    {"expires", FieldForm::kInstant},
                                                    {"rate", FieldForm::kText},
                                                    {"burst", FieldForm::kNumber},
                                                    {"cidr", FieldForm::kList},
                                                    {"labels", FieldForm::kObject}}};
static_assert(Record::kVersion == 1);

}  // namespace

Result<Record, std::string> record_of_fields(std::span<const Field> fields) {
    const auto document = jose::document_of_fields(fields, kFields);
    if (!document) return fail(document.error());
    auto record = Record::from_json(document->root(), Record::Values::kHidden);
    if (!record) return fail(jose::about_field(record.error()));
    return record;
}

std::vector<std::string> fields_of_record(const Record& record) {
    std::vector<std::string> networks;
    for (const Network& network : record.networks) networks.push_back(network.text());
    jose::FieldWriter writer;
    writer.text("id", record.id).text("digest", record.digest).text("name", record.name);
    writer.text("owner", record.owner).list("scopes", record.scopes).list("roles", record.roles);
    writer.list("groups", record.groups).text("status", name_of(record.status));
    writer.instant("created", record.created != 0 ? std::optional(record.created) : std::nullopt);
    writer.instant("not_before", record.not_before).instant("expires", record.expires);
    writer.text("rate", record.rate);
    if (record.burst) writer.text("burst", std::to_string(*record.burst));
    writer.list("cidr", networks).object("labels", record.labels);
    return std::move(writer).take();
}

}  // namespace gate::apikey
