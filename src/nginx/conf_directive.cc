#include <algorithm>

#include "base/ascii.h"
#include "nginx/directive.h"

namespace gate::nginx {

namespace {

Where here(ngx_conf_t* cf) {
    if (cf->conf_file == nullptr || cf->conf_file->file.fd == NGX_INVALID_FILE) return {};
    return {std::string(view(cf->conf_file->file.name)), cf->conf_file->line};
}

void log_at(ngx_conf_t* cf, ngx_uint_t level, const std::string& where, const std::string& text) {
    const std::string line = where.empty() ? text : text + " in " + where;
    const ngx_str_t message = str(line);
    ngx_log_error(level, cf->log, 0, "%V", &message);
}

// gate_issuer "corp"
std::string block_title(const Directive& directive) {
    return std::string(directive.name()) + ' ' + quoted(directive.values()[0]);
}

// What ngx_conf_parse needs of a block; it lives on the stack of read_block().
struct BlockReader {
    const std::string* context;
    WordHandler word;
    void* block;
};

char* on_word(ngx_conf_t* cf, ngx_command_t* /*command*/, void* conf) noexcept {
    char* const failed = static_cast<char*>(NGX_CONF_ERROR);
    return guard(cf->log, failed, [&]() -> char* {
        BlockReader& reader = *static_cast<BlockReader*>(conf);
        Directive word(cf, *reader.context);
        if (word.name() == "include") {
            if (!check_count(word, 1, 1)) return failed;
            return ngx_conf_include(cf, nullptr, conf);
        }
        return reader.word(word, reader.block) ? NGX_CONF_OK : failed;
    });
}

}  // namespace

Directive::Directive(ngx_conf_t* cf, std::string context)
    : cf_(cf), context_(std::move(context)), where_(here(cf)) {
    const auto* arguments = static_cast<ngx_str_t*>(cf->args->elts);
    name_ = view(arguments[0]);
    for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) values_.push_back(view(arguments[i]));
}

std::string Directive::subject() const {
    return (context_.empty() ? std::string() : context_ + ": ") + quoted(name_) + " ";
}

bool Directive::fail(const std::string& text) const {
    return fail_at(cf_, where_.line == 0 ? "" : where_.text(), subject() + text);
}

bool Directive::duplicate() const {
    return fail("directive is duplicate");
}

bool Directive::unknown(std::string_view value, std::string_view expected) const {
    return fail("has an unknown value " + quoted(value) + "; expected " + std::string(expected));
}

bool Directive::unsupported(std::string_view what) const {
    return fail("with " + quoted(what) + " is not supported by this version");
}

bool Directive::compile(std::string_view text, ngx_http_complex_value_t& value) const {
    // The text is an argument of the directive: nginx keeps it as long as the configuration.
    ngx_str_t source = str(copy(cf_->pool, text));
    ngx_http_compile_complex_value_t compiler{};
    compiler.cf = cf_;
    compiler.value = &source;
    compiler.complex_value = &value;
    return ngx_http_compile_complex_value(&compiler) == NGX_OK;
}

ngx_int_t Directive::variable(std::string_view text) const {
    const bool braced = text.size() > 3 && text.starts_with("${") && text.ends_with('}');
    const std::string_view bare = braced                  ? text.substr(2, text.size() - 3)
                                  : text.starts_with('$') ? text.substr(1)
                                                          : std::string_view();
    if (bare.empty() || !std::all_of(bare.begin(), bare.end(), is_word)) {
        fail("has the value " + quoted(text) + "; expected one variable such as $name");
        return -1;
    }
    if (bare[0] >= '0' && bare[0] <= '9') {
        fail("has the numbered capture " + quoted(text) +
             ", which any later regular expression overwrites; use a named one: (?<name>..)");
        return -1;
    }
    ngx_str_t lower = str(copy(cf_->pool, ascii_lower(bare)));
    const ngx_int_t index = ngx_http_get_variable_index(cf_, &lower);
    return index == NGX_ERROR ? -1 : index;
}

std::string Directive::path(std::string_view text) const {
    ngx_str_t full = str(copy(cf_->pool, text));
    if (ngx_conf_full_name(cf_->cycle, &full, 1) != NGX_OK) throw std::bad_alloc();
    return std::string(view(full));
}

bool fail_at(ngx_conf_t* cf, const std::string& where, const std::string& text) {
    log_at(cf, NGX_LOG_EMERG, where, text);
    return false;
}

void warn_at(ngx_conf_t* cf, const std::string& where, const std::string& text) {
    log_at(cf, NGX_LOG_WARN, where, text);
}

bool read_block(const Directive& directive, WordHandler word, void* block) {
    ngx_conf_t* cf = directive.cf();
    const std::string context = block_title(directive);
    BlockReader reader{&context, word, block};
    const ngx_conf_t saved = *cf;
    cf->handler = on_word;
    cf->handler_conf = &reader;
    const char* result = ngx_conf_parse(cf, nullptr);
    *cf = saved;
    return result == NGX_CONF_OK;
}

bool check_block_name(const Directive& directive) {
    const std::string_view name = directive.values()[0];
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    };
    if (!name.empty() && std::all_of(name.begin(), name.end(), allowed)) return true;
    return directive.fail("has the name " + quoted(name) +
                          "; expected letters, digits, \"_\", \"-\" "
                          "and \".\"");
}

bool declared_twice(const Directive& directive, const std::string& before) {
    return fail_block(directive, "is declared twice; the first stands in " + before);
}

bool fail_block(const Directive& directive, const std::string& text) {
    return fail_at(directive.cf(), directive.where().text(), block_title(directive) + ' ' + text);
}

bool check_count(const Directive& word, std::size_t min, std::size_t max) {
    const std::size_t count = word.values().size();
    if (count >= min && count <= max) return true;
    std::string expected = std::to_string(min);
    if (max == kAnyCount) {
        expected += " or more";
    } else if (max != min) {
        expected += " to " + std::to_string(max);
    }
    return word.fail("has " + std::to_string(count) + " arguments; expected " + expected);
}

std::string quoted(std::string_view text) {
    return '"' + std::string(text) + '"';
}

std::string listed(const std::vector<std::string>& elements) {
    std::string text;
    for (const std::string& element : elements) text += (text.empty() ? "" : ", ") + element;
    return text.empty() ? "none" : text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::optional<std::string_view> option(std::string_view argument, std::string_view name) {
    if (!argument.starts_with(name)) return std::nullopt;
    argument.remove_prefix(name.size());
    if (!argument.starts_with('=')) return std::nullopt;
    return argument.substr(1);
}

}  // namespace gate::nginx
