# gate_zone and gate_revocation in the configuration, and what a reload does to shared memory: the
# same size, larger, smaller, too small, renamed, gone, of another layout.

use lib 't/lib';
use Gate::Config;
use Gate::Crowd qw(crowd hammer);
use Gate::Journal qw(journal_line append many_ids);
use Gate::Test;

my $corp = 'gate_issuer corp { issuer https://idp.example.com; jwks_file corp.jwks; audience orders; }';

subtest 'wrong lines' => sub {
    my $t = config_test();
    my $dir = $t->dir;
    $t->write_file('empty', '');
    my $size = 'expected a name and a size such as gate:64m in nginx.conf:1';
    refused('no size', 'gate_zone gate;', qq{"gate_zone" has the value "gate"; $size});
    refused('an empty size', 'gate_zone gate:;', qq{"gate_zone" has the value "gate:"; $size});
    refused('no name', 'gate_zone :1m;', qq{"gate_zone" has the value ":1m"; $size});
    refused('no number', 'gate_zone gate:big;', qq{"gate_zone" has the value "gate:big"; $size});
    refused('a negative size', 'gate_zone gate:-1m;', qq{"gate_zone" has the value "gate:-1m"; $size});
    refused('too small', 'gate_zone gate:1023k;', '"gate_zone" has the size "1023k"; at least 1m is needed '
        . '(64m keeps 250,000 tokens and 500,000 revocations) in nginx.conf:1');
    refused('twice', "gate_zone a:1m;\ngate_zone b:1m;",
        'gate_zone "b:1m" is declared twice; the first stands in nginx.conf:1 in nginx.conf:2');
    refused('an unknown option', 'gate_zone gate:1m states=x;',
        '"gate_zone" has an unknown value "states=x"; expected state=PATH in nginx.conf:1');
    refused('no directory', 'gate_zone gate:1m state=;',
        '"gate_zone" has an unknown value "state="; expected state=PATH in nginx.conf:1');
    refused('a directory that cannot be made', 'gate_zone gate:1m state=empty/x;',
        qr{\Amkdir\(\) "DIR/empty/x" failed \(20: Not a directory\)\z});
    $t->write_file('not-a-directory', '');
    refused('a directory that is a file', 'gate_zone gate:1m state=not-a-directory;',
        qr{\A"gate_zone" has state="DIR/not-a-directory", which is no directory in nginx.conf:1\z});

    my $options = 'expected file=PATH, redis=NAME, max_lag=TIME, on_lag=deny|serve in nginx.conf:1';
    my $zone = 'gate_zone gate:1m; gate_revocation';
    refused('revocations without a zone', "# no gate_zone\ngate_revocation file=empty;",
        '"gate_revocation" needs shared memory; write "gate_zone gate:64m;" beside it in nginx.conf:2');
    refused('no file', "$zone max_lag=5s;", '"gate_revocation" needs file=PATH or redis=NAME in nginx.conf:1');
    refused('an unknown option', "$zone fil=empty;", qq{"gate_revocation" has an unknown value "fil=empty"; $options});
    refused('file= without a value', "$zone file=;", qq{"gate_revocation" has an unknown value "file="; $options});
    refused('twice', "$zone file=empty;\ngate_revocation file=empty;",
        '"gate_revocation" directive is duplicate in nginx.conf:2');
    for my $lag ('0', '0s', '2d', 'x', '-1s', '') {
        refused("max_lag=$lag", "$zone file=empty max_lag=$lag;",
            qq{"gate_revocation" has max_lag=$lag; expected 1s to 1d in nginx.conf:1});
    }
    refused('on_lag', "$zone file=empty on_lag=open;",
        '"gate_revocation" has an unknown value "on_lag=open"; expected on_lag=deny or on_lag=serve in nginx.conf:1');
    refused('a missing file', "$zone file=none;", '"gate_revocation" names "DIR/none", which is no file; '
        . 'begin with an empty one: touch DIR/none in nginx.conf:1');
    mkdir "$dir/directory";
    refused('a directory', "$zone file=directory;", qr{names "DIR/directory", which is no file});
    mkdir "$dir/state";
    $t->write_file('state/revocations', '');
    refused('the same journal twice', 'gate_zone gate:1m state=state; gate_revocation file=state/revocations;',
        '"gate_revocation" names the journal that state= of "gate_zone" has already in nginx.conf:1');
    if ($> == 0) {
        chmod 0600, "$dir/empty";
        refused('unreadable for the workers', "$zone file=empty;", '"gate_revocation" names "DIR/empty", which the '
            . "workers' user cannot follow because of \"DIR/empty\"; let a group of that user read it in nginx.conf:1");
        chmod 0644, "$dir/empty";
        chmod 0600, "$dir/state/revocations";
        refused('state= unreadable for the workers', 'gate_zone gate:1m state=state;', '"gate_zone" has the journal '
            . "\"DIR/state/revocations\", which the workers' user cannot follow because of \"DIR/state/revocations\"; "
            . 'let it belong to that user in nginx.conf:1');
    }

    $t->write_file('damaged', journal_line('jti', 'i', 'a') . "00000000 nonsense\n");
    refused('a damaged journal', "$zone file=damaged;", qr{\Agate: revocations of "DIR/damaged" cannot be loaded: line 2 is damaged: checksum is 00000000, the text has [0-9a-f]{8}; see "gatectl revoke check"});
    $t->write_file('full', many_ids(12_000, 'i', 'x'));
    refused('more than fits', "$zone file=full;", qr{\Agate: revocations of "DIR/full" cannot be loaded: the zone is too small for its entries; make gate_zone larger\z});
    warned('good lines', in_server('gate jwt=corp;', "$zone file=empty max_lag=1d on_lag=serve; "
        . 'gate_issuer corp { issuer i; jwks_file corp.jwks; audience a; }'));
    warned('the other order', in_server('', 'gate_revocation file=empty; gate_zone gate:1m;'));
    ok !-e "$dir/state2", 'before';
    warned('a directory that nginx makes', in_server('', 'gate_zone gate:1m state=state2;'));
    ok !-e "$dir/state2/revocations", 'nginx -t writes no journal';
};

my $t = Gate::Test->new(workers => 2, log_level => 'notice');
my $dir = $t->dir;
my $http = <<"EOF2";
gate_zone %%ZONE%%; %%REVOCATION%%
$corp
server {
    @{[Gate::Crowd::lines()]}
    location = /open { return 204; }
    location / { gate jwt=corp; empty_gif; }
}
EOF2
my $journal = $t->write_file('revocations', '');
my $follow = 'gate_revocation file=%%DIR%%/revocations;';
$t->write_jwks('corp.jwks', 'rs');

sub config { my ($zone, $revocation) = @_; return $t->write_config($http =~ s/%%REVOCATION%%/$revocation/r, vars => { ZONE => $zone }); }
sub revoke { append($journal, journal_line('jti', 'https://idp.example.com', $_)) for @_; return; }
sub token { return ('Authorization', 'Bearer ' . mint(claims => { jti => $_[0] })); }
sub status { return http_get('/', headers => [@_])->status; }

my @good = token('good');
my @bad = token('bad');
my @late = token('late');
config('gate:2m', $follow);
$t->start;
is status(@good), 200, 'a token';
is status(@bad), 200, 'another';
revoke('bad');
ok wait_for(sub { status(@bad) == 401 }, 2), 'which is revoked';

subtest 'revocations stay in force while zones come and go' => sub {
    my $hammer = hammer($t, [[401, '/', @bad], [200, '/', @good]]);
    for my $case (['the same', 'gate:2m'], ['larger', 'gate:4m'], ['smaller', 'gate:1m'], ['renamed', 'other:1m'],
        ['with state=', 'other:1m state=%%DIR%%/state'], ['and larger', 'other:3m state=%%DIR%%/state']) {
        my ($name, $zone) = @$case;
        config($zone =~ s/%%DIR%%/$dir/r, $follow);
        ok $t->reload, $name;
        revoke("after $name");
        ok wait_for(sub { status(token("after $name")) == 401 }, 2), "$name: new revocations are followed";
    }
    my $found = $hammer->stop;
    is_deeply $found->{wrong}, {}, 'no wrong answer';
    cmp_ok $found->{count}, '>', 100, "in $found->{count}";
    is status(token("after $_")), 401, "what was revoked then: $_" for 'the same', 'larger', 'renamed';
};

subtest 'without the journal' => sub {
    append("$dir/state/revocations", journal_line('jti', 'https://idp.example.com', 'late'));
    ok wait_for(sub { status(@late) == 401 }, 2), 'revoked by state=';
    config('other:3m', '');
    ok $t->reload, 'no journal any more, the same zone';
    is status(@bad), 401, 'what was revoked stays so';
    is status(@late), 401, 'in both';
    config('other:2m', '');
    ok $t->reload, 'nor in one of another size';
    is status(@bad), 401, 'what was revoked stays so';
    is status(@late), 401, 'in both';
    is status(@good), 200, 'the others pass';
};

subtest 'no zone at all' => sub {
    $t->write_config($http =~ s/gate_zone %%ZONE%%; %%REVOCATION%%/# gate_zone/r);
    ok $t->reload, 'removed';
    is status(@good), 200, 'tokens are verified';
    is status(token('good')), 200, 'anew';
    is status('Authorization', 'Bearer ' . mint(key => 'rs_b')), 401, 'or not';
    config('gate:2m', $follow);
    ok $t->reload, 'and back';
    is status(@bad), 401, 'with the journal';
};

subtest 'too small for what is in force' => sub {
    append($journal, many_ids(12_000, 'https://idp.example.com', 'bulk'));
    ok wait_for(sub { status(token('bulk0011999')) == 401 }, 5), '12,000 are revoked';
    config('gate:1m', '');
    ok !$t->reload, 'a reload with too small a zone is refused';
    like $t->error_log, qr/\[emerg\].* gate_zone "gate" of 1048576 octets is too small for the 12\d{3} revocations that are in force; make it larger/, 'which it says';
    is status(@bad), 401, 'the old one goes on';
    is status(@good), 200, 'for good tokens too';
    config('gate:1m', $follow);
    ok !$t->reload, 'with the journal as well';
    config('gate:4m', $follow);
    ok $t->reload, 'a larger one is not';
    is status(token("bulk00$_")), 401, "$_ is revoked" for '00000', '07777', '11999';
};

subtest 'a journal that is damaged while nginx runs' => sub {
    my $text = slurp($journal);
    append($journal, "00000000 nonsense\n");
    ok !$t->reload, 'a reload is refused';
    like $t->error_log, qr{\[emerg\].* gate: revocations of "\Q$journal\E" cannot be loaded: line 120\d\d is damaged: checksum is 00000000, the text has [0-9a-f]{8}; see "gatectl revoke check", nothing is served until it is repaired}, 'and says why';
    is status(@bad), 401, 'the old one goes on';
    is status(@good), 200, 'and lets in';
    ok $t->stop, 'stopped';
    eval { $t->start };
    like $@, qr/cannot be loaded: line 120\d\d is damaged/, 'a start is refused';
    $t->allow(qr/cannot be loaded: line 120\d\d is damaged/);
    unlink "$dir/nginx.pid";
    $t->write_file('revocations', $text);
    $t->start;
    is status(@bad), 401, 'repaired, it starts';
    is status(@good), 200, 'and lets in';
};

# The places of the zone's header in the memory of a process: behind its magic number.
sub headers_in {
    my ($pid) = @_;
    no warnings 'portable';    # addresses have 64 bits
    my @found;
    open my $memory, '+<:raw', "/proc/$pid/mem" or return;
    for (split /\n/, slurp("/proc/$pid/maps")) {
        my ($from, $to, $flags) = /\A([0-9a-f]+)-([0-9a-f]+) (\S+)/ or next;
        next if $flags ne 'rw-s';
        my ($start, $size) = (hex $from, hex($to) - hex $from);
        sysseek $memory, $start, 0 or next;
        sysread $memory, my ($bytes), $size;
        while ($bytes =~ /etag-xgn/g) { push @found, [$memory, $start + $-[0]]; }
    }
    return @found;
}

subtest 'a zone of another layout is never read' => sub {
    my ($header) = headers_in($t->pid);
    plan skip_all => 'the memory of a process cannot be written here' if !$header;
    my ($memory, $at) = @$header;
    my $set = sub { sysseek $memory, $at + $_[0], 0; syswrite $memory, pack 'V', $_[1]; };
    sysseek $memory, $at + 8, 0;
    sysread $memory, my $layout, 4;
    $layout = unpack 'V', $layout;
    $set->(8, $layout + 1);
    ok !$t->reload, 'the same size';
    like $t->error_log, qr/gate_zone "gate" was laid out by another version of the module: restart nginx, or upgrade it in place \(kill -USR2\), instead of reloading/, 'the message';
    is status(@good), 200, 'the old one goes on';
    config('gate:5m', '');
    ok !$t->reload, 'nor is it copied from';
    $set->(8, $layout);
    $set->(12, 1);
    config('gate:4m', $follow);
    ok !$t->reload, 'nor one that somebody has not finished';
    like $t->error_log, qr/gate_zone "gate" was left unfinished: restart nginx/, 'the message';
    $set->(12, 0);
    ok $t->reload, 'and with its own it goes on';
    is status(@bad), 401, 'with the revocations';
};

done_testing;
