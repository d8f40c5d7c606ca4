// The shared scripts of what a server may do on the wire, against a Pipeline that has asked for a
// record and the epoch.
#include <gtest/gtest.h>

#include <map>

#include "base/bytes.h"
#include "redis/pipeline.h"
#include "tests/redis/callers.h"
#include "tests/support/vectors.h"

namespace gate::redis {
namespace {

using namespace test;
using gate::test::Json;

std::string octets_of(const Json& script) {
    std::string octets;
    const Json steps = script["steps"];
    for (std::size_t i = 0; i < steps.size(); ++i) {
        octets += text_of(gate::test::from_base64(steps[i]["send_b64"].text()));
    }
    return octets;
}

// What became of the exchange, and of one behind it whose commands are not yet written.
std::string outcome(std::string_view first, std::string_view second) {
    std::string log;
    Recorder lookup("lookup", log);
    Recorder next("next", log);
    Pipeline pipeline;
    pipeline.send(lookup, 1, {{"HGETALL", "gate:key:00"}, {"GET", "gate:epoch"}});
    write_all(pipeline);
    pipeline.send(next, 2, {{"HGETALL", "gate:key:11"}, {"GET", "gate:epoch"}});
    const bool good = pipeline.receive(first) && pipeline.receive(second);
    log += good ? "waits;" : "broken, " + pipeline.problem() + ";";
    pipeline.fail(good ? LinkFailure::kClosed : LinkFailure::kProtocol);
    return log;
}

TEST(Wire, EveryScriptEndsTheSameHoweverItIsCut) {
    const Json file = Json::load("own/redis_wire.json");
    GATE_NEED_VECTORS(file);
    const Json scripts = file["tests"];
    gate::test::VectorCount count("own/redis_wire.json", scripts.size());
    for (std::size_t i = 0; i < scripts.size(); ++i) {
        const std::string octets = octets_of(scripts[i]);
        const std::string_view view = octets;
        const std::string whole = outcome(view, "");
        const std::string id = scripts[i]["id"].text();
        EXPECT_EQ(whole.find("next:"), whole.npos) << id << ": " << whole;
        for (std::size_t cut = 0; cut < view.size(); ++cut) {
            ASSERT_EQ(outcome(view.substr(0, cut), view.substr(cut)), whole) << id << " at " << cut;
        }
        count.ran();
    }
}

TEST(Wire, NoScriptOfGarbageIsAnAnswer) {
    const Json file = Json::load("own/redis_wire.json");
    GATE_NEED_VECTORS(file);
    // Half a reply, as it turns out when the server says no more.
    const std::map<std::string, std::string> waiting{{"redis-garbage-012", "$5\r\nab\r\n"}};
    const std::string in_vain = "waits;lookup! closed;next! closed;";
    const Json scripts = file["tests"];
    for (std::size_t i = 0; i < scripts.size(); ++i) {
        const std::string id = scripts[i]["id"].text();
        const std::string kind = scripts[i]["cls"].text();
        const std::string said = outcome(octets_of(scripts[i]), "");
        if (kind == "redis-garbage" && !waiting.contains(id)) {
            EXPECT_TRUE(said.starts_with("broken, ")) << id << ": " << said;
            EXPECT_TRUE(said.ends_with(";lookup! protocol;next! protocol;")) << id << ": " << said;
        } else if (kind != "redis-desync") {
            // One reply at most, whatever it is: the second never comes.
            EXPECT_EQ(said, in_vain) << id;
        }
    }
}

TEST(Wire, ASurplusReplyIsNobodys) {
    const std::string two = "$-1\r\n*2\r\n$6\r\nstatus\r\n$6\r\nactive\r\n";
    const std::string answer = "lookup: $-1 *2\r\n$6\r\nstatus\r\n$6\r\nactive;";
    EXPECT_EQ(outcome(two, ""), answer + "waits;next! closed;");
    EXPECT_EQ(outcome(two + "$1\r\nx\r\n", ""),
              answer + "broken, a reply that nobody asked for;next! protocol;");
    EXPECT_EQ(outcome(two + ">", ""),
              answer + "broken, \">\" where a reply begins;next! protocol;");
}

}  // namespace
}  // namespace gate::redis
