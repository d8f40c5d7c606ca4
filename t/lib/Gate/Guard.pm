package Gate::Guard;

# A process beside a test that outlives it by a moment when the test is killed outright (no END
# block runs then): it ends the test's nginx and the other processes that the test has started, and
# removes its directory.

use strict;
use warnings;

use File::Path ();
use POSIX ();
use Time::HiRes qw(sleep);

my $kStep = 0.2;           # seconds between looks
my $kPatience = 25;        # looks until nginx must have left

# Returns the guard's process id.
sub start {
    my ($dir) = @_;
    my $test = $$;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', '/dev/null';    # or prove would wait for it
    open STDERR, '>', '/dev/null';
    $SIG{$_} = 'IGNORE' for qw(INT TERM HUP PIPE);
    sleep $kStep while getppid == $test;
    if (open my $file, '<', "$dir/nginx.pid") {
        kill 'TERM', (<$file> // '') =~ /(\d+)/;
        for (1 .. $kPatience) { last if !-e "$dir/nginx.pid"; sleep $kStep; }
    }
    _end_remembered($dir);
    File::Path::remove_tree($dir) if !$ENV{GATE_KEEP};
    POSIX::_exit(0);
}

sub stop {
    my ($pid) = @_;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

# ---- processes besides nginx: a file for each, named by its id, with the instant when it began, so
# that whoever has the same id later is left alone

sub remember {
    my ($dir, $pid) = @_;
    mkdir "$dir/processes";
    open my $file, '>', "$dir/processes/$pid" or die "$dir/processes/$pid: $!";
    print {$file} _began($pid);
    close $file;
    return;
}

sub forget {
    my ($dir, $pid) = @_;
    unlink "$dir/processes/$pid";
    return;
}

# One letter, as ps shows it; empty for no process.
sub state_of { return (_stat($_[0]))[0] // ''; }

sub _began { return (_stat($_[0]))[19] // ''; }

# /proc/PID/stat behind the name, which may hold anything (proc(5)).
sub _stat {
    my ($pid) = @_;
    open my $file, '<', "/proc/$pid/stat" or return;
    local $/;
    return split ' ', (<$file> // '') =~ s/\A.*\)//sr;
}

sub _end_remembered {
    my ($dir) = @_;
    for my $path (glob "$dir/processes/*") {
        my ($pid) = $path =~ /(\d+)\z/;
        open my $file, '<', $path or next;
        my $began = <$file> // '';
        next if $began eq '' || $began ne _began($pid);
        kill 'KILL', $pid;
        for (1 .. $kPatience) { last if _began($pid) ne $began || state_of($pid) eq 'Z'; sleep 0.01; }
    }
    return;
}

1;
