# Sentinels and a cluster of real Redis servers: what tests of failovers rely on. Both start, and lose
# their masters, at the same time, for most of it is waiting.
use lib 't/lib';
use Gate::Test;

use Gate::KeyRecord;
use Gate::Redis::Cluster qw(slot_of);
use Gate::Redis::Sentinels;

my $t = Gate::Test->new(module => 0);
my $fleet = Gate::Redis::Sentinels->new(test => $t, node => { password => 'no"de' },
    sentinel => { password => 'watch' });
my $cluster = Gate::Redis::Cluster->new(test => $t);
$fleet->start(wait => 0);
$cluster->start;
$fleet->wait_ready;

subtest 'slots' => sub {
    is slot_of('123456789'), 12739, 'the check value';
    is $cluster->node(0)->cmd('CLUSTER', 'KEYSLOT', $_), slot_of($_), "as the server has it: $_"
        for 'a', '{}user', '{{bar}}zap', '{gate}:x', 'foo{a}b{c}', 'x}{y}';
};

my $slot = slot_of('{gate}:epoch');
my $store = Gate::KeyRecord->new($cluster, prefix => '{gate}:')->set_up('e1');
my $first = $cluster->slot_owner('{gate}:epoch');

subtest 'a cluster' => sub {
    is scalar(my @nodes = $cluster->nodes), 6, 'six nodes';
    is scalar(my @masters = $cluster->masters), 3, 'three masters';
    is $first, $cluster->owner_of($slot), 'who has a key has its slot';
    my $record = $store->put('a key');
    is $first->cmd('GET', "{gate}:keyid:$record->{id}"), $record->{digest}, 'a store lies in one slot';
    my ($other) = grep { $_ != $first } @masters;
    is +($other->try_cmd('GET', '{gate}:epoch'))[1], "MOVED $slot " . $first->address, 'others point there';

    is $cluster->begin_migration($slot, $other), $first, 'a slot on its way';
    is $first->cmd('GET', '{gate}:epoch'), 'e1', 'what is there is served';
    is +($first->try_cmd('GET', '{gate}:none'))[1], "ASK $slot " . $other->address, 'for the rest: ASK';
    $cluster->end_migration($slot, $other);
    is +($first->try_cmd('GET', '{gate}:epoch'))[1], "MOVED $slot " . $other->address, 'it has arrived';
    is $cluster->cmd('GET', '{gate}:epoch'), 'e1', 'with its keys';
    $cluster->migrate_slot($slot, $first);
    is $cluster->slot_owner('{gate}:epoch'), $first, 'and back in one step';
};

my $master = $fleet->master;

subtest 'sentinels' => sub {
    is scalar(my @ports = $fleet->sentinel_ports), 3, 'three';
    is $fleet->master_port, $master->port, 'they know the master';
    is $fleet->master_port($_), $master->port, $_->{name} for $fleet->sentinels;
    is $fleet->cmd('SET', 'a', 1), 'OK', 'commands go there';
    $fleet->wait_replicated;
    my ($replica) = $fleet->replicas;
    is $replica->cmd('GET', 'a'), 1, 'a replica has it';
    like +($replica->try_cmd('SET', 'a', 2))[1], qr/\AREADONLY /, 'and takes no writes';
};

subtest 'masters die' => sub {
    $cluster->wait_replicated;
    is $fleet->kill_master, $master->port, 'kill_master';
    $cluster->kill_node($first);
    my $port = $fleet->wait_failover;
    isnt $port, $master->port, 'another master';
    is $fleet->cmd('GET', 'a'), 1, 'with the data';
    $cluster->wait_takeover;
    isnt $cluster->slot_owner('{gate}:epoch'), $first, 'a replica took the slot over';
    is $cluster->cmd('GET', '{gate}:epoch'), 'e1', 'with the data';
    $_->start for $master, $first;
    $cluster->wait_ok;
    is $first->role->[0], 'slave', 'who comes back follows';
    ok wait_for(sub { $master->role->[0] eq 'slave' }, 30), 'here too';
    $fleet->failover;
    isnt $fleet->wait_failover, $port, 'a failover by order';
    $_->stop for $fleet, $cluster;
    ok !(grep { $_->alive } $fleet->nodes, $fleet->sentinels, $cluster->nodes), 'stop';
};

done_testing;
