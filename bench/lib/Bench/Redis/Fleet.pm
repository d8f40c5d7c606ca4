package Bench::Redis::Fleet;

# A token is revoked by gatectl: how long until every worker of every node refuses it, while they have
# other things to do.

use strict;
use warnings;

use POSIX ();
use Time::HiRes qw(time sleep);

use Bench::Connection;
use Bench::Load;
use Bench::Redis::Stand;
use Gate::Test ();

my $kNodes = 2;
my $kWorkers = 8;            # of each node
my $kOther = 5000;           # requests a second, of other load
my ($kBar, $kMaxBar) = (0.05, 1);    # seconds

sub revoke {
    my ($count) = @_;
    my @nodes = _nodes();
    my @workers = map { _connections($_) } @nodes;
    my $end_load = _other_load(@nodes);
    my (@since_done, @since_begun);
    for my $n (1 .. $count) {
        my $request = Bench::Redis::Stand::request('/token', Bench::Redis::Stand::token("fleet-$n"));
        $_->repeat(1, $request, 200) for @workers;
        my $begun = time;
        _revoke($nodes[0], "fleet-$n");
        my $done = time;
        my @left = @workers;
        while (@left) {
            @left = grep { $_->ask($request) != 401 } @left;
            die "not refused within a minute\n" if time - $done > 60;
        }
        push @since_done, time - $done;
        push @since_begun, time - $begun;
    }
    my $others = $end_load->();
    $_->stop for reverse @nodes;
    return _report($count, scalar @workers, $others, \@since_done, \@since_begun);
}

sub _nodes {
    my $first = Bench::Redis::Stand->new(follow => 1, workers => $kWorkers);
    my @nodes = ($first, map { Bench::Redis::Stand->new(follow => 1, workers => $kWorkers, with => $first) }
        2 .. $kNodes);
    $_->until_status(time, 200, '/token', Bench::Redis::Stand::token('warm')) for @nodes;
    return @nodes;
}

# One to each worker.
sub _connections {
    my ($node) = @_;
    my %to;
    for (1 .. 100 * $kWorkers) {
        my $connection = Bench::Connection->new($node->port);
        $connection->repeat(1, Bench::Redis::Stand::request('/open', 'none'), 200);
        $to{ $connection->header('X-Worker') } //= $connection;
        return values %to if keys %to == $kWorkers;
    }
    die "some workers take no connection\n";
}

# $kOther requests a second in another process, of a known token; a function that ends it and gives
# the requests a second.
sub _other_load {
    my (@nodes) = @_;
    my $request = Bench::Redis::Stand::request('/token', Bench::Redis::Stand::token('other'));
    my @loads = map { Bench::Load->new(port => $_->port, pid => $_->worker, request => $request) } @nodes;
    pipe my $from, my $to or die "pipe: $!";
    defined(my $pid = fork) or die "fork: $!";
    if (!$pid) {
        my ($begin, $made, $ends) = (time, 0, 0);
        local $SIG{TERM} = sub { $ends = 1 };
        while (!$ends) {
            my $ahead = $made / $kOther - (time - $begin);
            if ($ahead > 0) { sleep $ahead; next; }
            for my $load (@loads) { $load->begin(50); $made += $load->end->{requests}; }
        }
        syswrite $to, $made / (time - $begin);
        POSIX::_exit(0);
    }
    close $to;
    return sub {
        kill TERM => $pid;
        my $rate = readline $from;
        waitpid $pid, 0;
        $_->stop for @loads;
        return $rate;
    };
}

sub _revoke {
    my ($node, $id) = @_;
    my ($status, undef, $problem) = Gate::Test::gatectl('revoke', 'jti', $id, '--ttl', '1h',
        '--issuer', $Bench::Redis::Stand::ISSUER, '--redis', $node->redis->address);
    die $problem if $status != 0;
    return;
}

sub _report {
    my ($count, $workers, $others, $done, $begun) = @_;
    my @line = map { my @sorted = sort { $a <=> $b } @$_; map { 1000 * $sorted[$#sorted * $_] } 0.5, 0.99, 1 } $done, $begun;
    printf "\n%d revocations by gatectl, %d workers of %d nodes, %.0f other requests/s; until each worker refuses:\n",
        $count, $workers, $kNodes, $others;
    printf "  from the acknowledgement p50 %.1f ms, p99 %.1f ms, max %.1f ms (bar %d ms and %d ms)\n", @line[0 .. 2],
        1000 * $kBar, 1000 * $kMaxBar;
    printf "  from the start of gatectl p50 %.1f ms, p99 %.1f ms, max %.1f ms\n", @line[3 .. 5];
    my ($p99, $max) = @line[1, 2];
    return ($p99 <= 1000 * $kBar ? () : sprintf('p99 of propagation %.1f ms', $p99),
        $max <= 1000 * $kMaxBar ? () : sprintf 'propagation %.0f ms', $max);
}

1;
