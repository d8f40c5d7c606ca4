#include "policy/token_principal.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/policy/recall_support.h"

namespace gate::policy {
namespace {

using Strings = std::vector<std::string>;

// What a principal says, so that two can be compared.
struct Said {
    std::string subject, issuer, client, source, claims, header;
    Strings scopes, roles, groups;
    std::optional<Seconds> expires;
    bool operator==(const Said&) const = default;
};

Said said(const Principal& principal) {
    const auto strings = [](const TextList& list) { return Strings(list.begin(), list.end()); };
    EXPECT_EQ(principal.kind, CredentialKind::kJwt);
    return {std::string(principal.subject), std::string(principal.issuer),
            std::string(principal.client),  std::string(principal.source_name),
            principal.claims.root().dump(), principal.header.root().dump(),
            strings(principal.scopes),      strings(principal.roles),
            strings(principal.groups),      principal.expires};
}

std::ostream& operator<<(std::ostream& out, const Said& said) {
    out << said.subject << "|" << said.issuer << "|" << said.client << "|" << said.claims;
    for (const Strings* list : {&said.scopes, &said.roles, &said.groups}) {
        out << "|";
        for (const std::string& element : *list) out << "<" << element << ">";
    }
    return out;
}

jose::Issuer lenient_issuer() {
    jose::Issuer issuer = test_issuer(std::nullopt);
    issuer.require_exp = false;
    return issuer;
}

// A payload judged once, and read back from its verdict.
class ReadBack {
public:
    explicit ReadBack(const std::string& payload, jose::Issuer rules = lenient_issuer())
        : issuer_(std::move(rules)), parsed_(payload) {
        const auto claims = jose::read_claims(parsed_.document, issuer_);
        EXPECT_TRUE(claims) << payload;
        if (!claims) return;
        fresh_ = principal_of(*claims, issuer_, nullptr, memory());
        fresh_->header = parsed_.token.header.document;
        // As remember() sets them.
        verdict_.has_expires = claims->expires.has_value();
        verdict_.expires = static_cast<std::uint32_t>(claims->expires.value_or(0));
        note_identity(verdict_, parsed_.text, text_of(parsed_.token.payload), *claims, issuer_);
        again_ = principal_of(Recalled{parsed_.text, &issuer_, nullptr, nullptr, pack(verdict_)},
                              memory());
    }

    bool needs_payload() const { return verdict_.needs_payload; }
    const Verdict& verdict() const { return verdict_; }
    Said fresh() const { return said(*fresh_); }
    Said again() const { return said(*again_); }

private:
    static std::pmr::memory_resource* memory() { return std::pmr::get_default_resource(); }

    jose::Issuer issuer_;
    Parsed parsed_;
    Verdict verdict_;
    std::shared_ptr<Principal> fresh_, again_;
};

// Reads back the same, with or without a look at the whole payload.
void expect_same(const std::string& payload, bool needs_payload) {
    const ReadBack token(payload);
    EXPECT_EQ(token.again(), token.fresh()) << payload;
    EXPECT_EQ(token.needs_payload(), needs_payload) << payload;
}

TEST(PrincipalOfAVerdict, SaysWhatVerificationFound) {
    const ReadBack token(
        R"({"sub":"u-1","client_id":"web","scope":"a b:c","roles":["x","y"],"groups":"g","exp":1700000001.5})");
    EXPECT_FALSE(token.needs_payload());
    const Said again = token.again();
    EXPECT_EQ(again, token.fresh());
    EXPECT_EQ(again.subject, "u-1");
    EXPECT_EQ(again.client, "web");
    EXPECT_EQ(again.scopes, (Strings{"a", "b:c"}));
    EXPECT_EQ(again.roles, (Strings{"x", "y"}));
    EXPECT_EQ(again.groups, Strings{"g"});
    EXPECT_EQ(again.expires, 1700000001);
    EXPECT_EQ(again.source, "corp");
    EXPECT_EQ(again.header, R"({"alg":"HS256"})");
}

TEST(PrincipalOfAVerdict, NamesItsIssuer) {
    const ReadBack token(R"({"iss":"https://idp","sub":"u"})", test_issuer());
    EXPECT_EQ(token.again().issuer, "https://idp");
    EXPECT_EQ(token.again(), token.fresh());
}

TEST(PrincipalOfAVerdict, ReadsPlainFormsWithoutThePayload) {
    for (const char* payload : {R"({})",
                                R"({"sub":""})",
                                R"({"sub":"x"})",
                                R"({"sub":12345})",
                                R"({"sub":-7})",
                                R"({"sub":9223372036854775807})",
                                R"({ "sub" : "x" , "azp" : "c" })",
                                R"({"sub":"é€😀","roles":["ü","日本"]})",
                                R"({"scope":""})",
                                R"({"scope":" "})",
                                R"({"scope":"  a   b  "})",
                                R"({"scope":["a b","","c"]})",
                                R"({"scp":[]})",
                                R"({"scope":[ "a" , "b" ]})",
                                R"({"permissions":"p q"})",
                                R"({"scope":"","scp":"x"})",
                                R"({"roles":""})",
                                R"({"roles":"one two"})",
                                R"({"roles":["a, b","]"]})",
                                R"({"role":"r"})",
                                R"({"roles":[""]})",
                                R"({"groups":["/a/b"],"exp":1700000000})",
                                R"({"scope":1,"roles":true,"groups":null})",
                                R"({"roles":[1],"scope":{}})",
                                R"({"client_id":"","azp":"x"})"}) {
        expect_same(payload, false);
    }
}

TEST(PrincipalOfAVerdict, ReadsThePayloadWhereStretchesCannotSayIt) {
    for (const char* payload :
         {R"({"sub":"a\"b"})", R"({"sub":"\u0061"})", R"({"sub":"a\\"})", R"({"sub":-0})",
          R"({"\u0073ub":"x"})", R"({"x\ty":1,"sub":"x"})", R"({"scope":"a\u0020b"})",
          R"({"roles":["a","\u00e9"]})", R"({"roles":["a",1]})", R"({"roles":{"a":"b"}})",
          R"({"scope":{"a":"b"}})", R"({"groups":["a",["b"]]})", R"({"client_id":"\/"})"}) {
        expect_same(payload, true);
    }
}

TEST(PrincipalOfAVerdict, TakesClaimsByTheIssuersNames) {
    jose::Issuer issuer = lenient_issuer();
    issuer.subject_claim = {"user.id", "sub"};
    issuer.client_claim = {"app"};
    issuer.role_claim = {"realm_access.roles"};
    issuer.scope_claim = {"https://x.example/scopes"};
    issuer.group_claim = {};
    const ReadBack nested(
        R"({"sub":"no","user":{"id":"yes"},"app":"a","client_id":"no","groups":["no"],)"
        R"("realm_access":{"other":["no"],"roles":["r1","r2"]},"https://x.example/scopes":"s t"})",
        issuer);
    EXPECT_FALSE(nested.needs_payload());
    EXPECT_EQ(nested.again(), nested.fresh());
    EXPECT_EQ(nested.again().subject, "yes");
    EXPECT_EQ(nested.again().client, "a");
    EXPECT_EQ(nested.again().roles, (Strings{"r1", "r2"}));
    EXPECT_EQ(nested.again().scopes, (Strings{"s", "t"}));
    EXPECT_EQ(nested.again().groups, Strings{});

    const ReadBack whole(R"({"sub":"no","user.id":"whole","user":{"id":"part"}})", issuer);
    EXPECT_EQ(whole.again(), whole.fresh());
    EXPECT_EQ(whole.again().subject, "whole");
    const ReadBack other(R"({"sub":"second","user":{"name":"x"}})", issuer);
    EXPECT_EQ(other.again(), other.fresh());
    EXPECT_EQ(other.again().subject, "second");
}

TEST(PrincipalOfAVerdict, ReadsClaimsWhereverTheyBeginAmongTheCharacters) {
    for (int pad = 0; pad < 12; ++pad) {
        for (int size = 0; size < 12; ++size) {
            expect_same(R"({"p":")" + std::string(static_cast<std::size_t>(pad), 'p') +
                            R"(","sub":")" + std::string(static_cast<std::size_t>(size), 's') +
                            R"(","azp":"c","scope":"a b"})",
                        false);
        }
    }
}

TEST(PrincipalOfAVerdict, ReadsPayloadsBeyond64KiB) {
    // The last stretch that 16 bits can name, and the first that they cannot.
    const auto with_offset = [](std::size_t offset) {
        const std::string head = R"({"p":")";
        const std::string tail = R"(","sub":)";
        return head + std::string(offset - head.size() - tail.size(), 'p') + tail + "\"u\"}";
    };
    for (const std::size_t offset : {65534U, 65535U}) expect_same(with_offset(offset), false);
    for (const std::size_t offset : {65536U, 65537U, 131072U}) {
        expect_same(with_offset(offset), true);
        EXPECT_EQ(ReadBack(with_offset(offset)).again().subject, "u");
    }
    const auto with_size = [](std::size_t size) {
        return R"({"sub":"u","scope":")" + std::string(size - 2, 's') + "\"}";
    };
    expect_same(with_size(65535), false);
    expect_same(with_size(65536), true);
    expect_same(with_size(70000), true);
}

TEST(PrincipalOfAVerdict, ExpiresWhenTheTokenDoes) {
    for (const char* exp : {"1700000000", "1700000000.999", "4294967295", "0", "0.5"}) {
        expect_same(std::string(R"({"exp":)") + exp + "}", false);
    }
    const ReadBack forever(R"({"sub":"u"})");
    EXPECT_EQ(forever.again().expires, std::nullopt);
}

TEST(NoteIdentity, LeavesAStretchOfNothingWhereThereIsNoClaim) {
    const ReadBack token(R"({"sub":"u"})");
    const Verdict& verdict = token.verdict();
    EXPECT_EQ(verdict.subject, (Stretch{7, 3}));
    for (const Stretch& stretch : {verdict.client, verdict.scopes, verdict.roles, verdict.groups}) {
        EXPECT_EQ(stretch, Stretch{});
    }
}

TEST(PrincipalOfAVerdict, AsksThePayloadForClaimsOnlyWhenTheyAreWanted) {
    const ReadBack token(R"({"sub":"u","deep":{"n":[1,{"x":"é"}]},"t":true})");
    EXPECT_FALSE(token.needs_payload());
    EXPECT_EQ(token.again().claims, R"({"sub":"u","deep":{"n":[1,{"x":"é"}]},"t":true})");
}

TEST(EncodedParts, AreThoseBetweenTheDots) {
    EXPECT_EQ(encoded_header("aa.bbb.c"), "aa");
    EXPECT_EQ(encoded_payload("aa.bbb.c"), "bbb");
    EXPECT_EQ(encoded_payload("aa..c"), "");
}

}  // namespace
}  // namespace gate::policy
