#include "base/time.h"
#include "nginx/setters.h"

namespace gate::nginx {

namespace {

// A gate_keys block while it is read.
struct Block {
    LiveStore& live;
    bool named_file = false;
    bool has_life = false;
};

SourceFile source_file(const Directive& word, SourceFile::Kind kind) {
    SourceFile file;
    file.kind = kind;
    file.path = word.path(word.values()[0]);
    file.where = word.where().text();
    return file;
}

// The key file stands first, whatever the order of the words.
bool set_file(Directive& word, Block& block) {
    block.named_file = true;
    block.live.files.insert(block.live.files.begin(), source_file(word, SourceFile::Kind::kKeys));
    return true;
}

bool set_redis(Directive& word, Block& block) {
    block.live.redis_name = word.values()[0];
    return true;
}

bool set_life(const Directive& word, Block& block, Seconds& life, Seconds most) {
    const auto seconds = parse_duration(word.values()[0]);
    if (!seconds || *seconds < 1 || *seconds > most) {
        return word.unknown(word.values()[0], "1s to " + std::to_string(most) + "s");
    }
    life = *seconds;
    block.has_life = true;
    return true;
}

bool set_valid(Directive& word, Block& block) {
    return set_life(word, block, block.live.life.valid, 86400);
}

bool set_negative(Directive& word, Block& block) {
    return set_life(word, block, block.live.life.negative, 5);
}

bool set_pepper_file(Directive& word, Block& block) {
    block.live.files.push_back(source_file(word, SourceFile::Kind::kPepper));
    return true;
}

bool set_prefix(Directive& word, Block& block) {
    const std::string_view prefix = word.values()[0];
    if (const auto problem = apikey::prefix_problem(prefix)) {
        return word.fail("has the value " + quoted(prefix) + ": " + *problem);
    }
    block.live.store.format.prefix = prefix;
    return true;
}

bool set_checksum(Directive& word, Block& block) {
    const std::string_view value = word.values()[0];
    block.live.store.format.checksum = value == "on";
    return value == "on" || value == "off" || word.unknown(value, "on or off");
}

bool set_digest(Directive& word, Block& block) {
    const std::string_view value = word.values()[0];
    if (value == "sha256") {
        block.live.store.digest = apikey::DigestKind::kSha256;
    } else if (value == "hmac-sha256") {
        block.live.store.digest = apikey::DigestKind::kHmacSha256;
    } else {
        return word.unknown(value, "sha256 or hmac-sha256");
    }
    return true;
}

bool set_roles(Directive& word, Block& block) {
    block.live.roles_name = word.values()[0];
    return true;
}

bool set_role_field(Directive& word, Block& block) {
    const std::string_view value = word.values()[0];
    policy::RoleField& field = block.live.store.role_field;
    if (value == "roles") {
        field = policy::RoleField::kRoles;
    } else if (value == "scopes") {
        field = policy::RoleField::kScopes;
    } else if (value == "groups") {
        field = policy::RoleField::kGroups;
    } else {
        return word.unknown(value, "roles, scopes or groups");
    }
    return true;
}

constexpr Word<Block> kWords[] = {
    {"file", 1, 1, false, set_file},     {"redis", 1, 1, false, set_redis},
    {"valid", 1, 1, false, set_valid},   {"negative", 1, 1, false, set_negative},
    {"prefix", 1, 1, false, set_prefix}, {"checksum", 1, 1, false, set_checksum},
    {"digest", 1, 1, false, set_digest}, {"pepper_file", 1, 1, true, set_pepper_file},
    {"roles", 1, 1, false, set_roles},   {"role_field", 1, 1, false, set_role_field},
};

bool check_origin(const Directive& directive, const Block& block) {
    const bool remote = !block.live.redis_name.empty();
    if (!block.named_file && !remote) {
        return fail_block(directive, "names no file; write \"file PATH;\" or \"redis NAME;\"");
    }
    if (block.named_file && remote) {
        return fail_block(directive, "names a file and a gate_redis block; its keys are in one");
    }
    return remote || !block.has_life ||
           fail_block(directive,
                      "has a file, which is watched; \"valid\" and \"negative\" are for "
                      "keys in Redis");
}

bool check_peppers(const Directive& directive, const Block& block) {
    const std::size_t peppers = block.live.files.size() - (block.named_file ? 1 : 0);
    const bool hmac = block.live.store.digest == apikey::DigestKind::kHmacSha256;
    if (hmac && peppers == 0) {
        return fail_block(directive,
                          "has \"digest hmac-sha256\" but no pepper; write \"pepper_file PATH;\"");
    }
    if (!hmac && peppers > 0) {
        return fail_block(directive,
                          "has a pepper that \"digest sha256\" does not use; write \"digest "
                          "hmac-sha256;\" or leave pepper_file out");
    }
    if (peppers > apikey::kMaxPeppers) {
        return fail_block(directive, "has " + std::to_string(peppers) + " peppers; at most " +
                                         std::to_string(apikey::kMaxPeppers) +
                                         ", because each costs a lookup");
    }
    return true;
}

}  // namespace

bool set_gate_keys(Directive& directive, MainConf& main) {
    if (!check_block_name(directive)) return false;
    auto live = std::make_unique<LiveStore>();
    live->store.name = directive.values()[0];
    live->where = directive.where().text();
    for (const auto& other : main.stores) {
        if (other->store.name == live->store.name) return declared_twice(directive, other->where);
    }
    Block block{*live};
    if (!read_words(directive, kWords, block)) return false;
    if (!check_origin(directive, block)) return false;
    if (!check_peppers(directive, block)) return false;
    main.stores.push_back(std::move(live));
    return true;
}

}  // namespace gate::nginx
