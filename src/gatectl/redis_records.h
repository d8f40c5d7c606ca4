// Records of API keys as a store in Redis has them (redis/store_keys.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gatectl/key_store.h"
#include "gatectl/redis_change.h"
#include "redis/reply.h"

namespace gate::ctl {

// The record in a reply to HGETALL: nullptr for a key that is not there. It must be the record of
// that digest. Errors are sentences without the values of fields.
Result<RecordPtr, std::string> record_in(const redis::Reply& reply, std::string_view digest);

// The digest in a reply to GET of an id; empty where there is none, or it is no digest.
std::string digest_in(const redis::Reply& reply);

// What the ids of a page of the store's list stand for.
struct KeyPage {
    Records records;
    LastUses used;
    std::vector<std::string> problems;  // sentences that name the id
};
// Calls `take` for each page of the list, in no order, until it returns false. No id comes twice.
Status<std::string> each_key_page(RedisSession& session,
                                  const std::function<bool(KeyPage&&)>& take);

// All records of that name.
Result<KeyPage, std::string> keys_named(RedisSession& session, std::string_view name);

// Makes `record` the one of its id and digest, in place of `before`, which has the same id, if
// there is one; the stream tells.
void put_record(RedisChange& change, const apikey::Record& record, const apikey::Record* before);

// A store without its epoch knows nothing, not even that a key does not exist.
Status<std::string> check_epoch(RedisSession& session);

}  // namespace gate::ctl
