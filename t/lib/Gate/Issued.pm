package Gate::Issued;
# Tokens that the gate made, read and verified by CryptX, which has no part in making them.
use strict;
use warnings;
use Crypt::PK::ECC;
use Crypt::PK::Ed25519;
use Crypt::PK::RSA;
use Digest::SHA qw(hmac_sha256);
use Exporter 'import';
use JSON::PP ();
use MIME::Base64 qw(decode_base64url);

our @EXPORT = qw(header_of claims_of verifies);

sub _json { return JSON::PP->new->utf8->decode(decode_base64url($_[0])); }
sub header_of { return _json((split /\./, $_[0])[0]); }
sub claims_of { return _json((split /\./, $_[0])[1]); }

my %verify = (
    RS256 => sub { Crypt::PK::RSA->new({ %{ $_[0] } })->verify_message($_[2], $_[1], 'SHA256', 'v1.5') },
    ES256 => sub { Crypt::PK::ECC->new({ %{ $_[0] } })->verify_message_rfc7518($_[2], $_[1], 'SHA256') },
    EdDSA => sub { Crypt::PK::Ed25519->new({ %{ $_[0] } })->verify_message($_[2], $_[1]) },
    HS256 => sub { hmac_sha256($_[1], decode_base64url($_[0]{k})) eq $_[2] },
);

# verifies($token, $jwk): by the algorithm that its header names.
sub verifies {
    my ($token, $jwk) = @_;
    my ($header, $payload, $signature) = split /\./, $token;
    return $verify{ header_of($token)->{alg} }->($jwk, "$header.$payload", decode_base64url($signature));
}

1;
