# A block that was led to something else says so in the error log, and what would be right.
use lib 't/lib';
use Gate::Test;

use Gate::Redis;
use Gate::Redis::Sentinels;

my $t = Gate::Test->new(workers => 1);
my $fleet = Gate::Redis::Sentinels->new(test => $t, replicas => 0, sentinels => 1)->start;
my ($sentinel) = $fleet->sentinel_ports;
my $server = $fleet->master_port;

sub config {
    my ($words) = @_;
    return <<"END";
gate_zone gate:1m;
gate_redis main { $words }
gate_keys partner { redis main; prefix p_; }
server { listen 127.0.0.1:%%PORT%%; location / { gate key=partner; empty_gif; } }
END
}

my $used = 'cannot be used: ';
my @wrong = (
    ['a sentinel as server', "server 127.0.0.1:$sentinel;", qr/${used}it is a sentinel; write "sentinel master=NAME HOST:PORT;"/],
    ['a server as sentinel', "sentinel master=gate 127.0.0.1:$server;", qr/${used}it is no sentinel; write "server HOST:PORT;"/],
    ['a name that sentinels do not know', "sentinel master=mymaster 127.0.0.1:$sentinel;",
        qr/127\.0\.0\.1:$sentinel ${used}it answers that it knows no master mymaster;/],
    ['a server as node of a cluster', "cluster 127.0.0.1:$server;",
        qr/127\.0\.0\.1:$server ${used}it answers ERR This instance has cluster support disabled/],
);
$t->start(config("server 127.0.0.1:$server;"));
ok wait_for(sub { $t->error_log =~ /"gate:epoch" is missing/ }, 10), "the right server, which has no store";
for (@wrong) {
    my ($what, $words, $line) = @$_;
    $t->write_config(config($words));
    $t->mark;
    ok $t->reload, $what;
    ok wait_for(sub { $t->log_since_mark =~ $line }), 'is told' or diag $t->log_since_mark;
}

done_testing;
