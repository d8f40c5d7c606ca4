# gate_logout with a journal: what cannot be written is not acknowledged and works again when that is
# repaired; many at once are all written.
use lib 't/lib';
use Gate::Failpoint ();
use Gate::Issued;
use Gate::Logins;
use Gate::Test;
use JSON::PP ();

my $t = Gate::Test->new(workers => 2);
my $state = $t->dir . '/state';
my $journal = $t->dir . '/journal/revoked';
$t->write_file('users.json', user_file(ann => 1000));
$t->write_file('es256.pem', pem('es256', 'private'));
mkdir $_ for $state, $t->dir . '/journal';
$t->write_file('journal/revoked', '');
chmod 0777, $t->dir . '/journal';
chown +(getpwnam 'nobody')[2, 3], $journal if $> == 0;
my $http = <<'END';
log_format who '$status $http_x_id $gate_reason';
access_log %%DIR%%/who.log who;
gate_zone gate:4m state=%%DIR%%/state;
%%JOURNAL%%
gate_users staff { file users.json; }
gate_issuer own { issuer https://own.example; audience app; key file=es256.pem; sign access=1h refresh=7d; }
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    gate jwt=own;
    add_header X-Reason $gate_reason always;
    location = /login { gate off; gate_login issuer=own users=staff; }
    location = /logout { gate_logout; }
    location = /open { gate off; return 204; }
    location / { empty_gif; }
}
END

sub by { return [Authorization => "Bearer $_[0]"]; }
sub token { return answer_of(login_sent('/login', unnoticed => 1))->json->{access_token}; }
sub said { my ($answer) = @_; return $answer->status . ' ' . ($answer->header('X-Reason') // ''); }
sub logout { my ($token) = @_; return http_post('/logout', '', headers => by($token)); }
sub all_say { my ($token) = @_; return join ', ', sort keys %{ { map { said(http_get('/', headers => by($token))) => 1 } 1 .. 16 } }; }

# $break makes $file impossible to write to, $repair undoes that.
sub fails_and_recovers {
    my ($file, $break, $repair) = @_;
    my $before = token();
    is logout($before)->status, 204, 'well';
    my $token = token();
    $break->();
    $t->mark;
    my $answer = logout($token);
    is said($answer), '503 store_unavailable', 'a logout that cannot be written is not acknowledged';
    cmp_ok $answer->header('Retry-After') // 0, '>', 0, 'with a time to try again';
    is scalar(my @none = $answer->header_all('Set-Cookie')), 0, 'and no cookie is touched';
    like $t->log_since_mark, qr/\[error\].*a revocation cannot be written: .*\Q$file\E/, 'the log names the file';
    is all_say($token), '200 ', 'the token is good';
    is all_say($before), '401 revoked', 'what was revoked before is not';
    $repair->();
    is logout($token)->status, 204, 'repaired, it works';
    is all_say($token), '401 revoked', 'and the token is out';
    return $token;
}

$t->start($http, vars => { JOURNAL => "gate_revocation file=$journal;" });
my @out;

subtest 'no right to write' => sub {
    plan skip_all => 'the worker is somebody else only for root' if $> != 0;
    push @out, fails_and_recovers($journal, sub { chmod 0444, $journal; chown 0, 0, $journal },
        sub { chown +(getpwnam 'nobody')[2, 3], $journal; chmod 0644, $journal });
};

subtest 'a directory in its place' => sub {
    push @out, fails_and_recovers($journal, sub { rename $journal, "$journal.away"; mkdir $journal },
        sub { rmdir $journal; rename "$journal.away", $journal });
};

subtest 'no directory' => sub {
    my $dir = $t->dir . '/journal';
    push @out, fails_and_recovers($journal, sub { rename $dir, "$dir.away" }, sub { rename "$dir.away", $dir });
};

subtest 'a full disk' => sub {
    my $dir = $t->dir . '/journal';
    plan skip_all => 'no tmpfs can be mounted'
        if $> != 0 || system("cp -p $journal $dir.copy && mount -t tmpfs -o size=64k,mode=0777 none $dir 2>/dev/null"
            . " && cp -p $dir.copy $journal");
    push @out, eval { fails_and_recovers($journal, sub {
            open my $file, '>', "$dir/filler";
            1 while syswrite $file, 'x' x 4096;
            # The journal's last page takes some more lines.
            ok wait_for(sub { logout(token())->status == 503 }), 'the disk is full';
        }, sub { unlink "$dir/filler" }) };
    my $why = $@;
    system "cp -p $journal $dir.copy; umount $dir; cp -p $dir.copy $journal";
    is $why, '', 'all was tried';
};

subtest 'fifty at once' => sub {
    my @tokens = map { token() } 1 .. 50;
    my @sockets = map { connection() } @tokens;
    syswrite $sockets[$_], request_bytes('POST', '/logout', body => '', headers => by($tokens[$_])) for 0 .. $#tokens;
    my %said;
    $said{ answer_of($_)->status }++ for @sockets;
    is_deeply \%said, { 204 => 50 }, 'all are answered';
    is join(' ', keys %{ { map { all_say($_) => 1 } @tokens } }), '401 revoked', 'all are out';
    my ($status, $out) = gatectl('revoke', 'list', '--json', '--file', $journal);
    is $status, 0, 'the journal is sound';
    my %listed = map { ($_->{value} // '') => 1 } @{ JSON::PP->new->utf8->decode($out)->{entries} };
    is scalar(grep { !$listed{ claims_of($_)->{jti} } } @tokens), 0, 'and all are in it';
    push @out, @tokens;
};

subtest 'the same one at once' => sub {
    my $token = token();
    my @sockets = map { connection() } 1 .. 20;
    syswrite $_, request_bytes('POST', '/logout', body => '', headers => by($token)) for @sockets;
    my %said;
    $said{ answer_of($_)->status }++ for @sockets;
    ok $said{204}, 'somebody is told';
    is_deeply [grep { $_ != 204 && $_ != 401 } keys %said], [], 'others that there is none: ' . join ' ', %said;
    is all_say($token), '401 revoked', 'out';
    push @out, $token;
};

subtest 'leaving' => sub {
    my @tokens = map { token() } 1 .. 20;
    my @sockets = map { connection() } @tokens;
    syswrite $sockets[$_], request_bytes('POST', '/logout', body => '', headers => by($tokens[$_])) for 0 .. $#tokens;
    ok $t->reload, 'a reload meanwhile';
    my %said = map { $_ => 1 } map { answer_of($_)->status } @sockets;
    is join(' ', keys %said), 204, 'all are answered';
    push @out, @tokens;
    $t->kill_all;
    $t->start;
    is join(' ', keys %{ { map { all_say($_) => 1 } @out } }), '401 revoked', 'and stay out when all is started again';
};

subtest 'the lock of the zone' => sub {
    plan skip_all => 'make crash runs it, with a module that can be told where to stop' if !Gate::Failpoint::is_ours();
    $t->kill_all;
    {
        local $ENV{GATE_FAILPOINT} = 'revocations.begin:1:stop';
        $t->start;
    }
    my @tokens = map { token() } 1 .. 12;
    my @sockets = map { connection() } @tokens;
    my $logs_out = sub { my ($i) = @_; syswrite $sockets[$i], request_bytes('POST', '/logout', body => '', headers => by($tokens[$i])) };
    $logs_out->(0);
    my @stopped;
    ok wait_for(sub { @stopped = grep { slurp("/proc/$_/stat") =~ /\A\d+ \(.*\) T/s } $t->workers; @stopped == 1 }),
        'a worker is stopped that holds it';
    $logs_out->($_) for 1 .. $#tokens;
    ok wait_for(sub { my %lines = map { /"value"|jti/ ? ($_ => 1) : () } split /\n/, slurp($journal); keys %lines }), 'others have written';
    is scalar(grep { !is_waiting($_) } @sockets), 0, 'and wait for it';
    kill 'CONT', @stopped;
    is join(' ', keys %{ { map { answer_of($_)->status => 1 } @sockets } }), 204, 'all are answered when it goes on';
    is join(' ', keys %{ { map { all_say($_) => 1 } @tokens } }), '401 revoked', 'and all are out';
};

done_testing();
