package Gate::Cache;

# For tests of the zone: what each worker answers, journals of revocations, and clients that send
# many requests over one connection. The server under test says who answers, and from where:
# "listen .. reuseport", then directives() in each location or above.

use strict;
use warnings;

use Exporter 'import';
use POSIX ();
use Time::HiRes qw(time);

use Gate::HTTP qw(http_get);
use Gate::Test ();

our @EXPORT = qw(says by answer each_worker warm journal_line heads);

# $gate_cache, $gate_reason and the worker as headers of every answer.
sub says {
    return 'add_header X-Worker $pid always; add_header X-Cache $gate_cache always; '
        . 'add_header X-Reason $gate_reason always;';
}

sub by { my ($token) = @_; return [Authorization => "Bearer $token"]; }

# "200 HIT", "401 exp_past", "403 HIT scope_missing".
sub answer {
    my ($path, $token, %opt) = @_;
    my $response = http_get($path, headers => ref $token ? $token : by($token), %opt);
    my $text = join ' ', $response->status,
        grep { defined && length } map { $response->header($_) } 'X-Cache', 'X-Reason';
    return wantarray ? ($text, $response->header('X-Worker') // '?', $response) : $text;
}

# The last answer of each of `count` workers, and how often each answer was given: ({worker =>
# answer}, {answer => times}). Asks until all have spoken.
sub each_worker {
    my ($count, $path, $token) = @_;
    my (%last, %times);
    for (1 .. 100 * $count) {
        my ($answer, $worker) = answer($path, $token);
        $last{$worker} = $answer;
        ++$times{$answer};
        last if keys %last >= $count;
    }
    return (\%last, \%times);
}

# Until every worker has answered "200 HIT"; true when they have.
sub warm {
    my ($count, $path, $token) = @_;
    return Gate::Test::wait_for(sub {
        my ($last) = each_worker($count, $path, $token);
        return $count == grep { $_ eq '200 HIT' } values %$last;
    }, 10);
}

# ---- journals

my @crc = map {
    my $value = $_;
    $value = $value & 1 ? ($value >> 1) ^ 0x82f63b78 : $value >> 1 for 1 .. 8;
    $value;
} 0 .. 255;

sub _crc32c {
    my $crc = 0xffffffff;
    $crc = $crc[($crc ^ $_) & 0xff] ^ ($crc >> 8) for unpack 'C*', $_[0];
    return $crc ^ 0xffffffff;
}

sub _encoded {
    my ($text) = @_;
    return '-' if $text eq '';
    $text =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
    return $text eq '-' ? '%2D' : $text;
}

# A line as src/cache/journal.h describes it; issued_until and expires as RFC 3339 where given.
sub journal_line {
    my ($kind, $issuer, $value, %opt) = @_;
    my $text = join ' ', POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime), $kind, _encoded($issuer),
        _encoded($value), $opt{issued_until} // '-', $opt{expires} // '-';
    return sprintf "%08x %s\n", _crc32c($text), $text;
}

# ---- many requests

# HEAD requests over one connection, all sent before the first answer is read. Each request is
# [path, token]; returns an answer for each as answer() has it, "" where none came.
sub heads {
    my ($socket, @requests) = @_;
    my $bytes = join '', map {
        "HEAD $_->[0] HTTP/1.1\r\nHost: localhost\r\n"
            . (defined $_->[1] ? "Authorization: Bearer $_->[1]\r\n" : '') . "\r\n"
    } @requests;
    my ($input, $sent, $got) = ('', 0, 0);
    my $deadline = time + 30;
    while (time < $deadline && $got < @requests) {
        my ($in, $out) = ('', '');
        vec($in, fileno $socket, 1) = 1;
        vec($out, fileno $socket, 1) = 1 if $sent < length $bytes;
        select($in, $out, undef, 1) > 0 or next;
        if (vec $out, fileno $socket, 1) {
            $sent += syswrite($socket, $bytes, 16384, $sent) // last;
        }
        next if !vec $in, fileno $socket, 1;
        sysread $socket, $input, 65536, length $input or last;
        $got = () = $input =~ /\r\n\r\n/g;
    }
    my @answers = map {
        my ($status) = m{\AHTTP/1\.1 (\d+)};
        my ($cache) = /^X-Cache: (\S+)/m;
        my ($reason) = /^X-Reason: (\S+)/m;
        join ' ', $status // '', grep { defined } $cache, $reason;
    } split /\r\n\r\n/, $input;
    push @answers, '' while @answers < @requests;
    return @answers;
}

1;
