#include "users/user_fields.h"

#include <array>

namespace gate::users {

namespace {

using jose::FieldForm;

constexpr std::array<jose::KnownField, 10> kFields{{{"v", FieldForm::kVersion},
                                                    {"name", FieldForm::kText},
                                                    {"password", FieldForm::kText},
                                                    {"roles", FieldForm::kList},
                                                    {"scopes", FieldForm::kList},
                                                    {"groups", FieldForm::kList},
                                                    {"email", FieldForm::kText},
                                                    {"status", FieldForm::kText},
                                                    {"created", FieldForm::kInstant},
                                                    {"labels", FieldForm::kObject}}};
static_assert(User::kVersion == 1);

}  // namespace

Result<User, std::string> user_of_fields(std::span<const Field> fields) {
    const auto document = jose::document_of_fields(fields, kFields);
    if (!document) return fail(document.error());
    auto user = User::from_json(document->root());
    if (!user) return fail(jose::about_field(user.error()));
    return user;
}

std::vector<std::string> fields_of_user(const User& user) {
    jose::FieldWriter writer;
    writer.text("name", user.name).text("password", user.password);
    writer.list("roles", user.roles).list("scopes", user.scopes).list("groups", user.groups);
    writer.text("email", user.email).text("status", name_of(user.status));
    writer.instant("created", user.created != 0 ? std::optional(user.created) : std::nullopt);
    writer.object("labels", user.labels);
    return std::move(writer).take();
}

}  // namespace gate::users
