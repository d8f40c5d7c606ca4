package Bench::Mix;

# Requests of which one in ten carries a token that the gate has never seen: do they cost those that
# it knows anything?

use strict;
use warnings;

use Gate::Test ();
use Gate::Token qw(pem);

use Bench::Load qw(pin_worker worker_of);
use Bench::Pairs;
use Bench::Subjects qw(subject request_of side_config write_gate_files token_parts work_dir tool
    bench_keys);

my $kEvery = 10;
my $kBar = 0.95;          # of what the two pure measurements predict
my $kColdTurn = 1500;     # fresh tokens of a turn of nothing else
my $kMixTurn = 10_000;    # requests of a turn of both
my $kWarmTurn = 10_000;

# A file of so many signed tokens; one that an earlier run left is taken if it is long enough.
sub pool {
    my ($count) = @_;
    my $path = work_dir() . '/tokens';
    my $lines = sub { open my $file, '<', $path or return 0; 1 while <$file>; return $.; };
    return $path if $lines->() >= $count;
    my $pem = work_dir() . '/rs.pem';
    open my $file, '>', $pem or die "$pem: $!";
    print {$file} pem(bench_keys()->{rs}, 'private');
    close $file;
    my ($header, $payload) = token_parts(subject('RS256'), 0);
    $payload =~ s/0000000/%07d/g;
    system(tool('make'), 'tokens', $count, $pem, $header, $payload, "$path.new") == 0
        or die "cannot sign tokens\n";
    rename "$path.new", $path or die "$path: $!";
    return $path;
}

# Returns the words of a missed bar, or nothing.
sub measure {
    my ($rounds) = @_;
    my $tokens = $rounds * ($kColdTurn + $kMixTurn / $kEvery) + 10;
    my $pool = pool($tokens);
    my $nginx = Gate::Test->new(log_level => 'notice');
    $nginx->{ports}{app} = $nginx->port;
    write_gate_files($nginx);
    $nginx->start(side_config(gate => 1));
    my $pid = worker_of($nginx);
    pin_worker($pid);
    Bench::Pairs::refuses($nginx->port, subject('RS256'), 401);
    my %load = (
        warm => {},
        cold => { pool => $pool, every => 1, start => 0 },
        mix => { pool => $pool, every => $kEvery, start => 5 + $rounds * $kColdTurn },
    );
    $_ = Bench::Load->new(port => $nginx->port, pid => $pid,
        request => request_of(subject('RS256')), %$_) for values %load;
    my %turn = (warm => $kWarmTurn, cold => $kColdTurn, mix => $kMixTurn);
    my %sum = map { $_ => {} } keys %turn;
    for (1 .. $rounds) {
        Bench::Load::add($sum{$_}, $load{$_}->run($turn{$_})) for qw(warm cold mix);
    }
    $_->stop for values %load;
    $nginx->stop;
    return _report(\%sum);
}

# By wall clock and by the processor time of the worker; judged is the better one, as a neighbour on
# the machine disturbs the first and a generator that is slower than the gate hides in it.
sub _report {
    my ($sum) = @_;
    printf "\nOne of %d requests carries a token never seen, RS256:\n\n", $kEvery;
    printf "%-24s %9s %9s %9s %9s %7s\n", '', 'known', 'never', 'predicted', 'measured', 'ratio';
    my $best = 0;
    my $line = sub {
        my ($name, $of) = @_;
        my ($warm, $cold, $mix) = map { $of->($sum->{$_}) } qw(warm cold mix);
        my $predicted = 1 / ((1 - 1 / $kEvery) / $warm + 1 / $kEvery / $cold);
        printf "%-24s %9.0f %9.0f %9.0f %9.0f %7.3f\n", $name, $warm, $cold, $predicted, $mix,
            $mix / $predicted;
        $best = $mix / $predicted if $mix / $predicted > $best;
    };
    $line->('requests/s', sub { Bench::Load::rate($_[0]) });
    $line->('requests per CPU second', sub { 1e6 / Bench::Load::micros($_[0]) });
    return if $best >= $kBar;
    return sprintf 'the mix runs at %.3f of what it should', $best;
}

1;
