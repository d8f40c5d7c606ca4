# A flood of distinct valid tokens, ten times what the zone keeps, beside tokens that are asked for
# all the time and tokens that are revoked: no request fails, the busy tokens stay known, and no
# revoked one is let in. GATE_LONG=1: a larger zone, 10,000 revoked tokens, at least 60 s.

use lib 't/lib';
use Gate::Test;
use Gate::Cache;
use Crypt::Mac::HMAC qw(hmac);
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

my $long = $ENV{GATE_LONG};
my $zone = $long ? '2m' : '1m';
my $capacity = $long ? 10_000 : 4_500;    # verdicts that such a zone has room for, rounded up
my $flood_size = 10 * $capacity;
my $seconds = $long ? 60 : 0;
my $hot_count = 1000;
my $revoked_count = $long ? 10_000 : 3_000;
my $secret = 'a secret of the flood, more than 32 octets';

my $t = Gate::Test->new(workers => 2, log_level => 'notice');
$t->write_file('secret', "$secret\n");
my $issuer = 'https://idp.example.com';
my $now = time;
sub line { return journal_line('jti', $issuer, "revoked$_[0]"); }
$t->write_file('revoked', join '', map { line($_) } 1 .. $revoked_count / 2);
my $says = says();
$t->start(<<"EOF", zone => "gate:$zone");
$says
keepalive_requests 100000000;
keepalive_timeout 300s;
access_log off;
gate_log_level info;
gate_revocation file=%%DIR%%/revoked;
gate_issuer corp { issuer $issuer; key secret_file=%%DIR%%/secret; algorithms HS256; audience orders; }
server { listen 127.0.0.1:%%PORT%%; gate jwt=corp; location / { empty_gif; } }
EOF

# Every tenth brings a kid of its own.
sub token {
    my ($id) = @_;
    my $kid = $id =~ /0\z/ ? qq(,"kid":"kid-$id") : '';
    my $input = encode_base64url(qq({"alg":"HS256","typ":"JWT"$kid})) . '.'
        . encode_base64url(qq({"iss":"$issuer","aud":"orders","sub":"user-$id","scope":"orders:read",)
            . sprintf '"iat":%d,"exp":%d,"jti":"%s"}', $now - 10, $now + 3600, $id);
    return "$input." . encode_base64url(hmac('SHA256', $secret, $input));
}

my @hot = map { token("hot$_") } 1 .. $hot_count;
my @revoked = map { token("revoked$_") } 1 .. $revoked_count;

# Anew from time to time: nginx keeps a little memory for each pipelined request of a connection.
sub connections {
    return map {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port, Proto => 'tcp') or die "connect: $!"
    } 1 .. 4;
}

# Asks for all these tokens, in batches; counts the answers.
sub ask_all {
    my ($sockets, $tokens, $count) = @_;
    for (my $i = 0; $i < @$tokens; $i += 50) {
        my $last = $i + 49 < $#$tokens ? $i + 49 : $#$tokens;
        push @$sockets, my $socket = shift @$sockets;
        ++$count->{$_} for heads($socket, map { ['/', $_] } @$tokens[$i .. $last]);
    }
    return $count;
}

# A client process whose counts are in a file when it ends; body->(go on?, counts).
sub client {
    my ($name, $body) = @_;
    defined(my $pid = fork) or die "fork: $!";
    return $pid if $pid;
    my $stop = 0;
    local $SIG{TERM} = sub { $stop = 1 };
    my %count;
    $body->(sub { !$stop }, \%count);
    open my $out, '>', $t->dir . "/$name.json" or POSIX::_exit(1);
    print {$out} json(\%count);
    close $out;
    POSIX::_exit(0);
}

sub counted { return JSON::PP->new->decode(slurp($t->dir . "/$_[0].json") || '{}'); }
sub memory { return (sort { $b <=> $a } map { slurp("/proc/$_/status") =~ /^RssAnon:\s+(\d+)/m } $t->workers)[0]; }

# ---- before
my @sockets = connections();
is_deeply ask_all(\@sockets, \@hot, {}), { '200 MISS' => $hot_count }, 'tokens that will be busy';
is_deeply ask_all(\@sockets, \@hot, {}), { '200 HIT' => $hot_count }, 'are known';
my ($early, $late) = ([@revoked[0 .. $revoked_count / 2 - 1]], [@revoked[$revoked_count / 2 .. $#revoked]]);
is_deeply ask_all(\@sockets, $early, {}), { '401 revoked' => scalar @$early }, 'revoked before the start';
my $known = ask_all(\@sockets, $late, {});
is $known->{'200 MISS'}, @$late, 'others are good, and known';
open my $journal, '>>', $t->dir . '/revoked' or die $!;
print {$journal} join '', map { line($_) } $revoked_count / 2 + 1 .. $revoked_count;
close $journal;
my $revoked_at = time;
ok wait_for(sub {
    my $count = ask_all(\@sockets, $late, {});
    return keys %$count == 1 && $count->{'401 revoked'};
}, 10), 'until they are revoked too';
note sprintf '%d revocations in force everywhere after %.2f s', scalar @$late, time - $revoked_at;
my $memory = memory();

# ---- the flood
my $start = time;
my $flood = client('flood', sub {
    my ($go, $count) = @_;
    my $number = 0;
    while ($go->() && ($number < $flood_size || time < $start + $seconds) && time < $start + 300) {
        ask_all([connections()], [map { token('flood' . ++$number) } 1 .. 500], $count);
    }
});
my @clients = map {
    my ($name, $tokens) = @$_;
    client($name, sub {
        my ($go, $count) = @_;
        ask_all([connections()], $tokens, $count) while $go->();
    });
} ['hot', \@hot], ['revoked', \@revoked];
waitpid $flood, 0;
my $elapsed = time - $start;
kill 'TERM', @clients;
waitpid $_, 0 for @clients;

my ($flooded, $hot, $dead) = map { counted($_) } 'flood', 'hot', 'revoked';
note sprintf '%s zone, %.0f s: flood %s, busy %s, revoked %s', $zone, $elapsed, map { json($_) } $flooded, $hot, $dead;
cmp_ok $flooded->{'200 MISS'} // 0, '>=', $flood_size, 'ten times as many tokens as there is room for';
is_deeply [keys %$flooded], ['200 MISS'], 'and not one failed';
my ($hits, $misses) = map { $hot->{$_} // 0 } '200 HIT', '200 MISS';
is_deeply [grep { !/^200 (?:HIT|MISS)\z/ } keys %$hot], [], 'no busy token failed';
cmp_ok $hits, '>=', 5 * $hot_count, 'they were busy';
cmp_ok $hits / ($hits + $misses || 1), '>=', 0.95, sprintf 'and known (%.2f %%)', 100 * $hits / ($hits + $misses || 1);
cmp_ok $dead->{'401 revoked'} // 0, '>=', $revoked_count, 'revoked tokens were tried';
is_deeply [keys %$dead], ['401 revoked'], 'and none was let in';

# ---- after
is_deeply ask_all(\@sockets, \@revoked, {}), { '401 revoked' => $revoked_count }, 'every revocation is still there';
my @said = grep { /gate[: ]/ && !/taken over/ } split /\n/, $t->error_log;
is_deeply \@said, [], 'nobody complained';
if (!$ENV{GATE_ASAN} && !$ENV{GATE_VALGRIND}) {
    cmp_ok memory() - $memory, '<', 4096, 'the memory of the workers is flat (kB)';
}
close $_ for @sockets;

done_testing;
