# The zone holds digests and places, never text: a dump of it is searched for every seeded secret and
# for each stretch of 12 octets of them, as it is, as hexadecimal, base64 and base64url. So are the
# lines that the gate writes to a log at debug level.

use lib 't/lib';
use Gate::Test;
use Gate::Cache;
use Gate::Secrets qw(mapped_memory shared_memory);
use MIME::Base64 qw(encode_base64);

my $t = Gate::Test->new(workers => 2, log_level => 'debug');
my $app = $t->upstream('app');
my @letters = ('A' .. 'Z', 'a' .. 'z', 0 .. 9);
sub canary { return join '', "canary-$_[0]-", map { $letters[rand @letters] } 1 .. 32; }

my %secret = map { $_ => canary($_) } qw(hmac pepper password jti subject session tenant client scope role group);
my $key = api_key('k_');
my $unknown_key = api_key('k_');
my $peppered = api_key('p_');
$t->write_jwks('keys.jwks', 'rs');
$t->write_file('secret', "$secret{hmac}\n");
$t->write_file('pepper', "$secret{pepper}\n");
$t->write_file('keys.json', key_file(key_record($key, owner => $secret{subject}, name => 'a name')));
$t->write_file('peppered.json', key_file(key_record($peppered, pepper => $secret{pepper})));
$t->write_file('revoked', journal_line('jti', 'hs', $secret{jti}));
$t->write_file('ok.txt', "ok\n");
my $says = says();
$t->start(<<"EOF");
$says
gate_revocation file=%%DIR%%/revoked;
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
gate_issuer hs { issuer hs; key secret_file=%%DIR%%/secret; algorithms HS256; audience orders; }
gate_keys k { file %%DIR%%/keys.json; prefix k_; }
gate_keys p { file %%DIR%%/peppered.json; prefix p_; digest hmac-sha256; pepper_file %%DIR%%/pepper; }
server {
    listen 127.0.0.1:%%PORT%%;
    root %%DIR%%;
    gate jwt=corp,hs key=k,p;
    location = /ok.txt { }
    location = /claim { gate_require_claim password eq nothing; alias %%DIR%%/ok.txt; }
    location /app/ { gate_identity X-User \$gate_subject; gate_identity X-Scopes \$gate_scopes;
        gate_identity X-Tenant \$gate_claim_tenant; proxy_pass http://127.0.0.1:%%PORT_app%%; }
}
EOF

my %hs = (kty => 'oct', k => encode_base64url($secret{hmac}), kid => undef);
my %claims = (sub => $secret{subject}, password => $secret{password}, tenant => $secret{tenant}, sid => $secret{session},
    azp => $secret{client}, scope => "a $secret{scope}", roles => [$secret{role}], groups => [$secret{group}]);
my $token = mint(claims => { %claims, jti => 'one' });
my $hmac_token = mint(key => \%hs, alg => 'HS256', claims => { %claims, iss => 'hs' });
my $revoked = mint(key => \%hs, alg => 'HS256', claims => { %claims, iss => 'hs', jti => $secret{jti} });
my $forged = mint(key => 'rs_b', header => { kid => key('rs')->{kid} }, claims => { %claims, jti => 'two' });

for (1 .. 20) {
    my $hit = $_ == 1 ? 'MISS' : 'HIT';
    is answer('/ok.txt', $token), "200 $hit", 'a token' if $_ < 3;
    answer('/ok.txt', $_) for $token, $hmac_token;
    is answer('/claim', $token), '403 HIT claim_unmet', 'refused by a claim' if $_ < 3;
    answer('/app/x', $token);
    is answer('/ok.txt', $revoked), '401 revoked', 'a revoked token' if $_ < 3;
    answer('/ok.txt', $forged);
    like answer('/ok.txt', ['X-API-Key', $_->[0]]), $_->[1], 'a key' for [$key, qr/^200 /],
        [$unknown_key, qr/^401 .*key_unknown/], [$peppered, qr/^200 /];
}

# ---- what must not be found
my %needles = (%secret, key => $key, unknown_key => $unknown_key, peppered_key => $peppered,
    k_of_jwk => $hs{k}, private_d => decode_base64url(key('rs')->{d}));
for (['token', $token], ['HMAC token', $hmac_token], ['revoked token', $revoked], ['forged token', $forged]) {
    my ($name, $text) = @$_;
    my @part = split /\./, $text;
    # every token begins with the same header; the rest is its own
    $needles{"$name, payload"} = $part[1];
    $needles{"$name, decoded payload"} = decode_base64url($part[1]);
    $needles{"$name, signature"} = $part[2];
    $needles{"$name, decoded signature"} = decode_base64url($part[2]);
    $needles{"$name, header"} = $part[0];
}

my $secrets = Gate::Secrets->new(%needles);

# ---- the search itself can find
for my $plant (['as it is', $secret{password}], ['hexadecimal', unpack 'H*', $secret{password}],
    ['base64', encode_base64("x$secret{password}", '')], ['base64url', encode_base64url("xy$secret{password}")],
    ['in part', substr $secret{password}, 9, 20]) {
    my $haystack = "\0" x 1000 . $plant->[1] . "\xff" x 1000;
    ok scalar(grep { $_ eq 'password' } @{ $secrets->found_in(\$haystack) }), "a secret that is planted $plant->[0] is found";
}

# ---- the zone
my ($worker) = $t->workers;
my $zone = shared_memory($worker);
SKIP: {
    skip('the memory of a worker cannot be read here', 3) if !defined $zone;
    cmp_ok length $zone, '>=', 1 << 20, 'all shared memory of a worker';
    like $zone, qr/etag-xgn/, 'with the zone in it';
    is_deeply $secrets->found_in(\$zone), [], 'no secret is in it';
}
SKIP: {
    skip('only of a worker as it is', 1) if !defined $zone || $ENV{GATE_ASAN} || $ENV{GATE_VALGRIND};
    my $own = mapped_memory($worker, qr/ rw-p /);
    ok scalar(grep { $_ eq 'hmac' } @{ $secrets->found_in(\$own) }), 'but a worker has its own secrets, and the search finds them';
}

# ---- the log
my @lines = grep {/: (?:\*\d+ )?(?:auth|gate\w*): /} split /\n/, $t->error_log;
cmp_ok scalar @lines, '>', 3, 'lines of the gate';
my $lines = join "\n", @lines;
is_deeply $secrets->found_in(\$lines), [], 'no secret is in them';

done_testing;
