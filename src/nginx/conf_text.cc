#include "nginx/conf_text.h"

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "conftext/warnings.h"
#include "nginx/directive.h"

namespace gate::nginx {

namespace {

struct FileCloser {
    ngx_fd_t fd;
    ~FileCloser() { ngx_close_file(fd); }
};

// Regular files only: a pipe (nginx -c /dev/stdin) was emptied by nginx itself.
std::optional<std::string> read_whole(const std::string& path) {
    const ngx_fd_t fd = ngx_open_file(path.c_str(), NGX_FILE_RDONLY | O_NONBLOCK, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) return std::nullopt;
    const FileCloser closer{fd};
    ngx_file_info_t info;
    if (ngx_fd_info(fd, &info) == NGX_FILE_ERROR || !ngx_is_file(&info)) return std::nullopt;
    const off_t size = ngx_file_size(&info);
    if (size < 0 || static_cast<std::size_t>(size) > conftext::kMaxBytes) return std::nullopt;
    std::string text(static_cast<std::size_t>(size), '\0');
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t got = ngx_read_fd(fd, text.data() + done, text.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::nullopt;
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    text.resize(done);
    return text;
}

std::vector<std::string> matching(ngx_conf_t* cf, const std::string& pattern) {
    std::string name = pattern;
    ngx_glob_t glob{};
    glob.pattern = reinterpret_cast<u_char*>(name.data());
    glob.log = cf->log;
    glob.test = 1;
    if (ngx_open_glob(&glob) != NGX_OK) return {};
    std::vector<std::string> paths;
    ngx_str_t path;
    while (ngx_read_glob(&glob, &path) == NGX_OK) paths.emplace_back(view(path));
    ngx_close_glob(&glob);
    return paths;
}

}  // namespace

void warn_about_other_modules(ngx_conf_t* cf) {
    const conftext::Files files{read_whole,
                                [cf](const std::string& pattern) { return matching(cf, pattern); }};
    const std::string main_file(view(cf->cycle->conf_file));
    for (const conftext::Warning& warning : conftext::check(main_file, files)) {
        warn_at(cf, warning.file + ":" + std::to_string(warning.line), warning.text);
    }
}

}  // namespace gate::nginx
