// Names of the keys that a store consists of, all with its prefix: the data model of docs/REDIS.md.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace gate::redis {

class StoreKeys {
public:
    explicit StoreKeys(std::string prefix) : prefix_(std::move(prefix)) {}

    const std::string& prefix() const noexcept { return prefix_; }
    std::string epoch() const { return prefix_ + "epoch"; }
    // hash: the record of the key whose digest these 64 hexadecimal digits are
    std::string key(std::string_view digest) const { return (prefix_ + "key:").append(digest); }
    // string: the digest of the key with that id
    std::string key_id(std::string_view id) const { return (prefix_ + "keyid:").append(id); }
    std::string keys() const { return prefix_ + "keys"; }  // sorted set: ids by creation time
    // hash: the user of that name
    std::string user(std::string_view name) const { return (prefix_ + "user:").append(name); }
    std::string users() const { return prefix_ + "users"; }  // sorted set: names by creation time
    std::string used() const { return prefix_ + "used"; }    // hash: id to time of last use
    std::string revoked() const { return prefix_ + "rev"; }  // sorted set: items by expiry
    // string: when the token of that digest, which is good for one use, was used
    std::string spent(std::string_view digest) const { return (prefix_ + "spent:").append(digest); }
    std::string log() const { return prefix_ + "log"; }  // stream of changes

private:
    std::string prefix_;
};

// What is wrong with a prefix, a sentence: it may hold printable ASCII without blanks, at most 128
// octets; empty when it is good. In a cluster it needs a hash tag, so that the whole store lies in
// one slot.
std::string prefix_problem(std::string_view prefix, bool cluster);

}  // namespace gate::redis
