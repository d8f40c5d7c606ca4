#include "policy/request_fields.h"

#include <algorithm>
#include <charconv>
#include <new>

#include "base/ascii.h"
#include "base/utf8.h"

namespace gate::policy {

namespace {

using jose::Value;
using Kind = Value::Kind;

constexpr std::string_view kBlanks = " \t\r\n";
constexpr jose::JsonLimits kBodyLimits{
    .depth = 8, .members = RequestFields::kMaxFields, .elements = 1024, .values = 4096};
constexpr Seconds kMaxInstant = 253402300799;  // 9999-12-31T23:59:59Z

Failure<BodyError> malformed(std::string text) {
    return fail(BodyError{BodyProblem::kMalformed, std::move(text)});
}

std::string_view trimmed(std::string_view text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

std::string json_problem(Reason reason) {
    if (reason == Reason::kInternal) throw std::bad_alloc();
    if (reason == Reason::kJsonDup) return "the body has a member twice";
    if (reason == Reason::kJsonLimit) return "the body has too many members, elements or levels";
    if (reason == Reason::kClaimRange) return "the body has a number that is out of range";
    return "the body is no JSON object";
}

void collect_strings(Value value, std::vector<std::string_view>& strings) {
    if (const auto string = value.string()) strings.push_back(*string);
    if (value.is(Kind::kArray)) {
        for (std::size_t i = 0; i < value.size(); ++i) collect_strings(value.at(i), strings);
    }
    for (const std::string_view name : value.member_names()) {
        collect_strings(value.member(name), strings);
    }
}

// Decodes the pairs of a form into one text, which never grows beyond the form.
class FormDecoder {
public:
    explicit FormDecoder(std::size_t size) { decoded_.reserve(size); }
    ~FormDecoder() { wipe(decoded_.data(), decoded_.size()); }
    FormDecoder(const FormDecoder&) = delete;
    FormDecoder& operator=(const FormDecoder&) = delete;

    // The first problem of a name or value, or "".
    std::string append(std::string_view text) {
        const std::size_t begin = decoded_.size();
        for (std::size_t i = 0; i < text.size(); ++i) {
            char c = text[i] == '+' ? ' ' : text[i];
            if (c == '%') {
                const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
                const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
                if (high < 0 || low < 0) {
                    return "the body has a '%' that no two hexadecimal digits follow";
                }
                c = static_cast<char>(high * 16 + low);
                i += 2;
            }
            decoded_ += c;
        }
        const std::string_view added = std::string_view(decoded_).substr(begin);
        if (added.find('\0') != std::string_view::npos) return "the body has a NUL";
        if (!is_utf8(added)) return "the body is not UTF-8";
        ends_.push_back(decoded_.size());
        return {};
    }

    std::string_view decoded() const noexcept { return decoded_; }
    // Where each text that was appended ends.
    const std::vector<std::size_t>& ends() const noexcept { return ends_; }

private:
    std::string decoded_;
    std::vector<std::size_t> ends_;
};

std::optional<std::int64_t> decimal(std::string_view text) noexcept {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> list;
    while (!(text = trimmed(text)).empty()) {
        const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
        list.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return list;
}

Failure<std::string> wrong(std::string_view name, std::string_view expected) {
    return fail("field \"" + std::string(name) + "\" is wrong; expected " + std::string(expected));
}

}  // namespace

std::optional<BodyForm> body_form(std::string_view content_type, std::string_view body) noexcept {
    const std::size_t first = body.find_first_not_of(kBlanks);
    if (first != std::string_view::npos && body[first] == '{') return BodyForm::kJson;
    const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
    if (type.empty() || equal_ignoring_case(type, "application/x-www-form-urlencoded")) {
        return BodyForm::kForm;
    }
    if (equal_ignoring_case(type, "application/json")) return BodyForm::kJson;
    return std::nullopt;
}

int status_of(BodyProblem problem) noexcept {
    switch (problem) {
        case BodyProblem::kMalformed:
            return 400;
        case BodyProblem::kTooLarge:
            return 413;
        case BodyProblem::kMediaType:
            return 415;
    }
    return 500;
}

Result<RequestFields, BodyError> RequestFields::parse(std::string_view content_type,
                                                      std::string_view body) {
    RequestFields fields;
    if (body.size() > kMaxBody) {
        return fail(BodyError{BodyProblem::kTooLarge,
                              "the body is larger than " + std::to_string(kMaxBody) + " octets"});
    }
    if (trimmed(body).empty()) return fields;
    const auto form = body_form(content_type, body);
    if (!form) {
        return fail(BodyError{BodyProblem::kMediaType,
                              "the body is neither JSON nor a form; send application/json or "
                              "application/x-www-form-urlencoded"});
    }
    auto done = *form == BodyForm::kJson ? fields.read_json(body) : fields.read_form(body);
    if (!done) return fail(done.error());
    return fields;
}

RequestFields& RequestFields::operator=(RequestFields&& other) noexcept {
    if (this == &other) return *this;
    wipe_strings();
    document_ = std::move(other.document_);
    strings_ = std::move(other.strings_);
    other.strings_.clear();
    decoded_ = std::move(other.decoded_);
    pairs_ = std::move(other.pairs_);
    return *this;
}

// jansson gives strings out as constant only; they are its own memory and writable.
void RequestFields::wipe_strings() noexcept {
    for (const std::string_view string : strings_) {
        wipe(const_cast<char*>(string.data()), string.size());
    }
}

Status<BodyError> RequestFields::read_json(std::string_view body) {
    auto document = jose::Document::parse(body, kBodyLimits);
    if (!document) return malformed(json_problem(document.error()));
    document_ = *std::move(document);
    collect_strings(document_.root(), strings_);
    for (const std::string_view string : strings_) {
        if (string.find('\0') != std::string_view::npos) return malformed("the body has a NUL");
    }
    return Done{};
}

Status<BodyError> RequestFields::read_form(std::string_view body) {
    FormDecoder decoder(body.size());
    for (std::size_t begin = 0; begin <= body.size();) {
        const std::size_t end = std::min(body.find('&', begin), body.size());
        const std::string_view pair = body.substr(begin, end - begin);
        begin = end + 1;
        if (pair.empty()) continue;
        if (decoder.ends().size() / 2 == kMaxFields) {
            return malformed("the body has more than " + std::to_string(kMaxFields) + " fields");
        }
        const std::size_t equals = std::min(pair.find('='), pair.size());
        for (const std::string_view text :
             {pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size()))}) {
            if (std::string problem = decoder.append(text); !problem.empty()) {
                return malformed(std::move(problem));
            }
        }
    }
    decoded_ = Secret(bytes_of(decoder.decoded()));
    const std::vector<std::size_t>& ends = decoder.ends();
    for (std::size_t i = 0, begin = 0; i < ends.size(); begin = ends[i + 1], i += 2) {
        const std::string_view name = decoded_.text().substr(begin, ends[i] - begin);
        if (std::ranges::any_of(pairs_, [&](const auto& pair) { return pair.first == name; })) {
            return malformed("the body has a field twice");
        }
        pairs_.emplace_back(name, decoded_.text().substr(ends[i], ends[i + 1] - ends[i]));
    }
    return Done{};
}

std::optional<RequestFields::Field> RequestFields::find(std::string_view name) const {
    if (name.empty()) return std::nullopt;
    for (const auto& [known, value] : pairs_) {
        if (known == name) return Field{{}, value};
    }
    const Value value = document_.root().member(name);
    if (!value.present() || value.is(Kind::kNull)) return std::nullopt;
    return Field{value, value.string()};
}

std::optional<std::int64_t> RequestFields::Field::integer() const noexcept {
    return text ? decimal(*text) : json.integer();
}

RequestFields::Read<std::string_view> RequestFields::text(std::string_view name) const {
    const auto field = find(name);
    if (field && !field->text) return wrong(name, "a text");
    return field ? field->text : std::nullopt;
}

RequestFields::Read<std::int64_t> RequestFields::integer(std::string_view name) const {
    const auto field = find(name);
    if (!field) return std::optional<std::int64_t>();
    const auto value = field->integer();
    if (!value) return wrong(name, "an integer");
    return value;
}

RequestFields::Read<bool> RequestFields::boolean(std::string_view name) const {
    const auto field = find(name);
    if (!field) return std::optional<bool>();
    auto value = field->json.boolean();
    if (field->text == "true") value = true;
    if (field->text == "false") value = false;
    if (!value) return wrong(name, "true or false");
    return value;
}

RequestFields::Read<Seconds> RequestFields::instant(std::string_view name) const {
    const auto field = find(name);
    if (!field) return std::optional<Seconds>();
    auto when = field->text ? parse_rfc3339(*field->text) : std::nullopt;
    if (!when) when = field->integer();
    if (!when || *when < 0 || *when > kMaxInstant) {
        return wrong(name, "an instant such as \"2030-01-31T00:00:00Z\"");
    }
    return when;
}

RequestFields::Read<std::vector<std::string_view>> RequestFields::list(
    std::string_view name) const {
    using List = std::optional<std::vector<std::string_view>>;
    const auto field = find(name);
    if (!field) return List();
    if (field->text) return List(words(*field->text));
    List list = field->json.string_list();
    if (!list) return wrong(name, "a list of texts");
    return list;
}

std::vector<std::string_view> RequestFields::names() const {
    if (pairs_.empty()) return document_.root().member_names();
    std::vector<std::string_view> names;
    names.reserve(pairs_.size());
    for (const auto& pair : pairs_) names.push_back(pair.first);
    return names;
}

}  // namespace gate::policy
