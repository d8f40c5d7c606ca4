package Chaos::Model;

# Who may pass, by what was changed and when: a second opinion that shares nothing with src/. Writers
# append to a journal before they begin a change and after it was acknowledged; whoever judges an
# answer first reads on to the journal's end, and so knows of every change that can be behind it.
#
# Lines, fields separated by tabs; instants are seconds of the monotonic clock:
#   N id kind text subject state    a credential; kind: key or token
#   B instant id state              a change begins
#   A instant id                    all changes of it so far were acknowledged
#   X id                            nobody shall use it any more
#   F instant number name who may   a fault is on; who: nodes that may answer 503; may: "lost" where
#                                   connections may end
#   M instant number                there is a master again
#   R instant number                its repair is done
#   S instant instant               the servers did not answer in between, and nobody knows why
#
# A state is "bad" (401) or "good:" and scopes with commas between them.

use strict;
use warnings;

use Fcntl qw(O_WRONLY O_APPEND O_CREAT);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

# Seconds. What docs/REDIS.md promises, and one more for a busy machine where it is about an instant.
our $MAX_LAG = 2;                  # of the nodes' configuration
our $kCalm = 1 + 1;                # a change counts everywhere, as long as nobody is in the way
our $kRecovery = 2 + 1;            # and the store is used again, after it was repaired
our $kLost = 1;                    # connections end until so long after a reload
my $kLong = 60;                    # what ended so long ago no answer that is still under way can be of

sub now { return clock_gettime(CLOCK_MONOTONIC); }
sub late { return $MAX_LAG + 1; }  # otherwise: until then nobody is let in without proof

# The journal's path. A reader sees all lines; a writer appends, several may.
sub new {
    my ($class, $path) = @_;
    sysopen my $out, $path, O_WRONLY | O_APPEND | O_CREAT or die "$path: $!";
    open my $in, '<:raw', $path or die "$path: $!";
    return bless { out => $out, in => $in, rest => '', of => {}, use => [], hot => [],
        faults => [], stalls => [] }, $class;
}

sub _write {
    my ($self, @fields) = @_;
    my $line = join("\t", @fields) . "\n";
    syswrite($self->{out}, $line) == length $line or die "journal: $!";
    return;
}

sub add { my ($self, @fields) = @_; return $self->_write('N', @fields); }
sub begin { my ($self, $id, $state) = @_; return $self->_write('B', now(), $id, $state); }
sub done { my ($self, $id) = @_; return $self->_write('A', now(), $id); }
sub retire { my ($self, $id) = @_; return $self->_write('X', $id); }
sub fault { my ($self, $number, @about) = @_; return $self->_write('F', now(), $number, @about); }
sub served { my ($self, $number) = @_; return $self->_write('M', now(), $number); }
sub stall { my ($self, $from, $to) = @_; return $self->_write('S', $from, $to); }
sub repaired { my ($self, $number) = @_; return $self->_write('R', now(), $number); }

# ---- reading

sub read_on {
    my ($self) = @_;
    while (sysread $self->{in}, $self->{rest}, 262_144, length $self->{rest}) {
        my $end = rindex $self->{rest}, "\n";
        next if $end < 0;
        for my $line (split /\n/, substr $self->{rest}, 0, $end + 1, '') {
            my ($what, @fields) = split /\t/, $line, -1;
            $self->can("_$what")->($self, @fields);
        }
    }
    return;
}

sub _N {
    my ($self, $id, $kind, $text, $subject, $state) = @_;
    my $credential = { id => $id, kind => $kind, text => $text, subject => $subject,
        states => [[0, 0, $state]], place => scalar @{ $self->{use} } };
    $self->{of}{$id} = $credential;
    push @{ $self->{use} }, $credential;
    return $self->_settle($credential);
}

sub _B {
    my ($self, $time, $id, $state) = @_;
    my $credential = $self->{of}{$id};
    push @{ $credential->{states} }, [$time, undef, $state];
    push @{ $self->{hot} }, $credential;
    shift @{ $self->{hot} } if @{ $self->{hot} } > 40;
    return delete $credential->{settled};
}

sub _A {
    my ($self, $time, $id) = @_;
    $_->[1] //= $time for @{ $self->{of}{$id}{states} };
    return;
}

sub _X {
    my ($self, $id) = @_;
    my $credential = delete $self->{of}{$id} or return;
    my $last = pop @{ $self->{use} };
    if ($last != $credential) {
        $self->{use}[$credential->{place}] = $last;
        $last->{place} = $credential->{place};
    }
    @{ $self->{hot} } = grep { $_ != $credential } @{ $self->{hot} };
    return;
}

sub _F {
    my ($self, $time, $number, $name, $who, $may) = @_;
    push @{ $self->{faults} }, { number => $number, name => $name, from => $time, who => $who, may => $may };
    push @{ $self->{all_faults} }, $self->{faults}[-1];
    shift @{ $self->{faults} } if @{ $self->{faults} } > 20;
    return;
}

sub _M {
    my ($self, $time, $number) = @_;
    $_->{served} = $time for grep { $_->{number} == $number } @{ $self->{faults} };
    return;
}

sub _R {
    my ($self, $time, $number) = @_;
    $_->{to} = $time for grep { $_->{number} == $number } @{ $self->{faults} };
    return;
}

sub _S {
    my ($self, $from, $to) = @_;
    my $stalls = $self->{stalls};
    push @$stalls, { from => $from, to => $to };
    shift @$stalls if @$stalls > 200;
    return;
}

# Whether it may be that the servers did not answer. Who asks has to give the news time to come.
sub stalled {
    my ($self, $answer) = @_;
    return scalar grep { $_->{from} <= $answer->{got} && $_->{to} + $kRecovery >= $answer->{asked} } @{ $self->{stalls} };
}

# One that nobody changes has one right answer for each location.
sub _settle {
    my ($self, $credential) = @_;
    my $state = $credential->{states}[-1][2];
    $credential->{settled} = { map { $_ => _answer($state, $_) } qw(plain scoped) };
    return;
}

sub _answer {
    my ($state, $location) = @_;
    return 401 if $state eq 'bad';
    return 200 if $location eq 'plain';
    return $state =~ /[:,]orders:read(?:,|\z)/ ? 200 : 403;
}

# ---- judging

# What is wrong with an answer ("decision" or "identity", and words), or nothing. Fields of it: node,
# location (open, plain, scoped), credential (or none), asked and got (instants), status (0: the
# connection ended), subject.
sub wrong {
    my ($self, $answer) = @_;
    my ($status, $credential) = @{$answer}{qw(status credential)};
    if (!$status) {
        return $self->_while($answer, 'may', 'lost', $kLost) ? () : (decision => 'the connection was lost');
    }
    if ($answer->{location} eq 'open' || !$credential) {
        my $right = $answer->{location} eq 'open' ? 200 : 401;
        return $status == $right ? () : (decision => "$status, not $right");
    }
    my $settled = $credential->{settled};
    return _identity($answer) if $settled && $settled->{ $answer->{location} } == $status;
    return $self->_while($answer, 'who', $answer->{node}, $kRecovery) ? () : (decision => '503 without a fault')
        if $status == 503;
    my %right = $self->_right($answer, $credential);
    return _identity($answer) if exists $right{$status};
    return decision => "$status, not " . join ' or ', sort keys %right;
}

sub _identity {
    my ($answer) = @_;
    return if $answer->{status} != 200 || $answer->{subject} eq $answer->{credential}{subject};
    return identity => "answered as of '$answer->{subject}'";
}

# Whether a fault was on, or just over, that may bring this.
sub _while {
    my ($self, $answer, $field, $value, $afterwards) = @_;
    return scalar grep {
        index($_->{$field}, $value) >= 0 && $_->{from} <= $answer->{got}
            && (!defined $_->{to} || $_->{to} + $afterwards >= $answer->{asked})
    } @{ $self->{faults} };
}

# {status => the state that it comes from}. A state counts from its beginning until a later one was
# acknowledged and has had its time.
sub _right {
    my ($self, $answer, $credential) = @_;
    my $states = $credential->{states};
    my (%right, $over, $first);
    for my $index (reverse 0 .. $#$states) {
        my ($begun, $done, $state) = @{ $states->[$index] };
        if ($begun <= $answer->{got} && (!defined $over || $over >= $answer->{asked})) {
            $right{ _answer($state, $answer->{location}) } //= $index;
        }
        next if !defined $done || $index == 0;
        my $refused_before = $states->[$index - 1][2] eq 'bad' && $state ne 'bad';
        my $end = $self->_in_force($answer->{node}, $done, $refused_before);
        $over = $end if !defined $over || $end < $over;
        $first //= $index if $over < $answer->{asked} - $kLong;
    }
    $self->_note_lateness($answer, $states, \%right);
    if ($first) {
        splice @$states, 0, $first;
        $self->_settle($credential) if @$states == 1;
    }
    return %right;
}

# When a change that was acknowledged at an instant has to be in force at a node. refused: who was
# not let in before it.
sub _in_force {
    my ($self, $node, $done, $refused) = @_;
    my $end = $done + $kCalm;
    for my $fault (@{ $self->{faults} }) {
        next if index($fault->{who}, $node) < 0;
        my $over = defined $fault->{to} ? $fault->{to} + $kRecovery : 9e99;
        next if $fault->{from} > $done + $kCalm || $over < $done;
        # Without proof that it knows everything a node lets nobody in; what it refuses it may
        # refuse until it is told that it must not.
        my $until = $refused ? $over + $kCalm : $done + late();
        $end = $until if $until > $end;
    }
    return $end;
}

# How long a state was answered after the next one had been acknowledged.
sub _note_lateness {
    my ($self, $answer, $states, $right) = @_;
    my $index = $right->{ $answer->{status} } // return;
    my ($next) = grep { defined $_->[1] } @{$states}[$index + 1 .. $#$states];
    return if !$next;
    my $late = $answer->{asked} - $next->[1];
    my $calm = $self->_while($answer, 'who', $answer->{node}, $kRecovery) ? 'fault' : 'calm';
    my $way = $next->[2] eq 'bad' ? 'refused' : 'changed';
    my $most = \$self->{lateness}{"$calm $way"};
    $$most = $late if $late > ($$most //= 0);
    return;
}

# The fault that began last before an instant.
sub fault_at {
    my ($self, $instant) = @_;
    my ($fault) = grep { $_->{from} <= $instant } reverse @{ $self->{faults} };
    return $fault;
}

# A credential to ask with: one that changed lately, every third time.
sub any {
    my ($self) = @_;
    my $hot = $self->{hot};
    return $hot->[rand @$hot] if @$hot && rand() < 0.33;
    return $self->{use}[rand @{ $self->{use} }];
}

1;
