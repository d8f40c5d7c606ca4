# A master that dies before its replica has what it acknowledged. Redis loses that: machines that knew it
# keep it, others never hear of it. What gatectl calls done with --wait 1 is never lost.
use lib 't/lib';
use Gate::Test;

use Gate::Ctl;
use Gate::KeyRecord;
use Gate::Redis;
use Gate::Redis::Sentinels;

my $kRounds = $ENV{GATE_LONG} ? 20 : 3;

my $issuer = 'https://idp.example.com';
my $t = Gate::Test->new(workers => 2);
my $late = Gate::Test->new;    # a machine that starts later
my $fleet = Gate::Redis::Sentinels->new(test => $t, node => { persist => 1 })->start;
Gate::KeyRecord->new($fleet)->set_up;
$fleet->wait_replicated;
my @fleet = (map { ('--redis', "127.0.0.1:$_") } $fleet->sentinel_ports);
my $ctl = Gate::Ctl->new($fleet, @fleet, '--sentinel', 'gate');
my $sentinels = join ' ', map {"127.0.0.1:$_"} $fleet->sentinel_ports;

sub start {
    my ($machine) = @_;
    $machine->write_jwks('keys.jwks', 'rs');
    $machine->start(<<"END");
    gate_redis main { sentinel master=gate $sentinels; timeout 300ms; }
    gate_issuer corp { issuer $issuer; jwks_file %%DIR%%/keys.jwks; audience orders; }
    gate_revocation redis=main;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { gate jwt=corp; add_header X-Reason \$gate_reason always; empty_gif; }
    }
END
    return;
}
sub ask {
    my ($machine, $jti) = @_;
    my $answer = http_get('/', port => $machine->port,
        headers => [Authorization => 'Bearer ' . mint(claims => { jti => $jti })]);
    return $answer->status . ' ' . ($answer->header('X-Reason') // '');
}
sub becomes { my ($answer, @who) = @_; return wait_for(sub { ask(@who) eq $answer }, 10); }
sub revoke { return $ctl->run('revoke', 'jti', $_[0], '--issuer', $issuer, @_[1 .. $#_]); }
sub promote {
    my $dead = $fleet->kill_master;
    for my $node ($fleet->nodes) { $node->start if !$node->alive && $node->port != $dead; }
    $fleet->wait_failover;
    return;
}
sub whole_again {
    for my $node ($fleet->nodes) { $node->restart if !$node->alive; }
    $fleet->wait_ready;
    $fleet->wait_replicated;
    return;
}

start($t);
ok becomes('200 ', $t, 'nobody'), 'the store is loaded';

# ---- without waiting for the replica

# Not halted: its socket would take what is sent meanwhile.
my ($replica) = $fleet->replicas;
$replica->kill('KILL');
is +(revoke('lost'))[0], 0, 'the master says that it is done';
ok becomes('401 revoked', $t, 'lost'), 'a machine that follows knows it';
promote();
is $fleet->cmd('ZCARD', 'gate:rev'), 0, 'the new master never heard of it: Redis has lost it';
ok wait_for(sub { $t->error_log =~ /its sentinels name 127\.0\.0\.1:@{[$replica->port]} as the master/ }, 10), 'it is followed';
is +(revoke('after'))[0], 0, 'another one is made there';
ok becomes('401 revoked', $t, 'after'), 'and known';
is ask($t, 'lost'), '401 revoked', 'what a machine had taken stays in force there';
start($late);
ok becomes('401 revoked', $late, 'after'), 'a machine that starts later knows what Redis has';
is ask($late, 'lost'), '200 ', 'and not what Redis lost: docs/REDIS.md says so';
ok $late->stop, 'it leaves';

# ---- with --wait 1

whole_again();
($replica) = $fleet->replicas;
$replica->kill('KILL');
my ($status, undef, $said) = revoke('unsure', '--wait', 1, '--timeout', '300ms');
is $status, 1, 'a replica that does not have it: no success';
like $said, qr/only on 0 of 1 replicas/, 'as it says';
for my $round (1 .. $kRounds) {
    whole_again();
    is +(revoke("kept-$round", '--wait', 1))[0], 0, 'a replica has it: success';
    promote();
    ok $fleet->cmd('ZSCORE', 'gate:rev', Gate::KeyRecord::item('jti', $issuer, "kept-$round")), 'the new master has it';
    ok becomes('401 revoked', $t, "kept-$round"), 'and whoever follows';
}
start($late);
ok becomes('401 revoked', $late, "kept-$kRounds"), 'so does a machine that starts later';
is_deeply [grep { ask($late, "kept-$_") ne '401 revoked' } 1 .. $kRounds], [], 'all of them: none is lost';
is ask($late, 'nobody'), '200 ', 'and others are let in';

done_testing;
