# gate_redis with sentinels: keys and revocations go on through failovers.
use lib 't/lib';
use Gate::Test;

use Gate::KeyRecord;
use Gate::Redis;
use Gate::Redis::Sentinels;
use Gate::StoreFront;

my $t = Gate::Test->new(workers => 2);
my $fleet = Gate::Redis::Sentinels->new(test => $t)->start;
my $store = Gate::KeyRecord->new($fleet)->set_up;
$t->write_jwks('keys.jwks', 'rs');
my $issuer = 'https://idp.example.com';
my $sentinels = join ' ', map {"127.0.0.1:$_"} $fleet->sentinel_ports;
my $key = api_key('acme_');
$store->put($key);

$t->start(front_config("sentinel master=gate $sentinels;"));

ok wait_for(sub { with_token(token('warm')) eq '200 ' }), 'the store is loaded';
is with_key($key), '200 ', 'a key is looked up at the master';
my $first = $fleet->master_port;
like $t->error_log, qr/gate_redis "main": its sentinels name 127\.0\.0\.1:$first as the master/,
    'whom the log names';

# ---- the master dies

$fleet->wait_replicated;
$fleet->kill_master;
my $port = $fleet->wait_failover;
isnt $port, $first, 'another server is the master';
my $late = api_key('acme_');
$store->put($late);
ok wait_for(sub { with_key($late) eq '200 ' }, 5), 'keys are looked up there';
$store->revoke('jti', $issuer, 'at-the-new-one');
ok wait_for(sub { with_token(token('at-the-new-one')) eq '401 revoked' }, 2), 'and revocations followed';

# ---- the old one comes back as a replica; then the sentinels change their minds again

for my $node ($fleet->nodes) { $node->restart if !$node->alive; }
$fleet->wait_ready;
$fleet->wait_replicated;
$fleet->failover;
isnt $fleet->wait_failover, $port, 'a failover for which nobody dies';
$store->revoke('jti', $issuer, 'moved-again');
ok wait_for(sub { with_token(token('moved-again')) eq '401 revoked' }, 10), 'is followed';
my $last = api_key('acme_');
$store->put($last);
ok wait_for(sub { with_key($last) eq '200 ' }, 5), 'by lookups too';

# ---- sentinels die

my @sentinels = $fleet->sentinels;
$store = Gate::KeyRecord->new($fleet->master);
$_->kill('KILL') for @sentinels[0, 1];
my $asked = api_key('acme_');
$store->put($asked);
is with_key($asked), '200 ', 'without most sentinels the known master is asked';
$sentinels[2]->kill('KILL');
$store->revoke('jti', $issuer, 'nobody-watches');
ok wait_for(sub { with_token(token('nobody-watches')) eq '401 revoked' }, 2), 'without all of them too';

done_testing;
