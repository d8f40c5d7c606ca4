# No verdict outlives what it was made of: the keys, rules and roles of its issuer, the records and
# peppers of its store. Each change, by reload and (where a file says it) by the watched file: known
# in every worker before, refused in every worker after.

use lib 't/lib';
use Gate::Test;
use Gate::Cache;
use Time::HiRes qw(sleep time);

my $workers = 2;
my $t = Gate::Test->new(workers => $workers, log_level => 'notice');
my $slow = $ENV{GATE_ASAN} || $ENV{GATE_VALGRIND};
my $secret = 'the first secret of 32 octets or more';
my %hs = (kty => 'oct', k => encode_base64url($secret), kid => undef);
my $key = api_key('p_');
my $pepper = 'the first pepper of 32 octets or more';
my %base = (
    issuer => 'https://idp.example.com', keys => 'jwks_file %%DIR%%/keys.jwks;', audience => 'orders',
    leeway => '10s', more => 'type JWT;', roles => 'viewer orders:read;',
);
my %files = (
    'keys.jwks' => jwks('rs', 'es256', 'ed25519'),
    'roles' => "viewer orders:read;\n",
    'secret' => "$secret\n",
    'key.pem' => pem('es256'),
    'rsa.pem' => pem('rs'),
    'pepper' => "$pepper\n",
    'keys.json' => key_file(key_record($key, pepper => $pepper)),
    # What a reload may put in their place.
    'less.jwks' => jwks('es256', 'ed25519'),
    'other.jwks' => jwks({ %{ key('rs_b') }, kid => key('rs')->{kid} }, 'es256', 'ed25519'),
    'other.secret' => "another secret of 32 octets and more\n",
    'other.pem' => pem('es256_b'),
    'other.pepper' => "another pepper of 32 octets and more\n",
    'fewer.json' => key_file(key_record(api_key('p_'), pepper => $pepper)),
    'suspended.json' => key_file(key_record($key, pepper => $pepper, status => 'suspended')),
);
$t->write_file($_, $files{$_}) for keys %files;
$t->write_file('ok.txt', "ok\n");

# The configuration with some rules of the issuer changed.
sub config {
    my %rule = (%base, @_);
    my $says = says();
    return <<"EOF";
$says
gate_roles staff { $rule{roles} }
gate_issuer corp { issuer $rule{issuer}; $rule{keys} audience $rule{audience}; leeway $rule{leeway}; $rule{more} roles staff; }
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    root %%DIR%%;
    gate jwt=corp;
    location = /ok.txt { }
    location = /read { gate_require_scope orders:read; alias %%DIR%%/ok.txt; }
}
EOF
}

my $serial = 0;
sub token {
    my (%opt) = @_;
    return mint(%opt, claims => { jti => 'stale' . ++$serial, roles => ['viewer'], %{ $opt{claims} || {} } });
}

# All answers of every worker, several times over. A refusal on the location's rules may come with
# a verdict that was made anew.
sub everywhere {
    my ($path, $token) = @_;
    my %answers;
    for (1 .. 5) {
        my (undef, $more) = each_worker($workers, $path, $token);
        $answers{ s/^403 MISS/403 HIT/r } = 1 for keys %$more;
    }
    return join ', ', sort keys %answers;
}

$t->start(config());
ok wait_for(sub { $workers == $t->workers }), "$workers workers";

# ---- by reload
# [what, rules before, rules after, answer after, path, token]
my $rs = sub { token() };
my @reloads = (
    ['key removed', {}, { keys => 'jwks_file %%DIR%%/less.jwks;' }, '401 kid_unknown'],
    ['key replaced under the same kid', {}, { keys => 'jwks_file %%DIR%%/other.jwks;' }, '401 sig_bad'],
    ['algorithm list', {}, { more => 'type JWT; algorithms ES256;' }, '401 alg_not_allowed'],
    ['audience', {}, { audience => 'billing' }, '401 aud_mismatch'],
    ['issuer string', {}, { issuer => 'https://idp.example.com/' }, '401 iss_mismatch'],
    ['leeway of exp', {}, { leeway => '0s' }, '401 exp_past', '/ok.txt', sub { token(claims => { exp => int(time) + 2 }) },
        { leeway => '60s' }],
    ['leeway of nbf', {}, { leeway => '0s' }, '401 nbf_future', '/ok.txt',
        sub { token(claims => { nbf => int(time) + 60 }) }, { leeway => '120s' }],
    ['required claim', {}, { more => 'type JWT; require_claim tenant;' }, '401 claim_missing'],
    ['lifetime', {}, { more => 'type JWT; max_lifetime 10m;' }, '401 lifetime_exceeded'],
    ['role map', {}, { roles => 'viewer orders:write;' }, '403 HIT scope_missing', '/read'],
    ['typ', {}, { more => 'type at+jwt;' }, '401 typ_bad'],
    ['claim of the roles', {}, { more => 'type JWT; role_claim groups;' }, '403 HIT scope_missing', '/read'],
    ['algorithm of a key', { keys => 'key file=%%DIR%%/rsa.pem alg=RS256;' },
        { keys => 'key file=%%DIR%%/rsa.pem alg=PS256;' }, '401 alg_not_allowed', '/ok.txt',
        sub { token(header => { kid => undef }) }],
    ['secret', { keys => 'key secret_file=%%DIR%%/secret; algorithms HS256;' },
        { keys => 'key secret_file=%%DIR%%/other.secret; algorithms HS256;' }, '401 sig_bad', '/ok.txt',
        sub { token(key => \%hs, alg => 'HS256') }],
    ['PEM', { keys => 'key file=%%DIR%%/key.pem;' }, { keys => 'key file=%%DIR%%/other.pem;' }, '401 sig_bad',
        '/ok.txt', sub { token(key => 'es256', header => { kid => undef }) }],
);
for my $case (@reloads) {
    my ($name, $before, $after, $expected, $path, $make, $special) = @$case;
    $path //= '/ok.txt';
    subtest "by reload: $name" => sub {
        $before = $special if $special;
        if (%$before) {
            $t->write_config(config(%$before));
            ok $t->reload, 'rules before';
        }
        my $token = ($make || $rs)->();
        ok warm($workers, $path, $token), 'known in every worker';
        $t->write_config(config(%$after));
        # the token with the short life ends before the new rules are there
        sleep 2.1 if $name eq 'leeway of exp';
        ok $t->reload, 'rules changed';
        is everywhere($path, $token), $expected, 'no old verdict';
        $t->write_config(config());
        ok $t->reload, 'as it was';
    };
}

# ---- by watched file
$t->write_config(config(roles => 'file %%DIR%%/roles;') =~ s/^server/
gate_issuer hs { issuer hs; key secret_file=%%DIR%%\/secret; algorithms HS256; audience orders; }
gate_keys partner { file %%DIR%%\/keys.json; prefix p_; digest hmac-sha256; pepper_file %%DIR%%\/pepper; }
gate_issuer pem { issuer pem; key file=%%DIR%%\/key.pem; audience orders; }
server/mr =~ s/gate jwt=corp/gate jwt=corp,hs,pem key=partner/r);
ok $t->reload, 'rules of which files say most';
sleep 2.1;    # files are settled: what follows is change

my @watched = (
    ['key removed', 'keys.jwks', 'less.jwks', qr/^401 kid_unknown$/, '/ok.txt', $rs],
    ['key replaced under the same kid', 'keys.jwks', 'other.jwks', qr/^401 sig_bad$/, '/ok.txt', $rs],
    ['secret', 'secret', 'other.secret', qr/^401 sig_bad$/, '/ok.txt',
        sub { token(key => \%hs, alg => 'HS256', claims => { iss => 'hs' }) }],
    ['PEM', 'key.pem', 'other.pem', qr/^401 sig_bad$/, '/ok.txt',
        sub { token(key => 'es256', header => { kid => undef }, claims => { iss => 'pem' }) }],
    ['API key removed', 'keys.json', 'fewer.json', qr/^401 (?:\w+ )?key_unknown$/, '/ok.txt', sub { ['X-API-Key', $key] }],
    ['API key suspended', 'keys.json', 'suspended.json', qr/^401 (?:\w+ )?key_suspended$/, '/ok.txt',
        sub { ['X-API-Key', $key] }],
    ['pepper', 'pepper', 'other.pepper', qr/^401 (?:\w+ )?key_unknown$/, '/ok.txt', sub { ['X-API-Key', $key] }],
    ['role map', 'roles', undef, qr/^403 (?:HIT|MISS) scope_missing$/, '/read', $rs],
);
for my $case (@watched) {
    my ($name, $file, $other, $expected, $path, $make) = @$case;
    subtest "by watched file: $name" => sub {
        my $token = $make->();
        ok warm($workers, $path, $token), 'known in every worker';
        my $start = time;
        $t->write_file($file, defined $other ? $files{$other} : "viewer orders:write;\n");
        # A worker that has refused never accepts again, whatever the others still write.
        my (%refused, %again, %strange);
        my $done = wait_for(sub {
            my ($answer, $worker) = answer($path, $token);
            if ($answer =~ $expected) { $refused{$worker} = 1; }
            elsif ($answer =~ /^200/) { $again{$worker}++ if $refused{$worker}; }
            else { $strange{$answer}++; }
            return keys %refused == $workers;
        }, 10);
        my $elapsed = time - $start;
        ok $done, 'refused in every worker';
        cmp_ok $elapsed, '<', $slow ? 5 : 1, sprintf 'within a second (%.2f s)', $elapsed;
        like everywhere($path, $token), $expected, 'and for good';
        is_deeply [\%again, \%strange], [{}, {}], 'nothing else meanwhile';
        $t->write_file($file, $files{$file});
        ok warm($workers, $path, $token), 'with the old file it is good again';
    };
}

done_testing;
