#include "conftext/tree.h"

#include <string_view>
#include <utility>

#include "conftext/lexer.h"

namespace gate::conftext {

namespace {

class Reader {
public:
    Reader(std::string directory, const Files& files)
        : directory_(std::move(directory)), files_(files) {}

    bool read_file(const std::string& path, std::vector<Node>& into) {
        if (include_depth_ >= kMaxIncludeDepth) return false;
        const std::optional<std::string> text = files_.read(path);
        if (!text || text->size() > kMaxBytes - bytes_) return false;
        bytes_ += text->size();
        ++include_depth_;
        Lexer lexer(*text);
        const bool good = read_block(lexer, path, false, into);
        --include_depth_;
        return good;
    }

private:
    // Directives up to the '}' of the block, or to the end of the file.
    bool read_block(Lexer& lexer, const std::string& path, bool inner, std::vector<Node>& into) {
        if (block_depth_ >= kMaxBlockDepth) return false;
        ++block_depth_;
        for (;;) {
            Token token = lexer.next();
            if (token.kind == (inner ? TokenKind::kClose : TokenKind::kEnd)) break;
            if (token.kind != TokenKind::kWord) return false;
            Node node;
            node.name = std::move(token.text);
            node.file = path;
            node.line = token.line;
            if (!read_directive(lexer, std::move(node), into)) return false;
        }
        --block_depth_;
        return true;
    }

    bool read_directive(Lexer& lexer, Node node, std::vector<Node>& into) {
        for (;;) {
            Token token = lexer.next();
            if (token.kind == TokenKind::kWord) {
                node.args.push_back(std::move(token.text));
                continue;
            }
            if (token.kind == TokenKind::kSemicolon) {
                if (node.name == "include" && node.args.size() == 1) {
                    return include(node.args[0], into);
                }
                break;
            }
            if (token.kind != TokenKind::kOpen) return false;
            node.block = true;
            const bool foreign = node.name.ends_with("_by_lua_block");
            const bool good = foreign ? lexer.skip_foreign_block()
                                      : read_block(lexer, node.file, true, node.children);
            if (!good) return false;
            break;
        }
        into.push_back(std::move(node));
        return true;
    }

    bool include(const std::string& name, std::vector<Node>& into) {
        const std::string path = name.starts_with('/') ? name : directory_ + name;
        if (path.find_first_of("*?[") == std::string::npos) return read_file(path, into);
        for (const std::string& match : files_.glob(path)) {
            if (!read_file(match, into)) return false;
        }
        return true;
    }

    std::string directory_;  // with its last '/'
    const Files& files_;
    std::size_t bytes_ = 0;
    std::size_t include_depth_ = 0;
    std::size_t block_depth_ = 0;
};

}  // namespace

std::optional<std::vector<Node>> read_tree(const std::string& main_file, const Files& files) {
    const std::size_t slash = main_file.rfind('/');
    Reader reader(slash == std::string::npos ? "" : main_file.substr(0, slash + 1), files);
    std::vector<Node> nodes;
    if (!reader.read_file(main_file, nodes)) return std::nullopt;
    return nodes;
}

}  // namespace gate::conftext
