package Gate::Secrets;

# The search for seeded secrets in what should hold none:
#
#   my $secrets = Gate::Secrets->new(password => $password, key => $key);
#   is_deeply $secrets->found_in(\$text), [];    # names of those that the text holds
#
# Each stretch of 12 octets of them is looked for, as it is, backwards, and as hexadecimal, base64 and
# base64url.

use strict;
use warnings;

use Exporter 'import';
use MIME::Base64 qw(encode_base64);

use Gate::Test ();

our @EXPORT_OK = qw(mapped_memory shared_memory);

sub new {
    my ($class, %needles) = @_;
    return bless { map { $_ => _any_of(_spellings($needles{$_})) } keys %needles }, $class;
}

sub _any_of { my $any = join '|', map {quotemeta} @_; return qr/$any/; }

# Base64 of a text differs by where it begins in a group of three, so it is spelled from three places.
sub _spellings {
    my ($text) = @_;
    my @all;
    for (my $at = 0; $at + 12 <= length $text; $at += 4) {
        my $piece = substr $text, $at, 12;
        my @base64 = map { substr encode_base64("\0" x $_ . $piece, ''), $_ ? 4 : 0, 12 } 0 .. 2;
        push @all, $piece, unpack('H*', $piece), uc unpack('H*', $piece), scalar reverse($piece), @base64,
            map { tr{+/}{-_}r } @base64;
    }
    my %seen;
    return grep { !$seen{$_}++ } @all;
}

sub found_in {
    my ($self, $text) = @_;
    return [grep { $$text =~ $self->{$_} } sort keys %$self];
}

# What a process has in memory, of those lines of its maps that match; undef where that cannot be read.
sub mapped_memory {
    my ($pid, $pattern) = @_;
    no warnings 'portable';    # addresses have 64 bits
    my $text = '';
    open my $memory, '<:raw', "/proc/$pid/mem" or return;
    for (split /\n/, Gate::Test::slurp("/proc/$pid/maps")) {
        next if !/$pattern/ || !/\A([0-9a-f]+)-([0-9a-f]+) /;
        my ($from, $to) = (hex $1, hex $2);
        next if $to - $from > 1 << 26;    # what a sanitizer reserves
        sysseek $memory, $from, 0 or next;
        while ($from < $to) {
            my $got = sysread $memory, my $piece, $to - $from > 1 << 20 ? 1 << 20 : $to - $from or last;
            $text .= $piece;
            $from += $got;
        }
    }
    return $text;
}

# The zones of a worker.
sub shared_memory { return mapped_memory($_[0], qr/ rw-s .* (?:\/dev\/zero|$)/); }

1;
