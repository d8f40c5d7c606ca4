#include "jose/json.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json_text.h"
#include "jose/json_tree.h"

namespace gate::jose {

namespace {

template <class Number>
std::string_view print(Number number, std::array<char, 64>& buffer) {
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    return {buffer.data(), end};
}

void dump_container(const JsonNode& node, std::string& out) {
    const bool object = node.kind == Value::Kind::kObject;
    out += object ? '{' : '[';
    for (std::uint32_t i = 0; i < node.size; ++i) {
        if (i != 0) out += ',';
        if (object) {
            dump_json(node.children[2 * i], out);
            out += ':';
            dump_json(node.children[2 * i + 1], out);
        } else {
            dump_json(node.children[i], out);
        }
    }
    out += object ? '}' : ']';
}

}  // namespace

void dump_json(const JsonNode& node, std::string& out) {
    std::array<char, 64> buffer;
    switch (node.kind) {
        case Value::Kind::kAbsent:
            break;
        case Value::Kind::kNull:
            out += "null";
            break;
        case Value::Kind::kBool:
            out += node.boolean ? "true" : "false";
            break;
        case Value::Kind::kInteger:
            out += print(node.integer, buffer);
            break;
        case Value::Kind::kReal: {
            const std::string_view text = print(node.real, buffer);
            out += text;
            // The shortest form of 1.0 is "1", which would read as an integer.
            if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
            break;
        }
        case Value::Kind::kString:
            out += '"';
            append_json_escaped(out, node.string());
            out += '"';
            break;
        case Value::Kind::kArray:
        case Value::Kind::kObject:
            dump_container(node, out);
            break;
    }
}

Value::Kind Value::kind() const noexcept {
    return node_ == nullptr ? Kind::kAbsent : node_->kind;
}

std::optional<std::string_view> Value::string() const noexcept {
    if (!is(Kind::kString)) return std::nullopt;
    return node_->string();
}

std::optional<std::int64_t> Value::integer() const noexcept {
    if (!is(Kind::kInteger)) return std::nullopt;
    return node_->integer;
}

std::optional<double> Value::number() const noexcept {
    if (is(Kind::kReal)) return node_->real;
    if (is(Kind::kInteger)) return static_cast<double>(node_->integer);
    return std::nullopt;
}

std::optional<bool> Value::boolean() const noexcept {
    if (!is(Kind::kBool)) return std::nullopt;
    return node_->boolean;
}

std::size_t Value::size() const noexcept {
    return is(Kind::kArray) || is(Kind::kObject) ? node_->size : 0;
}

Value Value::at(std::size_t index) const noexcept {
    if (!is(Kind::kArray) || index >= node_->size) return Value();
    return Value(&node_->children[index]);
}

Value Value::member(std::string_view name) const noexcept {
    if (!is(Kind::kObject)) return Value();
    const JsonNode* child = node_->children;
    for (std::uint32_t i = 0; i < node_->size; ++i, child += 2) {
        if (child->string() == name) return Value(child + 1);
    }
    return Value();
}

std::vector<std::string_view> Value::member_names() const {
    std::vector<std::string_view> names;
    if (!is(Kind::kObject)) return names;
    names.reserve(node_->size);
    for (std::uint32_t i = 0; i < node_->size; ++i) {
        names.push_back(node_->children[2 * i].string());
    }
    return names;
}

Value Value::find(std::string_view path) const noexcept {
    if (const Value whole = member(path); whole.present()) return whole;
    Value here = *this;
    for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
        here = here.member(path.substr(0, dot));
        path.remove_prefix(dot + 1);
    }
    return here.member(path);
}

std::optional<std::vector<std::string_view>> Value::string_list() const {
    if (const auto one = string()) return std::vector<std::string_view>{*one};
    if (!is(Kind::kArray)) return std::nullopt;
    std::vector<std::string_view> list;
    list.reserve(size());
    for (std::size_t i = 0; i < size(); ++i) {
        const auto element = at(i).string();
        if (!element) return std::nullopt;
        list.push_back(*element);
    }
    return list;
}

std::string Value::dump() const {
    std::string out;
    if (node_ != nullptr) dump_json(*node_, out);
    return out;
}

Value Document::root() const noexcept {
    return tree_ ? Value(&tree_->root) : Value();
}

Result<Document, Reason> Document::parse(std::string_view text, const JsonLimits& limits) {
    const auto tree = std::make_shared<JsonTree>();
    if (const Reason reason = parse_json(text, limits, *tree); reason != Reason::kNone) {
        return fail(reason);
    }
    Document document;
    document.tree_ = tree;
    return document;
}

}  // namespace gate::jose
