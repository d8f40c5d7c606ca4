#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "nginx/conf_check.h"
#include "nginx/setters.h"

namespace gate::nginx {

namespace {

// Whom nginx's workers run as: with the groups that initgroups() will give them.
struct Account {
    std::string name;
    uid_t uid = 0;
    std::vector<gid_t> groups;
};

// The "user" directive, or nginx's default where it is missing (or stands after the http block).
Account workers_account(ngx_conf_t* cf) {
    const auto* core =
        reinterpret_cast<ngx_core_conf_t*>(ngx_get_conf(cf->cycle->conf_ctx, ngx_core_module));
    Account account;
    gid_t group = 0;
    if (core->user != static_cast<ngx_uid_t>(NGX_CONF_UNSET_UINT)) {
        account.uid = core->user;
        group = core->group;
        account.name = core->username;
    } else {
        account.name = NGX_USER;
        const passwd* user = getpwnam(NGX_USER);
        if (user != nullptr) {
            account.uid = user->pw_uid;
            group = user->pw_gid;
        }
    }
    int count = 64;
    account.groups.resize(static_cast<std::size_t>(count));
    if (getgrouplist(account.name.c_str(), group, account.groups.data(), &count) < 0) count = 64;
    account.groups.resize(static_cast<std::size_t>(std::max(count, 0)));
    return account;
}

// `bit` of the mode's lowest three: 4 to read, 1 to search. Owner, group or others decide, as the
// kernel does; access lists are not looked at.
bool may(const Account& account, const std::string& path, mode_t bit) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) return true;  // not a matter of rights
    if (account.uid == 0) return true;
    if (status.st_uid == account.uid) return (status.st_mode & (bit << 6)) != 0;
    const bool in_group = std::find(account.groups.begin(), account.groups.end(), status.st_gid) !=
                          account.groups.end();
    return (status.st_mode & (in_group ? bit << 3 : bit)) != 0;
}

// The part of the path that keeps the account from reading the file; empty when nothing does.
std::string obstacle(const Account& account, const std::string& path) {
    char resolved[PATH_MAX];
    const std::string real = realpath(path.c_str(), resolved) != nullptr ? resolved : path;
    for (std::size_t slash = real.find('/', 1); slash != std::string::npos;
         slash = real.find('/', slash + 1)) {
        if (!may(account, real.substr(0, slash), 1)) return real.substr(0, slash);
    }
    return may(account, real, 4) ? "" : path;
}

// A key that signs is nobody's to read but root's: of that there is nothing to warn.
void warn_of(ngx_conf_t* cf, const Account& account, std::vector<SourceFile>& files,
             bool signs = false) {
    for (SourceFile& file : files) {
        const std::string blocked = obstacle(account, file.path);
        if (blocked.empty()) continue;
        file.start_value_only = true;
        if (signs && file.kind != SourceFile::Kind::kJwks) continue;
        const bool directory = blocked != file.path;
        warn_at(cf, file.where,
                quoted(file.path) + " cannot be read by the workers' user " + quoted(account.name) +
                    " and keeps its start-up value when it changes; run: chgrp GROUP " + blocked +
                    " && chmod " + (directory ? "g+x " : "g+r ") + blocked +
                    ", with a group of that user");
    }
}

}  // namespace

std::string unreadable_part(ngx_conf_t* cf, const std::string& path) {
    if (geteuid() != 0) return access(path.c_str(), R_OK) == 0 ? "" : path;
    return obstacle(workers_account(cf), path);
}

void warn_of_unreadable_files(ngx_conf_t* cf, const MainConf& main) {
    if (geteuid() != 0) return;  // the workers will be who we are
    const Account account = workers_account(cf);
    for (const auto& live : main.roles) warn_of(cf, account, live->files);
    for (const auto& live : main.issuers) {
        warn_of(cf, account, live->files, live->issuer.signing.has_value());
    }
    for (const auto& live : main.stores) warn_of(cf, account, live->files);
    for (const auto& live : main.users) warn_of(cf, account, live->files);
}

}  // namespace gate::nginx
