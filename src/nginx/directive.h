// One directive, or one word of a block, while nginx reads it: its arguments, its messages, and the
// wrapper that makes a function of them nginx's setter.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/token.h"
#include "nginx/bridge.h"
#include "nginx/conf.h"
#include "nginx/ngx.h"

namespace gate::nginx {

class Directive {
public:
    // `context` is the block a word stands in ("gate_issuer \"corp\""), empty for a directive.
    explicit Directive(ngx_conf_t* cf, std::string context = {});

    ngx_conf_t* cf() const noexcept { return cf_; }
    std::string_view name() const noexcept { return name_; }
    // The arguments, without the name; their text lives as long as the configuration.
    const std::vector<std::string_view>& values() const noexcept { return values_; }
    // Of the directive's line, also after its block has been read.
    const Where& where() const noexcept { return where_; }

    // Log `"name" text in file:line` and return false.
    bool fail(const std::string& text) const;
    bool duplicate() const;
    // `name=value` in an argument that begins with neither the one nor the other.
    bool unknown(std::string_view value, std::string_view expected) const;
    bool unsupported(std::string_view what) const;

    // The value as nginx's complex value; nginx has logged why when this is false.
    bool compile(std::string_view text, ngx_http_complex_value_t& value) const;
    // "$name" alone: its index, or -1 after a message.
    ngx_int_t variable(std::string_view text) const;
    // A path relative to nginx's configuration directory, completed.
    std::string path(std::string_view text) const;

    // What its messages begin with, with a blank behind it.
    std::string subject() const;

private:
    ngx_conf_t* cf_;
    std::string context_;
    std::string_view name_;
    std::vector<std::string_view> values_;
    Where where_;
};

// Messages about what only the whole configuration shows, in nginx's form "text in file:line".
bool fail_at(ngx_conf_t* cf, const std::string& where, const std::string& text);
void warn_at(ngx_conf_t* cf, const std::string& where, const std::string& text);

// "\"text\"".
std::string quoted(std::string_view text);
// "a, b, c"; "none" for no element.
std::string listed(const std::vector<std::string>& elements);
std::vector<std::string_view> split(std::string_view text, char separator);
// The value of an argument "name=value", nullopt for any other argument.
std::optional<std::string_view> option(std::string_view argument, std::string_view name);
using http::is_token;

// One of a few words for a setting: messages for a second one and for any other word.
template <class T>
bool choose(Directive& directive, Setting<T>& setting,
            std::initializer_list<std::pair<std::string_view, T>> choices) {
    if (setting.set()) return directive.duplicate();
    std::string expected;
    for (const auto& [word, value] : choices) {
        if (directive.values()[0] == word) {
            setting = value;
            return true;
        }
        expected += (expected.empty() ? "" : " | ") + std::string(word);
    }
    return directive.unknown(directive.values()[0], expected);
}

// nginx's setter around `Body`, which logs its own errors and then returns false.
template <class Conf, bool (*Body)(Directive&, Conf&)>
char* set(ngx_conf_t* cf, ngx_command_t* /*command*/, void* conf) noexcept {
    char* const failed = static_cast<char*>(NGX_CONF_ERROR);
    return guard(cf->log, failed, [&]() -> char* {
        Directive directive(cf);
        return Body(directive, *static_cast<Conf*>(conf)) ? NGX_CONF_OK : failed;
    });
}

// A word of a block and how often it may stand there.
template <class Block>
struct Word {
    std::string_view name;
    std::size_t min;  // arguments
    std::size_t max;
    bool repeatable;
    bool (*set)(Directive&, Block&);
};

inline constexpr std::size_t kAnyCount = static_cast<std::size_t>(-1);

// Reads the block that follows the directive nginx is at; `word` gets each of its lines, `include`
// excepted. False after a message.
using WordHandler = bool (*)(Directive& word, void* block);
bool read_block(const Directive& directive, WordHandler word, void* block);

// Names of blocks: letters, digits, '_', '-' and '.'.
bool check_block_name(const Directive& directive);
bool declared_twice(const Directive& directive, const std::string& before);
// `gate_issuer "corp" text`, at the block's line.
bool fail_block(const Directive& directive, const std::string& text);

// Message for a number of arguments outside `min`..`max`.
bool check_count(const Directive& word, std::size_t min, std::size_t max);

// Reads a block of the words of a table: unknown and repeated ones are errors.
template <class Block, std::size_t N>
bool read_words(const Directive& directive, const Word<Block> (&words)[N], Block& block) {
    struct State {
        const Word<Block> (*words)[N];
        Block* block;
        bool seen[N];
    } state{&words, &block, {}};
    const WordHandler handler = [](Directive& word, void* data) {
        State& now = *static_cast<State*>(data);
        std::string expected;
        for (std::size_t i = 0; i < N; ++i) {
            const Word<Block>& entry = (*now.words)[i];
            expected += (i == 0 ? "" : ", ") + std::string(entry.name);
            if (entry.name != word.name()) continue;
            if (now.seen[i] && !entry.repeatable) return word.duplicate();
            now.seen[i] = true;
            return check_count(word, entry.min, entry.max) && entry.set(word, *now.block);
        }
        return word.fail("is unknown here; expected " + expected);
    };
    return read_block(directive, handler, &state);
}

}  // namespace gate::nginx
