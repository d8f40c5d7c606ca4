# A cable that is pulled: what is sent vanishes, and nobody is told. Questions are refused in time, and a
# connection on which nobody asks is found dead as well.
use lib 't/lib';
use Gate::Test;

use Time::HiRes qw(time);

use Gate::KeyRecord;
use Gate::Redis;

# A network of our own: a cable, the server at its other end.
my $owner = $$;
my $space = "gate-$$";
my ($here, $there) = ("gh$$", "gt$$");
my $net = '10.213.' . (1 + $$ % 250);
my $had_spaces = slurp('/proc/mounts') =~ m{ /run/netns };
sub quiet { return system("$_[0] >/dev/null 2>&1") == 0; }
sub inside { return quiet("ip netns exec $space $_[0]"); }
END {
    local $?;
    if ($$ == $owner) {
        quiet("ip link del $here");
        quiet("ip netns del $space");
        # Left by "ip netns" where there was none before.
        quiet('umount -l /run/netns') if !$had_spaces && !glob '/run/netns/*';
    }
}
plan skip_all => 'no network namespace can be made here: it takes root, CAP_SYS_ADMIN, CAP_NET_ADMIN and ip'
    if $> != 0 || !quiet("ip netns add $space");
quiet("ip link add $here type veth peer name $there netns $space") && quiet("ip addr add $net.1/30 dev $here")
    && quiet("ip link set $here up") && inside("ip addr add $net.2/30 dev $there")
    && inside("ip link set lo up") && inside("ip link set $there up")
    or plan skip_all => 'no network can be made between two namespaces here';
sub pull { inside("ip link set $there down") or die 'the cable stays'; return; }
sub plug { inside("ip link set $there up") or die 'the cable does not fit'; return; }

my $t = Gate::Test->new;
my $redis = Gate::Redis->new(test => $t, host => "$net.2", within => ['ip', 'netns', 'exec', $space],
    options => { 'protected-mode' => 'no' })->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
$store->put(my $key = api_key('acme_'));

# Without a zone each request asks.
my $http = <<"END";
    gate_redis main { server $net.2:@{[$redis->port]}; timeout 300ms; connect_timeout 300ms; keepalive 1s; }
    gate_keys partners { redis main; prefix acme_; }
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { gate key=partners; empty_gif; }
        location = /open { return 204; }
    }
END
$t->start($http, zone => '');
sub ask {
    my ($uri) = @_;
    my $begin = time;
    my $status = http_get($uri, port => $t->port, headers => ['X-API-Key' => $key])->status;
    return wantarray ? ($status, time - $begin) : $status;
}
sub logged { my ($what) = @_; return wait_for(sub { $t->log_since_mark =~ $what }, 8); }

ok wait_for(sub { ask('/') == 200 }), 'all is well';

# ---- while requests ask

pull();
$t->mark;
my ($status, $took) = ask('/');
is $status, 503, 'half open: 503';
cmp_ok $took, '<', 0.3 + 0.25, 'within its time-out';
cmp_ok $took, '>=', 0.25, 'because nobody answers';
($status, $took) = ask('/open');
is $status, 204, 'what asks nobody goes on';
cmp_ok $took, '<', 0.2, 'without waiting';
ok logged(qr/no answer within timeout/), 'the log says so';
ok logged(qr/no connection within connect_timeout/), 'nor is there a new connection';
plug();
ok wait_for(sub { ask('/') == 200 }, 10), 'and when the cable is back all is well';

# ---- while nobody asks

pull();
$t->mark;
my $begin = time;
ok logged(qr/no answer to ROLE within timeout/), 'an idle connection is found dead';
cmp_ok time - $begin, '<', 1 + 0.3 + 0.5 + 1, 'keepalive and timeout later';
plug();
my $clients = wait_for(sub { scalar(my @all = grep { $_->{age} < 5 && $_->{name} } $redis->clients) }, 10);
ok $clients, 'it is made anew without a request';
ok wait_for(sub { ask('/') == 200 }, 10), 'and all is well';

# ---- of several workers, of which one at a time asks

my $many = Gate::Test->new(workers => 4);
$many->start($http =~ s/keepalive 1s/keepalive 4s/r, zone => '');
ok wait_for(sub { $redis->clients == 5 }), 'four workers are connected';
# The kernel's own look at a connection: its timer is that of probes.
my $peer = sprintf '%02X%02X%02X%02X:%04X', reverse(split /\./, "$net.2"), $redis->port;
sub probed { return scalar grep {/\A\s*\d+: \S+ $peer 01 \S+ 02:/} split /\n/, slurp('/proc/net/tcp'); }
ok wait_for(sub { probed() == 5 }, 10), "the kernel probes each worker's connection";
pull();
my $pulled = time;
sub found { my %pids = map { $_ => 1 } $many->error_log =~ /(\d+)#\d+: gate_redis "main": \S+ cannot be used: /g; return scalar keys %pids; }
ok wait_for(sub { found() == 4 }, 10), 'each finds its idle connection dead' or diag found(), " of them\n", $many->error_log;
cmp_ok time - $pulled, '<', 4 + 0.3 + 0.5 + 1, 'within keepalive';
plug();
ok wait_for(sub { $redis->clients == 5 }, 10), 'and comes back';

done_testing;
