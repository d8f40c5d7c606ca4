package Gate::Crowd;

# A connection to each worker, so that a test knows who answers, and clients that ask on while the
# test does something else. The server says `add_header X-Worker $pid always;`, listens with
# `reuseport`, and allows many requests on a connection (lines()).

use strict;
use warnings;

use Exporter 'import';
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Storable ();
use Time::HiRes qw(sleep time);

use Gate::HTTP qw(http_raw request_bytes);

our @EXPORT_OK = qw(crowd hammer percentile);

# What the server block needs.
sub lines {
    return 'listen 127.0.0.1:%%PORT%% reuseport; add_header X-Worker $pid always; '
        . 'keepalive_requests 100000000; keepalive_timeout 300s;';
}

# What the main level needs where nginx replaces itself: the sanitizer's library and options.
sub environment { return join ' ', map {"env $_;"} qw(LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS); }

# crowd($t, number of workers): waits until that many different ones have answered.
sub crowd {
    my ($t, $count) = @_;
    my $self = bless { t => $t, port => $t->port, sockets => {} }, __PACKAGE__;
    my $deadline = time + 10;
    while (keys %{ $self->{sockets} } < $count && time < $deadline) {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port},
            Proto => 'tcp', Timeout => 5) or next;
        setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
        my $pid = _on($socket, '/open')->header('X-Worker') // next;
        $self->{sockets}{$pid} //= $socket;
    }
    return $self;
}

sub _on {
    my ($socket, $uri, %opt) = @_;
    return scalar http_raw(request_bytes('GET', $uri, %opt, keepalive => 1), methods => ['GET'],
        count => 1, socket => $socket, timeout => $opt{timeout} // 5);
}

sub workers { my ($self) = @_; return sort { $a <=> $b } keys %{ $self->{sockets} }; }

sub leave { my ($self, @pids) = @_; delete @{ $self->{sockets} }{@pids}; return $self; }

# The response of one worker.
sub ask { my ($self, $pid, $uri, %opt) = @_; return _on($self->{sockets}{$pid}, $uri, %opt); }

# What all workers answer to a token: "401" where they agree, "200 401 .." where not.
sub all {
    my ($self, $uri, @headers) = @_;
    my %seen = map { $self->ask($_, $uri, headers => [@headers])->status => 1 } $self->workers;
    return join ' ', sort keys %seen;
}

# hammer($t, cases, option): a process that asks for each of [status or statuses, uri, headers..] in
# turn, on a connection that it opens again when nginx closes it, until stop() ends it and returns
# {count, wrong => {text => times}, slowest, times => [seconds..], lost}. Options: pause (seconds
# between two), until_first (stop at the first wrong answer).
sub hammer {
    my ($t, $cases, %opt) = @_;
    my $file = $t->dir . '/hammer.' . int rand 1e9;
    my $port = $t->port;
    my $test = $$;
    defined(my $pid = fork) or die "fork: $!";
    return bless { pid => $pid, file => $file }, 'Gate::Crowd::Hammer' if $pid;
    my $stop = 0;
    $SIG{TERM} = sub { $stop = 1 };
    my %found = (count => 0, wrong => {}, slowest => 0, times => [], lost => 0);
    my @requests = map { request_bytes('GET', $_->[1], headers => [@$_[2 .. $#$_]], keepalive => 1) } @$cases;
    my $socket;
    until ($stop || getppid != $test) {
        my $index = $found{count} % @$cases;
        if (!$socket) {
            $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5);
            if (!$socket) { $found{unconnected}++; sleep 0.01; next; }
            setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
        }
        my $begin = time;
        my $response = scalar http_raw($requests[$index], methods => ['GET'], count => 1,
            socket => $socket, timeout => 5);
        my $took = time - $begin;
        my $status = $response->status;
        # An idle connection that nginx closes is no lost request: asked again on a new one.
        my $closed = !$status && ($response->{ended} // '') ne 'timeout';
        undef $socket if !$status || lc($response->header('Connection') // '') eq 'close';
        if ($closed) { $found{lost}++; next; }
        ++$found{count};
        push @{ $found{times} }, $took;
        $found{slowest} = $took if $took > $found{slowest};
        $found{wrong}{"$cases->[$index][1]: wanted $cases->[$index][0], got "
            . ($status || $response->{ended})}++ if $status !~ /\A(?:$cases->[$index][0])\z/;
        sleep $opt{pause} if $opt{pause};
    }
    Storable::store(\%found, $file);
    POSIX::_exit(0);
}

# The value below which a share of the numbers lies.
sub percentile {
    my ($share, @numbers) = @_;
    @numbers = sort { $a <=> $b } @numbers;
    return @numbers ? $numbers[int $share * $#numbers] : 0;
}

package Gate::Crowd::Hammer;

use strict;
use warnings;

sub stop {
    my ($self) = @_;
    kill 'TERM', $self->{pid};
    waitpid $self->{pid}, 0;
    my $found = eval { Storable::retrieve($self->{file}) }
        || { count => 0, wrong => { 'the client died' => 1 }, slowest => 0, times => [], lost => 0 };
    unlink $self->{file};
    return $found;
}

1;
