# gate_redis with a cluster: slots move, masters die, and every answer is right.
use lib 't/lib';
use Gate::Test;

use Gate::KeyRecord;
use Gate::Redis;
use Gate::Redis::Cluster;
use Gate::StoreFront;

my $t = Gate::Test->new(workers => 2);
my $cluster = Gate::Redis::Cluster->new(test => $t)->start;
my $store = Gate::KeyRecord->new($cluster, prefix => '{gate}:')->set_up;
$t->write_jwks('keys.jwks', 'rs');
my $issuer = 'https://idp.example.com';
my @ports = $cluster->ports;

$t->start(front_config("cluster 127.0.0.1:$ports[0] 127.0.0.1:$ports[1] 127.0.0.1:$ports[2];"));
sub stored_key { my $key = api_key('acme_'); $store->put($key); return $key; }

ok wait_for(sub { with_token(token('warm')) eq '200 ' }), 'the store is loaded';
is with_key(stored_key()), '200 ', 'a key is found';
is with_key(api_key('acme_')), '401 key_unknown', 'another is unknown';

# ---- a slot moves

my $slot = Gate::Redis::Cluster::slot_of('{gate}:epoch');
my ($to) = grep { $_->port != $cluster->slot_owner('{gate}:epoch')->port } $cluster->masters;
my @keys = map { stored_key() } 1 .. 6;
$cluster->begin_migration($slot, $to);
is with_key($keys[0]), '200 ', 'while it has not begun to move';
is with_key(api_key('acme_')), '401 key_unknown', 'a key that nobody has is unknown';
$cluster->move_keys($slot, $to, 8);
is with_key($_), '200 ', 'half-way each key is found where it is' for @keys[1 .. 3];
is with_key(api_key('acme_')), '401 key_unknown', 'and a key that nobody has is unknown';
$cluster->end_migration($slot, $to);
is with_key($_), '200 ', 'and when it has moved' for @keys[4, 5], stored_key();
$store->revoke('jti', $issuer, 'after-the-move');
ok wait_for(sub { with_token(token('after-the-move')) eq '401 revoked' }, 5), 'the stream is followed';

# ---- its master dies

$cluster->wait_replicated;
my $owner = $cluster->slot_owner('{gate}:epoch');
$cluster->kill_node($owner);
$cluster->wait_takeover;
my $late = stored_key();
ok wait_for(sub { with_key($late) eq '200 ' }, 10), 'a replica takes over';
$store->revoke('jti', $issuer, 'after-the-death');
ok wait_for(sub { with_token(token('after-the-death')) eq '401 revoked' }, 10), 'and is followed';

done_testing;
