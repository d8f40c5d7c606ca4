#include "nginx/setters.h"

namespace gate::nginx {

namespace {

// A gate_roles block while it is read: lines of roles, or the one word "file".
struct Block {
    LiveRoles& live;
    policy::RoleMap map;
    std::size_t roles = 0;
};

bool take_role(Directive& word, void* data) {
    Block& block = *static_cast<Block*>(data);
    if (word.name() == "file") {
        if (!check_count(word, 1, 1)) return false;
        if (!block.live.files.empty()) return word.duplicate();
        SourceFile file;
        file.kind = SourceFile::Kind::kRoles;
        file.path = word.path(word.values()[0]);
        file.where = word.where().text();
        block.live.files.push_back(std::move(file));
        return true;
    }
    ++block.roles;
    const std::vector<std::string> items(word.values().begin(), word.values().end());
    const auto added = block.map.add(word.name(), items);
    return added || word.fail("cannot be added: " + added.error());
}

}  // namespace

bool set_gate_roles(Directive& directive, MainConf& main) {
    if (!check_block_name(directive)) return false;
    auto live = std::make_unique<LiveRoles>();
    live->name = directive.values()[0];
    live->where = directive.where().text();
    for (const auto& other : main.roles) {
        if (other->name == live->name) return declared_twice(directive, other->where);
    }
    Block block{*live, {}, 0};
    if (!read_block(directive, take_role, &block)) return false;
    if (block.roles > 0 && !live->files.empty()) {
        return fail_block(directive, "has roles of its own beside a file; write them in one place");
    }
    if (block.roles == 0 && live->files.empty()) {
        return fail_block(directive, "has no roles; write \"ROLE ITEM ..;\" or \"file PATH;\"");
    }
    if (const auto finished = block.map.finish(); !finished) {
        return fail_block(directive, "cannot be used: " + finished.error());
    }
    if (live->files.empty()) {
        live->map = std::make_shared<const policy::RoleMap>(std::move(block.map));
    }
    main.roles.push_back(std::move(live));
    return true;
}

}  // namespace gate::nginx
