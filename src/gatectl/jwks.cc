// gatectl jwks show.
#include <array>

#include "gatectl/command.h"
#include "gatectl/key_material.h"
#include "gatectl/output.h"

namespace gate::ctl {

namespace {

std::string kind_of(const crypto::VerificationKey& key) {
    if (key.curve() != crypto::Curve::kNone) return std::string(name_of(key.curve()));
    return std::to_string(key.bits()) + " bits";
}

std::string json_of(const jose::SetKey& key) {
    JsonObject object;
    object.boolean("used", true).text("kid", key.kid).text("kty", name_of(key.key->family()));
    if (key.key->curve() != crypto::Curve::kNone) object.text("crv", name_of(key.key->curve()));
    return object.number("bits", key.key->bits()).text("algorithms", key.algs.names()).str();
}

std::string json_of(const jose::SkippedKey& key) {
    JsonObject object;
    object.boolean("used", false).text("kid", key.kid).text("reason", code(key.reason));
    return object.text("detail", key.detail).str();
}

int run_show(const Arguments& arguments, Io& io) {
    jose::KeySet keys;
    for (const std::string& path : arguments.positional()) {
        const auto added = add_key_file(keys, path, "", {});
        if (!added) return refuse(io, added.error());
    }
    std::vector<std::string> elements;
    Table table({"KID", "TYPE", "SIZE", "ALGORITHMS", "USED"});
    const auto kid_of = [](const std::string& kid) { return kid.empty() ? "-" : kid; };
    for (const jose::SetKey& key : keys.keys()) {
        elements.push_back(json_of(key));
        table.add({kid_of(key.kid), std::string(name_of(key.key->family())), kind_of(*key.key),
                   key.algs.names(), "yes"});
    }
    for (const jose::SkippedKey& key : keys.skipped()) {
        elements.push_back(json_of(key));
        table.add({kid_of(key.kid), "-", "-", "-",
                   "no: " + key.detail + " (" + std::string(code(key.reason)) + ")"});
    }
    if (arguments.has("json")) {
        JsonObject object;
        object.raw("keys", json_array(elements)).texts("warnings", keys.warnings());
        io.out << object.str() << '\n';
    } else {
        io.out << table.str();
    }
    for (const std::string& warning : keys.warnings()) io.err << "gatectl: " << warning << '\n';
    return kDone;
}

constexpr std::array kOptions{Option{"json", "", "print JSON"}};

constexpr std::array<Command, 1> kCommands{{
    {"jwks show", "FILE ...", "Show which keys of a JWKS or PEM file would be used, and why not",
     "Exit status 1 where nginx would refuse the file.", kOptions, 1, 64, run_show},
}};

}  // namespace

std::span<const Command> jwks_commands() {
    return kCommands;
}

}  // namespace gate::ctl
