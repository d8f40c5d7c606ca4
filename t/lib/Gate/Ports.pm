package Gate::Ports;

# Free TCP ports on 127.0.0.1 for tests that run in parallel. They lie below the ephemeral range, so
# that no outgoing connection takes one, and a block of them is claimed machine-wide by listening on
# an abstract socket, which the kernel releases with the process.

use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;

my $kFirst = 10_000;
my $kBlocks = 440;
my $kBlockSize = 50;

my (@locks, $next, $last);

sub free_port {
    while (1) {
        _claim_block() if !@locks || $next > $last;
        my $port = $next++;
        my $probe = IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => $port, Listen => 1,
            ReuseAddr => 1);
        return $port if $probe;
    }
}

sub _claim_block {
    while (1) {
        my $block = int rand $kBlocks;
        my $lock = IO::Socket::UNIX->new(Local => "\0nginx-gate-ports-$block", Listen => 1) or next;
        push @locks, $lock;
        $next = $kFirst + $block * $kBlockSize;
        $last = $next + $kBlockSize - 1;
        return;
    }
}

1;
