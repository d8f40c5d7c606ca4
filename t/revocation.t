# Revocations by journal: each kind is in force in all workers within a second, behind a cached
# verdict too; unfinished, replaced, truncated, damaged, missing and large journals; a full zone.
# With GATE_LONG=1 a million ids, with the figures of issue 3.

use lib 't/lib';
use Gate::Crowd qw(crowd hammer percentile);
use Gate::Journal qw(journal_line append many_ids);
use Gate::Test;
use POSIX ();
use Time::HiRes qw(sleep time);

# The figures are to be ours, not those of whatever else this machine does, where we may say so.
setpriority 0, $$, -10 if $ENV{GATE_LONG} && $> == 0;

my $iss = 'https://idp.example.com';
my $t = Gate::Test->new(workers => 4, log_level => 'notice');
my $dir = $t->dir;
my $journal = $t->write_file('revocations', '');
my %keys = map { $_ => api_key('k_') } qw(by_id by_owner other);
my %records = map { $_ => key_record($keys{$_}, owner => "owner-$_", created => int(time) - 10) } keys %keys;
$t->write_file('keys.json', key_file(@records{sort keys %keys}));
$t->write_jwks('corp.jwks', 'rs');
my $http = <<"EOF2";
gate_zone %%ZONE%%;
gate_revocation file=%%DIR%%/revocations %%LAG%%;
gate_issuer corp { issuer $iss; jwks_file %%DIR%%/corp.jwks; audience orders; }
gate_issuer other { issuer https://other.example.com; jwks_file %%DIR%%/corp.jwks; audience orders; }
gate_keys k { file %%DIR%%/keys.json; prefix k_; }
server {
    @{[Gate::Crowd::lines()]}
    add_header X-Reason \$gate_reason always;
    add_header X-Cache \$gate_cache always;
    location = /open { return 204; }
    location / { gate jwt=corp,other key=k; empty_gif; }
}
EOF2

sub config { my ($zone, $lag) = @_; return $t->write_config($http, vars => { ZONE => $zone, LAG => $lag // '' }); }
sub token { return (Authorization => 'Bearer ' . mint(claims => {@_})); }
sub status { return http_get('/', headers => [@_])->status; }
sub reason { return http_get('/', headers => [@_])->header('X-Reason') // ''; }
sub line { return journal_line($_[0], $iss, @_[1 .. $#_]); }
sub renew { my ($text) = @_; $t->write_file('revocations', $text); return; }

config('gate:2m');
$t->start;
my $crowd = crowd($t, 4);
is scalar(my @workers = $crowd->workers), 4, 'a connection to each of four workers';

# Waits until all workers refuse; the seconds since the acknowledgement.
sub until_refused {
    my @headers = @_;
    my $begin = time;
    wait_for(sub { $crowd->all('/', @headers) eq '401' }, 3);
    return time - $begin;
}

# The same file with other text.
sub overwrite {
    my ($path, $text) = @_;
    open my $file, '+<:raw', $path or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
    return;
}

sub revoke_by_gatectl {
    my ($kind, @arguments) = @_;
    my ($status, $out, $err) = gatectl('revoke', $kind, '--file', $journal, @arguments);
    is $status, 0, "gatectl revoke $kind @arguments" or diag $err;
    return;
}

subtest 'each kind' => sub {
    my %user = (sub => 'anna', sid => 's1', client_id => 'web');
    my $unnamed = mint();
    my @neighbour = token(jti => 'other', sub => 'otto', sid => 's2', client_id => 'app');
    my @foreign = token(iss => 'https://other.example.com', jti => 'j1', %user);
    my @cases = (
        ['jti', [token(jti => 'j1', sub => 'x')], [jti => '--issuer', $iss, 'j1']],
        ['tok', [Authorization => "Bearer $unnamed"], [token => '--token-file', $t->write_file('token', $unnamed)]],
        ['sub', [token(jti => 'j2', sub => 'anna')], [sub => '--issuer', $iss, 'anna']],
        ['sid', [token(jti => 'j3', sub => 'x', sid => 's1')], [sid => '--issuer', $iss, 's1']],
        ['client', [token(jti => 'j4', sub => 'x', client_id => 'web')], [client => '--issuer', $iss, 'web']],
        ['key', ['X-API-Key', $keys{by_id}], [key => '--store', 'k', $records{by_id}{id}]],
    );
    for my $case (@cases) {
        my ($name, $headers, $revoke) = @$case;
        is $crowd->all('/', @$headers), '200', "$name: accepted by all";
        my @cache = map { $crowd->ask($_, '/', headers => $headers)->header('X-Cache') // '' } $crowd->workers;
        is "@cache", 'HIT HIT HIT HIT', "$name: cached" if $name ne 'key';
        revoke_by_gatectl(@$revoke);
        cmp_ok until_refused(@$headers), '<', 1, "$name: refused by all within a second";
        my %reasons = map { $crowd->ask($_, '/', headers => $headers)->header('X-Reason') => 1 } $crowd->workers;
        is_deeply \%reasons, { revoked => 1 }, "$name: as revoked";
        is $crowd->all('/', @neighbour), '200', "$name: others pass";
        is $crowd->all('/', @foreign), '200', "$name: and the same names of another issuer";
        is $crowd->all('/', 'X-API-Key', $keys{other}), '200', "$name: and other keys";
    }
    append($journal, journal_line('sub', 'k', 'owner-by_owner'));
    cmp_ok until_refused('X-API-Key', $keys{by_owner}), '<', 1, 'a key by its owner';
    is $crowd->all('/', 'X-API-Key', $keys{other}), '200', 'others pass';

    revoke_by_gatectl('all', '--issuer', $iss);
    cmp_ok until_refused(@neighbour), '<', 1, 'everything of an issuer';
    is $crowd->all('/', @foreign), '200', 'not of another';
    is $crowd->all('/', 'X-API-Key', $keys{other}), '200', 'nor a key';
    my $new = [token(jti => 'later', iat => POSIX::ceil(time) + 1)];
    wait_for(sub { status(@$new) == 200 }, 4);
    is $crowd->all('/', @$new), '200', 'and not what is issued later';
    revoke_by_gatectl('all', '--issuer', '*');
    cmp_ok until_refused(@foreign), '<', 1, 'everything';
    cmp_ok until_refused('X-API-Key', $keys{other}), '<', 1, 'keys too';
};

# From here on everything is issued in the future of those marks.
renew('');
ok $t->stop, 'stopped';
$t->start;

subtest 'issued until, and expiry' => sub {
    my $now = int time;
    append($journal, line('sub', 'berta', until => $now - 75));
    my %born = map { $_ => [token(sub => 'berta', jti => "b$_", iat => $now - $_)] } 100, 75, 74;
    ok wait_for(sub { status(@{ $born{100} }) == 401 }, 2), 'issued before';
    is status(@{ $born{75} }), 401, 'at that second';
    is status(@{ $born{74} }), 200, 'after it';
    is status(token(sub => 'berta', jti => 'b0', iat => undef)), 401, 'nobody knows when';
    append($journal, line('sub', 'berta', until => $now - 74));
    ok wait_for(sub { status(@{ $born{74} }) == 401 }, 2), 'a later mark kills more';
    append($journal, line('jti', 'short', expires => time + 2) . line('jti', 'gone', expires => time - 1));
    ok wait_for(sub { status(token(jti => 'short')) == 401 }, 1.5), 'an entry that expires';
    is status(token(jti => 'gone')), 200, 'one that has expired';
    ok wait_for(sub { status(token(jti => 'short')) == 200 }, 4), 'is forgotten then';
};

subtest 'a line that is being written' => sub {
    my $line = line('jti', 'half');
    append($journal, substr $line, 0, 30);
    sleep 0.7;
    is status(token(jti => 'half')), 200, 'is not read';
    append($journal, substr $line, 30, -1);
    sleep 0.7;
    is status(token(jti => 'half')), 200, 'without its line feed';
    append($journal, "\n" . line('jti', 'next'));
    ok wait_for(sub { status(token(jti => 'half')) == 401 }, 1), 'with it it is';
    ok wait_for(sub { status(token(jti => 'next')) == 401 }, 1), 'and what follows';
};

subtest 'another file at the path' => sub {
    renew(line('jti', 'first of another'));
    ok wait_for(sub { status(token(jti => 'first of another')) == 401 }, 1), 'is read';
    is status(token(jti => 'half')), 401, 'what was known stays';
    truncate $journal, 0;
    append($journal, line('jti', 'c'));
    ok wait_for(sub { status(token(jti => 'c')) == 401 }, 1), 'truncated, it is read anew';
    is status(token(jti => 'first of another')), 401, 'what was known stays';
    renew(line('jti', 'place a'));
    ok wait_for(sub { status(token(jti => 'place a')) == 401 }, 1), 'one entry';
    overwrite($journal, line('jti', 'place b'));
    ok wait_for(sub { status(token(jti => 'place b')) == 401 }, 1), 'written over by another of its size in place';
    overwrite($journal, line('jti', 'place c') . line('jti', 'place d'));
    for my $id ('place c', 'place d') {
        ok wait_for(sub { status(token(jti => $id)) == 401 }, 1), "and by longer text: $id";
    }
    append($journal, line('jti', "c$_", expires => time - 1)) for 1 .. 3;
    my ($status, $out, $err) = gatectl('revoke', 'compact', '--file', $journal);
    is $status, 0, 'gatectl revoke compact' or diag $err;
    append($journal, line('jti', 'after compaction'));
    ok wait_for(sub { status(token(jti => 'after compaction')) == 401 }, 1), 'the journal is followed behind it';
};

# Breaks the journal, and mends it: what is known stays in force, good credentials are refused after
# max_lag, the log says so once, and all is well when it is mended.
sub trouble {
    my ($name, $message, $break, $mend, %opt) = @_;
    subtest $name => sub {
        $t->mark;
        append($journal, line('jti', "before $name"));
        ok wait_for(sub { status(token(jti => "before $name")) == 401 }, 1), 'known before';
        my $begin = time;
        $break->();
        is status(token(jti => 'good')), 200, 'nothing happens at once';
        if ($opt{serve}) {
            sleep 2;
            is status(token(jti => 'good')), 200, 'nor later with on_lag=serve';
        } else {
            ok wait_for(sub { status(token(jti => 'good')) == 503 }, 3), 'after max_lag good tokens are refused';
            cmp_ok time - $begin, '>', 0.7, 'and not before';
            is reason(token(jti => 'good')), 'revocation_lag', 'as revocation_lag';
            is reason('X-API-Key', $keys{other}), 'revocation_lag', 'keys too';
            is status(), 401, 'who has no credential is told so';
        }
        isnt status(token(jti => "before $name")), 200, 'what was revoked stays so';
        is http_get('/open')->status, 204, 'the open location is open';
        my @lines = $t->log_since_mark =~ /^.*cannot be followed.*$/mg;
        is scalar(@lines), 1, 'one line in the log';
        like $lines[0], qr/\[error\] \d+#\d+: gate: revocations of "\Q$journal\E" cannot be followed: $message; what was read stays in force/, 'which says why';
        $mend->();
        ok wait_for(sub { status(token(jti => 'good')) == 200 }, 1), 'mended, all is well';
        append($journal, line('jti', "after $name"));
        ok wait_for(sub { status(token(jti => "after $name")) == 401 }, 1), 'and followed on';
        is status(token(jti => "before $name")), 401, 'what was revoked stays so';
    };
    return;
}

# Each reload has new workers, which may each speak once a minute.
my $text;
my $damage = sub {
    $text = slurp($journal);
    append($journal, "00000000 nonsense\n" . line('jti', 'behind the damage'));
};
my $mend = sub { renew($text . line('jti', 'behind the damage')); };
config('gate:2m', 'max_lag=1s');
ok $t->reload, 'max_lag=1s';
trouble('damaged', 'line \d+ is damaged: checksum is 00000000, the text has [0-9a-f]{8}', $damage, $mend);
ok wait_for(sub { status(token(jti => 'behind the damage')) == 401 }, 1), 'what stood behind the damage is known now';
ok $t->reload, 'new workers';
trouble('damaged and mended in place', 'line \d+ is damaged: does not begin with a checksum of 8 digits and a blank',
    sub { $text = slurp($journal); append($journal, "x\n"); },
    sub { truncate $journal, length $text; });
ok $t->reload, 'new workers';
trouble('removed', 'No such file or directory', sub { $text = slurp($journal); unlink $journal; }, sub { renew($text); });
ok $t->reload, 'new workers';
trouble('a directory in its place', 'it is no regular file', sub { $text = slurp($journal); unlink $journal; mkdir $journal; },
    sub { rmdir $journal; renew($text); });
ok $t->reload, 'new workers';
trouble('a line without end', 'line \d+ is too long', sub { $text = slurp($journal); append($journal, 'x' x 5000); },
    sub { truncate $journal, length $text; });
SKIP: {
    skip 'not root', 1 if $> != 0;
    ok $t->reload, 'new workers';
    trouble('unreadable', 'Permission denied', sub { chmod 0600, $journal; }, sub { chmod 0644, $journal; });
}
config('gate:2m', 'max_lag=1s on_lag=serve');
ok $t->reload, 'on_lag=serve';
trouble('damaged, on_lag=serve', 'line \d+ is damaged: .*', $damage, $mend, serve => 1);

subtest 'a worker that leaves still follows' => sub {
    my @token = token(jti => 'slow');
    is status(@token), 200, 'a token';
    my $request = request_bytes('GET', '/', headers => [@token]);
    my @slow = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port) } 1 .. 3;
    syswrite $_, substr $request, 0, 20 for @slow;
    config('gate:3m', 'max_lag=1s');
    ok $t->reload, 'a reload with another zone while requests are on their way';
    append($journal, line('jti', 'slow'));
    ok wait_for(sub { status(@token) == 401 }, 1), 'the token is revoked';
    sleep 0.6;
    my %status = map { http_raw(substr($request, 20), socket => $_, methods => ['GET'])->status => 1 } @slow;
    is_deeply \%status, { 401 => 1 }, 'for requests that old workers decide, too';

    @slow = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port) } 1 .. 3;
    $request = request_bytes('GET', '/', headers => [token(jti => 'slow key')]);
    syswrite $_, substr $request, 0, 20 for @slow;
    config('gate:2m', 'max_lag=1s');
    $t->write_jwks('corp.jwks', 'es256');
    ok $t->reload, 'a reload that removes a key while requests are on their way';
    is status(token(jti => 'slow key')), 401, 'new workers refuse at once';
    sleep 1;
    %status = map { http_raw(substr($request, 20), socket => $_, methods => ['GET'])->status => 1 } @slow;
    is_deeply \%status, { 401 => 1 }, 'old ones within a second';
    $t->write_jwks('corp.jwks', 'rs');
    ok wait_for(sub { status(token(jti => 'slow key')) == 200 }, 2), 'the key is back';
};

subtest 'a full zone' => sub {
    config('gate:1m', 'max_lag=10s');
    ok $t->reload, 'a zone for 10,000';
    $t->mark;
    append($journal, many_ids(12_000, $iss, 'full'));
    ok wait_for(sub { reason(token(jti => 'good')) eq 'revocation_full' }, 5), 'nothing is known for sure';
    is status(token(jti => 'good')), 503, 'a good token is refused';
    is status('X-API-Key', $keys{other}), 503, 'and a key';
    is http_get('/open')->status, 204, 'the open location is open';
    ok wait_for(sub { $t->log_since_mark =~ /\[error\].* gate: the zone has no room for more revocations: credentials are refused with 503; make gate_zone larger/ }, 2), 'the log says why';
    # Where the workers have not read all yet, the master finds what does not fit, and refuses.
    ok wait_for(sub { $t->reload }, 10), 'a reload with the same size';
    is reason(token(jti => 'good')), 'revocation_full', 'does not hide it';
    config('gate:4m', 'max_lag=10s');
    ok $t->reload, 'a larger zone';
    is status(token(jti => 'good')), 200, 'brings it back';
    is status(token(jti => "full00$_")), 401, "and knows $_" for '00000', '06000', '11999';
};

subtest 'many at once' => sub {
    my $count = $ENV{GATE_LONG} ? 1_000_000 : 200_000;
    config($ENV{GATE_LONG} ? 'gate:128m' : 'gate:32m', 'max_lag=10s');
    renew('');
    ok $t->reload, 'a large zone';
    my $lines = many_ids($count, $iss, 'bulk', expires => time + 86400);
    my @open = ([204, '/open']);
    my $idle = hammer($t, \@open, pause => 0.001);
    sleep 2;
    $idle = $idle->stop;
    append($journal, $lines);
    my $begin = time;
    my $busy = hammer($t, \@open, pause => 0.001);
    my $last = sprintf 'bulk%07d', $count - 1;
    ok wait_for(sub { status(token(jti => $last)) == 401 }, 60), "$count ids are in force";
    my $took = time - $begin;
    $busy = $busy->stop;
    my ($calm, $loaded) = map { 1000 * percentile(0.99, @{ $_->{times} }) } $idle, $busy;
    diag sprintf 'revocation: %d ids in %.2f s; p99 of an open location %.2f ms, idle %.2f ms', $count, $took, $loaded, $calm;
    is_deeply $busy->{wrong}, {}, 'the open location stays open';
    cmp_ok $loaded, '<', $calm + ($ENV{GATE_LONG} ? 5 : 250), 'and quick';
    cmp_ok $took, '<', $ENV{GATE_ASAN} ? 60 : 5 * ($ENV{GATE_LONG} ? 1 : 2), 'soon';
    is status(token(jti => sprintf 'bulk%07d', $_)), 401, "number $_" for 0, int $count / 3, int $count / 2;
    is status(token(jti => 'good')), 200, 'others pass';
};

done_testing;
