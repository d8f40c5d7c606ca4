package Gate::Logins;

# Logins that take their time: each is a request on a connection of its own, sent and not waited for.
#
#   my $login = login_sent('/login', name => 'ann');
#   is answer_of($login)->status, 200;

use strict;
use warnings;

use Exporter 'import';
use IO::Select ();
use IO::Socket::INET;
use JSON::PP ();
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_LINGER);

use Gate::HTTP qw(http_raw http_get request_bytes);

our @EXPORT = qw(user_file hash_taking login_bytes connection login_sent noticed answer_of is_waiting reset_now);

# A hash of "pencil" that a thread works on for about a quarter of a second per million rounds.
sub hash_taking {
    my ($rounds) = @_;
    return crypt('pencil', "\$6\$rounds=$rounds\$saltsalt\$");
}

# {name => rounds}.
sub user_file {
    my (%rounds) = @_;
    return JSON::PP->new->encode({ users => [map { { name => $_, password => hash_taking($rounds{$_}) } } sort keys %rounds] });
}

# Options: name (ann), password (pencil), id (for the access log), and those of request_bytes().
sub login_bytes {
    my ($path, %opt) = @_;
    my $body = JSON::PP->new->encode({ username => delete $opt{name} // 'ann', password => delete $opt{password} // 'pencil' });
    return request_bytes('POST', $path, body => $body, %opt, headers => ['X-Id' => $opt{id} // '-', @{ $opt{headers} || [] }]);
}

sub connection {
    my ($port) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port // $Gate::HTTP::DEFAULT_PORT, Timeout => 5)
        or die "connect: $!";
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    return $socket;
}

# The connection, when a worker that is alone has seen the request (see noticed()).
sub login_sent {
    my ($path, %opt) = @_;
    my $socket = connection($opt{port});
    syswrite $socket, login_bytes($path, %opt);
    noticed() if !$opt{unnoticed};
    return $socket;
}

# What was sent before has been read by the only worker, which answers in the order of arrival.
sub noticed { return http_get('/open'); }

sub answer_of {
    my ($socket, %opt) = @_;
    return scalar http_raw('', socket => $socket, methods => ['POST'], count => 1, timeout => 20, %opt);
}

# Nothing has been answered, and the connection is open.
sub is_waiting { return !IO::Select->new($_[0])->can_read(0); }

sub reset_now {
    my ($socket) = @_;
    setsockopt $socket, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $socket;
    return;
}

1;
