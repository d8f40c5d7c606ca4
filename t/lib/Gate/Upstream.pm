package Gate::Upstream;

# The application behind the gate, as a forked process that records every request it got: HTTP,
# FastCGI or uwsgi. Each answer is JSON of what was seen, unless the path or a handler says otherwise:
#   /xaccel/p        X-Accel-Redirect: /p          /status/N   that status
#   /sleep/MS/..     answers after MS milliseconds  /upgrade/..  101, then echoes bytes
# A record is {method, uri, headers: [[name, value]..], body, raw} (raw: HTTP only); for FastCGI and
# uwsgi the headers are the parameters. It is on disk before the answer is sent.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(time);

my $json = JSON::PP->new->ascii->canonical->allow_nonref;

# Gate::Upstream->start(port => N, log => FILE, protocol => 'http'|'fastcgi'|'uwsgi', handler => sub)
# The handler gets the record and returns nothing (the default answer) or [status, [headers], body].
sub start {
    my ($class, %opt) = @_;
    my $self = bless { protocol => 'http', %opt, owner => $$ }, $class;
    $self->{listener} = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => $self->{port}, Listen => 511, ReuseAddr => 1,
        Proto => 'tcp', Blocking => 0,
    ) or die "upstream cannot listen on $self->{port}: $!";
    open my $log, '>', $self->{log} or die "$self->{log}: $!";
    close $log;
    defined($self->{pid} = fork) or die "fork: $!";
    if ($self->{pid} == 0) {
        $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP);
        $SIG{PIPE} = 'IGNORE';
        eval { $self->_serve; 1 } or print STDERR "upstream: $@";
        POSIX::_exit(0);
    }
    close $self->{listener};
    return $self;
}

sub port { return $_[0]{port}; }

sub stop {
    my ($self) = @_;
    return if !$self->{pid} || $self->{owner} != $$;
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
    $self->{pid} = 0;
    return;
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!);
    $self->stop;
    return;
}

# What was recorded since the last clear, oldest first.
sub requests {
    my ($self) = @_;
    open my $log, '<:raw', $self->{log} or return;
    my @all = map { $json->decode($_) } <$log>;
    return @all[($self->{cleared} // 0) .. $#all];
}

sub hits { my ($self) = @_; return scalar(my @all = $self->requests); }

sub last_request { my ($self) = @_; return ($self->requests)[-1]; }

sub clear {
    my ($self) = @_;
    open my $log, '<:raw', $self->{log} or return;
    $self->{cleared} = () = <$log>;
    return;
}

# All values of a header (or parameter) in a record, exact bytes, name compared without case.
sub values_of {
    my ($record, $name) = @_;
    return map { $_->[1] } grep { lc $_->[0] eq lc $name } @{ $record->{headers} };
}

sub _serve {
    my ($self) = @_;
    my $parse = { http => \&_parse_http, fastcgi => \&_parse_fastcgi, uwsgi => \&_parse_uwsgi }
        ->{ $self->{protocol} } || die "unknown protocol $self->{protocol}";
    my $parent = getppid;
    my $listener = $self->{listener};
    my $select = IO::Select->new($listener);
    my (%connection, @later);
    while (getppid == $parent) {
        my $wait = 0.5;
        for my $item (@later) {
            my $left = $item->{at} - time;
            $wait = $left < 0 ? 0 : $left if $left < $wait;
        }
        for my $socket ($select->can_read($wait)) {
            if ($socket == $listener) {
                while (my $new = $listener->accept) {
                    $new->blocking(0);
                    $select->add($new);
                    $connection{ fileno $new } = { socket => $new, in => '' };
                }
                next;
            }
            my $c = $connection{ fileno $socket };
            my $got = sysread $socket, $c->{in}, 65536, length $c->{in};
            next if !defined $got && $!{EAGAIN};
            if (!$got) {
                $select->remove($socket);
                delete $connection{ fileno $socket };
                $c->{gone} = 1;
                close $socket;
                next;
            }
            if ($c->{echo}) {
                _write($c, $c->{in});
                $c->{in} = '';
                next;
            }
            while (my $record = $parse->($c)) {
                push @later, $self->_answer($c, $record);
            }
        }
        my $now = time;
        _write($_->{connection}, $_->{bytes}) for grep { $_->{at} <= $now } @later;
        @later = grep { $_->{at} > $now } @later;
    }
    return;
}

# Records the request and answers it, or returns the answer to be sent later.
sub _answer {
    my ($self, $c, $record) = @_;
    my $id = delete $record->{id};
    open my $log, '>>:raw', $self->{log} or die "$self->{log}: $!";
    syswrite $log, $json->encode($record) . "\n";
    close $log;

    my $answer = $self->{handler} ? $self->{handler}->($record) : undef;
    my $path = $record->{uri};
    my $delay = 0;
    if (!$answer) {
        my %shown = %$record;
        delete $shown{raw};
        my ($status, @headers) = (200);
        $status = $1 if $path =~ m{/status/(\d{3})};
        @headers = ('X-Accel-Redirect', $1) if $path =~ m{\A/xaccel(/.*)};
        $delay = $1 / 1000 if $path =~ m{/sleep/(\d+)};
        if ($path =~ m{\A/upgrade}) {
            $c->{echo} = 1;
            ($status, @headers) = (101, Upgrade => 'test', Connection => 'Upgrade');
        }
        $answer = [$status, ['Content-Type', 'application/json', @headers],
            $status == 101 ? '' : $json->encode(\%shown)];
    }
    my $bytes = $self->{protocol} eq 'http' ? _http_answer($c, @$answer)
        : $self->{protocol} eq 'uwsgi' ? _cgi_answer(@$answer)
        : _fastcgi_answer($id, _cgi_answer(@$answer));
    $c->{close} = 1 if $self->{protocol} ne 'http';
    return { at => time + $delay, connection => $c, bytes => $bytes } if $delay;
    _write($c, $bytes);
    return;
}

sub _write {
    my ($c, $bytes) = @_;
    return if $c->{gone};
    $c->{socket}->blocking(1);
    my $offset = 0;
    while ($offset < length $bytes) {
        my $sent = syswrite $c->{socket}, $bytes, length($bytes) - $offset, $offset;
        last if !defined $sent;
        $offset += $sent;
    }
    $c->{socket}->blocking(0);
    shutdown $c->{socket}, 1 if $c->{close};
    return;
}

sub _http_answer {
    my ($c, $status, $headers, $body) = @_;
    my @headers = @$headers;
    my $text = "HTTP/1.1 $status Upstream\r\n";
    $text .= splice(@headers, 0, 1) . ': ' . splice(@headers, 0, 1) . "\r\n" while @headers;
    $text .= 'Content-Length: ' . length($body) . "\r\n" if $status != 101 && $status != 204;
    $text .= "Connection: close\r\n" if $c->{close};
    return "$text\r\n" . ($c->{head} ? '' : $body);
}

sub _cgi_answer {
    my ($status, $headers, $body) = @_;
    my @headers = @$headers;
    my $text = "Status: $status Upstream\r\n";
    $text .= splice(@headers, 0, 1) . ': ' . splice(@headers, 0, 1) . "\r\n" while @headers;
    return "$text\r\n$body";
}

sub _parse_http {
    my ($c) = @_;
    return if $c->{in} !~ /\r\n\r\n/;
    my $end = $+[0];
    my $head = substr $c->{in}, 0, $end;
    my ($line, @lines) = split /\r\n/, $head;
    my ($method, $uri, $version) = split / /, $line, 3;
    my @headers = map { [/\A([^:]*): ?(.*)\z/s] } @lines;
    my %one = map { lc $_->[0] => $_->[1] } @headers;
    my $body = '';
    if (($one{'transfer-encoding'} // '') =~ /chunked/i) {
        my $rest = substr $c->{in}, $end;
        return if $rest !~ /(?:\A|\r\n)0\r\n\r\n/;
        my $stop = $+[0];
        while ($rest =~ s/\A([0-9a-fA-F]+)\r\n//) {
            last if hex $1 == 0;
            $body .= substr $rest, 0, hex $1;
            substr $rest, 0, 2 + hex $1, '';
        }
        $end += $stop;
    } else {
        my $size = $one{'content-length'} // 0;
        return if length $c->{in} < $end + $size;
        $body = substr $c->{in}, $end, $size;
        $end += $size;
    }
    my $raw = substr $c->{in}, 0, $end, '';
    $c->{head} = $method eq 'HEAD';
    $c->{close} = ($version // '') eq 'HTTP/1.0' || lc($one{connection} // '') eq 'close';
    return { method => $method, uri => $uri, headers => \@headers, body => $body, raw => $raw };
}

sub _parameters_record {
    my ($id, $body, @pairs) = @_;
    my %one = map { @$_ } @pairs;
    return { id => $id, method => $one{REQUEST_METHOD} // '', uri => $one{REQUEST_URI} // '',
        headers => \@pairs, body => $body };
}

# FastCGI 1.0 section 3.3: version, type, id, content length, padding length, reserved.
sub _parse_fastcgi {
    my ($c) = @_;
    my ($rest, $parameters, $body, $done, $id) = ($c->{in}, '', '', 0, 1);
    while (length $rest >= 8 && !$done) {
        (my $type, $id, my $length, my $padding) = unpack 'x C n n C', $rest;
        return if length $rest < 8 + $length + $padding;
        my $content = substr $rest, 8, $length;
        substr $rest, 0, 8 + $length + $padding, '';
        $parameters .= $content if $type == 4;
        $body .= $content if $type == 5;
        $done = 1 if $type == 5 && $length == 0;
    }
    return if !$done;
    $c->{in} = $rest;
    my @pairs;
    while (length $parameters) {
        my @size = map {
            my $byte = unpack 'C', $parameters;
            my $wide = $byte & 0x80;
            my $n = $wide ? unpack('N', $parameters) & 0x7fffffff : $byte;
            substr $parameters, 0, $wide ? 4 : 1, '';
            $n;
        } 1, 2;
        push @pairs, [substr($parameters, 0, $size[0], ''), substr($parameters, 0, $size[1], '')];
    }
    return _parameters_record($id, $body, @pairs);
}

sub _fastcgi_answer {
    my ($id, $text) = @_;
    my $out = '';
    while (length $text) {
        my $part = substr $text, 0, 32768, '';
        $out .= pack('C C n n C x', 1, 6, $id, length $part, 0) . $part;
    }
    return $out . pack('C C n n C x', 1, 6, $id, 0, 0) . pack('C C n n C x N N', 1, 3, $id, 8, 0, 0, 0);
}

# uwsgi: modifier, size of the variables (little endian), modifier; then length-prefixed pairs.
sub _parse_uwsgi {
    my ($c) = @_;
    return if length $c->{in} < 4;
    my $size = unpack 'x v', $c->{in};
    return if length $c->{in} < 4 + $size;
    my $variables = substr $c->{in}, 4, $size;
    my @pairs;
    push @pairs, [unpack 'v/a v/a', $variables]
        and substr $variables, 0, 4 + length($pairs[-1][0]) + length($pairs[-1][1]), ''
        while length $variables;
    my %one = map { @$_ } @pairs;
    my $length = $one{CONTENT_LENGTH} || 0;
    return if length $c->{in} < 4 + $size + $length;
    my $body = substr $c->{in}, 4 + $size, $length;
    substr $c->{in}, 0, 4 + $size + $length, '';
    return _parameters_record(0, $body, @pairs);
}

1;
