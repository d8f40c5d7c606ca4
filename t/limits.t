# gate_limit: who is counted, what the answers say, and that limits are exact whatever workers,
# clocks and reloads do.

use lib 't/lib';
use Gate::Config;
use Gate::Crowd ();
use Gate::Test;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Storable ();
use Time::HiRes qw(sleep time);

my $corp = 'gate_issuer corp { issuer https://idp.example.com; jwks_file corp.jwks; audience orders; }';
my $partner = 'gate_keys partner { file keys.json; prefix p_; }';

sub bearer { my (%claims) = @_; return ('Authorization', 'Bearer ' . mint(claims => {%claims})); }

subtest 'wrong lines' => sub {
    config_test();
    my $line = sub { return in_server("gate jwt=corp; $_[0]"); };
    my $forms = 'expected a rate such as 10r/s, 90r/m, 1000r/h or 5r/d (at most 1000000r/s), or a $variable';
    refused("rate=$_", $line->("gate_limit rate=$_;"),
        qq{"gate_limit" has an unknown value "rate=$_"; $forms in nginx.conf:2})
        for '10', '0r/s', '10r/w', '-1r/s', '1000001r/s', '1.5r/s';
    refused('no rate', $line->('gate_limit burst=5;'), '"gate_limit" needs rate=, such as rate=10r/s in nginx.conf:2');
    refused("burst=$_", $line->("gate_limit rate=1r/s burst=$_;"),
        qq{"gate_limit" has an unknown value "burst=$_"; expected burst=1 to burst=1000000 in nginx.conf:2})
        for '0', 'x', '1000001', '5x', '-1';
    refused('twice', $line->('gate_limit rate=1r/s rate=2r/s;'), '"gate_limit" has rate= twice in nginx.conf:2');
    refused('a constant key', $line->('gate_limit rate=1r/s key=all;'), '"gate_limit" has an unknown value "key=all"; '
        . 'expected key= with a $variable; without key= each client is counted in nginx.conf:2');
    refused('an unknown word', $line->('gate_limit rate=1r/s nodelay;'), '"gate_limit" has an unknown value "nodelay"; '
        . 'expected rate=, burst= and key=, or off alone in nginx.conf:2');
    refused('off beside a line', $line->("gate_limit rate=1r/s;\ngate_limit off;"),
        '"gate_limit" says off beside another such line of the same level in nginx.conf:3');
    refused('a line beside off', $line->("gate_limit off;\ngate_limit rate=1r/s;"),
        '"gate_limit" says off beside another such line of the same level in nginx.conf:3');
    refused('an unknown failure key', $line->('gate_fail_limit rate=1r/s key=address,agent;'), '"gate_fail_limit" has an '
        . 'unknown value "key=agent"; expected address, username or a $variable in nginx.conf:2');
    my $nothing = 'stands where no gate is in force, so nothing would be counted; write "gate jwt;" or "gate key;" there';
    refused('without a gate', in_server('gate_limit rate=1r/s;'), qq{"gate_limit" $nothing in nginx.conf:2});
    refused('failures without a gate', in_server('gate_fail_limit rate=1r/s;'), qq{"gate_fail_limit" $nothing in nginx.conf:2});
    refused('under gate off', $line->("location /x { gate off;\ngate_limit rate=1r/s; }"), qq{"gate_limit" $nothing in nginx.conf:3});
    refused('without a zone', '# no gate_zone' . "\n" . $line->('gate_limit rate=1r/s;'),
        '"gate_limit" needs shared memory to count in; write "gate_zone gate:64m;" at http level in nginx.conf:3');
    warned('good lines', $line->('gate_limit rate=10r/s burst=20; gate_limit rate=$arg_r key=$arg_k; '
        . 'gate_fail_limit rate=5r/m key=address,$arg_u; location /off { gate_limit off; gate_fail_limit off; } '
        . 'location /open { gate off; } location /own { limit_except GET { gate off; } }'));
};

my $t = Gate::Test->new(workers => 4);
my @keys = map { api_key('p_') } 1 .. 100;
my ($slow, $burst) = (api_key('p_'), api_key('p_'));
$t->write_jwks('corp.jwks', 'rs');
$t->write_file('keys.json', key_file((map { key_record($_) } @keys),
    key_record($slow, rate => '2r/h'), key_record($burst, burst => 7)));

my $config = <<"EOF2";
$corp $partner
map \$arg_plan \$rate { gold 3r/m; silver 1r/m; }
server {
    @{[Gate::Crowd::lines()]}
    %%EXTRA%%
    location = /open { return 204; }
    location / { root %%DIR%%; }
    location /exact/ { gate key=partner; gate_limit rate=4r/s burst=10; empty_gif; }
    location /record/ { gate key=partner; gate_limit rate=3r/h; empty_gif; }
    location /subject/ { gate jwt=corp optional; gate_limit rate=2r/h; empty_gif; }
    location /value/ { gate jwt=corp; gate_limit rate=2r/h key=\$arg_k; empty_gif; }
    location /plan/ { gate jwt=corp; gate_limit rate=\$rate; empty_gif; }
    location /both/ { gate jwt=corp; gate_limit rate=5r/h key=\$arg_a; gate_limit rate=2r/h key=\$arg_b; empty_gif;
        location /both/off/ { gate_limit off; empty_gif; }
        location /both/open/ { gate off; empty_gif; }
        location /both/own/ { gate_limit rate=1r/h; empty_gif; } }
    location /dry/ { gate jwt=corp; gate_limit rate=1r/h; gate_dry_run on; empty_gif; }
    location /chain/ { gate jwt=corp; gate_limit rate=2r/h; try_files \$uri /chain2/x; }
    location /chain2/ { gate jwt=corp; gate_limit rate=2r/h; empty_gif; }
    location /quick/ { gate jwt=corp; gate_limit rate=30r/m burst=2; empty_gif; }
    location /hour/ { gate jwt=corp; gate_limit rate=3r/h; empty_gif; }
    location /denied/ { gate jwt=corp; gate_limit rate=2r/h; gate_require_scope none; empty_gif; }
}
EOF2
sub configure { my ($extra) = @_; return $t->write_config($config =~ s/%%EXTRA%%/$extra/r); }
configure('');

# What a clock set by somebody does is tried with libfaketime, which changes the wall clock only.
my ($faketime) = glob '/usr/lib/*/faketime/libfaketime.so.1';
$t->write_file('clock', "+0\n");
if ($faketime && !$ENV{GATE_ASAN}) {
    $t->write_config($config =~ s/%%EXTRA%%//r, main => 'env LD_PRELOAD; env FAKETIME_TIMESTAMP_FILE; '
        . 'env FAKETIME_NO_CACHE; env FAKETIME_DONT_FAKE_MONOTONIC; env DONT_FAKE_MONOTONIC;');
    local @ENV{qw(LD_PRELOAD FAKETIME_TIMESTAMP_FILE FAKETIME_NO_CACHE FAKETIME_DONT_FAKE_MONOTONIC DONT_FAKE_MONOTONIC)}
        = ($faketime, $t->dir . '/clock', 1, 1, 1);
    $t->start;
} else {
    $t->start;
}

sub answers { my ($count, $uri, @headers) = @_; return join ' ', map { http_get($uri, headers => [@headers])->status } 1 .. $count; }

subtest 'what the answers say' => sub {
    my @who = bearer(sub => 'said');
    my $first = http_get('/quick/', headers => [@who]);
    is_deeply [map { $first->header("RateLimit-$_") } qw(Limit Remaining Reset)], [2, 1, 2], 'the first of two';
    is $first->header('Retry-After'), undef, 'no Retry-After';
    my $second = http_get('/quick/', headers => [@who]);
    is_deeply [map { $second->header("RateLimit-$_") } qw(Limit Remaining Reset)], [2, 0, 4], 'the second';
    my $refused = http_get('/quick/', headers => [@who]);
    is $refused->status, 429, 'the third is refused';
    is_deeply [map { $refused->header("RateLimit-$_") } qw(Limit Remaining)], [2, 0], 'nothing left';
    is $refused->header('Retry-After'), 2, 'two seconds';
    is $refused->header('Cache-Control'), 'no-store', 'not to be stored';
    is $refused->header('WWW-Authenticate'), undef, 'no challenge';
    is $refused->json->{status}, 429, 'problem+json';
    ok wait_for(sub { $t->error_log =~ /deny reason=rate_limited .*status=429/ }), 'in the log';
    sleep $refused->header('Retry-After');
    is answers(1, '/quick/', @who), 200, 'Retry-After is honest';
    is http_get('/open')->header('RateLimit-Limit'), undef, 'no such headers elsewhere';
};

subtest 'who is counted' => sub {
    is answers(3, '/subject/', bearer(sub => 'a')), '200 200 429', 'a subject';
    is answers(1, '/subject/', bearer(sub => 'a', jti => 'other')), '429', 'with another token';
    is answers(3, '/subject/', bearer(sub => 'b')), '200 200 429', 'another subject';
    is answers(3, '/subject/'), '200 200 429', 'the address, when anonymous';
    is answers(1, '/subject/', bearer(sub => undef, client_id => 'c')), '200', 'the client of a token without subject';
    is answers(1, '/subject/', bearer(sub => undef)), '429', 'the address of one without either';
    is answers(3, '/value/?k=x', bearer()), '200 200 429', 'a value';
    is answers(1, '/value/?k=y', bearer()), '200', 'another value';
    is answers(5, '/value/', bearer()), '200 200 200 200 200', 'an empty one is not counted';
    is answers(1, '/subject/', 'Authorization', 'Bearer x'), '401', 'a bad token is a bad token';
    is answers(4, '/denied/', bearer(sub => 'd')), '403 403 403 403', 'what is refused is not charged';
};

subtest 'rates of keys' => sub {
    is answers(4, '/record/', 'X-API-Key', $keys[0]), '200 200 200 429', "the directive's";
    is answers(3, '/record/', 'X-API-Key', $slow), '200 200 429', "the record's";
    my $response = http_get('/record/', headers => ['X-API-Key', $slow]);
    is $response->header('RateLimit-Limit'), 2, 'which the answer names';
    cmp_ok $response->header('Retry-After'), '>', 1700, 'half an hour';
    is answers(8, '/record/', 'X-API-Key', $burst), '200 200 200 200 200 200 200 429', 'the burst alone';
};

subtest 'rates from variables' => sub {
    is answers(4, '/plan/?plan=gold', bearer(sub => 'gold')), '200 200 200 429', 'gold';
    is answers(2, '/plan/?plan=silver', bearer(sub => 'silver')), '200 429', 'silver';
    $t->mark;
    is answers(1, '/plan/?plan=tin', bearer(sub => 'tin')), '429', 'no rate: refused';
    ok wait_for(sub { $t->log_since_mark =~ /gate_limit in \S+nginx\.conf:\d+: "" is no rate; the request is refused/ }),
        'and the log says why' or diag $t->log_since_mark;
};

subtest 'several lines, levels and redirects' => sub {
    my @who = bearer(sub => 'several');
    is answers(3, '/both/?a=1&b=1', @who), '200 200 429', 'the narrower one refuses';
    is answers(4, '/both/?a=1', @who), '200 200 200 429', 'and what it refused was not charged to the other';
    is answers(3, '/both/off/?a=1&b=1', @who), '200 200 200', 'off';
    is answers(2, '/both/open/?a=1&b=1'), '200 200', 'gate off drops limits';
    is answers(2, '/both/own/?a=1&b=1', bearer(sub => 'own')), '200 429', 'a level replaces what it inherits';
    is answers(3, '/chain/x', bearer(sub => 'chain')), '200 200 429', 'a redirected request is charged once';
    is answers(2, '/chain2/x', bearer(sub => 'chain')), '200 200', 'where it came in';
    $t->mark;
    my @dry = map { http_get('/dry/', headers => [bearer(sub => 'dry')]) } 1 .. 2;
    is join(' ', map { $_->status } @dry), '200 200', 'a dry run lets pass';
    is $dry[0]->header('RateLimit-Limit'), undef, 'and says nothing';
    ok wait_for(sub { $t->log_since_mark =~ /would deny reason=rate_limited/ }), 'but to the log';
};

subtest 'a stepped clock' => sub {
    plan skip_all => 'not under AddressSanitizer' if $ENV{GATE_ASAN};
    ok $faketime, 'libfaketime is there' or return;
    # Tokens outlive all steps.
    my @who = bearer(sub => 'clock', exp => time + 86400, iat => time - 86400);
    my $date = sub { return http_get('/open')->header('Date'); };
    my $before = $date->();
    is answers(4, '/hour/', @who), '200 200 200 429', 'three an hour';
    for my $step ('+3600', '-3600') {
        $t->write_file('clock', "$step\n");
        ok wait_for(sub { substr($date->(), 17, 2) ne substr $before, 17, 2 }, 5), "the clock is stepped by $step s";
        is answers(1, '/hour/', @who), '429', 'nothing is refilled';
        my @quick = bearer(sub => "quick$step", exp => time + 86400, iat => time - 86400);
        is answers(3, '/quick/', @quick), '200 200 429', 'a new client';
        sleep 2.1;
        is answers(2, '/quick/', @quick), '200 429', 'is not locked out';
    }
    $t->write_file('clock', "+0\n");
    ok wait_for(sub { substr($date->(), 17, 2) eq substr $before, 17, 2 }, 5), 'and back';
    is answers(1, '/hour/', @who), '429', 'still nothing';
};

subtest 'a reload keeps the buckets' => sub {
    my @who = bearer(sub => 'reload');
    is answers(4, '/hour/', @who), '200 200 200 429', 'three an hour';
    configure("location /new/ { gate jwt=corp; gate_limit rate=9r/s; empty_gif; }\n\n");
    ok $t->reload, 'another configuration';
    is answers(1, '/new/', @who), '200', 'is in force';
    is answers(1, '/hour/', @who), '429', 'nothing is refilled';
};

# 64 connections ask for 100 keys, as fast as they can. For each key: when the first and the last
# attempt were sent and answered, and how many passed.
sub load {
    my ($seconds, $connections, $keys) = @_;
    my $until = time + $seconds;
    my @open = map {
        { socket => IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port, Timeout => 5) || die "connect: $!" }
    } 1 .. $connections;
    my %by = map { fileno($_->{socket}) => $_ } @open;
    my $select = IO::Select->new(map { $_->{socket} } @open);
    my (%seen, %other);
    my $next = int rand @$keys;
    my $ask = sub {
        my ($connection) = @_;
        my $key = $connection->{key} = $next++ % @$keys;
        my $now = time;
        $seen{$key}{sent_first} //= $now;
        $seen{$key}{sent_last} = $now;
        syswrite $connection->{socket}, "GET /exact/ HTTP/1.1\r\nHost: x\r\nX-API-Key: $keys->[$key]\r\n\r\n";
        $connection->{input} = '';
    };
    $ask->($_) for @open;
    my $waiting = @open;
    while ($waiting) {
        for my $socket ($select->can_read(5)) {
            my $connection = $by{ fileno $socket };
            sysread $socket, $connection->{input}, 65536, length $connection->{input} or die 'connection lost';
            next if $connection->{input} !~ /\r\n\r\n/;
            my ($status) = $connection->{input} =~ m{\AHTTP/1.1 (\d+)};
            my ($length) = $connection->{input} =~ /\r\nContent-Length: (\d+)/i;
            next if length($connection->{input}) < index($connection->{input}, "\r\n\r\n") + 4 + $length;
            my $one = $seen{ $connection->{key} };
            my $now = time;
            $one->{got_first} //= $now;
            $one->{got_last} = $now;
            $one->{passed}++ if $status == 200;
            $other{$status}++ if $status !~ /200|429/;
            if (time < $until) { $ask->($connection) } else { $waiting--; $select->remove($socket) }
        }
    }
    return { seen => \%seen, other => \%other };
}

subtest '4 workers, 64 connections, 100 keys at once' => sub {
    my $seconds = $ENV{GATE_ASAN} ? 4 : 10;
    my @pids;
    for my $client (1 .. 2) {
        defined(my $pid = fork) or die "fork: $!";
        if ($pid == 0) {
            Storable::store(load($seconds, 32, \@keys), $t->dir . "/load.$client");
            POSIX::_exit(0);
        }
        push @pids, $pid;
    }
    waitpid $_, 0 for @pids;
    my @parts = map { Storable::retrieve($t->dir . "/load.$_") } 1, 2;
    is_deeply [map { $_->{other} } @parts], [{}, {}], 'no other answers';
    my ($wrong, $sum) = ('', 0);
    for my $key (0 .. $#keys) {
        my @seen = grep { defined } map { $_->{seen}{$key} } @parts;
        my $least = sub { my ($field) = @_; return (sort { $a <=> $b } map { $_->{$field} } @seen)[0]; };
        my $most = sub { my ($field) = @_; return (sort { $b <=> $a } map { $_->{$field} } @seen)[0]; };
        my $passed = 0;
        $passed += $_->{passed} // 0 for @seen;
        $sum += $passed;
        # The bucket's own time lies between these two, and attempts stop a moment before the end.
        my $short = $most->('sent_last') - $least->('got_first');
        my $long = $most->('got_last') - $least->('sent_first');
        my ($low, $high) = (10 + int(4 * $short) - 1, 10 + int(4 * $long) + 1);
        $wrong .= "key $key: $passed passed, expected $low to $high\n" if $passed < $low || $passed > $high;
    }
    is $wrong, '', "each passed burst + rate x time, $sum in all";
    my $pids = () = $t->workers;
    is $pids, 4, 'of 4 workers';
};

done_testing();
