// Keys that commands sign or verify with, from the files that their options name.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "crypto/sign.h"
#include "gatectl/command.h"
#include "jose/key_set.h"

namespace gate::ctl {

// What --key (a private JWK, a JWKS with --kid, or PEM) or --secret-file gives.
struct Signer {
    std::shared_ptr<crypto::SigningKey> key;
    std::string kid;  // of the JWK
    crypto::AlgSet algs;
};
Result<Signer, std::string> load_signer(const Arguments& arguments);

// What --jwks, --pem and --secret-file together give.
Result<jose::KeySet, std::string> load_verifiers(const Arguments& arguments);

// A JWKS or PEM file, told apart by its first characters.
Status<std::string> add_key_file(jose::KeySet& keys, const std::string& path, std::string_view kid,
                                 crypto::AlgSet algs);

// --alg, repeatable; empty where it was not given.
Result<crypto::AlgSet, std::string> algorithms_option(const Arguments& arguments);

}  // namespace gate::ctl
