# A master that somebody makes a replica answers on as before, and knows less and less. However many
# workers there are and however seldom they ask, none believes what it says later than `keepalive`; and
# when nothing happens they do not ask more often the more they are.
use lib 't/lib';
use Gate::Test;

use Time::HiRes qw(sleep time);

use Gate::Crowd qw(crowd);
use Gate::KeyRecord;
use Gate::Redis;

my $kWorkers = 16;

my $says = Gate::Crowd::lines();
sub configuration {
    my ($redis, $followed) = @_;
    return <<"END";
    gate_redis main { server @{[$redis->address]}; timeout 1s; $followed }
    gate_keys partners { redis main; prefix acme_; }
    @{[$followed ? '' : 'gate_revocation redis=main;']}
    server {
        $says
        location / { gate key=partners; add_header X-Reason \$gate_reason always; empty_gif; }
        location = /open { return 204; }
    }
END
}

sub connected { my ($redis, $count) = @_; return wait_for(sub { $redis->clients == $count }, 10); }

# ---- nothing happens

my $quiet = Gate::Test->new(workers => $kWorkers);
my $idle = Gate::Redis->new(test => $quiet)->start;
Gate::KeyRecord->new($idle)->set_up;
$quiet->start(configuration($idle, ''));
ok connected($idle, $kWorkers + 1), "$kWorkers workers are connected, and one follows";
# The store is loaded.
ok wait_for(sub { ($idle->commandstats->{xread} // { calls => 0 })->{calls} > 2 }), 'it does';
$idle->reset_stats;
my $began = time;
sleep 12;
my $stats = $idle->commandstats;
my $seconds = time - $began;
my $own = join '|', map {quotemeta} qw(info config|resetstat client|list);
my %calls = map { /\A(?:$own)\z/ ? () : ($_ => $stats->{$_}{calls}) } keys %$stats;
my $total = 0;
$total += $_ for values %calls;
cmp_ok $total / $seconds, '<=', 5, sprintf '%.2f commands a second: %s', $total / $seconds,
    join ', ', map {"$_ $calls{$_}"} sort keys %calls;
# keepalive is 5s: in each one worker's turn, and the follower.
cmp_ok $calls{role}, '>=', 2, 'one of them asks for the role in each keepalive';
cmp_ok $calls{role}, '<=', 8, 'and not all';
$quiet->stop;

# ---- it becomes a replica; without a follower, which is told

my $t = Gate::Test->new(workers => $kWorkers);
my $redis = Gate::Redis->new(test => $t)->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
# Keys that nobody has asked for, so that each worker has to.
my @keys = map { my $key = api_key('acme_'); $store->put($key); $key } 1 .. 4 * $kWorkers;
$t->start(configuration($redis, 'keepalive 1s;'));
my $crowd = crowd($t, $kWorkers);
is scalar(my @workers = $crowd->workers), $kWorkers, 'all workers answer';
sub each_asks {
    return map {
        my $answer = $crowd->ask($_, '/', headers => ['X-API-Key' => shift @keys]);
        $answer->status . ' ' . ($answer->header('X-Reason') // '')
    } @workers;
}
sub counted { my %count; $count{$_}++ for @_; return \%count; }
connected($redis, $kWorkers);
is_deeply counted(each_asks()), { '200 ' => $kWorkers }, 'a key is looked up by each of them';

# It cannot know what its master says, and serves what it has.
$redis->cmd('REPLICAOF', '127.0.0.1', 1);
# Longer than keepalive; a round of all workers would take 16 of them.
sleep 1.1;
is_deeply counted(each_asks()), { '503 store_unavailable' => $kWorkers }, 'a replica is believed by none of them';
like $t->error_log, qr/cannot be used: it is not any more what it was when it was connected/, 'the log says why';
ok wait_for(sub { $t->error_log =~ /cannot be used: it is a replica/ }), 'and goes on to';
$redis->cmd('REPLICAOF', 'NO', 'ONE');
ok wait_for(sub { $redis->clients == $kWorkers }, 10), 'a master again, they come back';
is_deeply counted(each_asks()), { '200 ' => $kWorkers }, 'and believe it';

# Nobody asks for anything now. A worker's own turn comes every 16 s; who finds out tells the others.
my %former = map { $_->{id} => 1 } $redis->clients;
$redis->cmd('REPLICAOF', '127.0.0.1', 1);
ok wait_for(sub { !grep { $former{ $_->{id} } } $redis->clients }, 8), 'what one of them finds makes the others look';
$redis->cmd('REPLICAOF', 'NO', 'ONE');
ok wait_for(sub { $redis->clients == $kWorkers }, 10), 'and come back';
is_deeply counted(each_asks()), { '200 ' => $kWorkers }, 'to a master that is believed';

done_testing;
