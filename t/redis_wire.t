# What a Redis server may send that is no answer: each case of the vectors, in place of the record,
# of the epoch behind it, and of both. Nobody is let in, the connection is not used again, and the
# next question on a new one is answered right.
use lib 't/lib';
use Gate::Test;

use Time::HiRes qw(time sleep);

use Gate::FakeRedis;

my $cases = vectors('own/redis_wire.json');
plan skip_all => 'no vectors' if !$cases;
my @cases = grep { !grep { exists $_->{dns} } @{ $_->{steps} } } @{ $cases->{tests} };
my @ways = qw(first second both);
# Every case its own client: none waits for another's back-off. The short form plays them one way
# each, turn about.
my @plays = map { my $n = $_; map { [$cases[$n], $_] }
    $ENV{GATE_LONG} ? @ways : $ways[$n % 3] } 0 .. $#cases;

my $t = Gate::Test->new;
my %records;
my @keys = map { api_key('acme_') } 1 .. 3;
for my $key (@keys) {
    my $record = key_record($key);
    $records{"gate:key:$record->{digest}"} = [v => 1, map { ($_ => "$record->{$_}") }
        grep { !ref $record->{$_} && $_ ne 'v' } sort keys %$record];
}
my $fake = Gate::FakeRedis->start(test => $t, epoch => 'e1', data => \%records);
$t->{ports}{redis} = $fake->port;

# Without a zone nothing is remembered from one request to the next.
my $blocks = join "\n", map { <<"EOF" } 0 .. $#plays;
gate_redis r$_ { server 127.0.0.1:%%PORT_redis%%; timeout 200ms; connect_timeout 500ms; }
gate_keys k$_ { redis r$_; prefix acme_; }
EOF
my $locations = join "\n", map {"location /$_/ { gate key=k$_; empty_gif; }"} 0 .. $#plays;
$t->start("$blocks server { listen 127.0.0.1:%%PORT%%; add_header X-Reason \$gate_reason always; $locations }",
    zone => '');

sub ask {
    my ($n, $key) = @_;
    my $answer = http_get("/$n/", port => $t->port, headers => ['X-API-Key' => $key]);
    return $answer->status . ' ' . ($answer->header('X-Reason') // '');
}

ok wait_for(sub { $fake->open_connections == @plays }), 'each client is connected';
is_deeply [grep { ask($_, $keys[2]) ne '200 ' } 0 .. $#plays], [], 'and knows its store';
my $ready = time;
# The back-off counts from the last try: from now on each may try once at once.
sleep 0.05 while time < $ready + 1.1;

# What a case may end in. Some replies are good ones for one of the two questions.
my $either = qr/\A(?:200 \z|503 )/;
my %good = (normal => $either, 'first answer or 503' => $either);
my ($worker) = $t->workers;
sub resident { return slurp("/proc/$worker/status") =~ /^VmRSS:\s+(\d+) kB/m ? $1 : undef; }
my $resident = resident();
my $slowest = 0;
for my $n (0 .. $#plays) {
    my ($case, $way) = @{ $plays[$n] };
    $fake->play_wire($case, exchange => $way);
    my $begin = time;
    my $got = ask($n, $keys[0]);
    my $took = time - $begin;
    $slowest = $took if $took > $slowest;
    my $expected = $good{ $case->{expect} } // qr/\A503 /;
    like $got, $expected, "$case->{id}, $way";
    $fake->forget;
    $fake->proceed;
    $fake->allow;
    ok wait_for(sub { ask($n, $keys[1]) eq '200 ' }, 5), 'then a good answer counts';
}
SKIP: {
    skip('memory counts only in a worker as it is', 1) if !defined $resident || $ENV{GATE_ASAN} || $ENV{GATE_VALGRIND};
    my $growth = resident() - $resident;
    cmp_ok $growth, '<', 1024, "no script takes memory for good: $growth KiB for all " . @plays;
}
cmp_ok $slowest, '<', 2, "each within the time-out ($slowest s at most)";

done_testing;
