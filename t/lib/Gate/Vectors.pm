package Gate::Vectors;

# What the tests over the vectors share: many requests on few connections, and a line that says how
# many cases of a file ran.

use strict;
use warnings;

use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

use Gate::HTTP ();
use Gate::Token qw(decode_base64url);
use MIME::Base64 qw(decode_base64);

our @EXPORT_OK = qw(keepalive_responses ran token_of issuer_blocks);

my $BATCH = 16;

# keepalive_responses(port, requests..): the response of each request (HTTP/1.1 GET text without
# "Connection: close"), pipelined. A connection that nginx closes is opened again: the first
# response on a closed connection is its answer, the requests behind it are sent anew.
sub keepalive_responses {
    my ($port, @requests) = @_;
    my @responses;
    while (@responses < @requests) {
        my $last = @responses + $BATCH - 1;
        $last = $#requests if $last > $#requests;
        my @got = _batch($port, @requests[@responses .. $last]);
        # nothing at all: let the patient reader say why
        @got = (scalar Gate::HTTP::http_raw($requests[@responses], port => $port, count => 1,
            methods => ['GET'])) if !@got;
        push @responses, @got;
    }
    return @responses;
}

my ($kept, $kept_port, $kept_input);

sub _batch {
    my ($port, @requests) = @_;
    if (!$kept || $kept_port != $port) {
        ($kept_port, $kept_input) = ($port, '');
        $kept = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5)
            or die "connect: $!";
        setsockopt $kept, IPPROTO_TCP, TCP_NODELAY, 1;
        $kept->blocking(0);
    }
    my ($output, $offset) = (join('', @requests), 0);
    my ($read, $write) = (IO::Select->new($kept), IO::Select->new($kept));
    my $deadline = time + 20;
    local $SIG{PIPE} = 'IGNORE';
    my @responses;
    while (@responses < @requests && time < $deadline) {
        my ($can_read, $can_write) =
            IO::Select->select($read, $offset < length $output ? $write : undef, undef, 1);
        if ($can_write && @$can_write) {
            my $sent = syswrite $kept, $output, 65536, $offset;
            $offset = length $output if !defined $sent && !$!{EAGAIN};
            $offset += $sent // 0;
        }
        next if !$can_read || !@$can_read;
        my $got = sysread $kept, $kept_input, 262144, length $kept_input;
        next if !defined $got && $!{EAGAIN};
        while (my $response = Gate::Response->take(\$kept_input, 'GET', !$got)) {
            push @responses, $response;
            last if @responses == @requests;
        }
        my $last = @responses ? $responses[-1]->header('Connection') // '' : '';
        if (!$got || lc $last eq 'close') {
            undef $kept;
            last;
        }
    }
    undef $kept if time >= $deadline;
    return @responses;
}

# The bytes of a case's token.
sub token_of {
    my ($case) = @_;
    return defined $case->{token_b64} ? decode_base64($case->{token_b64}) : $case->{token};
}

# Two gate_issuer blocks over one key set: for tokens of the corpus' issuer and for those without
# `iss`; NAME stands for both in "gate jwt=NAME_url,NAME_off". HMAC must be asked for by name.
sub issuer_blocks {
    my ($name, $file, $keys) = @_;
    my $hmac = grep { ref eq 'HASH' && ($_->{kty} // '') eq 'oct' } @$keys;
    my $algorithms = $hmac ? 'HS256 HS384 HS512'
        : 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA';
    return join '', map {
        my ($suffix, $issuer) = @$_;
        "gate_issuer ${name}_$suffix { issuer $issuer; jwks_file $file; audience off; "
            . "algorithms $algorithms; }\n"
    } ['url', 'https://idp.example.com'], ['off', 'off'];
}

# The line that tells a reader how much of a file was tried.
sub ran {
    my ($file, $ran, $held, $more) = @_;
    Test::More::diag("vectors: $file ran $ran of $held" . ($more ? " ($more)" : ""));
    return;
}

1;
