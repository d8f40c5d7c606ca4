#include "base/json_object.h"

#include "base/json_text.h"

namespace gate {

JsonObject& JsonObject::raw(std::string_view name, std::string_view json) {
    if (text_.size() > 1) text_ += ',';
    text_.append(json_string(name)).append(":").append(json);
    return *this;
}

JsonObject& JsonObject::text(std::string_view name, std::string_view value) {
    return raw(name, json_string(value));
}

JsonObject& JsonObject::number(std::string_view name, std::int64_t value) {
    return raw(name, std::to_string(value));
}

JsonObject& JsonObject::boolean(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
}

JsonObject& JsonObject::texts(std::string_view name, const std::vector<std::string>& values) {
    std::vector<std::string> elements;
    elements.reserve(values.size());
    for (const std::string& value : values) elements.push_back(json_string(value));
    return raw(name, json_array(elements));
}

JsonObject& JsonObject::members(std::string_view object) {
    const std::string_view inner = object.substr(1, object.size() - 2);
    if (text_.size() > 1 && !inner.empty()) text_ += ',';
    text_ += inner;
    return *this;
}

std::string json_array(const std::vector<std::string>& elements) {
    std::string text = "[";
    for (const std::string& element : elements)
        text.append(text.size() > 1 ? "," : "").append(element);
    return text + "]";
}

}  // namespace gate
