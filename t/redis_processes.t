# However many workers there are, each has one connection to Redis and one of them follows, and what is
# revoked is refused by all within a second. Without a free descriptor or connection Redis cannot be
# asked: 503, until there is one again.
use lib 't/lib';
use Gate::Test;

use IO::Socket::INET;
use Time::HiRes qw(time);

use Gate::KeyRecord;
use Gate::Redis;

local $SIG{PIPE} = 'IGNORE';
my $issuer = 'https://idp.example.com';
my $http = <<'END';
    gate_redis main { server 127.0.0.1:%%PORT_redis%%; keepalive 30s; }
    gate_keys partners { redis main; prefix acme_; }
    gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
    gate_revocation redis=main;
    server {
        listen 127.0.0.1:%%PORT%% %%LISTEN%%;
        keepalive_timeout 60s;
        location / { gate jwt=corp key=partners; add_header X-Worker $pid; add_header X-Reason $gate_reason always; empty_gif; }
    }
END

# An nginx of so many workers before a Redis that holds one key.
sub fleet {
    my ($workers, %opt) = @_;
    my $t = Gate::Test->new(workers => $workers);
    my $redis = Gate::Redis->new(test => $t)->start;
    my $store = Gate::KeyRecord->new($redis)->set_up;
    $t->{ports}{redis} = $redis->port;
    $t->write_jwks('keys.jwks', 'rs');
    $t->start($http, vars => { LISTEN => $opt{listen} // '' }, %opt);
    wait_for(sub { answer($t, token('warm')) eq '200 ' }, 10) or die 'not loaded';
    return ($t, $redis, $store);
}

sub token { return (Authorization => 'Bearer ' . mint(claims => { jti => $_[0] })); }
sub response { my ($t, @headers) = @_; return http_get('/', port => $t->port, headers => [@headers]); }
sub answer {
    my ($t, @headers) = @_;
    my $response = response($t, @headers);
    return $response->status . ' ' . ($response->header('X-Reason') // '');
}

for my $case ([1], [2, listen => 'reuseport'], [4, events => 'accept_mutex on;'],
    $ENV{GATE_LONG} ? ([16, listen => 'reuseport'], [64]) : [16]) {
    my ($workers, %opt) = @$case;
    subtest "workers: @$case" => sub {
        my ($t, $redis, $store) = fleet($workers, %opt);
        my $gate = sub { return grep { ($_->{name} // '') =~ /\Anginx-gate-/ } $redis->clients; };
        ok wait_for(sub { $gate->() == $workers + 1 }), 'a connection for each worker, and one to follow'
            or diag scalar(() = $gate->());
        my @mine = token('gone');
        my (%seen, $answers);
        wait_for(sub { my $r = response($t, @mine); $seen{ $r->header('X-Worker') // '' }++; ++$answers >= 40 * $workers
            || keys %seen == $workers }, 10);
        $store->revoke('jti', $issuer, 'gone');
        my $begin = time;
        wait_for(sub { answer($t, @mine) eq '401 revoked' }, 1);
        # one that any worker still lets in would show among so many
        my %said;
        $said{ answer($t, @mine) }++ for 1 .. 20 * $workers;
        is_deeply [keys %said], ['401 revoked'], 'revoked for all of ' . keys(%seen) . ' workers seen';
        ok $t->reload, 'reload';
        ok wait_for(sub { $gate->() == $workers + 1 }, 15), 'the old workers\' connections end'
            or diag scalar(() = $gate->());
        ok $t->stop, 'stops';
        ok wait_for(sub { !$gate->() }), 'all of them';
    };
}

subtest 'the one that follows cannot connect' => sub {
    my ($t, $redis, $store) = fleet(2);
    my $pid_of = sub { return ($_[0]{name} // '') =~ /\Anginx-gate-.*?(\d+)\z/ ? $1 : 0; };
    my $follower = sub {
        my ($client) = grep { ($_->{cmd} // '') =~ /\Axread/ } $redis->clients;
        return $client ? $pid_of->($client) : 0;
    };
    my $first = wait_for($follower);
    ok((grep { $_ == $first } $t->workers), 'a worker');
    ok wait_for(sub {
        for my $client (grep { $pid_of->($_) == $first } $redis->clients) {
            $redis->try_cmd('CLIENT', 'KILL', 'ID', $client->{id});
        }
        my $now = $follower->();
        return $now && $now != $first;
    }, 20), 'lets another follow';
    $store->revoke('jti', $issuer, 'meanwhile');
    ok wait_for(sub { answer($t, token('meanwhile')) eq '401 revoked' }), 'who does';
    ok $t->stop, 'stops';
};

my %short = (
    'descriptors' => { main => 'worker_rlimit_nofile 64;', count => 64,
        allow => qr/\(24: Too many open files\)/ },
    'connections' => { count => 512, allow => qr/512 worker_connections are not enough/ },
);
for my $what (sort keys %short) {
    subtest "no $what left" => sub {
        my %of = %{ $short{$what} };
        my ($t, $redis, $store) = fleet(1, $of{main} ? (main => $of{main}) : ());
        $t->allow($of{allow});
        my @keys = map { my $key = api_key('acme_'); $store->put($key); $key } 1 .. 3;
        # A request that has begun: nginx would close an idle connection where it needs one.
        my $begin = sub {
            my ($key) = @_;
            my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port) or die "connect: $!";
            print {$socket} substr request_bytes('GET', '/', headers => ['X-API-Key' => $key]), 0, -2;
            $socket->flush;
            return $socket;
        };
        my $finish = sub {
            my ($socket) = @_;
            print {$socket} "\r\n";
            $socket->flush;
            return http_raw('', socket => $socket, count => 1, methods => ['GET'])->status;
        };
        my @mine = map { $begin->($_) } @keys;
        is $finish->($begin->($keys[0])), 200, 'while there are some';
        my @others = map { $begin->('x') } 1 .. $of{count};
        ok wait_for(sub { $t->error_log =~ $of{allow} }), 'they are used up';
        is $finish->($mine[1]), 200, 'the connection that is there is kept and used';
        ok wait_for(sub {
            $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal');
            push @others, $begin->('x') for 1 .. 3;    # in its place
            return $t->error_log =~ /cannot be used: connect\(\) failed: \S/;
        }, 10), 'no other can be made' or diag $t->error_log =~ s/.*notice.*\n//gr;
        is $finish->($mine[2]), 503, 'what needs one: 503';
        @others = @mine = ();
        ok wait_for(sub { answer($t, 'X-API-Key' => $keys[2]) eq '200 ' }, 10), 'until there are some again';
        is answer($t, token('other')), '200 ', 'tokens too';
        ok $t->stop, 'stops';
    };
}

done_testing;
