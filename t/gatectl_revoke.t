# gatectl revoke: what is told was written, concurrent writers lose nothing, a killed one leaves a
# journal that still parses, damage is named by its line.
use lib 't/lib';
use Gate::Test;

use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep);

my $t = Gate::Test->new;
my $file = $t->dir . '/revocations';
my @file = ('--file', $file);

sub decoded { return JSON::PP->new->utf8->decode($_[0]); }

sub gatectl_json {
    my @options = ref $_[-1] ? pop : ();
    my ($status, $out) = gatectl(@_, '--json', @options);
    return ($status, scalar eval { decoded($out) });
}

sub start_gatectl {
    my ($output, @arguments) = @_;
    defined(my $pid = fork) or die "fork: $!";
    return $pid if $pid;
    open STDOUT, '>>', $output;
    open STDERR, '>', '/dev/null';
    my $program = $ENV{GATE_CTL} || root_dir() . '/build/release/gatectl';
    exec { $program } $program, @arguments or POSIX::_exit(127);
}

sub entries {
    my ($status, $list) = gatectl_json('revoke', 'list', @_ ? ('--file', @_) : @file);
    return $status ? undef : $list->{entries};
}

# ---- one line an entry

my ($status, $entry) = gatectl_json('revoke', 'jti', 'id 1', '--issuer', 'https://idp.example.com',
    '--ttl', '1h', @file);
is $status, 0, 'revoke jti is done';
is $entry->{value}, 'id 1', 'and tells what it wrote';
like slurp($file), qr{\A[0-9a-f]{8} \S+Z jti https%3A%2F%2Fidp\.example\.com id%201 - \S+Z\n\z},
    'one line, percent-encoded, behind its checksum';
is sprintf('%o', (stat $file)[2] & 0137), '0', 'of mode 0640 at most';

is((gatectl('revoke', 'sub', 'alice', '--issuer', 'i', @file))[0], 0, 'revoke sub is done');
is((gatectl('revoke', 'key', 'k1', '--store', 'partner', @file))[0], 0, 'revoke key is done');
is((gatectl('revoke', 'all', @file))[0], 0, 'revoke all is done');
is join(' ', map { $_->{kind} } @{ entries() }), 'jti sub key all', 'list shows them in order';
is entries()->[0]{issued_until}, undef, 'a jti dies whenever it was issued';
like entries()->[1]{issued_until}, qr/Z\z/, 'a subject until an instant';

is((gatectl('revoke', 'jti', "a\tb", '--issuer', 'i', @file))[0], 2, 'a control character is refused');
is((gatectl('revoke', 'jti', 'x' x 4100, '--issuer', 'i', @file))[0], 2, 'so is what is too long');
is((gatectl('revoke', 'jti', 'x', @file))[0], 2, 'and no issuer');
is scalar(@{ entries() }), 4, 'and nothing is written';

# ---- a token at hand

my ($code, $token) = gatectl('token', 'sign', '--secret-file',
    $t->write_file('secret', '0123456789abcdefghijklmnopqrstuvwxyz'), '--alg', 'HS256', '--issuer', 'i');
is $code, 0, 'a token';
($status, $entry) = gatectl_json('revoke', 'token', '--token-file', '-', @file, { stdin => $token });
is $status, 0, 'revoke token is done';
is $entry->{kind}, 'jti', 'and takes its jti';
is $entry->{issuer}, 'i', 'and its iss';
like $entry->{expires}, qr/Z\z/, 'and its exp';

# ---- compaction

gatectl('revoke', 'sub', 'alice', '--issuer', 'i', '--issued-until', 'never', @file);
is((gatectl_json('revoke', 'compact', @file))[1]{left_out}, 1, 'compact leaves out what is covered');
is scalar(@{ entries() }), 5, 'and nothing else';

# ---- many at a time

my $shared = $t->dir . '/shared';
my @writers;
for my $writer (1 .. 4) {
    defined(my $pid = fork) or die "fork: $!";
    if (!$pid) {
        for my $i (1 .. 10) {
            waitpid start_gatectl('/dev/null', 'revoke', 'jti', "$writer-$i", '--issuer', 'i',
                '--file', $shared), 0;
            POSIX::_exit(1) if $?;
        }
        POSIX::_exit(0);
    }
    push @writers, $pid;
}
for (1 .. 10) { gatectl('revoke', 'compact', '--file', $shared); sleep 0.01 }
my $failures = 0;
for (@writers) { waitpid $_, 0; $failures++ if $? }
is $failures, 0, 'four writers beside compaction succeed';
my %seen = map { $_->{value} => 1 } @{ entries($shared) };
is scalar(keys %seen), 40, 'and none of their 40 entries is lost';

# ---- kill -9 at any moment

my $torn = $t->dir . '/torn';
my $told = $t->dir . '/told';
my ($killed, $broken, $lost) = (0, 0, 0);
for my $round (1 .. 40) {
    my $pid = start_gatectl($told, 'revoke', 'jti', "r$round", '--issuer', 'i' x 500, '--file', $torn);
    sleep 0.0004 * $round;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    $killed++ if $? == 9;
    next if !-e $torn;
    my $entries = entries($torn);
    if (!$entries) { $broken++; next }
    my %there = map { $_->{value} => 1 } @$entries;
    my @acknowledged = -e $told ? slurp($told) =~ /jti "(r\d+)"/g : ();
    $lost += grep { !$there{$_} } @acknowledged;
}
ok $killed, "killed $killed of 40 writers at work";
is $broken, 0, 'the journal could be read after each';
is $lost, 0, 'and held whatever had been told';
is((gatectl('revoke', 'jti', 'last', '--issuer', 'i', '--file', $torn))[0], 0,
    'the next writer is not held up');

open my $append, '>>', $torn or die;
print $append '01234567 2027-01-15T08:00:00Z jti unfin';
close $append;
my $before = @{ entries($torn) };
is((gatectl('revoke', 'jti', 'after', '--issuer', 'i', '--file', $torn))[0], 0, 'an unfinished line');
is scalar(@{ entries($torn) }), $before + 1, 'is cut off by the next writer';
unlike slurp($torn), qr/unfin/, 'for good';

# ---- damage

my $text = slurp($file);
my @lines = split /^/, $text;
substr($lines[1], 20, 1) ^= "\x01";
my $damaged = $t->write_file('damaged', join '', @lines);
my ($checked, $report) = gatectl('revoke', 'check', '--file', $damaged);
is $checked, 1, 'a damaged line is found';
like $report, qr/^\Q$damaged\E:2: checksum is [0-9a-f]{8}, the text has [0-9a-f]{8}$/m, 'and named';
is((gatectl('revoke', 'list', '--file', $damaged))[0], 1, 'such a file is not listed');
is((gatectl('revoke', 'compact', '--file', $damaged))[0], 1, 'nor compacted');
is slurp($damaged), join('', @lines), 'nor changed';
is((gatectl('revoke', 'check', @file))[0], 0, 'the good one passes');

done_testing();
