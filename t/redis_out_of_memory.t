# Memory that runs short while requests wait for Redis: nobody is let in by it, nobody gets another's
# answer or none, the worker lives, and afterwards all is as before.
use lib 't/lib';
use Gate::Test;

use IO::Socket::INET;
use Time::HiRes qw(time);

use Gate::KeyRecord;
use Gate::Redis;
use Gate::Shortage;

plan skip_all => 'the address sanitizer has a malloc of its own' if $ENV{GATE_ASAN} || $ENV{GATE_VALGRIND};

my $kAtOnce = 12;
my $kPatience = 3;     # seconds for an answer; timeout is 300 ms

my $t = Gate::Test->new(log_level => 'notice');
my $shortage = Gate::Shortage->new($t);
my $redis = Gate::Redis->new(test => $t)->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
my (%id_of, @known);
for (1 .. $kAtOnce) {
    my $key = api_key('acme_');
    $id_of{$key} = $store->put($key)->{id};
    push @known, $key;
}
{
    local %ENV = (%ENV, $shortage->environment);
    # Without a zone each request asks.
    $t->start(<<"END", zone => '');
        gate_redis main { server @{[$redis->address]}; timeout 300ms; }
        gate_keys partners { redis main; prefix acme_; }
        server {
            listen 127.0.0.1:%%PORT%%;
            location / { gate key=partners; add_header X-Key \$gate_key_id always; add_header X-Reason \$gate_reason always; empty_gif; }
        }
END
}
my ($worker) = wait_for(sub { ($t->workers)[0] });

sub connected {
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port) || die "connect: $!";
}
sub begin {
    my ($key, $socket) = @_;
    $socket //= connected();
    print {$socket} request_bytes('GET', '/', headers => ['X-API-Key' => $key]);
    $socket->flush;
    return [$key, $socket];
}
# Where there is no memory for a connection or a header nginx closes without a word.
my %allowed = map { $_ => 1 } 500, 503, 0;
our (%seen, @wrong);
sub judge {
    my ($key, $socket) = @{ $_[0] };
    my $began = time;
    my $answer = http_raw('', socket => $socket, count => 1, methods => ['GET'], timeout => $kPatience);
    my $status = $answer->status || 0;
    my $id = $answer->header('X-Key') // '';
    $seen{$status}++;
    my $good = $id_of{$key} ? $status == 200 && $id eq $id_of{$key} : $status == 401 && $id eq '';
    push @wrong, "$status $id " . ($answer->header("X-Reason") // "") . " for " . ($id_of{$key} // 'a stranger') if !$good && !($allowed{$status} && ($id eq '' || $id eq ($id_of{$key} // '')));
    push @wrong, 'no answer' if time - $began >= $kPatience;
    return;
}
sub crowd { return map { ($known[$_], api_key('acme_')) } 0 .. $kAtOnce - 1; }
sub well {
    return wait_for(sub {
        local (%seen, @wrong);
        judge(begin($_)) for $known[0], api_key('acme_');
        return !@wrong && ($seen{200} // 0) == 1 && ($seen{401} // 0) == 1;
    }, 10);
}
ok well(), 'all is well';

# ---- each single allocation, the connection and its login among them

for my $case (['a known key', sub { $known[0] }], ['an unknown key', sub { api_key('acme_') }]) {
    my ($what, $key) = @$case;
    my $failures = 0;
    (%seen, @wrong) = ();
    for my $number (1 .. 2000) {
        my $socket = connected();
        $shortage->fail_at($number);
        judge(begin($key->(), $socket));
        last if !$shortage->end;
        ++$failures;
        well() or last;    # without a connection nothing waits
    }
    cmp_ok $failures, '>', 5, "$what: $failures allocations failed";
    is_deeply \@wrong, [], "$what: no wrong answer";
    note "$what: ", join ', ', map {"$_ $seen{$_} times"} sort keys %seen;
    ok well(), "$what: and then all is well";
}

# ---- each n-th one while many wait

my $total = 0;
(%seen, @wrong) = ();
for my $each (3, 5, 7, 11, 17, 29, 41, 53, 97, 151, 211, 307, 401, 503) {
    for (1 .. 3) {
        my @asked = map { begin($_) } crowd();
        $shortage->fail_each($each);
        judge($_) for @asked;
        $total += $shortage->end;
    }
    # At last the connection as well: it comes back in the shortage, or behind it.
    $shortage->fail_each($each);
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    judge(begin($_)) for crowd();
    $total += $shortage->end;
    ok well(), "each $each-th: afterwards all is well";
}
cmp_ok $total, '>', 200, "$total allocations failed";
is_deeply \@wrong, [], 'while many wait: no wrong answer';
note 'many: ', join ', ', map {"$_ $seen{$_} times"} sort keys %seen;
is_deeply [$t->workers], [$worker], 'the worker lives';

done_testing;
