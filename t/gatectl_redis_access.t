# gatectl on a store in Redis: how the store is named, who may in, TLS, servers that fail; many writers
# at a time, writers that are killed and connections that are cut; and that nginx sees each change.
use lib 't/lib';
use Gate::Test;

use List::Util qw(sum);
use Time::HiRes qw(sleep time);

use Gate::Certs;
use Gate::ChaosProxy;
use Gate::Ctl;
use Gate::FakeRedis;
use Gate::KeyRecord;
use Gate::Redis;

my $t = Gate::Test->new(workers => 2);
delete $ENV{GATE_REDIS};
my $redis = Gate::Redis->new(test => $t, persist => 1, unixsocket => 1, password => 'the password')->start;
my $password = $t->write_file('password', "the password\n");
my @login = ('--redis-password-file', $password);
my $at = $redis->address;
my $ctl = Gate::Ctl->new($redis, '--redis', $at, @login);
$ctl->run('store', 'init');
my $file = $t->write_file('keys.json', key_file(key_record('a key', id => 'of-the-file')));

# ---- how a store is named

for my $case (
    ['a file and a store', ['key', 'list', $file, '--redis', $at], qr/a file and --redis name two stores; give one/],
    ['a journal and a store', ['revoke', 'list', '--file', 'x', '--redis', $at], qr/name two stores/],
    ['no store', ['key', 'list'], qr/give the FILE with the keys, or --redis ADDRESS/],
    ['no store, but an id', ['key', 'show', 'x'], qr/give the FILE with the keys and an ID, or --redis ADDRESS and an ID/],
    ['no store to check', ['store', 'check'], qr/give --redis ADDRESS/i],
    ['no store to import to', ['key', 'import', $file], qr/give --redis ADDRESS/i],
    ['no journal', ['revoke', 'list'], qr/--file is missing: .* or --redis ADDRESS/],
    ['an option that goes with none', ['key', 'list', '--tls'], qr/--tls goes with --redis/],
    ['an option that goes with no file', ['key', 'list', $file, '--db', 1], qr/--db goes with --redis, not with a file/],
    ['no address', ['key', 'list', '--redis', 'here:'], qr/--redis: port "" is not a number/],
    ['two servers', ['key', 'list', '--redis', $at, '--redis', $at], qr/several addresses go with --sentinel or --cluster/],
    ['two kinds', ['key', 'list', '--redis', $at, '--cluster', '--sentinel', 'm'], qr/give one/],
    ['a master without name', ['key', 'list', '--redis', $at, '--sentinel', ''], qr/master's name is empty/],
    ['a user alone', ['key', 'list', '--redis', $at, '--redis-user', 'x'], qr/--redis-user goes with --redis-password-file/],
    ['no such file', ['key', 'list', '--redis', $at, '--redis-password-file', '/nonexistent'], qr/No such file/],
    ['an empty password', ['key', 'list', '--redis', $at, '--redis-password-file', '/dev/null'], qr/--redis-password-file: /],
    ['a sentinel user alone', ['key', 'list', '--redis', $at, '--sentinel', 'm', '--sentinel-user', 'x'], qr/goes with/],
    ['a password for no sentinel', ['key', 'list', '--redis', $at, '--sentinel-password-file', $password], qr/with --sentinel/],
    ['no number', ['key', 'list', '--redis', $at, '--db', 'x'], qr/--db: expected a number/],
    ['a database of a cluster', ['key', 'list', '--redis', $at, '--cluster', '--db', 1], qr/only database 0/],
    ['a prefix with blanks', ['key', 'list', '--redis', $at, '--redis-prefix', 'a b'], qr/printable ASCII/],
    ['a prefix of many slots', ['key', 'list', '--redis', $at, '--cluster', '--redis-prefix', 'gate:'], qr/hash tag/],
    ['half a certificate', ['key', 'list', '--redis', $at, '--tls', '--tls-cert', 'x'], qr/go together/],
    ['trust without TLS', ['key', 'list', '--redis', $at, '--tls-ca', 'x'], qr/--tls-ca goes with --tls/],
    ['no trust without TLS', ['key', 'list', '--redis', $at, '--tls-insecure'], qr/--tls-insecure goes with --tls/],
    ['trust and none', ['key', 'list', '--redis', $at, '--tls', '--tls-ca', 'x', '--tls-insecure'], qr/contradict/],
    ['no time', ['key', 'list', '--redis', $at, '--timeout', '0'], qr/--timeout: expected a time/],
    ['too long a time', ['key', 'list', '--redis', $at, '--timeout', '11m'], qr/--timeout: expected a time/],
    ['a look that waits', ['key', 'list', '--redis', $at, '--wait', '1'], qr/unknown option "--wait"/],
    ['no number of replicas', ['key', 'create', '--redis', $at, '--wait', '-1'], qr/--wait: expected a number/],
) {
    my ($what, $words, $says) = @$case;
    my ($status, $out, $err) = gatectl(@$words);
    is $status, 2, "$what is a usage error";
    like $err, $says, 'and says so';
}

{
    local $ENV{GATE_REDIS} = $at;
    is((gatectl('key', 'list', @login))[0], 0, 'GATE_REDIS names a store');
    like +(gatectl('key', 'list', $file))[1], qr/^of-the-file /m, 'but for a file that is named';
    like +(gatectl('key', 'show', $file, 'of-the-file'))[1], qr/^id +of-the-file$/m, 'with an id too';
    local $ENV{GATE_REDIS} = "$at,$at";
    is((gatectl('key', 'list', @login))[0], 2, 'several of them are for sentinels and clusters');
}

sub with { my ($to, @options) = @_; return Gate::Ctl->new($to, @options); }
my $socket = with($redis, '--redis', 'unix:' . $redis->socket_path, @login);
is(($socket->run('key', 'create', '--name', 'by socket'))[0], 0, 'a unix socket');
my $other = with($redis, '--redis', $at, @login, '--db', 3, '--redis-prefix', 'other:');
is(($other->run('store', 'init'))[0], 0, 'another database and prefix');
my $client = $redis->client;
$client->call('SELECT', 3);
is_deeply $client->call('KEYS', '*'), ['other:epoch'], 'are where the store is then';

# ---- who may in

my ($status, $out, $err) = with($redis, '--redis', $at)->run('key', 'list');
is $status, 1, 'without password nobody';
like $err, qr/NOAUTH/, 'as Redis says';
my $wrong = $t->write_file('wrong', "a wrong password\n");
($status, undef, $err) = with($redis, '--redis', $at, '--redis-password-file', $wrong)->run('key', 'list');
is $status, 1, 'with a wrong one neither';
like $err, qr/AUTH: WRONGPASS/, 'as Redis says';
unlike $err, qr/a wrong password/, 'without the password';
$redis->cmd('ACL', 'SETUSER', 'reader', 'on', '>the password', '~gate:*', '+@all', '-xadd', '-info');
my $reader = with($redis, '--redis', $at, '--redis-user', 'reader', @login);
my $before = join ' ', $ctl->ids;
($status, $out, $err) = $reader->run('key', 'create');
is $status, 1, 'a user who may not change the stream';
like $err, qr/NOPERM/, 'is told so';
is $out, '', 'gets no key';
is join(' ', $ctl->ids), $before, 'and has changed nothing';
like +($reader->run('store', 'check'))[2], qr/may not ask INFO/, 'nor is the state known to who may not ask';

# ---- TLS

subtest 'TLS' => sub {
    my $certs = Gate::Certs->of($t);
    my @trust = ('--tls', '--tls-ca', $certs->ca);
    my @ours = ('--tls-cert', $certs->cert('client'), '--tls-key', $certs->key('client'));
    my $tls = Gate::Redis->new(test => $t, name => 'tls', tls => 'mutual', unixsocket => 1)->start;
    my ($host, $address) = ('localhost:' . $tls->port, $tls->address);
    is((with($tls, '--redis', $host, @trust, @ours)->run('store', 'init'))[0], 0, 'both show a certificate');
    is((with($tls, '--redis', $address, @trust, @ours)->run('key', 'create'))[0], 0, 'an address stands in it');
    is scalar(with($tls)->ids), 1, 'it is done';
    my @named = ('--tls-name', 'redis.test');
    is((with($tls, '--redis', $address, @trust, @ours, @named)->run('key', 'list'))[0], 0, 'another name');
    my %refused = (
        'no certificate of ours' => [$host, @trust],
        'another name' => [$host, @trust, @ours, '--tls-name', 'elsewhere.test'],
        'another address' => [$host, @trust, @ours, '--tls-name', '127.0.0.2'],
        'whom the system trusts' => [$host, '--tls', @ours],
        'no TLS at all' => [$host],
        'a key that is none' => [$host, @trust, '--tls-cert', $certs->cert('client'), '--tls-key', $certs->ca],
        'a certificate that is none' => [$host, @trust, '--tls-cert', $file, '--tls-key', $certs->key('client')],
        'an authority that is none' => [$host, '--tls', '--tls-ca', $file, @ours],
    );
    for my $what (sort keys %refused) {
        my ($code, undef, $text) = with($tls, '--redis', @{ $refused{$what} })->run('key', 'list', '--timeout', '2s');
        is $code, 1, "$what: refused";
        isnt $text, '', 'and says why';
    }
    for my $cert (qw(wrong expired stranger)) {
        my $bad = Gate::Redis->new(test => $t, name => "tls-$cert", tls => 1, cert => $cert)->start;
        my $there = 'localhost:' . $bad->port;
        my ($code, undef, $text) = with($bad, '--redis', $there, @trust)->run('store', 'init');
        is $code, 1, "a server with the certificate '$cert' is refused";
        like $text, qr/certificate is not to be trusted: \w/, 'and says why';
        is((with($bad, '--redis', $there, '--tls', '--tls-insecure')->run('store', 'init'))[0], 0, 'but for who wants it');
        $bad->stop;
    }
    $tls->stop;
};

# ---- a server that fails

my $proxy = Gate::ChaosProxy->start(test => $t, to => $redis->port);
my $far = Gate::Ctl->new($redis, '--redis', '127.0.0.1:' . $proxy->port, @login);
for my $mode (['stall'], ['drip', ms => 50], ['refuse'], ['rst'], ['fin']) {
    $proxy->mode(@$mode);
    my $start = time;
    ($status, $out, $err) = $far->run('key', 'create', '--timeout', '600ms');
    is $status, 1, "$mode->[0]: refused";
    cmp_ok time - $start, '<', 3, 'in time';
    like $err, qr/\Agatectl: 127\.0\.0\.1:\d+: \S/, 'with the name of the server';
}
is join(' ', $ctl->ids), $before, 'and nothing was changed';

# wherever a connection is cut: what was told is there, what is there is whole
my ($unknown, $told, %count) = (0, 0);
for my $direction ('up', 'down') {
    for my $octets (map { 40 * $_ } 0 .. 35) {
        $proxy->mode('cut', octets => $octets, direction => $direction);
        ($status, my $new, $err) = $far->json('key', 'create', '--timeout', '2s');
        $count{$status}++;
        $unknown++ if $err =~ /whether the change was made is not known/;
        next if $status;
        $told++ if !$ctl->record($new->{id});
    }
}
$proxy->mode('pass');
ok $count{0} && $count{1}, "of 72 connections that were cut $count{1} were cut too soon";
ok $unknown, 'a lost answer to EXEC is told apart';
is $told, 0, 'what was told is there';
is_deeply [$ctl->problems], [], 'and what is there is whole';

($status, my $new, $err) = $ctl->json('key', 'create', '--wait', 1, '--timeout', '300ms');
is $status, 1, '--wait without a replica';
like $err, qr/the change is made, but only on 0 of 1 replicas/, 'says so';
ok $ctl->record($new->{id}), 'but the change is made, and the key shown';

# ---- many at a time

my @pids = map { $ctl->start($t->dir . "/writer$_", 'key', 'create', '--name', 'one of many') } 1 .. 8;
is join('', $ctl->finish(@pids)), '0' x 8, 'eight writers at a time succeed';
my %ids = map { $_ => 1 } map { slurp($t->dir . "/writer$_") =~ /^id   (\S+)$/m } 1 .. 8;
is scalar(keys %ids), 8, 'with an id each';
is scalar(grep { ($ctl->record($_)->{name} // '') eq 'one of many' } keys %ids), 8, 'and none is lost';
my $changes = $ctl->log;
@pids = map { $ctl->start('/dev/null', 'key', $_ % 2 ? 'suspend' : 'resume', $new->{id}, '--timeout', '20s') } 1 .. 8;
is join('', $ctl->finish(@pids)), '0' x 8, 'eight that change the same key too';
like $ctl->record($new->{id})->{status}, qr/\A(?:active|suspended)\z/, 'which is one or the other';
@pids = map { $ctl->start('/dev/null', 'key', 'rotate', $new->{id}, '--timeout', '20s') } 1 .. 4;
$ctl->run('key', 'resume', $new->{id});
$ctl->finish(@pids);
@pids = map { $ctl->start('/dev/null', 'revoke', 'jti', "j$_", '--issuer', 'i') } 1 .. 8;
is join('', $ctl->finish(@pids)), '0' x 8, 'eight that revoke';
is scalar(grep { /\Ajti:i:j\d\z/ } keys %{ $ctl->revoked }), 8, 'all of it';
is_deeply [$ctl->problems], [], 'the store is whole';

# what others change between our look and our change is not lost: the proxy makes that time long
my $slow = Gate::KeyRecord->new($redis);
my $theirs = $slow->put(api_key('acme_'), id => 'contended');
$proxy->mode('delay', ms => 25, direction => 'both');
my $kept = 0;
for my $round (1 .. 8) {
    my $pid = $far->start('/dev/null', 'key', $round % 2 ? 'suspend' : 'resume', 'contended', '--timeout', '20s');
    sleep 0.04 * $round;
    $slow->change($theirs, owner => "owner $round", status => $ctl->record('contended')->{status});
    $ctl->finish($pid);
    my $now = $ctl->record('contended');
    $kept++ if $now->{owner} eq "owner $round" && $now->{status} eq ($round % 2 ? 'suspended' : 'active');
}
is $kept, 8, 'what others change at the same time is kept';
$redis->cmd('DEL', 'gate:keyid:contended', "gate:key:$theirs->{digest}");
$redis->cmd('ZREM', 'gate:keys', 'contended');
$proxy->mode('pass');

# ---- answers that a good server does not give

my $fake = Gate::FakeRedis->start(test => $t, epoch => 'e', scripts => [
    { match => qr/\A(?:WATCH|MULTI)/, times => 0, steps => [{ send => "+OK\r\n" }] },
    { match => qr/\ATYPE/, times => 0, steps => [{ send => "+none\r\n" }] },
    { match => qr/\ATIME/, times => 0, steps => [{ send => "*2\r\n\$10\r\n1800000000\r\n\$1\r\n0\r\n" }] },
    { match => qr/\A(?:ZADD|XADD)/, times => 0, steps => [{ send => "+QUEUED\r\n" }] },
]);
my $at_fake = Gate::Ctl->new($redis, '--redis', '127.0.0.1:' . $fake->port, '--timeout', '2s');
for my $case (
    ['an EXEC that is lost', [{ close => 1 }], qr/whether the change was made is not known; look before you repeat it/],
    ['an EXEC that stumbles', [{ send => "*2\r\n:1\r\n-WRONGTYPE x\r\n" }], qr/only a part of the change was made: .*WRONGTYPE/],
    ['an EXEC that is discarded', [{ send => "-EXECABORT x\r\n" }], qr/it answers EXECABORT/],
    ['an EXEC that is nonsense', [{ send => "HTTP/1.1 400 Bad Request\r\n\r\n" }], qr/does not talk as Redis does/],
    ['an EXEC that always conflicts', [{ send => "*-1\r\n" }], qr/nothing was changed: others were changing the same/],
) {
    my ($what, $steps, $says) = @$case;
    $fake->play($steps, match => qr/\AEXEC/, times => $what =~ /always/ ? 0 : 1);
    ($status, $out, $err) = $at_fake->run('revoke', 'jti', 'x', '--issuer', 'i');
    is "$status$out", '1', $what;
    like $err, $says, 'and says so';
}
$fake->be(role => 'slave');
like +($at_fake->run('revoke', 'jti', 'x', '--issuer', 'i'))[2], qr/it is a replica, no master/, 'a replica';

# ---- kill -9 at any moment

my $killed = 0;
my $many = $t->write_file('many.json', key_file(map { key_record("key $_") } 1 .. 300));
for my $round (1 .. 30) {
    my @words = $round % 2 ? ('key', 'import', $many, '--replace') : ('key', 'rotate', $new->{id});
    $ctl->run('key', 'resume', $new->{id});
    my $pid = $ctl->start('/dev/null', @words);
    sleep 0.001 * $round;
    kill 'KILL', $pid;
    $killed += grep { $_ == 9 } $ctl->finish($pid);
    my @problems = $ctl->problems;
    is "@problems", '', 'whole after a kill' if @problems || $round == 30;
}
ok $killed, "killed $killed of 30 at work";
is sum(values %{ ($ctl->json('key', 'import', $many))[1] }), 300, 'an import that was killed is completed';

# ---- a clock of ours that is wrong

my ($faketime) = glob '/usr/lib/*/faketime/libfaketime.so.1';
if ($faketime && !$ENV{GATE_ASAN}) {
    local @ENV{qw(LD_PRELOAD FAKETIME FAKETIME_DONT_FAKE_MONOTONIC DONT_FAKE_MONOTONIC)} = ($faketime, '+30d', 1, 1);
    $redis->cmd('ZADD', 'gate:rev', time + 86400, 'jti:i:tomorrow');
    my $entries = $redis->cmd('XLEN', 'gate:log');
    is_deeply +($ctl->json('revoke', 'compact'))[1], { left_out => 0 }, 'a clock that is ahead forgets nothing too soon';
    is(($ctl->run('revoke', 'jti', 'ahead', '--issuer', 'i', '--ttl', '1h'))[0], 0, 'nor takes it anything');
    is $redis->cmd('XLEN', 'gate:log'), $entries + 1, 'off the stream';
}

# ---- nginx

if (has_module()) {
    $t->{ports}{redis} = $redis->port;
    $t->write_jwks('keys.jwks', 'rs');
    $t->start(<<"EOF");
    gate_redis main { server 127.0.0.1:%%PORT_redis%%; password_file $password; timeout 300ms; }
    gate_keys partners { redis main; prefix acme_; }
    gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
    gate_revocation redis=main;
    server {
        listen 127.0.0.1:%%PORT%%;
        gate jwt=corp key=partners;
        location / { gate_require_scope any orders:read orders; add_header X-Reason \$gate_reason always; empty_gif; }
    }
EOF
    my $ask = sub { my $answer = http_get('/', headers => [@_]); $answer->status . ' ' . ($answer->header('X-Reason') // '') };
    my $token = mint(claims => { jti => 'at-nginx', scope => 'orders' });
    ok wait_for(sub { $ask->(Authorization => "Bearer $token") eq '200 ' }), 'nginx follows the store';
    (undef, $new) = $ctl->json('key', 'create', '--prefix', 'acme_', '--scope', 'orders:*');
    is $ask->('X-API-Key' => $new->{key}), '200 ', 'it lets a key of gatectl in';
    $ctl->run('key', 'suspend', $new->{id});
    ok wait_for(sub { $ask->('X-API-Key' => $new->{key}) eq '401 key_suspended' }, 1), 'and refuses it once it is suspended';
    $ctl->run('key', 'resume', $new->{id});
    ok wait_for(sub { $ask->('X-API-Key' => $new->{key}) eq '200 ' }, 1), 'until it is resumed';
    (undef, my $next) = $ctl->json('key', 'rotate', $new->{id}, '--prefix', 'acme_');
    is $ask->('X-API-Key' => $next->{key}), '200 ', 'it lets its successor in';
    $ctl->run('revoke', 'key', $next->{id}, '--store', 'partners');
    ok wait_for(sub { $ask->('X-API-Key' => $next->{key}) eq '401 revoked' }, 1), 'until it is revoked';
    $ctl->run('revoke', 'jti', 'at-nginx', '--issuer', 'https://idp.example.com');
    ok wait_for(sub { $ask->(Authorization => "Bearer $token") eq '401 revoked' }, 1), 'and refuses a revoked token';
    my $imported = api_key('acme_');
    $ctl->run('key', 'import', $t->write_file('one', key_file(key_record($imported, scopes => ['orders:read']))));
    is $ask->('X-API-Key' => $imported), '200 ', 'it lets an imported key in';
    $ctl->run('store', 'init', '--force');
    my %said;
    # until both workers know the new epoch the answer may be 503
    my $settled = sub { my $says = $ask->('X-API-Key' => $next->{key}); $said{$says}++; return $says eq '401 revoked' };
    ok wait_for(sub { 20 == grep { $settled->() } 1 .. 20 }, 10), 'what is revoked stays so under a new epoch';
    is join(', ', grep { !/\A(?:401 revoked|503 store_unavailable)\z/ } sort keys %said), '', 'all the time';
    ok wait_for(sub { 20 == grep { $ask->('X-API-Key' => $imported) eq '200 ' } 1 .. 20 }, 10), 'and what is good is let in';
}

done_testing();
