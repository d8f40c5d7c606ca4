# Servers of a gate_redis block that are called by a name: looked up at the start, and while nginx
# runs by its own resolver, never by the system's, which would block.
use lib 't/lib';
use Gate::Test;

use Time::HiRes qw(sleep time);

use Gate::DNS;
use Gate::FakeRedis;
use Gate::KeyRecord;
use Gate::Ports;
use Gate::Process;
use Gate::Redis;

my $t = Gate::Test->new;
my $name = 'redis.gate.test';
my $dns = Gate::DNS->start(test => $t);
my $resolver = 'resolver 127.0.0.1:' . $dns->port . ' ipv6=off;';
my $port = Gate::Ports::free_port();    # of all servers, at addresses of their own
my (%server, %key);
for my $address (qw(127.0.0.1 127.0.0.2)) {
    $server{$address} = Gate::Redis->new(test => $t, name => "redis-$address", host => $address, port => $port)->start;
    my $store = Gate::KeyRecord->new($server{$address})->set_up;
    $store->put($key{$address} = api_key('acme_'));
}

# Without a zone each request asks.
sub configuration {
    my ($servers, %opt) = @_;
    my $with = $opt{resolver} // $resolver;
    my $words = $opt{words} // 'timeout 300ms; connect_timeout 300ms; keepalive 300ms;';
    return <<"EOF";
    $with
    gate_redis main { $servers $words }
    gate_keys partners { redis main; prefix acme_; }
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { gate key=partners; empty_gif; }
        location = /open { return 204; }
    }
EOF
}
sub status { return http_get('/', port => $t->port, headers => ['X-API-Key' => $_[0]])->status; }
# Until the server at that address is asked.
sub asks {
    my ($address) = @_;
    return wait_for(sub { status($key{$address}) == 200 }, 10);
}
sub lose_connection { $server{ $_[0] }->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'); return; }

$dns->say($name, addresses => ['127.0.0.1'], ttl => 0);
$t->start(configuration("server $name:$port;"), zone => '');
like $t->error_log . slurp($t->dir . '/start.out'),
    qr/\[warn\].*gate_redis "main": "server" has the value "\Q$name:$port\E": host not found; the resolver is asked/,
    'a name that is unknown at the start is said';
ok asks('127.0.0.1'), 'and looked up while nginx runs';

# ---- addresses that change

sub start_again {
    my ($address) = @_;
    $server{$address}->start;
    Gate::KeyRecord->new($server{$address})->set_up->put($key{$address});
    return;
}
$dns->say($name, addresses => ['127.0.0.2'], ttl => 0);
is status($key{'127.0.0.1'}), 200, 'a connection that is good stays, whatever its name says';
$server{'127.0.0.1'}->kill('KILL');
ok asks('127.0.0.2'), 'another address is followed when the connection is lost';
start_again('127.0.0.1');

$dns->say($name, addresses => [qw(127.0.0.3 127.0.0.4 127.0.0.1)], ttl => 0);
$server{'127.0.0.2'}->kill('KILL');
ok asks('127.0.0.1'), 'all addresses of a name are tried in turn';
start_again('127.0.0.2');

# ---- no answer, or none that helps

for my $case (
    ['NXDOMAIN', { rcode => 'NXDOMAIN' }, 'Host not found'],
    ['SERVFAIL', { rcode => 'SERVFAIL' }, 'Server failure'],
    ['REFUSED', { rcode => 'REFUSED' }, 'Operation refused'],
    ['no address', {}, 'Host not found'],
    ['no answer', { silent => 1 }, 'Operation timed out'],
) {
    my ($what, $answer, $said) = @$case;
    $dns->say($name, addresses => ['127.0.0.1'], ttl => 0);
    $t->reload or die 'no reload';    # each worker reports a fault once a minute
    ok asks('127.0.0.1'), "$what: before";
    my $asked = $dns->questions($name);
    $t->mark;
    $dns->say($name, %$answer);
    my ($slowest, $end) = (0, time + 10);
    while (time < $end && $dns->questions($name) == $asked) {
        lose_connection('127.0.0.1');
        my $began = time;
        http_get('/open', port => $t->port);
        $slowest = time - $began if time - $began > $slowest;
        status($key{'127.0.0.1'});
        sleep 0.02;
    }
    cmp_ok scalar($dns->questions($name)), '>', $asked, "$what: the name is asked for";
    cmp_ok $slowest, '<', 0.25, "$what: and nothing blocks";
    ok asks('127.0.0.1'), "$what: the last address is used on";
    ok wait_for(sub { $t->log_since_mark =~ /the resolver has no address of "\Q$name\E": $said;/ }),
        "$what: the log says why" or diag join "\n", $t->log_since_mark =~ /(.*gate_redis.*)/g;
}

# ---- how often it is asked

sub reconnect_for {
    my ($seconds, $address) = @_;
    my $end = time + $seconds;
    while (time < $end) {
        lose_connection($address);
        status($key{$address});
        sleep 0.05;
    }
    return;
}
$dns->say($name, addresses => ['127.0.0.1'], ttl => 0);
$t->reload or die 'no reload';
ok asks('127.0.0.1'), 'all is well';
my $from = $dns->questions($name);
reconnect_for(4, '127.0.0.1');
my @asked = ($dns->questions($name))[$from .. $dns->questions($name) - 1];
cmp_ok scalar(@asked), '>=', 2, '0 s: asked again';
is_deeply [grep { $asked[$_] - $asked[ $_ - 1 ] < 0.9 } 1 .. $#asked], [], '0 s: at most once a second';

$dns->say($name, addresses => ['127.0.0.1'], ttl => 3600);
$t->reload or die 'no reload';
ok asks('127.0.0.1'), 'an hour';
$from = $dns->questions($name);
reconnect_for(3, '127.0.0.1');
is scalar($dns->questions($name)), $from, 'an hour: not asked again while it lasts';
ok asks('127.0.0.1'), 'and all is well';

# ---- workers that end while a question is out

$dns->say($name, silent => 1);
$t->write_config(configuration("server $name:$port;", words => 'connect_timeout 60s; timeout 60s;'), zone => '');
my $before = $dns->questions($name);
$t->reload or die 'no reload';
ok wait_for(sub { $dns->questions($name) > $before }), 'a question is out';
$before = $dns->questions($name);
my $began = time;
ok $t->reload, 'a reload while it is';
ok wait_for(sub { $dns->questions($name) > $before }), 'the new worker asks, too';
ok $t->stop, 'and an end';
cmp_ok time - $began, '<', 8, 'wait for nothing';

# ---- names that others say

$dns->say('master.gate.test', addresses => ['127.0.0.2'], ttl => 1);
my $sentinel = Gate::FakeRedis->start(test => $t, name => 'sentinel', role => 'sentinel',
    master => ['master.gate.test', $port]);
$t->start(configuration('sentinel master=gate ' . $sentinel->address . ';'), zone => '');
ok asks('127.0.0.2'), 'a sentinel names a name';
ok $t->stop, 'nginx leaves';
$t->start(configuration('sentinel master=gate ' . $sentinel->address . ';', resolver => ''), zone => '');
is status($key{'127.0.0.2'}), 503, 'without a resolver: 503';
ok wait_for(sub { $t->error_log =~ /master\.gate\.test:\d+ cannot be used: its name has no address; write "resolver/ }),
    'and the log names the remedy';
ok $t->stop, 'nginx leaves';

# ---- the system's own look-up

SKIP: {
    my $strace = (grep { -x } map {"$_/strace"} split /:/, $ENV{PATH})[0];
    skip 'there is no strace', 4 if !$strace;
    $dns->say($name, addresses => ['127.0.0.1'], ttl => 0);
    $t->start(configuration("server $name:$port;"), zone => '');
    ok asks('127.0.0.1'), 'under strace';
    my $trace = $t->dir . '/strace.out';
    my ($worker) = $t->workers;
    my $tracer = Gate::Process->start(test => $t, output => $t->dir . '/strace.err',
        command => [$strace, '-f', '-o', $trace, '-e', 'trace=open,openat,connect,send,sendto', '-p', $worker]);
    if (!wait_for(sub { slurp("/proc/$worker/status") =~ /TracerPid:\s+[1-9]/ }, 5)) {
        skip 'strace may not look at a worker: ' . slurp($t->dir . '/strace.err'), 3;
    }
    reconnect_for(3, '127.0.0.1');
    $tracer->stop;
    my $calls = slurp($trace);
    like $calls, qr/connect\(.*htons\($port\)/, 'it connects to its server again';
    like $calls, qr/send(?:to)?\(.*redis.*gate.*test/, 'and asks its resolver';
    unlike $calls, qr{/etc/|/run/|nscd|htons\(53\)}, 'no file and no server of the system is asked for names';
}

done_testing;
