// Where API keys are kept: a key file or a store in Redis, the same for the commands.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apikey/record.h"
#include "base/result.h"
#include "base/time.h"
#include "gatectl/command.h"
#include "gatectl/store_change.h"

namespace gate::ctl {

using RecordPtr = std::shared_ptr<const apikey::Record>;
using Records = std::vector<RecordPtr>;

// When keys were used last, by id.
using LastUses = std::map<std::string, Seconds, std::less<>>;

struct KeyListing {
    Records records;  // by creation
    bool tells_use = false;
    LastUses used;
    std::vector<std::string> problems;  // of what is there and is no key
};

// A store in the middle of a change.
class KeyEdit {
public:
    // The record with that id, or with that name if only one has it.
    virtual Result<RecordPtr, Refusal> find(std::string_view wanted) = 0;
    // Whether no key has this id or this digest.
    virtual Result<bool, Refusal> is_free(const apikey::Record& record) = 0;
    // A new record, or another one in place of that with its id, which has its digest too.
    virtual void put(RecordPtr record) = 0;

protected:
    ~KeyEdit() = default;
};

class KeyStore {
public:
    virtual ~KeyStore() = default;

    // Errors are sentences.
    virtual Result<KeyListing, std::string> list() = 0;
    // The one record with that id, or with that name if only one has it.
    virtual Result<KeyListing, std::string> find(std::string_view wanted) = 0;
    // The record with one of these digests; nullptr: there is none.
    virtual Result<RecordPtr, std::string> find_digest(std::span<const std::string> digests) = 0;
    // All that `edit` puts, or nothing, if it refuses. It may be called several times.
    using Edit = std::function<Status<Refusal>(KeyEdit&)>;
    virtual Result<Outcome, std::string> change(const Edit& edit) = 0;
};

// The store that the command line names: a FILE in front of `operands` other arguments, or --redis
// and nothing in front of them. Errors are about usage; nothing is opened yet.
struct ChosenKeyStore {
    std::unique_ptr<KeyStore> store;
    std::vector<std::string> operands;
};
Result<ChosenKeyStore, std::string> choose_key_store(const Arguments& arguments,
                                                     std::size_t operands,
                                                     MissingFile missing = MissingFile::kRefuse);

// The place of the record with that id, or with that name if only one has it.
Result<std::size_t, std::string> find_record(const Records& records, std::string_view wanted);

// "active", "suspended", "revoked", "expired" or "not yet": what a request with the key would meet.
std::string_view state_of(const apikey::Record& record, Seconds now);

// The record's JSON form without its digest; with "used" where that is known.
std::string public_json(const apikey::Record& record, Seconds now, const KeyListing* listing);

// A new random id; nullopt when the machine has no entropy.
std::optional<std::string> new_id();

}  // namespace gate::ctl
