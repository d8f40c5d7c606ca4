#include <charconv>

#include "nginx/setters.h"

namespace gate::nginx {

namespace {

using Block = LiveUsers;

bool set_file(Directive& word, Block& block) {
    SourceFile file;
    file.kind = SourceFile::Kind::kUsers;
    file.path = word.path(word.values()[0]);
    file.where = word.where().text();
    block.files.push_back(std::move(file));
    return true;
}

bool set_count(Directive& word, std::size_t& count, std::size_t least, std::size_t most) {
    const std::string_view text = word.values()[0];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (whole && count >= least && count <= most) return true;
    return word.unknown(text, std::to_string(least) + " to " + std::to_string(most));
}

bool set_hash_threads(Directive& word, Block& block) {
    return set_count(word, block.hash_threads, 1, 64);
}

bool set_hash_queue(Directive& word, Block& block) {
    return set_count(word, block.hash_queue, 0, 100'000);
}

constexpr Word<Block> kWords[] = {
    {"file", 1, 1, false, set_file},
    {"hash_threads", 1, 1, false, set_hash_threads},
    {"hash_queue", 1, 1, false, set_hash_queue},
};

}  // namespace

bool set_gate_users(Directive& directive, MainConf& main) {
    if (!check_block_name(directive)) return false;
    auto live = std::make_unique<LiveUsers>();
    live->name = directive.values()[0];
    live->where = directive.where().text();
    for (const auto& other : main.users) {
        if (other->name == live->name) return declared_twice(directive, other->where);
    }
    if (!read_words(directive, kWords, *live)) return false;
    if (live->files.empty()) {
        return fail_block(directive,
                          "names no file; write \"file PATH;\" with what \"gatectl user\" or "
                          "htpasswd writes");
    }
    main.users.push_back(std::move(live));
    return true;
}

}  // namespace gate::nginx
