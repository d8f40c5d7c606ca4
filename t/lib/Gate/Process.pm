package Gate::Process;

# A process of the test's own: a program, or a piece of this test in a forked child. It ends with the
# test, however that ends: by END where the test dies, by Gate::Guard where it is killed outright.

use strict;
use warnings;

use POSIX qw(WNOHANG);

use Gate::Guard ();
use Gate::Test ();

my %running;               # process id => the process that started it

# Gate::Process->start(test => Gate::Test, command => [program, arguments..], output => FILE), or
# code => sub { .. }, keep => [handles] in place of a command: the child has no other handles of the
# test, so that a connection which the test closes is closed.
sub start {
    my ($class, %opt) = @_;
    my $dir = $opt{test}->dir;
    defined(my $pid = fork) or die "fork: $!";
    if ($pid == 0) {
        Gate::Guard::remember($dir, $$);
        $opt{command} ? _run_command(%opt) : _run_code(%opt);
        POSIX::_exit(127);
    }
    $running{$pid} = $$;
    return bless { pid => $pid, dir => $dir, owner => $$ }, $class;
}

sub _run_command {
    my (%opt) = @_;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', $opt{output} // '/dev/null';
    open STDERR, '>&', \*STDOUT;
    my @command = @{ $opt{command} };
    exec { $command[0] } @command or warn "$command[0]: $!\n";
    return;
}

sub _run_code {
    my (%opt) = @_;
    %running = ();
    $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP);
    $SIG{PIPE} = 'IGNORE';
    _let_go_of_inherited(@{ $opt{keep} || [] });
    eval { $opt{code}->(); 1 } or print STDERR "child of a test: $@";
    POSIX::_exit(0);
}

# Perl counts the handles of each descriptor: one that were closed behind its back would never be
# closed again after it is reused. So the numbers stay taken.
sub _let_go_of_inherited {
    my %keep = map { fileno $_ => 1 } @_;
    opendir my $dir, '/proc/self/fd' or return;
    my @open = grep { /\A\d+\z/ && $_ > 2 && !$keep{$_} } readdir $dir;
    closedir $dir;
    my $null = POSIX::open('/dev/null', POSIX::O_RDWR());
    POSIX::dup2($null, $_) for grep { $_ != $null && -e "/proc/self/fd/$_" } @open;
    return;
}

sub pid { return $_[0]{pid}; }

sub alive {
    my ($self) = @_;
    return 0 if !$self->{pid} || $self->{owner} != $$;
    return 1 if !waitpid $self->{pid}, WNOHANG;
    delete $running{ $self->{pid} };
    Gate::Guard::forget($self->{dir}, $self->{pid});
    $self->{pid} = 0;
    return 0;
}

# Sends a signal and waits for what it does at once: an end by KILL, a halt by STOP.
sub signal {
    my ($self, $name) = @_;
    my $pid = $self->{pid};
    return 0 if !$self->alive || !kill $name, $pid;
    return $self->wait_end(5) if $name eq 'KILL';
    return Gate::Test::wait_for(sub { Gate::Guard::state_of($pid) eq 'T' }) if $name eq 'STOP';
    return 1;
}

# True when it has ended by itself within that many seconds.
sub wait_end {
    my ($self, $seconds) = @_;
    return Gate::Test::wait_for(sub { !$self->alive }, $seconds);
}

# TERM, and KILL for one that stays.
sub stop {
    my ($self, $seconds) = @_;
    return if !$self->alive;
    kill 'CONT', $self->{pid};
    $self->signal('TERM');
    $self->wait_end($seconds // 5) || $self->signal('KILL');
    return;
}

sub DESTROY {
    my ($self) = @_;
    return if !$self->{pid} || $self->{owner} != $$;
    local ($?, $!, $@);
    $self->signal('KILL');
    return;
}

END {
    local $?;
    for my $pid (grep { $running{$_} == $$ } keys %running) {
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }
}

1;
