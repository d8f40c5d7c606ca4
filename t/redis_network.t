# What lies between the gate and Redis: refused, reset and ended connections at each stage, octets that
# come late or one by one. Nobody is let in who should not be, each question has its answer or none in
# time, no answer reaches another request, and nobody is let wait who does not need Redis.
use lib 't/lib';
use Gate::Test;

use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time sleep);

use Gate::ChaosProxy;
use Gate::KeyRecord;
use Gate::Redis;

my $kBlocks = 100;    # each with a connection of its own: none waits for another's back-off

my $t = Gate::Test->new;
my $redis = Gate::Redis->new(test => $t)->start;
my $proxy = Gate::ChaosProxy->start(test => $t, to => $redis->port);
my $store = Gate::KeyRecord->new($redis)->set_up;
$t->{ports}{redis} = $proxy->port;

my $blocks = join "\n", map { <<"END" } 0 .. $kBlocks - 1;
    gate_redis r$_ { server 127.0.0.1:%%PORT_redis%%; timeout 500ms; connect_timeout 500ms; keepalive 60s; }
    gate_keys k$_ { redis r$_; prefix acme_; }
END
my $locations = join "\n", map {"location = /$_ { gate key=k$_; empty_gif; }"} 0 .. $kBlocks - 1;

# Without a zone nothing is remembered from one request to the next.
sub start {
    my ($text) = @_;
    $t->start(<<"END", zone => '');
        $text
        add_header X-Key \$gate_key_id always;
        add_header X-Reason \$gate_reason always;
        server { listen 127.0.0.1:%%PORT%%; location = /open { return 204; } $locations }
END
    return;
}

my %id_of;
sub stored_key {
    my $key = api_key('acme_');
    $id_of{$key} = $store->put($key)->{id};
    return $key;
}
my ($key, $other) = (stored_key(), stored_key());

sub begin {
    my ($n, $credential) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port) or die "connect: $!";
    print {$socket} request_bytes('GET', "/$n", headers => ['X-API-Key' => $credential]);
    $socket->flush;
    return $socket;
}
sub said {
    my ($answer) = @_;
    return join ' ', $answer->status, grep { defined } $answer->header('X-Reason'), $answer->header('X-Key');
}
sub finish { return said(http_raw('', socket => $_[0], count => 1, methods => ['GET'])); }
sub ask { my ($n, $credential) = @_; return finish(begin($n, $credential // $key)); }
sub is_good { my ($n, $credential) = @_; $credential //= $key; return ask($n, $credential) eq "200 $id_of{$credential}"; }

# Until every block has a connection, and may try to connect at once.
sub ready {
    wait_for(sub { $proxy->open_connections >= $kBlocks }, 10) or die 'not connected';
    is_deeply [grep { !is_good($_) } 0 .. $kBlocks - 1], [], 'all is well';
    sleep 1.1;
    return;
}

start($blocks);
ready();

subtest 'an answer is cut behind each octet' => sub {
    # the hash, then the epoch
    my $record = $redis->cmd('HGETALL', $store->name('key:' . key_record($key)->{digest}));
    my $epoch = $store->epoch;
    my $length = length(join '', '*' . @$record . "\r\n",
        map { '$' . length($_) . "\r\n$_\r\n" } @$record, $epoch);
    my $step = $ENV{GATE_LONG} ? 1 : 9;
    my @cuts = grep { $_ % $step == 0 || $_ > $length - 6 } 0 .. $length - 1;
    my (@wrong, $n);
    for my $octets (@cuts) {
        my $by = $octets % 2 ? 'rst' : 'fin';
        $n = defined $n ? ($n + 1) % $kBlocks : 0;
        wait_for(sub { is_good($n) }, 5) if @cuts > $kBlocks;
        sleep 1.1 if $n == 0 && $octets;
        $proxy->mode('cut', octets => $octets, by => $by, once => 1);
        my $said = ask($n);
        push @wrong, "$octets $by: $said" if $said ne '503 store_unavailable';
        $proxy->mode('pass');
        my $next = ask($n, $other);
        push @wrong, "$octets $by, then: $next" if $next ne "200 $id_of{$other}";
    }
    is_deeply \@wrong, [], @cuts . " cuts of $length octets: 503, and the next question has its own answer";
    $proxy->mode('cut', octets => $length, by => 'fin', once => 1);
    is ask(50), "200 $id_of{$key}", 'behind the last octet it is whole';
    $proxy->mode('pass');
};

subtest 'a login is cut behind each octet' => sub {
    wait_for(sub { !grep { !is_good($_) } 0 .. $kBlocks - 1 }, 10);
    sleep 1.1;
    my (@wrong, @cut);
    # +OK and what ROLE says of a master without replicas are 29 octets
    for my $octets (grep { $ENV{GATE_LONG} || $_ % 3 == 0 || $_ > 24 } 0 .. 28) {
        my $n = @cut;
        push @cut, $n;
        my $before = () = $proxy->events('end');
        $proxy->mode('cut', octets => $octets, by => $octets % 2 ? 'rst' : 'fin');
        my $said = ask($n);
        push @wrong, "$octets: $said" if $said !~ /\A503 /;
        # the connection of the question, and the one that was to come in its place
        wait_for(sub { (() = $proxy->events('end')) >= $before + 2 }) or push @wrong, "$octets: no second try";
        $proxy->mode('pass');
    }
    is_deeply \@wrong, [], 'nobody is let in';
    ok wait_for(sub { !grep { !is_good($_) } @cut }, 10), 'and every connection comes back';
};

subtest 'slow and late answers' => sub {
    wait_for(sub { !grep { !is_good($_) } 0 .. $kBlocks - 1 }, 10);
    sleep 1.1;
    $proxy->mode('drip', octets => 1, ms => 50, direction => 'down');
    my $begin = time;
    is ask(0), '503 store_timeout', 'one octet at a time: 503';
    my $took = time - $begin;
    ok $took > 0.45 && $took < 2, 'within the time-out for all of it' or diag $took;
    $proxy->mode('delay', ms => 800, direction => 'down');
    my @sockets = map { begin($_, $_ % 2 ? $key : $other) } 1 .. 20;
    is_deeply [map { finish($_) } @sockets], [('503 store_timeout') x 20], 'too late: 503';
    $proxy->mode('pass');
    my @wrong;
    for my $round (1 .. 10) {
        for my $n (1 .. 20) {
            my $whose = ($n + $round) % 2 ? $key : $other;
            my $said = ask($n, $whose);
            push @wrong, $said if $said ne "200 $id_of{$whose}" && $said !~ /\A503 /;
        }
    }
    is_deeply \@wrong, [], 'what came too late is nobody else\'s answer';
    ok wait_for(sub { !grep { !is_good($_) } 0 .. 20 }, 10), 'and all is well again';
    $proxy->mode('delay', ms => 100, direction => 'down');
    is_deeply [map { ask($_) } 30 .. 32], [("200 $id_of{$key}") x 3], 'a slow answer in time is an answer';
    $proxy->mode('pass');
};

subtest 'a connection that hangs' => sub {
    wait_for(sub { !grep { !is_good($_) } 0 .. $kBlocks - 1 }, 10);
    sleep 1.1;
    $proxy->mode('stall');
    my @sockets = map { begin($_, $key) } 0 .. 49;
    my @open = map { http_get('/open', port => $t->port)->status } 1 .. 200;
    my $late = grep { IO::Select->new($_)->can_read(0) } @sockets;
    is_deeply [grep { $_ != 204 } @open], [], 'an open location answers two hundred times';
    diag "$late of 50 were answered meanwhile" if $late;
    my %said;
    $said{ finish($_) }++ for @sockets;
    is_deeply \%said, { '503 store_timeout' => 50 }, 'those who wait: 503 in time';
    $proxy->mode('pass');
    ok wait_for(sub { !grep { !is_good($_) } 0 .. 49 }, 10), 'and right when it goes on';
};
ok $t->stop, 'stops';

# ---- how often it tries, and what finds a dead connection

$locations = 'location / { gate key=k; empty_gif; }';
start('gate_redis r { server 127.0.0.1:%%PORT_redis%%; timeout 300ms; keepalive 500ms; } '
    . 'gate_keys k { redis r; prefix acme_; }');
ok wait_for(sub { is_good('') }), 'one connection';

for my $mode (qw(refuse rst fin)) {
    subtest $mode => sub {
        plan skip_all => 'only root sees what the kernel refuses' if $mode eq 'refuse' && !Gate::ChaosProxy::sees_refused();
        $proxy->clear;
        $proxy->mode($mode);
        my ($end, %said) = (time + 4.5);
        while (time < $end) {
            $said{ ask('') }++;
            sleep 0.01;
        }
        is_deeply [grep { !/\A503 / } keys %said], [], 'all are refused' or diag explain \%said;
        my @attempts = $proxy->attempts;
        my @distances = map { $attempts[$_] - $attempts[$_ - 1] } 1 .. $#attempts;
        cmp_ok scalar(@attempts), '>=', 3, 'it keeps trying';
        is_deeply [grep { $_ < 0.98 } @distances], [], 'no more often than once a second, whoever asks';
        $proxy->mode('pass');
        ok wait_for(sub { is_good('') }, 4), 'and comes back';
    };
}

subtest 'an idle connection that is dead' => sub {
    $proxy->mode('stall');
    ok wait_for(sub { $t->error_log =~ /cannot be used: no answer to ROLE within timeout/ }, 10), 'is found by ROLE';
    $proxy->mode('pass');
    ok wait_for(sub { is_good('') }, 5), 'and replaced';
};

done_testing;
