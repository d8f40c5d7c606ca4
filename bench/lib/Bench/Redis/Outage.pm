package Bench::Redis::Outage;

# A Redis that hangs: who needs it is refused in time, and nobody else notices.

use strict;
use warnings;

use Gate::HTTP qw(http_get);
use Time::HiRes qw(time);

use Bench::Load;
use Bench::Redis::Stand;

my $kTimeout = 100;      # milliseconds
my $kLateBar = $kTimeout + 10;
my $kOpenBar = 10;       # milliseconds
my $kBackBar = 2;        # seconds
my $kRequests = 300;     # of a turn, on as many connections as may be waiting at once
my $kConnections = 20;

sub hung {
    my ($seconds) = @_;
    my $stand = Bench::Redis::Stand->new(timeout => "${kTimeout}ms");
    my $key = Gate::Token::api_key('acme_');
    $stand->store->put($key);
    $stand->until_status(time, 200, '/key', $key);
    my $unknown = Bench::Redis::Stand::unknown_keys(200_000);
    my $need = Bench::Load->new(port => $stand->port, pid => $stand->worker, connections => $kConnections,
        request => Bench::Redis::Stand::request('/key', $key), pool => "$unknown", every => 1, start => 0);
    my $open = Bench::Load->new(port => $stand->port, pid => $stand->worker, connections => 2,
        request => Bench::Redis::Stand::request('/open', 'none'));
    my $before = _connections($stand);
    $stand->redis->kill('STOP');
    my ($begin, @late, @open) = (time);
    while (time - $begin < $seconds) {
        $need->begin($kRequests);
        $open->begin(2000);
        push @late, $need->end;
        push @open, $open->end;
    }
    my $tries = (_connections($stand) - $before) / (time - $begin);
    $stand->redis->kill('CONT');
    my $back = $stand->until_status(time, 200, '/key', _fresh($stand));
    $_->stop for $need, $open;
    $stand->stop;
    return _report($seconds, \@late, \@open, $tries, $back);
}

sub _fresh {
    my ($stand) = @_;
    my $key = Gate::Token::api_key('acme_');
    $stand->store->put($key);
    return $key;
}

# How often the worker has tried to connect.
sub _connections {
    my ($stand) = @_;
    my $text = http_get('/metrics', port => $stand->port)->body;
    my $sum = 0;
    $sum += $1 while $text =~ /^nginx_gate_redis_connections_total\{[^}]*event="(?:up|failed)"\} (\d+)$/mg;
    return $sum;
}

sub _worst { my ($what, $results) = @_; return (sort { $b <=> $a } map { $_->{$what} / 1000 } @$results)[0]; }

sub _report {
    my ($seconds, $late, $open, $tries, $back) = @_;
    my ($p99, $max) = map { _worst($_, $late) } qw(p99 max);
    my ($open99, $open999) = map { _worst($_, $open) } qw(p99 p999);
    printf "\nRedis stopped for %d s, timeout %d ms, worst of %d and %d turns:\n", $seconds, $kTimeout,
        scalar @$late, scalar @$open;
    printf "  who needs it: p99 %.1f ms, max %.1f ms (bar %d ms)\n", $p99, $max, $kLateBar;
    printf "  open location: p99 %.2f ms, p99.9 %.2f ms (bar %d ms)\n", $open99, $open999, $kOpenBar;
    printf "  %.2f attempts to connect a second (bar 1); back after %.2f s (bar %d s)\n", $tries, $back, $kBackBar;
    my @missed;
    push @missed, sprintf 'refused after %.1f ms', $p99 if $p99 > $kLateBar;
    push @missed, sprintf 'open location %.1f ms', $open99 if $open99 > $kOpenBar;
    push @missed, sprintf '%.2f attempts/s', $tries if $tries > 1;
    push @missed, sprintf 'back after %.1f s', $back if $back > $kBackBar;
    return @missed;
}

1;
