package Bench::Redis::Lookups;

# Keys that nobody has asked for yet cost a question to Redis; what is known costs none, and does not
# wait for those that do.

use strict;
use warnings;

use Gate::ChaosProxy;

use Bench::Load;
use Bench::Redis::Stand;

my $kColdBar = 10_000;    # lookups a second through one worker
my $kSlowBar = 1.05;      # of the 99th percentile beside a Redis without delay
my $kDelay = 10;          # milliseconds
my $kTurn = 4000;         # warm requests of a turn
my $kColdTurn = 40;       # lookups meanwhile

sub _load {
    my ($stand, $key, %opt) = @_;
    return Bench::Load->new(port => $stand->port, pid => $stand->worker,
        request => Bench::Redis::Stand::request('/key', $key), %opt);
}

# A key that each worker knows.
sub _known_key {
    my ($stand) = @_;
    my $key = Gate::Token::api_key('acme_');
    $stand->store->put($key);
    $stand->until_status(time, 200, '/key', $key);
    return $key;
}

# So many keys, each asked for once.
sub cold {
    my ($count) = @_;
    my $stand = Bench::Redis::Stand->new;
    my $pool = $stand->add_keys($count + 10);
    my $load = _load($stand, _known_key($stand), pool => "$pool", every => 1, start => 0);
    my $result = $load->run($count);
    my $calls = $stand->redis->commandstats->{hgetall}{calls};
    my $rate = Bench::Load::rate($result);
    printf "\n%d keys, each asked for once, one worker: %.0f a second, p99 %.1f ms; %d lookups (bar %d a second)\n",
        $count, $rate, $result->{p99} / 1000, $calls, $kColdBar;
    die "lookups are missing\n" if $calls < $count;
    $load->stop;
    $stand->stop;
    return $rate >= $kColdBar ? () : sprintf 'cold lookups %.0f/s', $rate;
}

# Known keys beside unknown ones, with a Redis that takes its time and one that does not, in turns.
sub slow {
    my ($turns) = @_;
    my $prompt = Bench::Redis::Stand->new(timeout => '1s');
    my $proxy;
    my $late = Bench::Redis::Stand->new(with => $prompt, timeout => '1s', proxy => sub {
        $proxy = Gate::ChaosProxy->start(test => $_[0]->nginx, to => $_[0]->redis->port);
        return $proxy->port;
    });
    $proxy->mode('delay', ms => $kDelay);
    my @p99 = ([], []);
    my @sides = map { _side($_, $prompt, $turns) } $prompt, $late;
    for my $turn (1 .. $turns) {
        for my $i ($turn % 2 ? (0, 1) : (1, 0)) {
            my ($cold, $warm) = @{ $sides[$i] }{qw(cold warm)};
            $cold->begin($kColdTurn);
            push @{ $p99[$i] }, $warm->run($kTurn)->{p99};
            $cold->end->{good} == $kColdTurn or die "a lookup failed\n";
        }
    }
    $_->stop for map { @{$_}{qw(cold warm)} } @sides;
    $_->stop for $late, $prompt;
    my ($without, $with) = map { (sort { $a <=> $b } @$_)[@$_ / 2] } @p99;
    my $ratio = $with / $without;
    printf "\nKnown keys, %d lookups beside each %d requests, median p99 of %d turns: %.0f us; with %d ms to Redis %.0f us: %.3f (bar %.2f)\n",
        $kColdTurn, $kTurn, $turns, $without, $kDelay, $with, $ratio, $kSlowBar;
    return $ratio <= $kSlowBar ? () : sprintf 'p99 beside a slow Redis %.3f', $ratio;
}

sub _side {
    my ($stand, $stored, $turns) = @_;
    my $key = _known_key($stand);
    my $pool = $stored->add_keys($turns * $kColdTurn + 10);
    return { pool => $pool, warm => _load($stand, $key),
        cold => _load($stand, $key, pool => "$pool", every => 1, start => 0, connections => 4) };
}

1;
