# Who the gate is to Redis: passwords, users, rights, and all of them changed while nginx runs. What is
# refused is 503, is asked again without a reload, and no log ever holds a password.
use lib 't/lib';
use Gate::Test;

use Gate::FakeRedis;
use Gate::KeyRecord;
use Gate::Redis;

my $doc = slurp(root_dir() . '/docs/REDIS.md');
my ($user) = $doc =~ /^```acl\n(user gate .*)$/m or die 'no user in docs/REDIS.md';
my @passwords = map {"pass-word-$_-of-gate"} qw(one two three default sentinel wrong);
my ($one, $two, $three, $default, $of_sentinel, $wrong) = @passwords;

my $t = Gate::Test->new(workers => 2, log_level => 'debug');
my @admin = (user => 'admin', password => 'of-admin');
my $redis = Gate::Redis->new(test => $t, @admin, acl => ["user default on >$default ~* &* +\@all",
    'user admin on >of-admin ~* &* +@all', $user =~ s/>\S+/>$one/r])->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
$t->{ports}{redis} = $redis->port;
$t->write_jwks('keys.jwks', 'rs');
$t->write_file('pw', "$one\n");
$t->write_file('default.pw', $default);
my $issuer = 'https://idp.example.com';

$t->start(<<'EOC');
    gate_redis main { server 127.0.0.1:%%PORT_redis%%; user gate; password_file pw; }
    gate_redis plain { server 127.0.0.1:%%PORT_redis%%; password_file default.pw; }
    gate_keys partners { redis main; prefix acme_; negative 1s; }
    gate_keys others { redis plain; prefix acme_; }
    gate_issuer corp { issuer https://idp.example.com; jwks_file keys.jwks; audience orders; }
    gate_revocation redis=main max_lag=60s;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { gate jwt=corp key=partners; add_header X-Reason $gate_reason always; empty_gif; }
        location /plain { gate key=others; add_header X-Reason $gate_reason always; empty_gif; }
    }
EOC

sub ask {
    my ($uri, @headers) = @_;
    my $answer = http_get($uri, port => $t->port, headers => [@headers]);
    return $answer->status . ' ' . ($answer->header('X-Reason') // '');
}
sub stored_key { my $key = api_key('acme_'); $store->put($key); return $key; }
sub with_key { my ($key, $uri) = @_; return ask($uri // '/', 'X-API-Key' => $key // stored_key()); }
sub with_token { return ask('/', Authorization => 'Bearer ' . mint(claims => { jti => $_[0] })); }
sub our_clients { return grep { ($_->{name} // '') =~ /\Anginx-gate-/ && $_->{user} eq 'gate' } $redis->clients; }
# Every connection of the gate anew.
sub kick { $redis->cmd('CLIENT', 'KILL', 'USER', 'gate'); return; }
# New keys are let in, for as many times as both workers are surely asked.
sub well { return wait_for(sub { !grep { with_key() ne '200 ' } 1 .. 6 }, 8); }
sub refused { return wait_for(sub { !grep { with_key() ne '503 store_unavailable' } 1 .. 6 }, 8); }
sub replace_file {
    my ($name, $text) = @_;
    $t->write_file("$name.new", $text);
    rename $t->dir . "/$name.new", $t->dir . "/$name" or die;
    return;
}

subtest 'the user of docs/REDIS.md' => sub {
    ok wait_for(sub { with_token('warm') eq '200 ' }), 'the store is loaded';
    ok well(), 'keys are looked up';
    is with_key(api_key('acme_')), '401 key_unknown', 'another is unknown';
    $store->revoke('jti', $issuer, 'gone');
    ok wait_for(sub { with_token('gone') eq '401 revoked' }, 2), 'revocations are followed';
    kick();
    ok wait_for(sub { our_clients() >= 3 }), 'all connections are made anew, with their names';
    ok well(), 'and used';
    is with_key(undef, '/plain'), '200 ', 'a password without user is that of the default user';
    is_deeply $redis->cmd('ACL', 'LOG'), [], 'nothing was refused: it has all rights that it needs';
    my $client = $redis->client(user => 'gate', password => $one);
    like $client->call(@$_), qr/\ANOPERM /, "and none for @$_"
        for ['SET', 'gate:epoch', 'x'], ['GET', 'gate:keyid:1'], ['GET', 'other'], ['ZADD', 'gate:rev', 1, 'x'],
        ['KEYS', '*'], ['FLUSHALL'], ['CONFIG', 'GET', '*'], ['ACL', 'LIST'], ['XADD', 'gate:log', '*', 'a', 'b'];
    $redis->cmd('ACL', 'LOG', 'RESET');
};

subtest 'another password' => sub {
    $redis->cmd('ACL', 'SETUSER', 'gate', "<$one", ">$two");
    ok well(), 'connections that are there go on';
    $t->mark;
    kick();
    ok refused(), 'new ones are refused: 503';
    ok wait_for(sub { $t->log_since_mark =~ /gate_redis "main": 127\.0\.0\.1:\d+ cannot be used: AUTH: WRONGPASS / }),
        'the log says so, although the first reason was another one';
    is with_token('still'), '200 ', 'what needs no question goes on';
    replace_file('pw', "$two\n");
    ok well(), 'the new one counts without a reload';
    $store->revoke('jti', $issuer, 'later');
    ok wait_for(sub { with_token('later') eq '401 revoked' }, 5), 'also where revocations are followed';
    $t->mark;
    my %before = map { $_ => 1 } $t->workers;
    kill KILL => keys %before;
    $t->allow(qr/exited on signal 9/);
    ok wait_for(sub { 2 == grep { !$before{$_} } $t->workers }), 'workers that take the place of others';
    is with_key(), '200 ', 'were told the old one, and take that of the file at once' for 1 .. 8;
    ok wait_for(sub { our_clients() >= 3 }), 'all of them';
    unlike $t->log_since_mark, qr/cannot be used: AUTH/, 'without a word';
};

subtest 'a file that cannot be read' => sub {
    $t->mark;
    unlink $t->dir . '/pw' or die;
    $redis->cmd('ACL', 'SETUSER', 'gate', 'off');
    kick();
    ok refused(), 'a user that is off is refused';
    my $line = qr/gate_redis "main": password_file "\S+\/pw" cannot be read again: No such file or directory; the last good one is used/;
    ok wait_for(sub { $t->log_since_mark =~ $line }), 'the log says that the file is gone';
    $redis->cmd('ACL', 'SETUSER', 'gate', 'on');
    ok well(), 'the last good password is used';
    my $connections = () = $t->log_since_mark =~ /$line/g;
    cmp_ok $connections, '<=', 3, 'and that was said once by each connection';
    replace_file('pw', "\n");
    $redis->cmd('ACL', 'SETUSER', 'gate', 'off');
    kick();
    ok refused(), 'once more';
    ok wait_for(sub { $t->log_since_mark =~ /pw" cannot be read again: it is empty/ }), 'an empty file is no password'
        or diag $t->log_since_mark =~ s/^.*\[(?:debug|notice)\].*\n//mgr;
    $redis->cmd('ACL', 'SETUSER', 'gate', 'on', "<$two", ">$three");
    replace_file('pw', $three);
    ok well(), 'a good file ends it';
};

subtest 'rights' => sub {
    $redis->cmd('ACL', 'SETUSER', 'gate', '-hgetall');
    $t->mark;
    ok refused(), 'a right that is missing: 503';
    ok wait_for(sub { $t->log_since_mark =~ /cannot be used: it answers NOPERM / }), 'the log says so';
    $redis->cmd('ACL', 'SETUSER', 'gate', '+hgetall', '-role');
    kick();
    ok refused(), 'one of the login';
    ok wait_for(sub { $t->log_since_mark =~ /cannot be used: ROLE: NOPERM / }, 5), 'likewise';
    $redis->cmd('ACL', 'SETUSER', 'gate', '+role', '-client|setname');
    ok well(), 'without client|setname it goes on';
    $redis->cmd('ACL', 'SETUSER', 'gate', '+client|setname');
};

subtest 'requirepass at run time' => sub {
    $redis->cmd('ACL', 'SETUSER', 'default', "<$default", ">$wrong");
    is with_key(undef, '/plain'), '200 ', 'connections that are there go on';
    $redis->cmd('CLIENT', 'KILL', 'USER', 'default');
    ok wait_for(sub { with_key(undef, '/plain') eq '503 store_unavailable' }), 'then 503';
    replace_file('default.pw', $wrong);
    ok wait_for(sub { with_key(undef, '/plain') eq '200 ' }, 8), 'until the file has it';
};

subtest 'a password that nobody asks for, and one that is asked for' => sub {
    my $other = Gate::Test->new(log_level => 'debug');
    my $fake = Gate::FakeRedis->start(test => $other, epoch => 'e1', master => ['127.0.0.1', 1], role => 'sentinel',
        password => $of_sentinel);
    my $bare = Gate::Redis->new(test => $other)->start;
    Gate::KeyRecord->new($bare)->set_up;
    $other->{ports} = { %{ $other->{ports} || {} }, bare => $bare->port, fake => $fake->port };
    $other->write_file('pw', $wrong);
    $other->start(<<'EOC');
        gate_redis bare { server 127.0.0.1:%%PORT_bare%%; password_file pw; }
        gate_redis watched { sentinel master=m 127.0.0.1:%%PORT_fake%%; sentinel_password_file pw; }
        gate_keys bare { redis bare; prefix acme_; }
        gate_keys watched { redis watched; prefix acme_; }
        server {
            listen 127.0.0.1:%%PORT%%;
            location / { gate key=bare; empty_gif; }
            location /watched { gate key=watched; empty_gif; }
        }
EOC
    my @key = ('X-API-Key' => api_key('acme_'));
    is http_get('/', port => $other->port, headers => [@key])->status, 503, 'one that the server has not';
    ok wait_for(sub { $other->error_log =~ /gate_redis "bare": .* cannot be used: AUTH: (?:ERR|WRONGPASS) / }), 'the log says so';
    is http_get('/watched', port => $other->port, headers => [@key])->status, 503, 'a wrong one for a sentinel';
    ok wait_for(sub { $other->error_log =~ /gate_redis "watched": .* cannot be used: AUTH: / }),
        'the log says so';
    rename $other->dir . '/pw', $other->dir . '/pw.old';
    $other->write_file('pw', $of_sentinel);
    ok wait_for(sub { $other->error_log =~ /gate_redis "watched": its sentinels name 127\.0\.0\.1:1 as the master/ }, 10),
        'a new one for sentinels counts too';
    unlike $other->error_log, qr/\Q$_\E/, 'no password in a log' for @passwords;
    ok $other->stop, 'stops';
};

unlike $t->error_log, qr/\Q$_\E/, "no log holds a password, at debug level neither" for @passwords;
unlike slurp('/proc/' . $t->pid . '/cmdline') . $redis->log, qr/pass-word-/, 'nor does anything else';

done_testing;
