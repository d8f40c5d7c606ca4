# gatectl on a store behind sentinels and in a cluster: it finds the master, also another one than
# before; while keys move from node to node every change is made in full or not at all.
use lib 't/lib';
use Gate::Test;

use Time::HiRes qw(time);

use Gate::Ctl;
use Gate::Redis;
use Gate::Redis::Cluster qw(slot_of);
use Gate::Redis::Sentinels;

my $t = Gate::Test->new(module => 0);
delete $ENV{GATE_REDIS};

sub named { return map { ('--redis', "127.0.0.1:$_") } @_; }

subtest 'sentinels' => sub {
    my @secret = map { $t->write_file("$_.pw", "secret of $_\n") } qw(nodes sentinels);
    my $fleet = Gate::Redis::Sentinels->new(test => $t, node => { password => 'secret of nodes' },
        sentinel => { password => 'secret of sentinels' })->start;
    my @fleet = (named($fleet->sentinel_ports), '--sentinel', 'gate');
    my @login = ('--redis-password-file', $secret[0], '--sentinel-password-file', $secret[1]);
    my $ctl = Gate::Ctl->new($fleet, @fleet, @login);

    is((gatectl('store', 'check', @fleet, @login[0, 1]))[0], 1, 'sentinels that ask for a password');
    is(($ctl->run('store', 'init', '--wait', 1))[0], 0, 'are told it, and the store is set up');
    my ($status, $new) = $ctl->json('key', 'create', '--name', 'one', '--wait', 1);
    is $status, 0, 'a key that a replica has';
    ok $ctl->record($new->{id}), 'is at the master';
    ok grep({ $_->cmd('EXISTS', "gate:keyid:$new->{id}") } $fleet->replicas), 'and at the replica';
    ($status, undef, my $err) = $ctl->json('revoke', 'jti', 'j', '--issuer', 'i', '--wait', 2, '--timeout', '500ms');
    is $status, 1, 'two do not have it';
    like $err, qr/the change is made, but only on 1 of 2 replicas/, 'as it says';
    ($status, my $state) = $ctl->json('store', 'check');
    is scalar(@{ $state->{replicas} }), 1, 'store check sees the replica';
    is $state->{replicas}[0]{state}, 'online', 'and how it is';

    my ($replica) = map { $_->address } $fleet->replicas;
    my $direct = Gate::Ctl->new($fleet, '--redis', $replica, @login[0, 1]);
    ($status, undef, $err) = $direct->run('key', 'list');
    is $status, 1, 'a replica is refused';
    like $err, qr/\Q$replica\E: it is a replica, no master/, 'as one';
    ($status, $state) = $direct->json('store', 'check');
    is "$status $state->{role}", '1 replica', 'but store check looks at it';
    my ($sentinel) = $fleet->sentinel_ports;
    like +(gatectl('key', 'list', named($sentinel), '--redis-password-file', $secret[1]))[2],
        qr/it is a sentinel; give --sentinel NAME/, 'a sentinel is no store';
    like +(gatectl('key', 'list', '--redis', $replica, '--sentinel', 'gate', '--sentinel-password-file', $secret[0]))[2],
        qr/it is no sentinel/, 'nor a store a sentinel';
    ($status, undef, $err) = gatectl('key', 'list', named($fleet->sentinel_ports), '--sentinel', 'other', @login);
    is $status, 1, 'a master that nobody knows';
    like $err, qr/knows no master "other"/, 'by name';

    my ($hanging) = $fleet->sentinels;
    $hanging->kill('STOP');
    is(($ctl->run('key', 'suspend', 'one'))[0], 0, 'a sentinel that hangs costs its share of the time');
    $hanging->kill('CONT');
    is(($ctl->run('key', 'resume', 'one'))[0], 0, 'and no more');

    $fleet->wait_ready;
    $fleet->wait_replicated;
    $fleet->kill_master;
    my $pid = $ctl->start('/dev/null', 'key', 'suspend', 'one', '--timeout', '30s');
    $fleet->wait_failover;
    is(($ctl->finish($pid))[0], 0, 'a change that waits for another master');
    is $ctl->record($new->{id})->{status}, 'suspended', 'is made there';
    is(($ctl->run('key', 'create'))[0], 0, 'as others are');
    is_deeply [$ctl->problems], [], 'the store is whole';
    $fleet->stop;
};

subtest 'cluster' => sub {
    my $cluster = Gate::Redis::Cluster->new(test => $t)->start;
    my %store = (prefix => '{gate}:');
    my $slot = slot_of('{gate}:epoch');
    my $owner = $cluster->owner_of($slot);
    my ($elsewhere, $third) = grep { $_ != $owner } $cluster->masters;
    my @cluster = ('--cluster', named($elsewhere->port, $third->port));
    my $ctl = Gate::Ctl->new($cluster, @cluster, { %store });

    is(($ctl->run('store', 'init'))[0], 0, 'a node that does not have the store knows who has');
    my ($status, $new) = $ctl->json('key', 'create', '--name', 'one');
    is $status, 0, 'where a key is made';
    ok $ctl->record($new->{id}), 'and is';
    is((gatectl('revoke', 'jti', 'j', '--issuer', 'i', @cluster))[0], 0, 'a revocation too');
    is_deeply $ctl->revoked, { 'jti:i:j' => 'inf' }, 'is there';
    my $many = $t->write_file('many.json', key_file(map { key_record("key $_") } 1 .. 120));
    is_deeply +($ctl->json('key', 'import', $many))[1], { added => 120, replaced => 0, unchanged => 0 }, 'a file of keys';
    ($status, undef, my $err) = gatectl('key', 'list', '--redis', $elsewhere->address, '--redis-prefix', '{gate}:');
    is $status, 1, 'without --cluster';
    like $err, qr/it belongs to a cluster; give --cluster/, 'it says what is missing';
    ($status, undef, $err) = gatectl('key', 'list', '--cluster', named($cluster->node(0)->port), '--redis-prefix', '{x}:');
    like $err, qr/"\{x\}:epoch" is missing/, 'another prefix is another store';

    # some keys here, some there
    my $to = $elsewhere;
    $cluster->begin_migration($slot, $to);
    $cluster->move_keys($slot, $to, 60);
    ($status, my $list) = $ctl->json('key', 'list', '--timeout', '20s');
    is $status, 0, 'while keys move';
    is scalar(@{ $list->{keys} }), 121, 'all of them are found';
    is scalar(@{ ($ctl->json('revoke', 'list'))[1]{entries} }), 1, 'what is revoked too';
    ($status, undef, $err) = $ctl->run('key', 'create', '--timeout', '700ms');
    is $status, 1, 'a change that needs keys of both sides is not made';
    like $err, qr/nothing was changed: .*TRYAGAIN/, 'as it says';
    is scalar(my @ids = $ctl->json('key', 'list')) && @{ ($ctl->json('key', 'list'))[1]{keys} }, 121, 'indeed';
    my @waiting = map { $ctl->start($t->dir . '/waiting', 'key', @$_, '--timeout', '30s') }
        ['create', '--name', 'late'], ['suspend', 'one'], ['create'];

    # all there, but the slot is still ours
    $cluster->move_keys($slot, $to);
    ($status, undef, $err) = $ctl->run('revoke', 'jti', 'k', '--issuer', 'i');
    is $status, 0, 'what needs only keys that have moved is done there' or diag $err;
    $cluster->end_migration($slot, $to);
    is join('', $ctl->finish(@waiting)), '000', 'what waited is done when it is over' or diag slurp($t->dir . '/waiting');
    is $ctl->record($new->{id})->{status}, 'suspended', 'in the right place';
    is_deeply $ctl->revoked, { 'jti:i:j' => 'inf', 'jti:i:k' => 'inf' }, 'and so is what was revoked';
    is_deeply [$ctl->problems], [], 'the store is whole';

    # back and forth while keys are made
    my @pids = map { $ctl->start($t->dir . '/moving', 'key', 'create', '--name', 'moving', '--timeout', '30s') } 1 .. 6;
    $cluster->migrate_slot($slot, $owner);
    is join('', $ctl->finish(@pids)), '0' x 6, 'keys are made while the slot moves' or diag slurp($t->dir . '/moving');
    is scalar(@{ ($ctl->json('key', 'list'))[1]{keys} }), 129, 'none is lost';

    # the owner dies, and the first node that is named
    $cluster->wait_replicated;
    $cluster->kill_node($owner);
    my $pid = $ctl->start('/dev/null', 'key', 'resume', 'one', '--timeout', '30s');
    $cluster->wait_takeover;
    is(($ctl->finish($pid))[0], 0, 'when its node has died a change is made at its replica');
    is $ctl->record($new->{id})->{status}, 'active', 'and is there';
    $cluster->kill_node($elsewhere);
    $cluster->wait_takeover;
    is(($ctl->run('key', 'suspend', 'one', '--timeout', '10s'))[0], 0, 'another node knows as well');
    is_deeply [$ctl->problems], [], 'the store is whole';
    $cluster->stop;
};

subtest 'TLS, passwords and a user who may not much' => sub {
    my $certs = Gate::Certs->of($t);
    my @tls = ('--tls', '--tls-ca', $certs->ca, '--tls-cert', $certs->cert('client'), '--tls-key', $certs->key('client'));
    my $cluster = Gate::Redis::Cluster->new(test => $t, name => 'tls', replicas => 0, node => { tls => 'mutual',
        user => 'admin', password => 'admin', acl => ['user default off', 'user admin on >admin ~* &* +@all',
            "user gatectl on >secret ~{gate}:* @{[ Gate::Ctl::cluster_rights() ]}"] })->start;
    my @login = ('--redis-user', 'gatectl', '--redis-password-file', $t->write_file('cluster.pw', 'secret'));
    for my $node ($cluster->nodes) {
        my $ctl = Gate::Ctl->new($cluster, '--cluster', named($node->port), @tls, @login, { prefix => '{gate}:' });
        is(($ctl->run('store', 'init', '--force'))[0], 0, 'asked at ' . $node->port);
        is(($ctl->run('key', 'create'))[0], 0, 'it takes a key');
        is_deeply [$ctl->problems], [], 'the store is whole';
    }
    my $slot = slot_of('{gate}:epoch');
    my ($to) = grep { $_ != $cluster->owner_of($slot) } $cluster->masters;
    my $ctl = Gate::Ctl->new($cluster, '--cluster', named($cluster->ports), @tls, @login, { prefix => '{gate}:' });
    my ($id) = $ctl->ids;
    $cluster->begin_migration($slot, $to);
    my ($status, undef, $err) = $ctl->run('key', 'suspend', $id);
    is $status, 0, 'a key that is there is changed before any has moved' or diag $err;
    ($status, undef, $err) = $ctl->run('key', 'create', '--timeout', '700ms');
    is $status, 1, 'a new one has to wait';
    like $err, qr/nothing was changed: .*TRYAGAIN/, 'as it says';
    $cluster->end_migration($slot, $to);
    $cluster->stop;

    my $fleet = Gate::Redis::Sentinels->new(test => $t, name => 'tls-fleet', sentinels => 1, replicas => 0,
        node => { tls => 'mutual' }, sentinel => { tls => 'mutual' })->start;
    $ctl = Gate::Ctl->new($fleet, named($fleet->sentinel_ports), '--sentinel', 'gate', @tls);
    is(($ctl->run('store', 'init'))[0], 0, 'sentinels with TLS too');
    is(($ctl->run('key', 'create'))[0], 0, 'take a key');
    $fleet->stop;
};

done_testing();
