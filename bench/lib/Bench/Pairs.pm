package Bench::Pairs;

# The gate beside its absence: two nginx with one worker each get the same octets in turns.

use strict;
use warnings;

use Gate::Test ();

use Bench::Connection;
use Bench::Load qw(pin_worker pin_other worker_of);
use Bench::Subjects qw(start_upstream request_of revoked_request side_config write_gate_files);

my $kBar = 0.97;       # of the absent gate's throughput per processor second
my $kSlices = 440;     # turns of each side in a pair
my $kUndisturbed = 3 / 4;    # of the turns count
# One start of nginx differs from the next by up to 2 % (where its pages lie), so that a pair goes
# over several of each side.
my $kStarts = 11;

# new(seconds => a pair's turns of one side together, revoked => n, null => 1: no side has the gate,
# store => a Bench::Redis::Stand: its Redis has the key, and is followed)
sub new {
    my ($class, %opt) = @_;
    my $upstream = start_upstream();
    my $self = bless { %opt, upstream => $upstream }, $class;
    pin_other(worker_of($upstream));
    for (1 .. $kStarts) {
        push @{ $self->{starts} }, [ $self->_start(0), $self->_start(!$opt{null}) ];
    }
    return $self;
}

sub _start {
    my ($self, $gate) = @_;
    my $nginx = Gate::Test->new(module => $gate, log_level => 'notice');
    $nginx->{ports}{app} = $self->{upstream}->port;
    write_gate_files($nginx, $self->{revoked}) if $gate;
    my $redis = $self->{store} && $self->{store}->redis->port;
    $nginx->start(side_config(gate => $gate, revoked => $self->{revoked}, redis => $redis));
    my $worker = worker_of($nginx);
    pin_worker($worker);
    journal_holds($nginx->port) if $gate && $self->{revoked};
    return { nginx => $nginx, gate => $gate, port => $nginx->port, pid => $worker };
}

sub _sides { return map { @$_ } @{ $_[0]{starts} }; }

sub stop {
    my ($self) = @_;
    $_->stop for $self->{upstream}, map { $_->{nginx} } $self->_sides;
    return;
}

sub gate_side { return $_[0]{starts}[0][1]; }

# Dies unless all answer the credential by 200, and only those without a gate its absence
# and a forged one.
sub check {
    my ($self, $subject, %opt) = @_;
    refuses($_->{port}, $subject, $_->{gate} ? 401 : 200, %opt) for $self->_sides;
    return;
}

# Dies unless the port answers the credential by 200, before and after its absence and a forged one
# were answered by the other status.
sub refuses {
    my ($port, $subject, $status, %opt) = @_;
    my $connection = Bench::Connection->new($port);
    for my $case ([200], [$status, 'without'], [$status, 'forged'], [200]) {
        my ($expected, $how) = @$case;
        my $got = $connection->ask(request_of($subject, %opt, $how ? ($how => 1) : ()));
        die "$subject->{name}, credential ", $how // 'as is', ": $got instead of $expected\n"
            if $got != $expected;
    }
    return;
}

# Dies unless the journal was read to its end.
sub journal_holds {
    my ($port) = @_;
    Bench::Connection->new($port)->repeat(1, revoked_request(), 401);
    return;
}

# One pair after the other; prints a line and returns the words of a missed bar, or nothing.
sub measure {
    my ($self, $name, $subject, $pairs, %opt) = @_;
    $self->check($subject, %opt);
    my $request = request_of($subject, %opt);
    my $load_of = sub {
        return Bench::Load->new(port => $_[0]{port}, pid => $_[0]{pid}, request => $request);
    };
    my @loads = map { [ map { $load_of->($_) } @$_ ] } @{ $self->{starts} };
    my $count = $loads[0][0]->calibrate($self->{seconds} / $kSlices);
    my (@ratios, @total);
    for (1 .. $pairs) {
        my @turns;
        for my $slice (1 .. $kSlices) {
            my @turn;
            # who is first changes, so that nobody always follows the other
            for my $side ($slice % 2 ? (0, 1) : (1, 0)) {
                $turn[$side] = $loads[$slice % $kStarts][$side]->run($count);
            }
            push @{ $turns[$slice % $kStarts] }, \@turn;
        }
        my @pair = _undisturbed(@turns);
        push @ratios, $pair[0]{cpu} / $pair[1]{cpu};
        Bench::Load::add($total[$_] //= {}, $pair[$_]) for 0, 1;
    }
    $_->stop for map { @$_ } @loads;
    @ratios = sort { $a <=> $b } @ratios;
    my ($low, $median, $high) = map { $ratios[int($#ratios * $_ + 0.5)] } 0.25, 0.5, 0.75;
    my $good = $low >= $kBar;
    printf "%-15s %7.3f %7.3f %8.0f %8.0f %8.3f %8.3f %8.3f  %s\n", $name,
        (map { Bench::Load::micros($_) } @total), (map { Bench::Load::rate($_) } @total),
        $low, $median, $high, $good ? 'ok' : "MISSED (bar $kBar)";
    return $good ? () : sprintf '%s %.3f of plain nginx', $name, $low;
}

# The sums of both sides over the turns of each start that took both together the least time: what
# neighbours on the machine do to one of them falls into the others.
sub _undisturbed {
    my (@starts) = @_;
    my @sums = ({}, {});
    for my $turns (@starts) {
        my @ranked = sort { $a->[0]{cpu} + $a->[1]{cpu} <=> $b->[0]{cpu} + $b->[1]{cpu} } @$turns;
        for my $turn (@ranked[0 .. @ranked * $kUndisturbed - 1]) {
            Bench::Load::add($sums[$_], $turn->[$_]) for 0, 1;
        }
    }
    return @sums;
}

sub print_head {
    printf "%-15s %15s %17s %26s\n", '', 'us CPU a request', 'requests/s', 'absent/on by CPU time';
    printf "%-15s %7s %7s %8s %8s %8s %8s %8s\n", '', 'absent', 'on', 'absent', 'on', 'p25', 'p50', 'p75';
    return;
}

1;
