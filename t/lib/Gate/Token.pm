package Gate::Token;

# Keys, tokens and API keys made by an implementation that is not the one under test: CryptX (and
# the openssl program for Ed448).

use strict;
use warnings;

use Compress::Raw::Zlib ();
use Digest::SHA qw(sha256_hex hmac_sha256_hex);
use Exporter 'import';
use File::Temp ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64url decode_base64url encode_base64);

use Crypt::Mac::HMAC qw(hmac);
use Crypt::PK::ECC;
use Crypt::PK::Ed25519;
use Crypt::PK::RSA;
use Crypt::PRNG qw(random_bytes random_bytes_hex);

our @EXPORT_OK = qw(key new_key mint sign jwk jwks pem api_key key_record key_file
    encode_base64url decode_base64url json);

# The test keys of the vectors by kid; without the vectors, keys of the same kinds made anew.
my %made;
my %kind = (
    rs => 'RSA', rs_b => 'RSA', es256 => 'P-256', es256_b => 'P-256', es384 => 'P-384',
    es512 => 'P-521', ed25519 => 'Ed25519', ed448 => 'Ed448',
    hs256 => 'oct256', hs384 => 'oct384', hs512 => 'oct512', hs_b => 'oct256',
);

sub json { return JSON::PP->new->utf8->canonical->allow_nonref->encode($_[0]); }

# A private JWK (hash) by name: rs es256 es384 es512 ed25519 ed448 hs256 hs384 hs512 and a second
# rs_b es256_b hs_b.
sub key {
    my ($name) = @_;
    return $name if ref $name;
    _load_vector_keys() if !%made;
    return $made{$name} //= new_key($kind{$name} || die("no test key '$name'"), $name);
}

sub _load_vector_keys {
    $made{''} = undef;
    my $vectors = $ENV{GATE_VECTORS} || '../shared/vectors';
    open my $file, '<:raw', "$vectors/own/private_keys.json" or return;
    my $set = JSON::PP->new->utf8->decode(do { local $/; <$file> });
    $made{ $_->{kid} } = $_ for @{ $set->{keys} };
    return;
}

# A fresh private JWK: new_key('RSA'|'RSA3072'|'P-256'|..|'Ed25519'|'Ed448'|'oct256', kid).
sub new_key {
    my ($type, $kid) = @_;
    my $jwk;
    if ($type =~ /\ARSA(\d*)\z/) {
        my $rsa = Crypt::PK::RSA->new;
        $rsa->generate_key(($1 || 2048) / 8, 65537);
        $jwk = $rsa->export_key_jwk('private', 1);
    } elsif ($type =~ /\AP-(\d+)\z/) {
        my $ec = Crypt::PK::ECC->new;
        $ec->generate_key("secp${1}r1");
        $jwk = $ec->export_key_jwk('private', 1);
    } elsif ($type eq 'Ed25519') {
        $jwk = Crypt::PK::Ed25519->new->generate_key->export_key_jwk('private', 1);
    } elsif ($type eq 'Ed448') {
        my $der = _openssl('genpkey -algorithm ED448 -outform DER', '');
        my $public = _openssl('pkey -inform DER -pubout -outform DER', $der);
        $jwk = { kty => 'OKP', crv => 'Ed448', d => encode_base64url(substr $der, -57),
            x => encode_base64url(substr $public, -57) };
    } elsif ($type =~ /\Aoct(\d+)\z/) {
        $jwk = { kty => 'oct', k => encode_base64url(random_bytes($1 / 8)) };
    } else {
        die "unknown key type '$type'";
    }
    $jwk->{kid} = $kid if defined $kid;
    return $jwk;
}

my %default_alg = ('P-256' => 'ES256', 'P-384' => 'ES384', 'P-521' => 'ES512',
    Ed25519 => 'EdDSA', Ed448 => 'EdDSA');

sub _alg_of {
    my ($jwk) = @_;
    return $jwk->{alg} if $jwk->{alg};
    return 'RS256' if $jwk->{kty} eq 'RSA';
    return 'HS' . (length decode_base64url($jwk->{k})) * 8 if $jwk->{kty} eq 'oct';
    return $default_alg{ $jwk->{crv} };
}

# A compact JWT. key: name or JWK (default rs); alg: default by the key; claims: merged over
# {iss, sub, aud, iat, exp, scope}, an undefined value drops the claim, as does bare => 1 for all;
# header: merged over {alg, typ, kid} likewise. raw_header and raw_payload replace the JSON text.
sub mint {
    my (%opt) = @_;
    my $jwk = key($opt{key} // 'rs');
    my $alg = $opt{alg} // _alg_of($jwk);
    my $now = time;
    my %claims = $opt{bare} ? () : (
        iss => 'https://idp.example.com', sub => 'user-1', aud => 'orders', iat => $now,
        exp => $now + 3600,
    );
    my %header = (alg => $alg, typ => 'JWT', defined $jwk->{kid} ? (kid => $jwk->{kid}) : ());
    %claims = _merge(\%claims, $opt{claims});
    %header = _merge(\%header, $opt{header});
    my $input = join '.', map { encode_base64url($_) } $opt{raw_header} // json(\%header),
        $opt{raw_payload} // json(\%claims);
    return "$input." . encode_base64url(sign($input, $alg, $jwk));
}

sub _merge {
    my ($base, $over) = @_;
    my %all = (%$base, %{ $over || {} });
    delete @all{ grep { !defined $all{$_} } keys %all };
    return %all;
}

# The JWS signature of $input, as bytes.
sub sign {
    my ($input, $alg, $jwk) = @_;
    return '' if $alg =~ /\Anone\z/i;
    $jwk = key($jwk);
    my ($family, $bits) = $alg =~ /\A([A-Z]+)(256|384|512)\z/;
    if (($family // '') eq 'HS') {
        return hmac("SHA$bits", decode_base64url($jwk->{k}), $input);
    }
    if (($family // '') eq 'RS' || ($family // '') eq 'PS') {
        my $rsa = Crypt::PK::RSA->new({ %$jwk });
        return $family eq 'RS' ? $rsa->sign_message($input, "SHA$bits", 'v1.5')
            : $rsa->sign_message($input, "SHA$bits", 'pss', $bits / 8);
    }
    if (($family // '') eq 'ES') {
        return Crypt::PK::ECC->new({ %$jwk })->sign_message_rfc7518($input, "SHA$bits");
    }
    if ($alg eq 'EdDSA' && $jwk->{crv} eq 'Ed25519') {
        return Crypt::PK::Ed25519->new({ %$jwk })->sign_message($input);
    }
    if ($alg eq 'EdDSA' && $jwk->{crv} eq 'Ed448') {
        my $message = File::Temp->new;
        print {$message} $input;
        close $message;
        return _openssl("pkeyutl -sign -rawin -in $message -keyform DER -inkey /dev/stdin",
            _okp_der($jwk));
    }
    die "cannot sign with alg '$alg'";
}

# PKCS #8 of an Ed448 private key (RFC 8410): a fixed prefix and the 57 octets.
# RFC 8410 section 7, version 1: OpenSSL 3.0 does not read what CryptX writes.
my %okp_head = (Ed25519 => '302e020100300506032b657004220420', Ed448 => '3047020100300506032b6571043b0439');
sub _okp_der { return pack('H*', $okp_head{ $_[0]{crv} }) . decode_base64url($_[0]{d}); }

sub _openssl {
    my ($arguments, $input) = @_;
    my $in = File::Temp->new;
    binmode $in;
    print {$in} $input;
    close $in;
    my $output = `openssl $arguments < $in 2>/dev/null`;
    die "openssl $arguments failed" if $?;
    return $output;
}

# The public JWK (a hash) of a key; extra members are added, undefined ones dropped.
sub jwk {
    my ($name, %extra) = @_;
    my %jwk = %{ key($name) };
    delete @jwk{qw(d p q dp dq qi)};
    return { _merge(\%jwk, \%extra) };
}

# The text of a JWKS; elements are names, private JWKs or [name, members..]. Octet keys keep `k`.
sub jwks {
    return json({ keys => [map { ref $_ eq 'ARRAY' ? jwk(@$_) : jwk($_) } @_] });
}

# PEM text: pem(name, 'public') or 'private'.
sub pem {
    my ($name, $part) = @_;
    my $jwk = key($name);
    $part //= 'public';
    return Crypt::PK::RSA->new({ %$jwk })->export_key_pem($part eq 'public' ? 'public_x509' : $part)
        if $jwk->{kty} eq 'RSA';
    return Crypt::PK::ECC->new({ %$jwk })
        ->export_key_pem($part eq 'public' ? $part : 'private_short') if $jwk->{kty} eq 'EC';
    my $der = _okp_der($jwk);
    return _openssl('pkey -inform DER' . ($part eq 'public' ? ' -pubout' : ''), $der);
}

# A new API key <prefix><secret>_<checksum>: 43 base62 digits and CRC-32 of what is before the
# underscore in 6.
sub api_key {
    my ($prefix) = @_;
    my @digits = (0 .. 9, 'A' .. 'Z', 'a' .. 'z');
    my $text = ($prefix // '') . join '', map { $digits[Crypt::PRNG::rand(62)] } 1 .. 43;
    my $crc = Compress::Raw::Zlib::crc32($text);
    my $checksum = '';
    for (1 .. 6) {
        $checksum = $digits[$crc % 62] . $checksum;
        $crc = int($crc / 62);
    }
    return "${text}_$checksum";
}

# The record of a key as stores keep it; members may be overridden, pepper => switches to HMAC.
sub key_record {
    my ($key, %members) = @_;
    my $pepper = delete $members{pepper};
    return { _merge({
        v => 1, id => random_bytes_hex(8), name => 'test key', owner => 'tests',
        digest => defined $pepper ? hmac_sha256_hex($key, $pepper) : sha256_hex($key),
        status => 'active', created => time, scopes => [],
    }, \%members) };
}

# The text of a key file of these records.
sub key_file { return json({ version => 1, keys => [@_] }) . "\n"; }

1;
