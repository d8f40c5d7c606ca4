package Gate::HTTP;

# HTTP as bytes on a socket: what is sent is exactly what the test wrote, what came back is parsed
# into Gate::Response objects. Never retries, never follows, never hangs past its timeout.

use strict;
use warnings;

use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(http_raw http_request http_get http_post curl request_bytes);

our $DEFAULT_PORT;    # set by Gate::Test->start

# http_raw($bytes or [pieces], options) sends and returns the responses: a list, or the first one in
# scalar context. Options: port, host (127.0.0.1), timeout (5 s), count (how many responses to wait
# for; default: as many as request lines are seen), pause (seconds between pieces), shutdown (close
# the sending half), until_close (read on after `count` responses), tls, methods (list, when the
# request lines cannot be seen), fd (ref: keeps the socket open and stores it there; pass it back as
# `socket`).
sub http_raw {
    my ($bytes, %opt) = @_;
    my @pieces = ref $bytes ? @$bytes : ($bytes);
    my @methods = @{ $opt{methods} || [] };
    if (!@methods) {
        my $all = join '', @pieces;
        push @methods, $1 while $all =~ m{^([A-Z]+) [^\r\n]* HTTP/1\.[01]\r?$}mg;
    }
    my $count = $opt{count} // (@methods || 1);
    my $deadline = time + ($opt{timeout} // 5);
    my $socket = $opt{socket} || _connect(%opt)
        or return Gate::Response->failed("connect: $!");

    local $SIG{PIPE} = 'IGNORE';
    my $first = 1;
    for my $piece (@pieces) {
        sleep($opt{pause} // 0.05) if !$first;
        $first = 0;
        _send_all($socket, $piece, $deadline) or last;
    }
    shutdown($socket, 1) if $opt{shutdown};

    my ($input, $ended) = ('', '');
    my @responses;
    while (!$ended && (@responses < $count || $opt{until_close})) {
        if (my $response = Gate::Response->take(\$input, $methods[@responses], 0)) {
            push @responses, $response;
            next;
        }
        my $left = $deadline - time;
        if ($left <= 0) { $ended = 'timeout'; last; }
        next if $opt{tls} ? !($socket->pending || IO::Select->new($socket)->can_read($left))
            : !IO::Select->new($socket)->can_read($left);
        my $got = sysread $socket, $input, 65536, length $input;
        next if !defined $got && $!{EAGAIN};
        $ended = defined $got ? 'eof' : "error: $!" if !$got;
    }
    while (length $input && @responses < $count) {
        my $response = Gate::Response->take(\$input, $methods[@responses], $ended eq 'eof') or last;
        push @responses, $response;
    }
    ${ $opt{fd} } = $socket if $opt{fd};
    push @responses, Gate::Response->failed($ended || 'incomplete', $input) if !@responses;
    $_->{ended} //= $ended || 'complete' for @responses;
    return wantarray ? @responses : $responses[0];
}

sub _connect {
    my (%opt) = @_;
    my %to = (
        PeerAddr => $opt{host} // '127.0.0.1',
        PeerPort => $opt{port} // $DEFAULT_PORT // die("no port: start nginx first or say port =>"),
        Timeout => $opt{timeout} // 5,
    );
    if ($opt{tls}) {
        require IO::Socket::SSL;
        return IO::Socket::SSL->new(%to, SSL_verify_mode => 0, SSL_hostname => 'localhost',
            %{ ref $opt{tls} ? $opt{tls} : {} });
    }
    my $socket = IO::Socket::INET->new(%to, Proto => 'tcp') or return;
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    return $socket;
}

sub _send_all {
    my ($socket, $bytes, $deadline) = @_;
    my $offset = 0;
    while ($offset < length $bytes) {
        my $left = $deadline - time;
        return 0 if $left <= 0 || !IO::Select->new($socket)->can_write($left);
        # in slices: the peer may answer and close long before it has read all
        my $sent = syswrite $socket, $bytes, 65536, $offset;
        return 0 if !defined $sent;
        $offset += $sent;
    }
    return 1;
}

# The text of one request. headers: hash or list (order and repetition kept). Host and
# "Connection: close" are added unless given; a body brings its Content-Length.
sub request_bytes {
    my ($method, $uri, %opt) = @_;
    my @headers = ref $opt{headers} eq 'HASH'
        ? map { [$_, $opt{headers}{$_}] } sort keys %{ $opt{headers} }
        : _pairs(@{ $opt{headers} || [] });
    my %given = map { lc $_->[0] => 1 } @headers;
    unshift @headers, ['Host', 'localhost'] if !$given{host};
    push @headers, ['Connection', 'close'] if !$given{connection} && !$opt{keepalive};
    my $body = $opt{body} // '';
    push @headers, ['Content-Length', length $body]
        if defined $opt{body} && !$given{'content-length'} && !$given{'transfer-encoding'};
    my $version = $opt{version} // '1.1';
    return join('', "$method $uri HTTP/$version\r\n", map({"$_->[0]: $_->[1]\r\n"} @headers),
        "\r\n", $body);
}

sub _pairs {
    my @list = @_;
    my @pairs;
    push @pairs, [splice @list, 0, 2] while @list;
    return @pairs;
}

sub http_request {
    my ($method, $uri, %opt) = @_;
    return scalar http_raw(request_bytes($method, $uri, %opt), methods => [$method], %opt, count => 1);
}

sub http_get { return http_request('GET', @_); }
sub http_post { my ($uri, $body, %opt) = @_; return http_request('POST', $uri, body => $body, %opt); }

# The same through curl, for HTTP/2: curl('/x', headers => [..], method =>, body =>, http2 => 1,
# tls => 1, args => [..]). The exit status is in ->{curl_status}.
sub curl {
    my ($uri, %opt) = @_;
    my @command = ('curl', '-s', '-S', '-i', '-k', '--path-as-is', '-m', $opt{timeout} // 5);
    push @command, $opt{http2} // 1 ? $opt{tls} ? '--http2' : '--http2-prior-knowledge' : '--http1.1';
    push @command, '-X', $opt{method} if $opt{method};
    push @command, '-I' if ($opt{method} // '') eq 'HEAD';
    push @command, '--data-binary', $opt{body} if defined $opt{body};
    my @headers = ref $opt{headers} eq 'HASH'
        ? map { [$_, $opt{headers}{$_}] } sort keys %{ $opt{headers} }
        : _pairs(@{ $opt{headers} || [] });
    push @command, '-H', length $_->[1] ? "$_->[0]: $_->[1]" : "$_->[0];" for @headers;
    my $port = $opt{port} // $DEFAULT_PORT;
    push @command, @{ $opt{args} || [] }, ($opt{tls} ? 'https' : 'http') . "://127.0.0.1:$port$uri";
    open my $pipe, '-|', @command or die "curl: $!";
    binmode $pipe;
    my $output = do { local $/; <$pipe> } // '';
    close $pipe;
    my $status = $? >> 8;
    my $response = Gate::Response->take(\$output, $opt{method}, 1)
        || Gate::Response->failed("curl exit $status", $output);
    $response->{curl_status} = $status;
    return $response;
}

package Gate::Response;

use strict;
use warnings;

use JSON::PP ();

# Takes one whole response off the front of $$input, or returns nothing while it is incomplete.
# Interim responses (1xx other than 101) are collected in ->{interim}.
sub take {
    my ($class, $input, $method, $at_eof) = @_;
    my @interim;
    my $text = $$input;
    while (1) {
        $text =~ s{\A(HTTP/(\d(?:\.\d)?) (\d{3}) ?([^\r\n]*))\r\n\r\n}{}s
            or $text =~ s{\A(HTTP/(\d(?:\.\d)?) (\d{3}) ?([^\r\n]*)\r?\n(.*?))\r?\n\r?\n}{}s
            or return;
        my $head = $1;
        my $self = bless {
            version => $2, status => 0 + $3, reason => $4, head => $head, interim => [@interim],
            headers => [map { [/\A([^:]+):[ \t]*(.*?)[ \t\r]*\z/s] }
                    grep {/:/} split /\n/, defined $5 ? $5 : ''],
        }, $class;
        if ($self->{status} < 200 && $self->{status} != 101) {
            push @interim, $self->{status};
            next;
        }
        defined $self->_take_body(\$text, $method, $at_eof) or return;
        $$input = $text;
        return $self;
    }
}

sub _take_body {
    my ($self, $text, $method, $at_eof) = @_;
    $self->{body} = '';
    return '' if ($method // '') eq 'HEAD' || $self->{status} =~ /\A(?:101|204|304)\z/;
    if (lc($self->header('Transfer-Encoding') // '') eq 'chunked') {
        my ($rest, $body) = ($$text, '');
        while ($rest =~ s/\A([0-9a-fA-F]+)[^\r\n]*\r\n//) {
            my $size = hex $1;
            if ($size == 0) {
                $rest =~ s/\A(?:[^\r\n]+\r\n)*\r\n// or return;
                ($$text, $self->{body}) = ($rest, $body);
                return $body;
            }
            return if length $rest < $size + 2;
            $body .= substr $rest, 0, $size;
            substr $rest, 0, $size + 2, '';
        }
        return;
    }
    my $size = $self->header('Content-Length');
    return if defined $size ? length $$text < $size : !$at_eof;
    $self->{body} = substr $$text, 0, $size // length $$text, '';
    return $self->{body};
}

sub failed {
    my ($class, $why, $rest) = @_;
    return bless { status => 0, reason => $why, ended => $why, version => '', headers => [],
        body => $rest // '', head => '', interim => [] }, $class;
}

sub status { return $_[0]{status}; }
sub body { return $_[0]{body}; }

# The header's value; several lines of it are joined by ", ". Undefined when it is not there.
sub header {
    my ($self, $name) = @_;
    my @values = $self->header_all($name);
    return @values ? join(', ', @values) : undef;
}

sub header_all {
    my ($self, $name) = @_;
    return map { $_->[1] } grep { lc $_->[0] eq lc $name } @{ $self->{headers} };
}

# The body as JSON; dies with the body's beginning where it is none.
sub json {
    my ($self) = @_;
    my $value = eval { JSON::PP->new->utf8->allow_nonref->decode($self->{body}) };
    die "status $self->{status}, not JSON: " . substr($self->{body}, 0, 200) . "\n" if $@;
    return $value;
}

1;
