# gatectl on a store in Redis: what each command prints, its exit status, and what Redis holds after
# it; and no secret goes to Redis. t/gatectl_redis_access.t has usage, logins, TLS, writers at a time.
use lib 't/lib';
use Gate::Test;

use Digest::SHA ();
use JSON::PP ();

use Gate::Ctl;
use Gate::KeyRecord;
use Gate::Redis;

my $t = Gate::Test->new;
delete $ENV{GATE_REDIS};
my $secret = 'pa"ss word of gatectl';
my @may = Gate::Ctl::rights();
cmp_ok scalar(@may), '>', 20, 'the manual tells what the user must be allowed';
my $redis = Gate::Redis->new(test => $t, persist => 1, unixsocket => 1, user => 'admin', password => 'admin',
    acl => ['user default off', 'user admin on >admin ~* &* +@all',
        'user gatectl on #' . Digest::SHA::sha256_hex($secret) . " ~gate:* @may"])->start;
my $password = $t->write_file('password', "$secret\n");
my @login = ('--redis-user', 'gatectl', '--redis-password-file', $password);
my $ctl = Gate::Ctl->new($redis, '--redis', $redis->address, @login);
my $theirs = Gate::KeyRecord->new($redis);
my $monitor = $redis->monitor;

# ---- a store without epoch takes nothing

my ($status, $out, $err) = $ctl->run('key', 'create');
is $status, 1, 'a store that was never set up takes no key';
like $err, qr/\Agatectl: the key "gate:epoch" is missing: .*restore it, or "gatectl store init"\n\z/, 'and says why';
is $out, '', 'nor shows one';
for (['key', 'list'], ['key', 'suspend', 'x'], ['revoke', 'list'], ['revoke', 'compact'],
    ['revoke', 'jti', 'x', '--issuer', 'i']) {
    is(($ctl->run(@$_))[0], 1, "@$_ neither");
}
is_deeply $redis->cmd('KEYS', '*'), [], 'and nothing is in it';

($status, my $made, $err) = $ctl->json('store', 'init');
is $status, 0, 'store init is done';
like $made->{epoch}, qr/\A[0-9a-f]{32}\z/, 'and tells the epoch';
is $ctl->ask('GET', 'epoch'), $made->{epoch}, 'which the store has';
is $err, '', 'nothing to warn of';
($status, $out, $err) = $ctl->run('store', 'init');
is $status, 1, 'a second time it is refused';
like $err, qr/set up already; --force/, 'and says how to';
is $ctl->ask('GET', 'epoch'), $made->{epoch}, 'and changes nothing';
is(($ctl->run('store', 'init', '--force'))[0], 0, 'but for --force');
isnt $ctl->ask('GET', 'epoch'), $made->{epoch}, 'which makes a new epoch';

# ---- keys

($status, my $new) = $ctl->json('key', 'create', '--name', 'partner one', '--owner', "J\xc3\xb6rg", '--scope', 'orders:*',
    '--scope', 'b', '--role', 'r', '--expires', '90d', '--cidr', '192.0.2.0/24', '--rate', '100r/m', '--burst', '5',
    '--label', 'tier=gold', '--prefix', 'acme_');
is $status, 0, 'key create is done';
like $new->{key}, qr/\Aacme_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}\z/, 'and prints the key';
my $digest = Digest::SHA::sha256_hex($new->{key});
my $created = $ctl->record($new->{id});
# the same record as another implementation writes it
my $same = { %{ key_record($new->{key}, id => $new->{id}, name => 'partner one', owner => "J\xc3\xb6rg", digest => $digest,
    scopes => ['orders:*', 'b'], roles => ['r'], cidr => ['192.0.2.0/24'], rate => '100r/m', burst => 5,
    labels => { tier => 'gold' }) }, created => $created->{created}, expires => $created->{expires} };
is_deeply $created, { Gate::KeyRecord::fields($same) }, 'the record is what is written elsewhere';
like $created->{expires}, qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z/, 'with an instant';
is $ctl->ask('GET', "keyid:$new->{id}"), $digest, 'its id leads to it';
is_deeply [$ctl->ids], [$new->{id}], 'it is listed';
ok abs($ctl->ask('ZSCORE', 'keys', $new->{id}) - time) < 60, 'by its creation';
is_deeply [$ctl->log], [{ type => 'key', digest => $digest, id => $new->{id} }], 'and the stream tells';

my $theirs_key = api_key('acme_');
my $foreign = $theirs->put($theirs_key, name => 'theirs', created => int(time) - 100);
$redis->cmd('HSET', 'gate:used', $foreign->{id}, 1800000000);
($status, my $list) = $ctl->json('key', 'list');
is $status, 0, 'key list is done';
is_deeply [map { $_->{id} } @{ $list->{keys} }], [$foreign->{id}, $new->{id}], 'oldest first';
is $list->{keys}[0]{used}, '2027-01-15T08:00:00Z', 'with the last use';
is $list->{keys}[1]{used}, undef, 'if there was any';
ok !exists $list->{keys}[0]{digest}, 'without digests';
($status, $out) = $ctl->run('key', 'list');
like $out, qr/^ID +NAME .* LAST USED +SCOPES\n\Q$foreign->{id}\E +theirs .* 2027-01-15T08:00:00Z /, 'a table';
($status, $out) = $ctl->run('key', 'list', '--state', 'suspended');
is $out, '', 'of some state';
for my $wanted ($foreign->{id}, 'theirs') {
    ($status, my $shown) = $ctl->json('key', 'show', $wanted);
    is $shown->{id}, $foreign->{id}, "key show $wanted";
    is $shown->{used}, '2027-01-15T08:00:00Z', 'with its last use';
}
like +($ctl->run('key', 'show', 'theirs'))[1], qr/^last used   2027-01-15T08:00:00Z$/m, 'for people too';
($status, undef, $err) = $ctl->run('key', 'show', 'nobody');
is $status, 1, 'an unknown id is refused';
like $err, qr/no key has the id or name "nobody"/, 'by name';

($status, my $verdict) = $ctl->json('key', 'verify', { stdin => $theirs_key });
is $status, 0, 'key verify takes a key made elsewhere';
is $verdict->{record}{id}, $foreign->{id}, 'and knows it';
is(($ctl->json('key', 'verify', '--address', '198.51.100.1', { stdin => $new->{key} }))[1]{reason}, 'key_address',
    'and refuses one from elsewhere');
is(($ctl->json('key', 'verify', { stdin => api_key('acme_') }))[1]{reason}, 'key_unknown', 'or an unknown one');

# ---- status, rotation

for (['suspend', 'suspended'], ['suspend', 'suspended'], ['resume', 'active']) {
    my ($command, $state) = @$_;
    ($status, my $told) = $ctl->json('key', $command, 'partner one');
    is $status, 0, "key $command is done";
    is $told->{state}, $state, 'and tells the state';
    is $ctl->record($new->{id})->{status}, $state, 'which the store has';
}
is scalar(grep { ($_->{id} // '') eq $new->{id} } $ctl->log), 3, 'the stream tells of each change, and of no other';
is_deeply $ctl->record($new->{id}), $created, 'nothing else has changed';

my ($rotated, $next) = $ctl->json('key', 'rotate', 'partner one', '--grace', '1h', '--prefix', 'acme_');
is $rotated, 0, 'key rotate is done';
my $before = $ctl->record($new->{id});
ok $before->{expires} lt $created->{expires}, 'the old key ends sooner';
is $ctl->record($next->{id})->{expires}, $created->{expires}, 'the new one when the old one would have';
is_deeply { %{ $ctl->record($next->{id}) }, map { $_ => $before->{$_} } qw(id digest created expires) }, $before,
    'all else is the same';
is scalar(grep { $_->{id} eq $next->{id} || $_->{id} eq $new->{id} } $ctl->log), 5, 'the stream tells of both';
($status, undef, $err) = $ctl->run('key', 'show', 'partner one');
like $err, qr/2 keys have the name "partner one"; say which by id: /, 'two of a name are told apart by id';
is(($ctl->run('key', 'revoke', $new->{id}))[0], 0, 'key revoke is done');
($status, undef, $err) = $ctl->run('key', 'resume', $new->{id});
is $status, 1, 'for good';
like $err, qr/is revoked for good; create a new one/, 'as it says';
is_deeply [$ctl->problems], [], 'the store is whole';

# ---- revocations

sub revoke { return $ctl->json('revoke', @_); }
($status, my $entry) = revoke('jti', 'id 1', '--issuer', 'https://idp.example.com', '--ttl', '1h');
is $status, 0, 'revoke jti is done';
my $item = Gate::KeyRecord::item('jti', 'https://idp.example.com', 'id 1');
my $score = $ctl->revoked->{$item};
ok abs($score - time - 3600) < 60, 'the set has it until its end';
my @told = grep { $_->{type} eq 'revoked' } $ctl->log;
is_deeply \@told, [{ type => 'revoked', item => $item, forget => int $score }], 'the stream too';
revoke('jti', 'id 1', '--issuer', 'https://idp.example.com', '--ttl', '60s');
is $ctl->revoked->{$item}, $score, 'a shorter one does not shorten it';
revoke('jti', 'id 1', '--issuer', 'https://idp.example.com', '--ttl', '2h');
ok $ctl->revoked->{$item} > $score, 'a longer one counts';
revoke('jti', 'id 1', '--issuer', 'https://idp.example.com');
is $ctl->revoked->{$item}, 'inf', 'and for ever is the longest';
is((grep { $_->{type} eq 'revoked' } $ctl->log)[-1]{forget}, 'never', 'in the stream too');

for (['sub', 'alice', '--issuer', 'i', '--issued-until', '2026-01-01T00:00:00Z'], ['sid', 's', '--issuer', ''],
    ['client', 'c', '--issuer', '-'], ['key', $new->{id}, '--store', 'partner'], ['all', '--store', 'partner'], ['all']) {
    is((revoke(@$_))[0], 0, "revoke @$_");
}
my %kinds = map { (split /:/)[0] => $_ } keys %{ $ctl->revoked };
is $kinds{sub}, 'sub:i:alice:1767225600', 'a subject until an instant';
is $kinds{key}, "key:partner:$new->{id}", 'a key';
like $kinds{sid}, qr/\Asid:-:s:\d+\z/, 'no issuer';
like $kinds{client}, qr/\Aclient:%2D:c:\d+\z/, 'an issuer "-"';
is scalar(keys %{ $ctl->revoked }), 7, 'each is there';
my $token = mint(claims => { jti => 'of-a-token', iss => 'i' });
is((revoke('token', '--token-file', '-', { stdin => $token }))[0], 0, 'revoke token');
ok exists $ctl->revoked->{'jti:i:of-a-token'}, 'goes by its jti';
is((revoke('jti', 'x' x 4091, '--issuer', 'i'))[0], 2, 'what is too long is refused');
is((revoke('jti', 'x' x 4090, '--issuer', 'i'))[0], 0, 'as long as nginx reads it, it is taken');

($status, $list) = revoke('list');
is $status, 0, 'revoke list is done';
is scalar(@{ $list->{entries} }), 9, 'and lists each';
my ($alice) = grep { ($_->{value} // '') eq 'alice' } @{ $list->{entries} };
is_deeply $alice, { kind => 'sub', issuer => 'i', value => 'alice', issued_until => '2026-01-01T00:00:00Z', expires => undef },
    'with all that is known';
like +($ctl->run('revoke', 'list'))[1], qr/^KIND +ISSUER +VALUE +ISSUED UNTIL +EXPIRES$/m, 'in a table too';
is_deeply((revoke('check'))[1], { entries => 9, expired => 0, damaged => [] }, 'revoke check finds no damage');
$redis->cmd('ZADD', 'gate:rev', int(time) - 5, 'jti:i:old', int(time) + 300, 'jti:i:later');
is_deeply((revoke('compact'))[1], { left_out => 1 }, 'compact leaves out what is past');
ok exists $ctl->revoked->{'jti:i:later'}, 'and nothing else';
$redis->cmd('ZADD', 'gate:rev', 1.5, 'jti:i:half', '+inf', "nonsense \e[1m");
($status, my $found) = revoke('check');
is $status, 1, 'damage is found';
is_deeply [sort map { $_->{item} } @{ $found->{damaged} }], ['jti:i:half', 'nonsense \x1b[1m'], 'and named, for a terminal';
($status, $list) = revoke('list');
is $status, 1, 'and noticed by list';
is scalar(@{ $list->{entries} }), 10, 'which lists the others';
$redis->cmd('ZREM', 'gate:rev', 'jti:i:half', "nonsense \e[1m");
is_deeply [grep { $_->{type} !~ /\A(?:key|revoked)\z/ } $ctl->log], [], 'the stream holds nothing else';

# ---- a file of keys

my @records = map { key_record("key $_", name => "n$_", scopes => ["s$_"], created => 1700000000 + $_) } 1 .. 250;
my $file = $t->write_file('keys.json', key_file(@records));
my $import = sub { return $ctl->json('key', 'import', $file, @_); };
is_deeply +($import->())[1], { added => 250, replaced => 0, unchanged => 0 }, 'key import puts all in';
is_deeply $ctl->record($records[99]{id}), { Gate::KeyRecord::fields($records[99]) }, 'as they are';
is_deeply +($import->())[1], { added => 0, replaced => 0, unchanged => 250 }, 'once';
$ctl->run('key', 'suspend', $records[7]{id});
$redis->cmd('DEL', "gate:keyid:$records[8]{id}");
delete @{ $records[7] }{qw(owner scopes)};
$file = $t->write_file('keys.json', key_file(@records));
($status, undef, $err) = $import->();
is $status, 1, 'what is there with other contents stops it';
like $err, qr/1 of 250 keys are in the store with other contents \($records[7]{id}\); nothing was changed; --replace/, 'by name';
is $ctl->record($records[7]{id})->{status}, 'suspended', 'and stays';
is_deeply +($import->('--replace'))[1], { added => 1, replaced => 1, unchanged => 248 }, 'but for --replace';
is_deeply $ctl->record($records[7]{id}), { Gate::KeyRecord::fields($records[7]) }, 'which replaces all of it';
# two keys whose ids were exchanged, one whose id is new, one whose digest is new
(@records[0, 1]) = map { { %$_ } } @records[0, 1];
@{ $records[0] }{qw(digest)} = ($records[1]{digest});
@{ $records[1] }{qw(digest)} = (Digest::SHA::sha256_hex('key 1'));
my $gone = $records[2]{id};
$records[2] = { %{ $records[2] }, id => 'another' };
my $lost = $records[3]{digest};
$records[3] = { %{ $records[3] }, digest => 'f' x 64 };
$file = $t->write_file('keys.json', key_file(@records));
is(($import->())[0], 1, 'ids and digests that belong to others stop it too');
is_deeply +($import->('--replace'))[1], { added => 0, replaced => 4, unchanged => 246 }, 'but for --replace';
is_deeply $ctl->record($_->{id}), { Gate::KeyRecord::fields($_) }, "$_->{id} is as in the file" for @records[0 .. 3];
is $ctl->record($gone), undef, 'an id that lost its key is gone';
is_deeply $ctl->ask('HGETALL', "key:$lost"), [], 'a key that lost its id too';
is +(grep { $_->{digest} && $_->{digest} eq $lost } $ctl->log)[-1]{id}, $records[3]{id}, 'of which the stream tells';
is_deeply [$ctl->problems], [], 'the store is whole';
is(($ctl->run('key', 'import', $t->write_file('bad', '{}')))[0], 1, 'a broken file is refused');

# ---- store check

($status, my $state) = $ctl->json('store', 'check');
is $status, 0, 'store check is content';
is_deeply [@{$state}{qw(role epoch maxmemory_policy aof keys all_records broken problems)}],
    ['master', JSON::PP::true, 'noeviction', JSON::PP::true, 253, JSON::PP::true, [], []], 'and tells the state';
my %broken = (
    'a record that is gone' => [DEL => "gate:key:$records[5]{digest}"],
    'a broken record' => [HSET => "gate:key:$records[6]{digest}", 'status', 'on'],
    'eviction' => [qw(CONFIG SET maxmemory-policy allkeys-lru maxmemory 100mb)],
    'no copy on disk' => [qw(CONFIG SET appendonly no)],
    'a set that is none' => [SET => 'gate:rev', 'x'],
    'a stream that nginx cannot read' => [XADD => 'gate:log', '*', 'type', 'key'],
    'no epoch' => [DEL => 'gate:epoch'],
);
my $dump = $redis->cmd('DUMP', 'gate:rev');
my $problems = 0;
for my $what ('a record that is gone', 'a broken record', 'eviction', 'no copy on disk', 'a set that is none',
    'a stream that nginx cannot read', 'no epoch') {
    $redis->cmd(@{ $broken{$what} });
    ($status, $state) = $ctl->json('store', 'check', '--all');
    is $status, 1, "store check finds $what";
    cmp_ok scalar(@{ $state->{problems} }), '>', $problems, 'and tells';
    $problems = @{ $state->{problems} };
}
($status, $out, $err) = $ctl->run('store', 'check');
like $out, qr/^records +253 looked at, all, 2 broken$/m, 'in a table too';
is scalar(my @named = $err =~ /^gatectl: key "/mg), 1, 'where the first broken record is named';
unlike $err, qr/"on"/, 'without its values';
($status, $out, $err) = $ctl->run('key', 'list');
is $status, 1, 'no list without epoch';
$redis->cmd('SET', 'gate:epoch', 'e');
($status, $out, $err) = $ctl->run('key', 'list');
is $status, 1, 'nor is all well with broken records';
is scalar(my @lines = $out =~ /^\w/mg), 252, 'but the others are listed';
($status, undef, $err) = $ctl->run('revoke', 'jti', 'x', '--issuer', 'i');
is $status, 1, 'a set that is none takes nothing';
like $err, qr/"gate:rev" is a string and no zset/, 'as it says';
is((grep { ($_->{item} // '') eq 'jti:i:x' } $ctl->log), 0, 'nor does the stream tell of it');

# ---- nothing secret

my $wire = join "\n", $monitor->lines;
for my $hidden ($secret, $new->{key}, $next->{key}, $theirs_key, $token) {
    ok index($wire, $hidden) < 0, 'no secret went to Redis';
}
ok index($wire, 'keyid:') > 0, 'while everything else was seen';

done_testing();
