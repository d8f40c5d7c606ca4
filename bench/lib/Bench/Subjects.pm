package Bench::Subjects;

# What the HTTP benchmarks measure: the credentials, the requests that carry them, and one
# configuration with the gate and one without it that answer the same requests.

use strict;
use warnings;
use feature 'state';

use Exporter 'import';
use File::Copy qw(copy);
use File::Path qw(make_path);
use Gate::Test ();
use Gate::Token qw(new_key key sign jwks json api_key key_record key_file encode_base64url);

our @EXPORT_OK = qw(subjects subject work_dir tool bench_keys request_of write_gate_files side_config
    token_parts knows the_api_key revoked_request start_upstream);

my $kTokenSize = 860;        # octets: a token of an identity provider
my $kKeysInStore = 1000;     # records in the file of API keys
my $kRevokedNumber = 9_999_999;
my $kOctetsPerRevoked = 40;  # at most, of the quarter of a zone that revocations have

my $root = Gate::Test::root_dir();

# Files that are made once and kept: private keys of the benchmark, pools of tokens, journals.
sub work_dir {
    my $dir = "$root/build/bench";
    make_path($dir);
    return $dir;
}

sub tool { return "$root/build/release/bench-http_$_[0]"; }

my %kind = (rs => 'RSA', es256 => 'P-256', ed25519 => 'Ed25519', hs256 => 'oct256');

# The benchmark's own private keys by name: the pools of tokens that outlive a run need them.
sub bench_keys {
    my $path = work_dir() . '/keys.json';
    if (!-e $path) {
        my %new = map { $_ => new_key($kind{$_}, "bench-$_") } sort keys %kind;
        open my $file, '>', "$path.new" or die "$path: $!";
        print {$file} json(\%new);
        close $file or die "$path: $!";
        rename "$path.new", $path or die "$path: $!";
    }
    return JSON::PP->new->utf8->decode(Gate::Test::slurp($path));
}

# "proxied" has two identity headers and an upstream.
my @subjects = (
    { name => 'RS256', alg => 'RS256', key => 'rs', location => '/token', signature => 342 },
    { name => 'ES256', alg => 'ES256', key => 'es256', location => '/token', signature => 86 },
    { name => 'EdDSA', alg => 'EdDSA', key => 'ed25519', location => '/token', signature => 86 },
    { name => 'HS256', alg => 'HS256', key => 'hs256', location => '/secret', signature => 43 },
    { name => 'APIkey', location => '/key' },
    { name => 'proxied', alg => 'RS256', key => 'rs', location => '/app/token', signature => 342 },
);

# Answers what is proxied. Takes a port of its own.
sub start_upstream {
    my $upstream = Gate::Test->new(module => 0);
    $upstream->start('access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; '
        . 'server { listen 127.0.0.1:%%PORT%%; location / { return 200 "hello\n"; } }');
    return $upstream;
}

# All subjects, or those of a comma-separated list of names.
sub subjects {
    my ($names) = @_;
    return @subjects if !defined $names;
    return map { subject($_) } split /,/, $names;
}

sub subject {
    my ($name) = @_;
    return (grep { lc $_->{name} eq lc $name } @subjects)[0]
        // die "no subject '$name': " . join(' ', map { $_->{name} } @subjects) . "\n";
}

# Header and payload (JSON) of a token of $kTokenSize octets: what an identity provider writes, with
# a number that makes it one of its kind. Some sizes no payload gives, as three octets are four
# characters: a blank in the header helps.
sub token_parts {
    my ($subject, $number) = @_;
    my $kid = "bench-$subject->{key}";
    my $length = sub { return int((length($_[0]) * 4 + 2) / 3); };
    for my $try (0 .. 3 * $kTokenSize) {
        my $header = qq({"alg":"$subject->{alg}","typ":"at+jwt","kid":"$kid") . ' ' x ($try % 3) . '}';
        my $payload = '{"iss":"https://idp.example.com/realms/corp","aud":["orders","billing"],'
            . sprintf('"sub":"f:0a6b1c52:%07d",', $number)
            . '"exp":4102444800,"iat":1700000000,"nbf":1700000000,'
            . sprintf('"jti":"c2b7a5%07d",', $number)
            . '"azp":"web","scope":"openid orders:read orders:write","roles":["staff","editor"],'
            . '"name":"' . 'n' x int($try / 3) . '"}';
        return ($header, $payload) if $length->($header) + $length->($payload) + 2
            + $subject->{signature} == $kTokenSize;
    }
    die 'no token of the size';
}

my $api_key;

# The key that APIkey is measured with.
sub the_api_key { return $api_key //= api_key('acme_live_'); }

# The header lines of a subject's credential.
sub _credential {
    my ($subject) = @_;
    return 'X-API-Key: ' . the_api_key() . "\r\n" if !$subject->{key};
    return _bearer($subject, 0);
}

sub _bearer {
    my ($subject, $number) = @_;
    my $jwk = bench_keys()->{ $subject->{key} };
    my $input = join '.', map { encode_base64url($_) } token_parts($subject, $number);
    my $token = "$input." . encode_base64url(sign($input, $subject->{alg}, $jwk));
    return "Authorization: Bearer $token\r\n";
}

# A request with the token that the last line of every journal revokes.
sub revoked_request {
    return request_of(subject('RS256'), header => _bearer(subject('RS256'), $kRevokedNumber));
}

# The octets of a request: both sides get the same. Options: without (no credential), forged (the
# last character but one of the credential changed), uri, header (instead of the credential's).
sub request_of {
    my ($subject, %opt) = @_;
    $subject->{header} //= _credential($subject);
    my $header = $opt{without} ? '' : $opt{header} // $subject->{header};
    $header =~ s/(.)(.\r\n)\z/($1 eq 'A' ? 'B' : 'A') . $2/e if $opt{forged};
    my $uri = $opt{uri} // $subject->{location};
    return "GET $uri HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench/1\r\nAccept: */*\r\n"
        . "$header\r\n";
}

# The files that the gate's configuration names; so many revoked ids are in the journal.
sub write_gate_files {
    my ($nginx, $revoked) = @_;
    if (my $journal = journal_of($revoked)) {
        copy($journal, $nginx->dir . '/revoked.journal') or die "copy $journal: $!";
    }
    my $keys = bench_keys();
    $nginx->write_file('corp.jwks', jwks(map { $keys->{$_} } qw(rs es256 ed25519)));
    $nginx->write_file('session.jwks', jwks($keys->{hs256}));
    $nginx->write_file('keys.json', key_file(key_record(the_api_key()),
        map { key_record(api_key('acme_live_')) } 2 .. $kKeysInStore));
    return;
}

# A journal of so many revoked ids that no token here carries; undefined for none.
sub journal_of {
    my ($count) = @_;
    return if !$count;
    my $path = work_dir() . "/journal-$count";
    if (!-e $path) {
        system(tool('make'), 'journal', $count, "$path.new") == 0 or die "cannot write $path\n";
        rename "$path.new", $path or die "$path: $!";
    }
    return $path;
}

my $answers = <<'END';
location = /token { empty_gif; GATE_token }
location = /secret { empty_gif; GATE_secret }
location = /key { empty_gif; GATE_key }
location = /app/token { GATE_token GATE_identity
    proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }
END

my $blocks = <<'END';
gate_issuer corp { issuer https://idp.example.com/realms/corp; audience orders;
    jwks_file %%DIR%%/corp.jwks; }
gate_issuer session { issuer https://idp.example.com/realms/corp; audience orders;
    algorithms HS256; jwks_file %%DIR%%/session.jwks; }
gate_keys partner { file %%DIR%%/keys.json; prefix acme_live_; }
END

# Whether the module has a directive.
sub knows {
    my ($directive) = @_;
    state $module = Gate::Test::slurp(Gate::Test::module_path());
    return index($module, "\0$directive\0") >= 0;
}

# The text of an http block. gate => 0 or 1, revoked => n (a journal is loaded), zone => megabytes,
# redis => the port of one that has the keys and is followed, extra => text of the server block.
sub side_config {
    my (%opt) = @_;
    my %gate = (token => 'gate jwt=corp;', secret => 'gate jwt=session;', key => 'gate key=partner;',
        identity => 'gate_identity X-User $gate_subject; gate_identity X-Scopes $gate_scopes;');
    my $places = $answers =~ s/GATE_(\w+)/$opt{gate} ? $gate{$1} : ''/ger;
    my $http = 'access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; '
        . 'upstream app { server 127.0.0.1:%%PORT_app%%; keepalive 64; '
        . "keepalive_requests 1000000000; keepalive_timeout 3600s; }\n";
    if ($opt{gate}) {
        my $zone = $opt{zone} // zone_size($opt{revoked});
        $http .= "gate_zone gate:${zone}m;\n";
        $http .= "gate_revocation file=%%DIR%%/revoked.journal;\n" if $opt{revoked};
        my $file = 'file %%DIR%%/keys.json;';
        $http .= $opt{redis} ? "gate_redis main { server 127.0.0.1:$opt{redis}; }\n"
            . "gate_revocation redis=main;\n" . $blocks =~ s/\Q$file/redis main;/r : $blocks;
    }
    return "$http server { listen 127.0.0.1:%%PORT%%;\n$places" . ($opt{extra} // '') . "}\n";
}

# Megabytes of a zone, a quarter of which holds the revoked ids.
sub zone_size {
    my ($revoked) = @_;
    my $needed = 4 * $kOctetsPerRevoked * ($revoked || 0) / 1e6;
    return $needed <= 64 ? 64 : 64 * (1 + int($needed / 64));
}

1;
