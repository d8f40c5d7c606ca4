# gate_revocation redis=: what is revoked in Redis is refused by every worker at once, whoever dies,
# and whatever was missed is made up for.
use lib 't/lib';
use Gate::Test;

use Time::HiRes qw(time);

use Gate::KeyRecord;
use Gate::Redis;

my $t = Gate::Test->new(workers => 4);
my $redis = Gate::Redis->new(test => $t, persist => 1)->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
$t->{ports}{redis} = $redis->port;
$t->write_jwks('keys.jwks', 'rs');
my $issuer = 'https://idp.example.com';

my $http = <<'EOF';
    gate_redis main { server 127.0.0.1:%%PORT_redis%%; timeout 300ms; }
    gate_keys partners { redis main; prefix acme_; }
    gate_keys others { redis main; prefix beta_; }
    gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
    gate_revocation redis=main max_lag=%%LAG%% on_lag=%%ON_LAG%%;
    server {
        listen 127.0.0.1:%%PORT%%;
        gate jwt=corp key=partners;
        location / { add_header X-Worker $pid; add_header X-Reason $gate_reason always; empty_gif; }
        location = /others { gate key=others; add_header X-Worker $pid; add_header X-Reason $gate_reason always; empty_gif; }
        location = /open { gate off; return 204; }
    }
EOF
my %vars = (LAG => '30s', ON_LAG => 'deny');

$store->revoke('jti', $issuer, 'before-start');
$t->start($http, vars => \%vars);

sub ask { return ask_at('/x', @_); }
sub ask_at {
    my ($uri, @headers) = @_;
    my $answer = http_get($uri, port => $t->port, headers => [@headers]);
    return ($answer->status . ' ' . ($answer->header('X-Reason') // ''), $answer->header('X-Worker'));
}
sub with_token { return ask(Authorization => "Bearer $_[0]"); }
sub with_key { return ask('X-API-Key' => $_[0]); }
sub token { my ($jti, %claims) = @_; return mint(claims => { jti => $jti, %claims }); }

sub reconfigure { $t->write_config($_[0], vars => \%vars); $t->reload; return; }

# Each worker is asked until it has answered: what it says, by worker.
sub everybody {
    my ($ask) = @_;
    my %said;
    my %workers = map { $_ => 1 } $t->workers;
    wait_for(sub {
        my ($answer, $worker) = $ask->();
        $said{$answer}++;
        delete $workers{$worker} if defined $worker;
        return !%workers || keys %said == 1 && $said{$answer} >= 60;
    });
    return join ', ', sort keys %said;
}

sub known_to_all {
    my ($ask) = @_;
    return $redis->wait_kept(sub { everybody($ask) eq '200 ' });
}

ok wait_for(sub { (with_token(token('warm')))[0] =~ /\A200/ }), 'the store is loaded soon';
is everybody(sub { with_token(token('before-start')) }), '401 revoked',
    'what was revoked before the start is refused';

# ---- while everything is well

my $token = token('first', sub => 'mallory', sid => 's-1');
is everybody(sub { with_token($token) }), '200 ', 'a good token is let in by each worker';
$store->revoke('jti', $issuer, 'first');
ok wait_for(sub { (with_token($token))[0] eq '401 revoked' }, 1), 'revoked, it is refused at once';
is everybody(sub { with_token($token) }), '401 revoked', 'by each worker';

for my $case (['sub', 'trudy', { sub => 'trudy' }], ['sid', 's-9', { sid => 's-9' }],
    ['client', 'shop', { client_id => 'shop' }]) {
    my ($kind, $value, $claims) = @$case;
    my $hit = token("of-$kind", %$claims);
    is((with_token($hit))[0], '200 ', "before its $kind is revoked");
    $store->revoke($kind, $issuer, $value, until => int time);
    ok wait_for(sub { (with_token($hit))[0] eq '401 revoked' }, 1), 'and after';
    is((with_token(token("later-$kind", %$claims, iat => int(time) + 1)))[0], '200 ',
        'what is issued later is good');
}

# ---- keys

my $key = api_key('acme_');
my $record = $store->put($key);
is everybody(sub { with_key($key) }), '200 ', 'a key is let in';
ok known_to_all(sub { with_key($key) }), 'and known to all before long, without a lookup';
$store->change($record, status => 'suspended');
ok wait_for(sub { (with_key($key))[0] eq '401 key_suspended' }, 1), 'suspended, it is refused at once';
is everybody(sub { with_key($key) }), '401 key_suspended', 'by each worker';
$store->change($record, status => 'active');
ok wait_for(sub { (with_key($key))[0] eq '200 ' }, 1), 'resumed, it is let in';
is everybody(sub { with_key($key) }), '200 ', 'by each worker';
$store->remove($record);
ok wait_for(sub { (with_key($key))[0] eq '401 key_unknown' }, 1), 'removed, it is unknown';
my $revoked = api_key('acme_');
$record = $store->put($revoked);
is((with_key($revoked))[0], '200 ', 'another key');
$store->revoke('key', 'partners', $record->{id});
ok wait_for(sub { (with_key($revoked))[0] eq '401 revoked' }, 1), 'is refused when its id is revoked';

my $other = api_key('beta_');
my $with_other = sub { return ask_at('/others', 'X-API-Key' => $other); };
$record = $store->put($other);
ok known_to_all($with_other), 'a key of another block with the same store, known to all';
$store->change($record, status => 'suspended');
ok wait_for(sub { ($with_other->())[0] eq '401 key_suspended' }, 1), 'is suspended at once as well';

# ---- the worker that follows dies

sub followers { return grep { ($_->{cmd} // '') =~ /\Axread/ } $redis->clients; }
is wait_for(sub { scalar followers() }), 1, 'one worker follows for all';
$t->allow(qr/exited on signal 9|was locked by/);
for my $round (1 .. 3) {
    my %before = map { $_ => 1 } $t->workers;
    my ($follower) = map { /(\d+)\z/ ? $1 : () } map { $_->{name} // '' } followers();
    kill KILL => ($follower && $before{$follower} ? $follower : (keys %before)[0]);
    my $late = token("round-$round");
    $store->revoke('jti', $issuer, "round-$round");
    ok wait_for(sub { (with_token($late))[0] eq '401 revoked' }, 2),
        'what is revoked meanwhile is refused when another follows';
    ok wait_for(sub { (my @now = $t->workers) == 4 && followers() == 1 }), 'one follows again';
}

# ---- gaps

$redis->kill('KILL');
$redis->restart;
my $gap = token('in-the-gap');
$store->revoke('jti', $issuer, 'in-the-gap');
$redis->cmd('XTRIM', $store->name('log'), 'MAXLEN', 0);
ok wait_for(sub { (with_token($gap))[0] eq '401 revoked' }, 5), 'what a trimmed stream lost is in the set';
$store->revoke('jti', $issuer, 'after-the-gap');
ok wait_for(sub { (with_token(token('after-the-gap')))[0] eq '401 revoked' }, 1), 'and then it is followed';

$redis->cmd('XADD', $store->name('log'), '*', 'by', 'hand');
$store->revoke('jti', $issuer, 'behind-a-stranger');
ok wait_for(sub { (with_token(token('behind-a-stranger')))[0] eq '401 revoked' }, 3),
    'an entry that is none of ours is not stumbled over';
like $t->error_log, qr/gate_revocation redis=main: its stream cannot be read: .*; all of the store is loaded anew/,
    'but said';

my $changed = api_key('acme_');
$record = $store->put($changed);
ok known_to_all(sub { with_key($changed) }), 'a key that all know';
$redis->kill('KILL');
$redis->restart;
$store->change($record, status => 'suspended');
$redis->cmd('XTRIM', $store->name('log'), 'MAXLEN', 0);
ok wait_for(sub { (with_key($changed))[0] eq '401 key_suspended' }, 5),
    'a change of a key that was missed counts soon too';

# ---- reload, and a zone of another size

reconfigure($http);
is everybody(sub { with_token($token) }), '401 revoked', 'a reload forgets nothing';
reconfigure("gate_zone gate:4m;\n$http");
is everybody(sub { with_token($token) }), '401 revoked', 'nor does a larger zone';

# ---- last use

my $used = api_key('acme_');
$record = $store->put($used);
my $now = int time;
ok wait_for(sub { (with_key($used))[0] eq '200 ' }, 5), 'a key is used';
my $when;
ok wait_for(sub { $when = $redis->cmd('HGET', $store->name('used'), $record->{id}) }, 15),
    'which is written down before long';
cmp_ok $when, '>=', $now, 'with its time';
cmp_ok $when, '<=', time, 'and no later one';

# ---- too late

%vars = (LAG => '1s', ON_LAG => 'deny');
reconfigure($http);
ok wait_for(sub { (with_token(token('x')))[0] eq '200 ' }), 'with a second of lag';
# A store in which nothing happens is not late: nobody waits there until what it said last is too old.
my $monitor = $redis->monitor;
my @waits;
ok wait_for(sub { @waits = map { "@{ $_->{argv} }" =~ /\AXREAD.* BLOCK (\d+) /i ? $1 : () } $monitor->commands; @waits > 3 }),
    'where nothing happens, it is asked over and over';
is_deeply [grep { $_ == 0 || $_ > 250 } @waits], [], 'each time for a quarter of the lag at most';
$monitor->stop;
$redis->kill('STOP');
ok wait_for(sub { (with_token(token('x')))[0] eq '503 revocation_lag' }, 5), 'late, nobody is let in';
is((with_token($token))[0], '401 revoked', 'what is revoked is refused as such');
is(http_get('/open', port => $t->port)->status, 204, 'an open location is open');
$redis->kill('CONT');
ok wait_for(sub { (with_token(token('x')))[0] eq '200 ' }, 5), 'and let in when Redis is back';

$redis->cmd('FLUSHALL');
ok wait_for(sub { (with_token(token('x')))[0] eq '503 revocation_lag' }, 5), 'a store that was emptied is not followed';
is((with_token($token))[0], '401 revoked', 'what was revoked before stays so');
ok wait_for(sub { $t->error_log =~ /the key "gate:epoch" is missing: the store is empty/ }), 'the log says so';
$store->set_up;
$store->revoke('jti', $issuer, 'anew');
ok wait_for(sub { (with_token(token('x')))[0] eq '200 ' }, 5), 'set up anew it is';
ok wait_for(sub { (with_token(token('anew')))[0] eq '401 revoked' }, 2), 'with what is in it';

$vars{ON_LAG} = 'serve';
reconfigure($http);
$redis->kill('STOP');
Time::HiRes::sleep(1.6);
is((with_token(token('x')))[0], '200 ', 'on_lag=serve lets them in all the same');
is((with_token($token))[0], '401 revoked', 'but for what is known to be revoked');
$redis->kill('CONT');

# ---- never loaded

$redis->kill('KILL');
$t->stop;
$t->start($http, vars => \%vars);
is((with_token(token('x')))[0], '503 revocation_lag', 'of a store that was never loaded nobody is served');
$redis->restart(empty => 1);
Time::HiRes::sleep(1.2);
is((with_token(token('x')))[0], '503 revocation_lag', 'nor of an empty one');
$store->set_up;
ok wait_for(sub { (with_token(token('x')))[0] eq '200 ' }, 5), 'until it is set up';

done_testing;
