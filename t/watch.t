# Files that the configuration names are watched: a change is in force in every worker within a
# second, and what is broken or half-written leaves the last good state in force and is said once.

use lib 't/lib';
use Gate::Test;
use Time::HiRes qw(sleep time);

my $t = Gate::Test->new(workers => 2);
my $dir = $t->dir;
my $root = !$>;

my ($first, $second, $scoped) = map { api_key('acme_') } 1 .. 3;
my @secrets = map { join '', map { chr 33 + int rand 90 } 1 .. 40 } 1 .. 3;
my %hs = map { $_ => { kty => 'oct', k => encode_base64url($secrets[$_]) } } 0 .. 2;

$t->write_jwks('corp.jwks', 'rs');
$t->write_file('secret.txt', "$secrets[0]\n");
$t->write_file('key.pem', pem('es256'));
$t->write_file('keys.json', key_file(key_record($first), key_record($scoped, roles => ['reader'])));
$t->write_file('peppered.json', key_file(key_record($first, pepper => $secrets[0])));
$t->write_file('pepper.txt', "$secrets[0]\n");
$t->write_file('roles.txt', "reader none:read;\n");
$t->write_file('private.pem', pem('es256'));
chmod 0600, "$dir/private.pem";
$t->write_file('ok.txt', "ok\n");

# The workers' files are settled when they start: what follows is change.
sleep 2.1;
$t->start(<<'EOF');
gate_roles  staff    { file roles.txt; }
gate_issuer corp     { issuer https://idp.example.com; jwks_file corp.jwks; audience orders; roles staff; }
gate_issuer hs       { issuer hs; key secret_file=secret.txt alg=HS256; audience orders; }
gate_issuer pem      { issuer pem; key file=key.pem alg=ES256; audience orders; }
gate_issuer private  { issuer private; key file=private.pem alg=ES256; audience orders; }
gate_keys   partner  { file keys.json; prefix acme_; roles staff; }
gate_keys   peppered { file peppered.json; prefix acme_; digest hmac-sha256; pepper_file pepper.txt; }
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    root %%DIR%%;
    add_header X-Worker $pid always;
    gate jwt=corp,hs,pem,private key=partner;
    location = /ok.txt { }
    location = /read/ok.txt { gate_require_scope orders:read; alias %%DIR%%/ok.txt; }
    location = /peppered/ok.txt { gate key=peppered; alias %%DIR%%/ok.txt; }
}
EOF
ok(wait_for(sub { scalar($t->workers) == 2 }), 'two workers');

# A second thread makes every system call and allocation of a worker dearer.
sub threads { return join ' ', map { slurp("/proc/$_/status") =~ /^Threads:\s+(\d+)/m } $t->workers; }
is(threads(), '1 1', 'a worker has one thread');

sub by_token { my (%opt) = @_; return [Authorization => 'Bearer ' . mint(%opt)]; }
sub by_key { return ['X-API-Key' => $_[0]]; }

# The status that each worker gives, as "200 200"; fresh connections until both have answered.
sub statuses {
    my ($path, $header) = @_;
    my %status;
    for (1 .. 200) {
        my $response = http_get($path, headers => $header);
        $status{ $response->header('X-Worker') // '?' } = $response->status;
        last if keys %status >= 2;
    }
    return join ' ', map { $status{$_} } sort keys %status;
}

sub wait_for_statuses {
    my ($name, $expected, $path, $header) = @_;
    my $start = time;
    my $got;
    wait_for(sub { ($got = statuses($path, $header)) eq "$expected $expected" }, 5);
    my $elapsed = time - $start;
    is($got, "$expected $expected", "$name: every worker answers $expected");
    cmp_ok($elapsed, '<', 1, "$name: within a second")
        or diag(sprintf 'took %.2f s', $elapsed);
    return;
}

# Writes a file and waits until every worker answers as expected.
sub changed {
    my ($name, $file, $text, $expected, $path, $header) = @_;
    isnt(statuses($path, $header), "$expected $expected", "$name: not so before");
    $t->write_file($file, $text);
    wait_for_statuses($name, $expected, $path, $header);
    return;
}

sub lines { my ($pattern) = @_; return scalar grep {/$pattern/} split /\n/, $t->error_log; }

is(statuses('/ok.txt', by_token()), '200 200', 'a token of the first keys passes');

# ---- each kind of file
changed('JWKS', 'corp.jwks', jwks('rs', 'ed25519'), 200, '/ok.txt', by_token(key => 'ed25519'));
changed('JWKS without the old key', 'corp.jwks', jwks('ed25519'), 401, '/ok.txt', by_token());
changed('secret', 'secret.txt', "$secrets[1]\n", 200, '/ok.txt',
    by_token(key => $hs{1}, alg => 'HS256', claims => { iss => 'hs' }));
is(statuses('/ok.txt', by_token(key => $hs{0}, alg => 'HS256', claims => { iss => 'hs' })), '401 401',
    'the old secret is dead');
changed('PEM', 'key.pem', pem('es256_b'), 200, '/ok.txt',
    by_token(key => 'es256_b', claims => { iss => 'pem' }, header => { kid => undef }));
changed('new API key', 'keys.json',
    key_file(key_record($first), key_record($scoped, roles => ['reader']), key_record($second)),
    200, '/ok.txt', by_key($second));
changed('suspended API key', 'keys.json',
    key_file(key_record($first, status => 'suspended'), key_record($scoped, roles => ['reader'])),
    401, '/ok.txt', by_key($first));
my $reader = by_token(key => 'ed25519', claims => { roles => ['reader'] });
is(statuses('/read/ok.txt', by_key($scoped)), '403 403', 'the role of a key grants nothing yet');
changed('roles, for an issuer', 'roles.txt', "reader orders:read;\n", 200, '/read/ok.txt', $reader);
is(statuses('/read/ok.txt', by_key($scoped)), '200 200', 'the same roles hold for a key store');
is(statuses('/peppered/ok.txt', by_key($first)), '200 200', 'a peppered key passes');
changed('pepper', 'pepper.txt', "$secrets[2]\n", 401, '/peppered/ok.txt', by_key($first));
$t->write_file('peppered.json', key_file(key_record($first, pepper => $secrets[2])));
wait_for_statuses('the key under the new pepper', 200, '/peppered/ok.txt', by_key($first));

# ---- a large file goes through a thread
my @many = map { key_record(api_key('acme_')) } 1 .. 500;
my $large = key_file(@many, key_record($second));
cmp_ok(length $large, '>', 64 << 10, 'a key file of more than 64 KiB');
changed('large key file', 'keys.json', $large, 200, '/ok.txt', by_key($second));
is(threads(), '1 1', 'which is gone with it');

is(lines(qr/\[notice\].*gate: "\Q$dir\E\/corp.jwks" taken over/), 2, 'each change is noted once');
is(lines(qr/not taken over/), 0, 'nothing was refused so far');

# ---- broken files
my $token = by_token(key => 'ed25519');
$t->write_file('corp.jwks', '{"keys":[');
ok(wait_for(sub { lines(qr/not taken over/) }, 5), 'a broken JWKS is said');
like($t->error_log,
    qr/\[error\].*gate: "\Q$dir\E\/corp.jwks" not taken over: not strict JSON: json_bad; the last good keys stay in force/,
    'with file, reason and what is in force');
for my $broken ('{"keys":[]}', '', jwks('es256') . 'x') {
    $t->write_file('corp.jwks', $broken);
    sleep 0.8;
}
is(lines(qr/corp.jwks" not taken over/), 1, 'once, whatever else is wrong with it, for a minute');
is(statuses('/ok.txt', $token), '200 200', 'the last good keys stay in force');
changed('JWKS whole again', 'corp.jwks', jwks('ed25519', 'rs'), 200, '/ok.txt', by_token());

unlink "$dir/key.pem";
ok(wait_for(sub { lines(qr/key.pem" not taken over: No such file or directory; the last good keys/) }, 5),
    'a file that vanished is said');
my $pem = by_token(key => 'es256_b', claims => { iss => 'pem' }, header => { kid => undef });
is(statuses('/ok.txt', $pem), '200 200', 'its keys stay in force');
$t->write_file('key.pem', pem('es256'));
wait_for_statuses('the vanished file is back', 401, '/ok.txt', $pem);

$t->write_file('keys.json', $large =~ s/"active"/"activ"/r);
ok(wait_for(sub { lines(qr/keys.json" not taken over: .*"activ"/) }, 5), 'a broken record is said');
is(statuses('/ok.txt', by_key($second)), '200 200', 'the other records stay in force');

# ---- a file that is written slowly, whose every beginning parses well
open my $slow, '>', "$dir/roles.txt" or die $!;
$slow->autoflush(1);
my %seen;
for my $i (1 .. 15) {
    print {$slow} "r$i x:$i;\n";
    $seen{ statuses('/read/ok.txt', $reader) } = 1;
    sleep 0.1;
}
is(join(', ', sort keys %seen), '200 200', 'half a role map is never in force');
print {$slow} "reader orders:write;\n";
close $slow;
wait_for_statuses('the whole role map', 403, '/read/ok.txt', $reader);
is(lines(qr/roles.txt" not taken over/), 0, 'and nothing was wrong with it');

# ---- rewritten with the same text: nothing to say
my $notes = lines(qr/taken over/);
$t->write_file('secret.txt', "$secrets[1]\n");
sleep 1;
is(lines(qr/taken over/), $notes, 'the same text again is no news');

# ---- what the workers may not read keeps its start-up value
SKIP: {
    skip('not root', 3) if !$root;
    my $private = by_token(key => 'es256', claims => { iss => 'private' }, header => { kid => undef });
    is(statuses('/ok.txt', $private), '200 200', 'a key that only root can read is in force');
    is(lines(qr/private.pem" not taken over/), 0, 'and nobody complains in a worker');
    $t->write_file('private.pem', pem('es256_b'));
    chmod 0600, "$dir/private.pem";
    sleep 1;
    is(statuses('/ok.txt', $private), '200 200', 'it keeps its start-up value');
}

# ---- a worker that replaces a dead one knows the change from its first request
$t->write_file('keys.json', key_file(key_record($second, status => 'revoked')));
wait_for_statuses('a revoked key', 401, '/ok.txt', by_key($second));
my %before = map { $_ => 1 } $t->workers;
$t->allow(qr/exited on signal 9/);
kill 'KILL', keys %before;
my @after;
wait_for(sub {
    my $response = http_get('/ok.txt', headers => by_key($second));
    push @after, $response->status if $response->status && !$before{ $response->header('X-Worker') // '' };
    return @after >= 20;
}, 10);
is(join(' ', @after), join(' ', (401) x 20), 'new workers refuse a key revoked before they were born');

# ---- a reload reads everything anew
$t->write_file('keys.json', '{');
ok(!$t->reload, 'a reload with a broken file is refused');
$t->write_file('keys.json', $large);
$t->write_jwks('corp.jwks', 'rs', 'es256');
ok($t->reload, 'reload');
is(statuses('/ok.txt', by_token(key => 'rs')), '200 200', 'the keys of the new start');

done_testing;
