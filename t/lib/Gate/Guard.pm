package Gate::Guard;

# A process beside a test that outlives it by a moment when the test is killed outright (no END
# block runs then): it ends the test's nginx and removes its directory.

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
    File::Path::remove_tree($dir) if !$ENV{GATE_KEEP};
    POSIX::_exit(0);
}

sub stop {
    my ($pid) = @_;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

1;
