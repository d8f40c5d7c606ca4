package Bench::Redis::Following;

# What is revoked in Redis, followed: all of it at start, and each change while there are many.

use strict;
use warnings;

use Gate::KeyRecord;
use Gate::Token;
use Time::HiRes qw(time sleep);

use Bench::Redis::Stand;

my $kLoadBar = 10;       # seconds
my $kRate = 10_000;      # revocations a second
my $kLagBar = 0.1;       # seconds
my $kBatch = 100;        # of one transaction

sub _items { return map { Gate::KeyRecord::item('jti', $Bench::Redis::Stand::ISSUER, "id-$_") } $_[0] .. $_[1]; }

# So many revocations that a store holds before nginx starts.
sub load {
    my ($count) = @_;
    my $stand = Bench::Redis::Stand->new(follow => 1, zone => 256, before => sub {
        my ($stand) = @_;
        for (my $first = 1; $first <= $count; $first += 1000) {
            $stand->store->load(map { [$_] } _items($first, $first + 999));
        }
    });
    my $seconds = $stand->until_status($stand->began, 200, '/token', Bench::Redis::Stand::token('other'));
    my $last = $stand->until_status(time, 401, '/token', Bench::Redis::Stand::token("id-$count"));
    die "the last one came later\n" if $last > 1;
    $stand->stop;
    printf "\n%d revocations of a store followed in %.1f s from the start of nginx (bar %d s)\n", $count, $seconds, $kLoadBar;
    return $seconds <= $kLoadBar ? () : sprintf '%d revocations loaded in %.1f s', $count, $seconds;
}

# $kRate a second for so many seconds by one writer; meanwhile another revokes one after the other and
# looks when each is in force.
sub stream {
    my ($seconds) = @_;
    my $stand = Bench::Redis::Stand->new(follow => 1, zone => 256);
    my @tokens = map { Bench::Redis::Stand::token("probe-$_") } 1 .. 5 * $seconds;
    $stand->until_status(time, 200, '/token', $tokens[0]);
    pipe my $from, my $to or die "pipe: $!";
    defined(my $writer = fork) or die "fork: $!";
    if (!$writer) {
        print {$to} _write($stand, $seconds), "\n";
        close $to;
        POSIX::_exit(0);
    }
    my @lags;
    for my $n (1 .. @tokens) {
        $stand->store->revoke('jti', $Bench::Redis::Stand::ISSUER, "probe-$n");
        push @lags, $stand->until_status(time, 401, '/token', $tokens[$n - 1]);
        sleep(0.2 - $lags[-1]) if $lags[-1] < 0.2;
    }
    my $written = readline $from;
    waitpid $writer, 0;
    $stand->stop;
    my $lag = (sort { $b <=> $a } @lags)[0];
    my $rate = $written / $seconds;
    printf "%.0f revocations a second for %d s: one that is made meanwhile is in force after %.1f ms at most, of %d (bar %d ms)\n",
        $rate, $seconds, 1000 * $lag, scalar @lags, 1000 * $kLagBar;
    return ($rate >= 0.99 * $kRate ? () : sprintf('only %.0f revocations/s were written', $rate),
        $lag <= $kLagBar ? () : sprintf 'lag %.0f ms', 1000 * $lag);
}

# How many were written.
sub _write {
    my ($stand, $seconds) = @_;
    my ($begin, $done) = (time, 0);
    my $client = $stand->redis->client;
    my ($rev, $log) = map { $stand->store->name($_) } qw(rev log);
    while ((my $ahead = $done / $kRate - (time - $begin)) < $seconds && $done < $kRate * $seconds) {
        if ($ahead > 0) { sleep $ahead; next; }
        my @items = _items($done + 1, $done + $kBatch);
        $client->calls(['MULTI'], ['ZADD', $rev, map { ('+inf', $_) } @items],
            (map { ['XADD', $log, '*', 'type', 'revoked', 'item', $_, 'forget', 'never'] } @items), ['EXEC']);
        $done += $kBatch;
    }
    return time - $begin > 1.01 * $seconds ? $done * $seconds / (time - $begin) : $done;
}

1;
