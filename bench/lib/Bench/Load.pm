package Bench::Load;

# One load generator (bench/http_load.cc) with open connections to one server process, and the
# processor time which that process spends meanwhile. Where there are two processors, the measured
# process has the first one to itself and all others share the second.

use strict;
use warnings;

use Exporter 'import';
use File::Temp ();
use Gate::Test ();
use IPC::Open2 qw(open2);

use Bench::Subjects qw(tool);

our @EXPORT_OK = qw(pin_worker pin_other pinned worker_of);

my $kConnections = 32;

sub pinned { return qx(nproc) > 1; }

sub _pin {
    my ($processor, @pids) = @_;
    return if !pinned();
    for (@pids) { system("taskset -a -p -c $processor $_ >/dev/null") == 0 or die "taskset failed\n"; }
    return;
}

sub pin_worker { return _pin(0, @_); }
sub pin_other { return _pin(1, @_); }

# The process id of the only worker of a Gate::Test.
sub worker_of {
    my ($nginx) = @_;
    Gate::Test::wait_for(sub { ($nginx->workers)[0] }) or die "nginx has no worker\n";
    return ($nginx->workers)[0];
}

# new(port =>, pid => of the measured process, request => octets, pool => path, every =>, start =>,
# connections => 32)
sub new {
    my ($class, %opt) = @_;
    my $file = File::Temp->new;
    print {$file} $opt{request};
    close $file;
    my @command = (tool('load'), $opt{port}, $opt{connections} // $kConnections, "$file");
    push @command, @opt{qw(pool every start)} if $opt{pool};
    my $self = bless { pid => $opt{pid}, file => $file }, $class;
    $self->{load} = open2($self->{from}, $self->{to}, @command);
    pin_other($self->{load});
    $self->begin($opt{pool} ? 1 : 2000);
    $self->end;
    return $self;
}

# Nanoseconds of processor time of all threads of the process.
sub _spent {
    my ($self) = @_;
    my $sum = 0;
    for my $path (glob "/proc/$self->{pid}/task/*/schedstat") {
        open my $file, '<', $path or next;
        $sum += (split / /, <$file>)[0];
    }
    $sum or die "process $self->{pid} has no schedstat\n";
    return $sum;
}

# Makes so many requests; dies unless each is answered by 200. As end(), with cpu (seconds).
sub run {
    my ($self, $count) = @_;
    my $before = $self->_spent;
    $self->begin($count);
    my $result = $self->end;
    $result->{cpu} = ($self->_spent - $before) / 1e9;
    die "of $count requests $result->{good} were answered by 200\n" if $result->{good} != $count;
    return $result;
}

# The same in two halves, whatever the answers are; other loads may run in between. {requests,
# seconds, good, and p50, p99, p999, max in microseconds}.
sub begin {
    my ($self, $count) = @_;
    $self->{count} = $count;
    print { $self->{to} } "$count\n";
    $self->{to}->flush;
    return;
}

sub end {
    my ($self) = @_;
    my $line = readline($self->{from}) // die "the load generator ended\n";
    my %result = (requests => $self->{count});
    @result{qw(seconds p50 p99 p999 max good)} = split ' ', $line;
    return \%result;
}

# How many requests take so long.
sub calibrate {
    my ($self, $seconds) = @_;
    my $got = $self->run(3000);
    my $count = int($seconds * $got->{requests} / $got->{seconds});
    return $count > 200 ? $count : 200;
}

sub stop {
    my ($self) = @_;
    close $self->{to};
    close $self->{from};
    waitpid $self->{load}, 0;
    return;
}

# The sum of results.
sub add {
    my ($sum, $more) = @_;
    $sum->{$_} = ($sum->{$_} // 0) + $more->{$_} for qw(requests seconds cpu);
    return;
}

sub rate { my ($result) = @_; return $result->{requests} / $result->{seconds}; }
sub micros { my ($result) = @_; return 1e6 * $result->{cpu} / $result->{requests}; }

1;
