package Gate::HTTP2;

# A client of HTTP/2 (RFC 9113) in clear that is as small as it can be: several requests on one
# connection, streams that are reset, statuses of answers. curl does the rest (Gate::HTTP).
#
#   my $h2 = Gate::HTTP2->new($port);
#   my $stream = $h2->request('POST', '/login', $body);
#   $h2->reset($stream);
#   is $h2->status_of($other), 200;

use strict;
use warnings;

use IO::Select ();
use IO::Socket::INET;
use Time::HiRes qw(time);

my ($kData, $kHeaders, $kReset, $kSettings) = (0, 1, 3, 4);
my ($kEndStream, $kAck, $kEndHeaders) = (1, 1, 4);

sub new {
    my ($class, $port) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5) or die "connect: $!";
    my $self = bless { socket => $socket, next => 1, input => '', status => {}, ended => {}, reset => {} }, $class;
    syswrite $socket, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . _frame($kSettings, 0, 0, '');
    return $self;
}

sub _frame {
    my ($type, $flags, $stream, $payload) = @_;
    return substr(pack('N', length $payload), 1) . pack('CCN', $type, $flags, $stream) . $payload;
}

# A literal that no table keeps (RFC 7541 section 6.2.3).
sub _field { my ($name, $value) = @_; return join '', "\x10", map { pack('C', length) . $_ } $name, $value; }

# The stream's number. end => 0: the body goes on, with more().
sub request {
    my ($self, $method, $path, $body, %opt) = @_;
    my $stream = $self->{next};
    $self->{next} += 2;
    my %headers = (':method' => $method, ':path' => $path, ':scheme' => 'http', ':authority' => 'localhost');
    my $fields = join '', map { _field($_, $headers{$_}) } sort keys %headers;
    my $bytes = _frame($kHeaders, $kEndHeaders | (defined $body ? 0 : $kEndStream), $stream, $fields);
    $bytes .= _frame($kData, $opt{end} // 1 ? $kEndStream : 0, $stream, $body) if defined $body;
    syswrite $self->{socket}, $bytes;
    return $stream;
}

sub more {
    my ($self, $stream, $body, %opt) = @_;
    syswrite $self->{socket}, _frame($kData, $opt{end} // 1 ? $kEndStream : 0, $stream, $body);
    return;
}

# CANCEL
sub reset { my ($self, $stream) = @_; syswrite $self->{socket}, _frame($kReset, 0, $stream, pack 'N', 8); return; }

# Without waiting, what is there; else until the stream has ended or $seconds (20) have passed.
sub status_of {
    my ($self, $stream, $seconds) = @_;
    my $deadline = time + ($seconds // 20);
    while (!$self->{ended}{$stream}) {
        my $left = $deadline - time;
        last if !$self->_read($left < 0 ? 0 : $left) && $left <= 0;
        last if $self->{closed};
    }
    return $self->{status}{$stream};
}

sub _read {
    my ($self, $seconds) = @_;
    IO::Select->new($self->{socket})->can_read($seconds) or return 0;
    my $got = sysread $self->{socket}, $self->{input}, 65536, length $self->{input};
    $self->{closed} = 1 if !$got;
    while (length $self->{input} >= 9) {
        my $length = unpack 'N', "\0$self->{input}";
        last if length $self->{input} < 9 + $length;
        my ($type, $flags, $stream) = unpack 'x3 CCN', $self->{input};
        $self->_take($type, $flags, $stream, substr $self->{input}, 9, $length);
        substr $self->{input}, 0, 9 + $length, '';
    }
    return $got;
}

sub _take {
    my ($self, $type, $flags, $stream, $payload) = @_;
    syswrite $self->{socket}, _frame($kSettings, $kAck, 0, '') if $type == $kSettings && !($flags & $kAck);
    $self->{status}{$stream} = _status($payload) if $type == $kHeaders;
    $self->{reset}{$stream} = unpack 'N', $payload if $type == $kReset;
    $self->{ended}{$stream} = 1 if $type == $kReset || $type <= $kHeaders && $flags & $kEndStream;
    return;
}

# nginx writes it first: an index, or three digits behind the name's.
sub _status {
    my ($fields) = @_;
    $fields =~ s/\A[\x20-\x3f]+//;
    my %indexed = (0x88 => 200, 0x89 => 204, 0x8a => 206, 0x8b => 304, 0x8c => 400, 0x8d => 404, 0x8e => 500);
    return $indexed{ ord $fields } // ($fields =~ /\A\x48\x03(\d{3})/ ? $1 : '?');
}

sub close { my ($self) = @_; CORE::close($self->{socket}); return; }

1;
