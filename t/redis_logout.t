# gate_logout with gate_revocation redis=: what one node acknowledges is refused by all and is in the
# store as gatectl writes it; while the store fails nothing is acknowledged, and trying again works.
use lib 't/lib';
use Gate::Ctl;
use Gate::FakeRedis;
use Gate::Issued;
use Gate::KeyRecord;
use Gate::Logins;
use Gate::Redis;
use Gate::Test;

# As docs/REDIS.md says, in two lines: what every node needs, and what gate_logout needs besides.
my ($rights) = slurp(root_dir() . '/docs/REDIS.md') =~ /^user gate on >CHANGE-ME (resetchannels .*hgetall.*)$/m;
my ($more) = slurp(root_dir() . '/docs/REDIS.md') =~ /^\| `gate_logout` \| `([^`]+)`/m;
ok $rights && $more, 'the documentation names the rights';

# One worker here: after a failure each worker comes back in its own time.
my ($here, $there) = map { Gate::Test->new(workers => $_) } 1, 2;
my $redis = Gate::Redis->new(test => $here, persist => 1,
    acl => ['user default on nopass ~* &* +@all', "user gate on >secret $rights $more"])->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
my $ctl = Gate::Ctl->new($redis, '--redis', $redis->address);

my $http = <<'END';
log_format who '$status $http_x_id $gate_reason';
access_log %%DIR%%/who.log who;
gate_zone gate:1m;
gate_redis main { server 127.0.0.1:%%PORT_redis%%; user gate; password_file %%DIR%%/password; timeout 500ms; }
gate_revocation redis=main max_lag=30s;
gate_users staff { file users.json; }
gate_issuer own { issuer https://own.example; audience app; key file=es256.pem; sign access=1h refresh=7d; }
server {
    listen 127.0.0.1:%%PORT%%;
    gate jwt=own;
    add_header X-Reason $gate_reason always;
    location = /login { gate off; gate_login issuer=own users=staff; }
    location = /logout { gate_logout; }
    location = /open { gate off; return 204; }
    location / { empty_gif; }
}
END
for my $t ($here, $there) {
    $t->{ports}{redis} = $redis->port;
    $t->write_file('users.json', user_file(ann => 1000));
    $t->write_file('es256.pem', pem('es256', 'private'));
    $t->write_file('password', "secret\n");
    chmod 0644, $t->dir . '/password';
    $t->start($http);
}

sub by { return [Authorization => "Bearer $_[0]"]; }
sub token { return answer_of(login_sent('/login', port => $here->port, unnoticed => 1))->json->{access_token}; }
sub said { my ($answer) = @_; return $answer->status . ' ' . ($answer->header('X-Reason') // ''); }
sub with { my ($t, $token) = @_; return said(http_get('/', port => $t->port, headers => by($token))); }
sub logout { my ($token) = @_; return http_post('/logout', '', port => $here->port, headers => by($token)); }
sub served { my ($t, $token) = @_; return wait_for(sub { with($t, $token) eq '200 ' }, 10); }
# By each worker.
sub all_say { my ($t, $token) = @_; return join ', ', keys %{ { map { with($t, $token) => 1 } 1 .. 16 } }; }
sub refused { my ($t, $token) = @_; return wait_for(sub { all_say($t, $token) eq '401 revoked' }, 2); }

sub who { my ($id) = @_; return slurp($here->dir . '/who.log') =~ /^(\d+) \Q$id\E /m ? $1 : ''; }
# A token may be revoked by what was not acknowledged: only another one shows that logouts work.
sub works { return wait_for(sub { logout(token())->status == 204 }, 10); }
# Logs out as soon as that is possible: what the client of a 503 does.
sub in_the_end { my ($token) = @_; return wait_for(sub { logout($token)->status =~ /\A(?:204|401)\z/ }, 10); }

sub fails {
    my ($reasons, $name, $token) = @_;
    my $answer = logout($token);
    like said($answer), qr/\A503 (?:$reasons)\z/, $name;
    cmp_ok $answer->header('Retry-After') // 0, '>', 0, 'with a time to try again';
    is scalar(my @none = $answer->header_all('Set-Cookie')), 0, 'and no cookie is touched';
    return;
}

my $first = token();
ok served($_, $first), 'a token is good at each node' for $here, $there;

subtest 'logout' => sub {
    my ($token, $other) = (token(), token());
    is all_say($_, $token), '200 ', 'before' for $here, $there;
    is logout($token)->status, 204, 'logged out at one';
    is all_say($here, $token), '401 revoked', 'refused there at once';
    ok refused($there, $token), 'and at the other';
    is all_say($_, $other), '200 ', 'other sessions go on' for $here, $there;
    my $claims = claims_of($token);
    my %revoked = %{ $ctl->revoked };
    my ($sid, $jti) = map { my $kind = $_; (grep { /\A$kind:.*\Q$claims->{$kind}\E\z/ } keys %revoked)[0] } qw(sid jti);
    ok $sid && $jti, 'session and token are in the set';
    cmp_ok $revoked{$jti}, '>=', $claims->{exp}, 'until the token has ended';
    cmp_ok $revoked{$sid}, '>=', $claims->{iat} + 7 * 86400, 'and all that is refreshed with it';
    my ($list) = (($ctl->json('revoke', 'list'))[1] // {})->{entries};
    my ($of_sid) = grep { ($_->{value} // '') eq $claims->{sid} } @$list;
    ok $of_sid, 'gatectl shows it';
    my @mine = grep { ($_->{item} // '') eq $sid } $ctl->log;
    my ($status) = $ctl->run('revoke', 'sid', 'by-hand', '--issuer', 'https://own.example', '--ttl', '1h');
    is $status, 0, 'gatectl revokes another';
    my ($hand) = grep { ($_->{item} // '') =~ /by-hand/ } $ctl->log;
    is join(' ', sort keys %{ $mine[0] }), join(' ', sort keys %$hand), 'entries of the stream have the same fields';
    is_deeply [map { $mine[0]{$_} } grep { !/item|expires|forget|until|at/ } sort keys %$hand],
        [map { $hand->{$_} } grep { !/item|expires|forget|until|at/ } sort keys %$hand], 'with the same meaning';
    is_deeply [$ctl->problems], [], 'the store is sound';
};

subtest 'Redis is gone' => sub {
    my $token = token();
    $redis->kill('KILL');
    fails('store_unavailable|store_timeout', 'a logout is not acknowledged', $token);
    is all_say($here, $token), '200 ', 'the token is good still';
    $redis->restart;
    ok in_the_end($token), 'when Redis is back it is';
    ok refused($_, $token), 'and refused' for $here, $there;
};

subtest 'Redis hangs' => sub {
    my $token = token();
    $redis->kill('STOP');
    fails('store_timeout|store_unavailable', 'a logout waits for "timeout"', $token);
    my $socket = connection($here->port);
    syswrite $socket, request_bytes('POST', '/logout', body => '', headers => [@{ by(token()) }, 'X-Id' => 'left']);
    http_get('/open', port => $here->port) for 1 .. 4;
    close $socket;
    ok wait_for(sub { who('left') =~ /\A(?:499|503)\z/ }), 'a client that leaves meanwhile: ' . who('left');
    $redis->kill('CONT');
    ok in_the_end($token), 'again, and it is done';
    ok refused($_, $token), 'everywhere' for $here, $there;
    ok served($here, token()), 'others come in';
};

subtest 'clients that leave' => sub {
    my @tokens = map { token() } 1 .. 5;
    ok works(), 'all is well';
    $redis->cmd('CLIENT', 'PAUSE', 300, 'WRITE');
    my @sockets = map { connection($here->port) } @tokens;
    syswrite $sockets[$_], request_bytes('POST', '/logout', body => '', headers => [@{ by($tokens[$_]) }, 'X-Id' => "gone$_"])
        for 0 .. $#tokens;
    http_get('/open', port => $here->port) for 1 .. 4;
    close $sockets[$_] for 0 .. 3;
    ok wait_for(sub { who("gone$_") eq '499' }), 'who leaves is logged with 499: ' . who("gone$_") for 0 .. 3;
    is answer_of($sockets[4])->status, 204, 'the one who waits is answered with his own';
    ok refused($_, $tokens[4]), 'and out' for $here, $there;
    ok refused($here, $tokens[$_]), 'what had gone out is done all the same' for 0 .. 3;
};

for my $missing ('zadd', 'multi', 'xadd', 'exec') {
    subtest "without +$missing" => sub {
        my $token = token();
        $redis->cmd('ACL', 'SETUSER', 'gate', "-$missing");
        $here->mark;
        fails('store_unavailable', 'is not acknowledged', $token);
        my @lines = grep {/\[error\].*a revocation cannot be written/} split /\n/, $here->log_since_mark;
        is scalar(@lines), 1, 'one line in the log';
        like $lines[0] // '', qr/gate_redis "main": .*'$missing' command/, 'which names the command';
        # Without MULTI the rest is done one by one, of which this node learns.
        is all_say($here, $token), '200 ', 'the token is good' if $missing ne 'multi';
        $redis->cmd('ACL', 'SETUSER', 'gate', "+$missing");
        ok works(), 'allowed, logouts work';
        ok in_the_end($token), 'this one, too';
        ok refused($_, $token), 'and refused' for $here, $there;
    };
}

subtest 'full' => sub {
    my $token = token();
    ok works(), 'all is well';
    $redis->cmd('CONFIG', 'SET', 'maxmemory', 1);
    $here->mark;
    fails('store_unavailable', 'a store without memory', $token);
    like $here->log_since_mark, qr/a revocation cannot be written: (?:OOM|EXECABORT)/, 'and the log says so';
    $redis->cmd('CONFIG', 'SET', 'maxmemory', 0);
    ok in_the_end($token), 'with memory it works';
};

subtest 'a replica' => sub {
    my $token = token();
    $redis->cmd('REPLICAOF', '127.0.0.1', 1);
    fails('store_unavailable|store_timeout', 'takes no revocation', $token);
    $redis->cmd('REPLICAOF', 'NO', 'ONE');
    ok in_the_end($token), 'a master does';
    ok refused($_, $token), 'and refused' for $here, $there;
};

subtest 'killed right after the answer' => sub {
    my $token = token();
    ok served($here, $token), 'a token';
    ok wait_for(sub { logout($token)->status == 204 }), 'logged out';
    $redis->kill('KILL');
    $redis->restart;
    $_->stop, $_->start for $there;
    ok refused($_, $token), 'Redis has it still' for $here, $there;
    $token = token();
    ok wait_for(sub { logout($token)->status == 204 }, 5), 'another one';
    $here->kill_all;
    $here->start;
    ok served($here, token()), 'nginx is killed and started';
    ok refused($_, $token), 'and knows it' for $here, $there;
};

subtest 'emptied' => sub {
    my $token = token();
    ok served($here, $token), 'a token';
    $redis->cmd('FLUSHALL');
    my $answer = logout($token);
    like said($answer), qr/\A503 (?:store_unavailable|revocation_lag)\z/, 'a store that has lost its data acknowledges nothing';
    $store->set_up;
    ok in_the_end($token), 'set up anew, it does';
    ok refused($_, $token), 'and all refuse' for $here, $there;
};

subtest 'answers that no Redis gives' => sub {
    my $fake = Gate::FakeRedis->start(test => $here, epoch => 'e1');
    $here->write_config($http =~ s/user gate; password_file \S+//r =~ s/PORT_redis/PORT_fake/r, vars => { PORT_fake => $fake->port });
    ok $here->reload, 'another store';
    my $token = token();
    ok served($here, $token) && works(), 'serves';
    for my $case (['a reply of another type', "*1\r\n:1\r\n"], ['an empty transaction', "*0\r\n"], ['nil', "*-1\r\n"],
        ['no epoch', "*5\r\n:1\r\n\$3\r\n1-1\r\n:1\r\n\$3\r\n1-2\r\n\$-1\r\n"],
        ['another epoch', "*5\r\n:1\r\n\$3\r\n1-1\r\n:1\r\n\$3\r\n1-2\r\n\$2\r\ne2\r\n"],
        ['an error inside', "*5\r\n:1\r\n-OOM no\r\n:1\r\n\$3\r\n1-2\r\n\$2\r\ne1\r\n"], ['a line', "+OK\r\n"], ['nonsense', "?\r\n"]) {
        my ($name, $octets) = @$case;
        $fake->play([{ send => $octets }], match => qr/^EXEC/);
        like said(logout($token)), qr/\A503 store_(?:unavailable|timeout)\z/, $name;
        $fake->forget;
        is with($here, $token), '200 ', 'and nothing is revoked';
        ok works(), 'then logouts work again';
    }
    $fake->play([{ rst => 1 }], match => qr/^EXEC/);
    like said(logout($token)), qr/\A503 store_/, 'a connection that ends';
    ok works(), 'and is made anew';
};

done_testing();
