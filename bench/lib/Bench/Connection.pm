package Bench::Connection;

# One keep-alive connection on which requests follow each other, one answer awaited at a time: what
# each benchmark checks its locations with, and what counts instructions.

use strict;
use warnings;

use IO::Socket::INET;
use Socket qw(IPPROTO_TCP TCP_NODELAY);

my $kPatience = 60;    # seconds for one answer: valgrind is slow

sub new {
    my ($class, $port) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp')
        or die "connect to $port: $!\n";
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    return bless { socket => $socket, input => '' }, $class;
}

# The status of the answer.
sub ask {
    my ($self, $request) = @_;
    local $SIG{ALRM} = sub { die "no answer within $kPatience s\n" };
    alarm $kPatience;
    print {$self->{socket}} $request;
    $self->{socket}->flush;
    my $status = $self->_take;
    alarm 0;
    return $status;
}

sub _take {
    my ($self) = @_;
    while (1) {
        if ($self->{input} =~ /\AHTTP\/1\.1 (\d{3})(.*?)\r\n\r\n/s) {
            my ($status, $end) = ($1, $+[0]);
            $self->{head} = $2;
            my $length = $self->header('Content-Length');
            my $whole = $end + ($length // 0);
            if (length $self->{input} >= $whole) {
                substr $self->{input}, 0, $whole, '';
                return $status;
            }
        }
        sysread($self->{socket}, $self->{input}, 65536, length $self->{input})
            or die "the connection ended: $!\n";
    }
}

# Of the last answer.
sub header {
    my ($self, $name) = @_;
    return $self->{head} =~ /^\Q$name\E: ([^\r]*)/mi ? $1 : undef;
}

# Asks the same so many times; dies unless each answer has this status.
sub repeat {
    my ($self, $count, $request, $expected) = @_;
    for (1 .. $count) {
        my $status = $self->ask($request);
        die "answered $status instead of $expected\n" if $status != $expected;
    }
    return;
}

1;
