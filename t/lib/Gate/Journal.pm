package Gate::Journal;

# Journals of revocations, by an implementation that is not the one under test (the format stands in
# src/cache/journal.h).

use strict;
use warnings;

use Exporter 'import';
use Fcntl qw(:flock);
use POSIX qw(strftime);

our @EXPORT_OK = qw(crc32c journal_line journal_text append many_ids);

# CRC-32C, bit by bit in a table (RFC 3720 section 12.1).
my @table = map {
    my $crc = $_;
    $crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
    $crc;
} 0 .. 255;

sub crc32c {
    my ($text) = @_;
    my $crc = 0xffffffff;
    $crc = ($crc >> 8) ^ $table[($crc ^ $_) & 0xff] for unpack 'C*', $text;
    return $crc ^ 0xffffffff;
}

# A value as one word.
sub field {
    my ($text) = @_;
    return '-' if !defined $text || $text eq '';
    return '%2D' if $text eq '-';
    return $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger;
}

sub _instant { return defined $_[0] ? strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $_[0]) : '-'; }

# journal_text(kind, issuer, value, until => seconds, expires => seconds, written => seconds): the
# line behind its checksum.
sub journal_text {
    my ($kind, $issuer, $value, %opt) = @_;
    return join ' ', _instant($opt{written} // time), $kind, field($issuer), field($value),
        _instant($opt{until}), _instant($opt{expires});
}

sub journal_line {
    my $text = journal_text(@_);
    return sprintf "%08x %s\n", crc32c($text), $text;
}

# Appends text as gatectl does.
sub append {
    my ($path, $text) = @_;
    open my $file, '>>:raw', $path or die "$path: $!";
    flock $file, LOCK_EX or die "$path: $!";
    syswrite($file, $text) == length $text or die "$path: $!";
    close $file or die "$path: $!";
    return;
}

# Lines that revoke the ids <prefix>0000000 .. of an issuer. A CRC is linear: what a digit does to
# that of a line depends on its place alone.
sub many_ids {
    my ($count, $issuer, $prefix, %opt) = @_;
    my $text = journal_text('jti', $issuer, "${prefix}0000000", %opt);
    my $at = index $text, "${prefix}0000000";
    $at += length $prefix;
    my $base = crc32c($text);
    my @change;
    for my $digit (0 .. 6) {
        for my $value (0 .. 9) {
            my $changed = $text;
            substr $changed, $at + $digit, 1, $value;
            $change[$digit][$value] = crc32c($changed) ^ $base;
        }
    }
    my ($head, $tail) = (substr($text, 0, $at), substr $text, $at + 7);
    my @lines;
    for my $number (0 .. $count - 1) {
        my $digits = sprintf '%07d', $number;
        my $crc = $base;
        my $place = 0;
        $crc ^= $change[$place++][$_] for split //, $digits;
        push @lines, sprintf("%08x ", $crc) . "$head$digits$tail\n";
    }
    return join '', @lines;
}

1;
