package Gate::Redis::Client;

# One connection to a Redis server, with a deadline on everything; TLS where asked for.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

use Gate::RESP ();

# Options: host (127.0.0.1) and port, or path (of a unix socket), tls => {options of IO::Socket::SSL}, user, password, timeout
# (seconds, 5). Dies where there is no connection.
sub new {
    my ($class, %opt) = @_;
    my $self = bless { host => '127.0.0.1', timeout => 5, %opt, owner => $$, reader => Gate::RESP->new }, $class;
    $self->{name} = 'redis ' . ($opt{path} // "$self->{host}:$opt{port}");
    $self->{socket} = $self->_connect;
    $self->{socket}->blocking(0);
    return $self if !defined $opt{password};
    my $answer = $self->call('AUTH', $opt{user} // 'default', $opt{password});
    die "$self->{name}: $answer\n" if ref $answer;
    return $self;
}

sub _connect {
    my ($self) = @_;
    my $socket = defined $self->{path} ? IO::Socket::UNIX->new(Peer => $self->{path})
        : IO::Socket::INET->new(PeerAddr => $self->{host}, PeerPort => $self->{port}, Proto => 'tcp',
            Timeout => $self->{timeout});
    $socket or die "$self->{name}: connect: $!\n";
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1 if !defined $self->{path};
    return $socket if !$self->{tls};
    require IO::Socket::SSL;
    my $secure = IO::Socket::SSL->start_SSL($socket, Timeout => $self->{timeout}, %{ $self->{tls} });
    return $secure || die "$self->{name}: TLS: " . IO::Socket::SSL::errstr() . "\n";
}

# host:port of this end, as MONITOR and CLIENT LIST name it.
sub address {
    my ($self) = @_;
    return defined $self->{path} ? "$self->{path}:0"
        : $self->{socket}->sockhost . ':' . $self->{socket}->sockport;
}

# Opened by this process, not broken, and not closed by the server meanwhile.
sub usable {
    my ($self) = @_;
    return 0 if $self->{owner} != $$ || $self->{broken};
    my $got = sysread $self->{socket}, my $octets, 65536;
    return !defined $got && _may_try_again();
}

sub _may_try_again { return $!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR}; }

# call(command, arguments..): the reply; an error reply is a Gate::RESP::Error.
sub call { my ($self, @argv) = @_; return ($self->calls([@argv]))[0]; }

# The replies to several commands that are sent in one piece.
sub calls {
    my ($self, @commands) = @_;
    $self->send(join '', map { Gate::RESP::command(@$_) } @commands);
    return map { $self->read } @commands;
}

sub send {
    my ($self, $octets) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $deadline = time + $self->{timeout};
    my $at = 0;
    while ($at < length $octets) {
        my $sent = syswrite $self->{socket}, $octets, 65536, $at;
        $at += $sent // 0;
        $self->_wait('write', $deadline) if !$sent;
    }
    return;
}

# The next reply. timeout: other than this connection's.
sub read {
    my ($self, $timeout) = @_;
    my $deadline = time + ($timeout // $self->{timeout});
    while (1) {
        my $value = $self->{reader}->take;
        return $$value if $value;
        my $got = sysread $self->{socket}, my $octets, 65536;
        if ($got) {
            $self->{reader}->feed($octets);
            next;
        }
        $self->_fail('closed by the server') if defined $got;
        $self->_wait('read', $deadline);
    }
}

# After an attempt that moved nothing: waits until another may.
sub _wait {
    my ($self, $what, $deadline) = @_;
    $self->_fail($!) if !_may_try_again();
    # TLS may want the other direction
    my $error = $self->{tls} ? $IO::Socket::SSL::SSL_ERROR + 0 : 0;
    $what = 'read' if $self->{tls} && $error == IO::Socket::SSL::SSL_WANT_READ();
    $what = 'write' if $self->{tls} && $error == IO::Socket::SSL::SSL_WANT_WRITE();
    my $select = IO::Select->new($self->{socket});
    my $left = $deadline - time;
    $self->_fail('no answer in time') if $left <= 0;
    return $what eq 'write' ? $select->can_write($left) : $select->can_read($left);
}

sub _fail {
    my ($self, $why) = @_;
    $self->{broken} = 1;
    die "$self->{name}: $why\n";
}

1;
