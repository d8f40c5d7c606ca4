# Redis that is far away: what the zone knows is answered as fast as ever, and what has to be asked is
# asked at once, not one behind the other.
use lib 't/lib';
use Gate::Test;

use IO::Socket::INET;
use Time::HiRes qw(time);

use Gate::ChaosProxy;
use Gate::KeyRecord;
use Gate::Redis;

my $kCold = 64;     # at once
my $kWarm = 200;

my $t = Gate::Test->new(zone => 'gate:8m');
my $redis = Gate::Redis->new(test => $t)->start;
my $proxy = Gate::ChaosProxy->start(test => $t, to => $redis->port);
my $store = Gate::KeyRecord->new($redis)->set_up;
$store->put(my $known = api_key('acme_'));
$t->write_jwks('keys.jwks', 'rs');
my $token = mint();
$t->start(<<"END");
    gate_redis main { server 127.0.0.1:@{[$proxy->port]}; timeout 5s; connect_timeout 2s; }
    gate_keys partners { redis main; prefix acme_; valid 60s; }
    gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
    gate_revocation redis=main;
    server {
        listen 127.0.0.1:%%PORT%%;
        keepalive_requests 1000000;
        location / { gate jwt=corp key=partners; empty_gif; }
    }
END

sub connected {
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port) || die "connect: $!";
}
sub send_key {
    my ($socket, $key) = @_;
    print {$socket} request_bytes('GET', '/', headers => ['X-API-Key' => $key]);
    $socket->flush;
    return;
}
sub finish { return http_raw('', socket => $_[0], count => 1, methods => ['GET'])->status; }
sub with_key { return http_get('/', port => $t->port, headers => ['X-API-Key' => $known])->status; }
sub with_token { return http_get('/', port => $t->port, headers => [Authorization => "Bearer $token"])->status; }
sub lookups { return ($redis->commandstats->{hgetall} || {})->{calls} || 0; }

# Seconds for all of them; their statuses.
sub cold {
    my @keys = map { api_key('acme_') } 1 .. $kCold;
    $store->put($_) for @keys;
    my @sockets = map { connected() } @keys;
    my $begin = time;
    send_key($sockets[$_], $keys[$_]) for 0 .. $#keys;
    my %seen;
    $seen{ finish($_) }++ for @sockets;
    return (time - $begin, \%seen);
}

ok wait_for(sub { with_token() == 200 && with_key() == 200 }), 'all is known';
for my $ms (0.1, 1, 10, 100) {
    $proxy->mode('delay', ms => $ms);
    # Until the follower and the lookups feel it, and what was asked for before is kept.
    ok $redis->wait_kept(sub { with_key() == 200 }), "$ms ms: the key is known";
    my $slowest = 0;
    my $before = lookups();
    # While others wait for Redis.
    my @keys = map { api_key('acme_') } 1 .. 4;
    my @waiting = map { my $socket = connected(); send_key($socket, $_); $socket } @keys;
    my @times;
    for (1 .. $kWarm) {
        my $begin = time;
        my $status = $_ % 2 ? with_key() : with_token();
        push @times, time - $begin;
        $status == 200 or die "a warm request: $status";
    }
    my $median = (sort { $a <=> $b } @times)[ $kWarm / 2 ];
    is_deeply [map { finish($_) } @waiting], [(401) x 4], "$ms ms: others wait for their answer";
    is lookups() - $before, 4, "$ms ms: warm requests ask nothing";
    cmp_ok $median, '<', 0.02, sprintf '%s ms: nor do they wait (%.1f ms)', $ms, 1000 * $median;
    my ($seconds, $seen) = cold();
    is_deeply $seen, { 200 => $kCold }, "$ms ms: $kCold unknown keys at once";
    # To and fro, for each; shorter ways are lost in what the requests cost anyway.
    my $in_turn = $kCold * 2 * $ms / 1000;
    note sprintf '%s ms: %.0f ms, one behind the other %.0f ms', $ms, 1000 * $seconds, 1000 * $in_turn;
    cmp_ok $seconds, '<', $in_turn / 2, "$ms ms: in parallel, not one behind the other" if $ms >= 10;
}

done_testing;
