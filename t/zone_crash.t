# A worker is killed before each store into shared memory (GATE_FAILPOINT in src), with the zone's lock
# where the store is made under it: the others decide rightly and at once. A place that no test of nginx
# reaches is named here with its reason. Needs a module of BUILD=failpoints: make crash.

use lib 't/lib';
use Gate::Failpoint;
use Gate::Journal qw(append journal_line many_ids);
use Gate::Test;
use POSIX ();
use Time::HiRes qw(sleep time);

plan skip_all => 'make crash runs it, with a module that can be told where to die' if !is_ours();

my $requests = $ENV{GATE_LONG} ? 10_000 : 2_000;
my $iss = 'https://idp.example.com';
my $race = 'two processes have to claim one place at the same moment: TokenBuckets in tests/cache/token_bucket_test.cc';
my %unreachable = map { $_ => $race } qw(buckets.merge buckets.release buckets.undo);

my %points;
for my $file (glob root_dir() . '/src/*/*.cc') {
    my $text = slurp($file);
    $points{$1} = 1 while $text =~ /GATE_FAILPOINT\("([\w.]+)"\)/g;
}
# GATE_POINT=regex tries some.
my $some = $ENV{GATE_POINT} // '.';
my @points = sort grep { !$unreachable{$_} && /$some/ } keys %points;
cmp_ok scalar(keys %points), '>', 30, scalar(keys %points) . ' places';
is_deeply [grep { !$points{$_} } keys %unreachable], [], 'those that only unit tests reach exist';

my $t = Gate::Test->new(workers => 3, log_level => 'notice');
$t->allow(qr/worker process \d+ exited on signal 9/, qr/shared memory zone "gate" was locked by \d+/);

# Stores under the lock; readers, counters and buckets have none.
sub under_lock { return $_[0] =~ /\A(?:table|revocations)\./ && $_[0] !~ /\.read_/; }

sub ask { return http_get($_[0], headers => [@_[1 .. $#_]])->status; }
sub ask_all { ask('/', @$_) for Gate::Failpoint::good(), Gate::Failpoint::bad(); return; }

# An entry with an end and then one without, of the same id; then as many as fill the set, for the
# places that need a crowded one.
sub append_revocations {
    my ($point) = @_;
    my $text = join '', journal_line('jti', $iss, 'bad0', expires => int(time) + 900),
        map { journal_line('jti', $iss, "bad$_") } 0 .. 4;
    my $crowd = $point =~ /overflowed/ ? 12_000 : $point =~ /moves|clear_/ ? 9_000 : 0;
    append($t->dir . '/revocations', $text . ($crowd ? many_ids($crowd, $iss, 'crowd') : ''));
    return;
}

# Everything that stores: verdicts, revocations, looks after them, counters, buckets with a refund.
sub traffic {
    my ($point) = @_;
    ask_all();
    append_revocations($point);
    ask('/limited/', @{ (Gate::Failpoint::good())[0] }, 'X-Tenant', 'one') for 1 .. 3;
    ask('/');
    wait_for(sub { victims($t) || ask('/', token('bad4')) == 401 }, 3);
    ask_all();
    return;
}

# A slot that was in use is emptied only when a writer died in it: two deaths. The second epoch makes
# all tokens be verified and stored again.
sub dies_twice {
    my ($point) = @_;
    ask_all();
    $t->write_jwks('corp.jwks', 'ed25519', 'rs');
    wait_for(sub { ask_all(); victims($t) }, 5);
    wait_for(sub { ask_all(); victims($t) == 2 }, 5);
    append_revocations($point);
    return;
}

my %killed;
for my $point (@points) {
    subtest $point => sub {
        my $twice = $point =~ /\Atable\.(?:clear|count_down)\z/;
        $t->mark;
        # Behind the first round of stores of 15 tokens, 12 words each.
        start_at($t, $twice ? "table.payload:185,$point" : $point);
        $t->mark;
        $twice ? dies_twice($point) : traffic($point);
        my $deaths = $twice ? 2 : 1;
        ok wait_for(sub { victims($t) == $deaths }, 3), 'a worker dies there' or diag $t->log_since_mark;
        $killed{$point} = 1 if victims($t) == $deaths;
        my $locked = () = $t->log_since_mark =~ /shared memory zone "gate" was locked by/g;
        is $locked, under_lock($point) ? $deaths : 0, under_lock($point) ? 'with the lock' : 'without the lock';
        ok defined revoked_soon(token('bad4')), 'what was revoked is in force';
        my $full = $point eq 'revocations.overflowed';
        ok wait_for(sub { ask('/', token('any')) == 503 }, 3), 'the set has overflowed' if $full;
        my ($wrong, $slowest) = answers_are_right($t, $requests, $full ? (good => 503, bad => '401|503') : ());
        is_deeply $wrong, {}, "$requests requests, no wrong answer";
        cmp_ok $slowest, '<', 0.1, 'none takes 100 ms';
        if (!$full) {
            revoke($t, 'after');
            cmp_ok revoked_soon(token('after')) // 9, '<', 1.2, 'revocations are followed';
        }
        ok $t->stop, 'nginx leaves by itself';
    };
}
is_deeply [grep { !$killed{$_} } @points], [], 'at every place that nginx reaches a worker died';

done_testing;
