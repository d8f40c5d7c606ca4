# The Redis servers of tests, and what writes into them: each function once, against real ones.
use lib 't/lib';
use Gate::Test;

use Time::HiRes qw(time);

use Gate::Certs;
use Gate::KeyRecord;
use Gate::RESP;
use Gate::Redis;

my $t = Gate::Test->new(module => 0);
my $odd = "b\r\n\"\\\x00\xff";

subtest 'RESP' => sub {
    my $value = ['a', undef, [], ['', [$odd]], Gate::RESP::error('ERR x'), '7'];
    my $octets = Gate::RESP::reply([@$value[0 .. 4], Gate::RESP::integer(7)]) . Gate::RESP::reply(Gate::RESP::ok);
    is $octets, "*6\r\n\$1\r\na\r\n\$-1\r\n*0\r\n*2\r\n\$0\r\n\r\n*1\r\n\$7\r\n$odd\r\n-ERR x\r\n:7\r\n+OK\r\n",
        'written';
    my $wrong = 0;
    for my $cut (0 .. length $octets) {
        my $reader = Gate::RESP->new;
        my @got = map { $reader->feed($_); my @some; while (my $one = $reader->take) { push @some, $$one } @some }
            substr($octets, 0, $cut), substr $octets, $cut;
        ++$wrong if !eq_array(\@got, [$value, 'OK']) || $reader->pending;
    }
    is $wrong, 0, 'read, wherever it is cut';
    for my $bad ("x\r\n", "\$x\r\n", "\$1\r\nab\r\n", ":1x\r\n", "*1x\r\n") {
        my $reader = Gate::RESP->new;
        $reader->feed($bad);
        ok !eval { $reader->take; 1 }, 'refused: ' . $bad =~ s/\r\n/ /gr;
    }
};

subtest 'commands' => sub {
    my $redis = Gate::Redis->new(test => $t, unixsocket => 1, options => { maxmemory => '64mb',
        'client-output-buffer-limit' => ['normal 0 0 0', 'pubsub 1mb 1mb 60'] })->start;
    is $redis->cmd('SET', 'a', $odd), 'OK', 'cmd: a status';
    is $redis->cmd('GET', 'a'), $odd, 'any octets';
    is $redis->cmd('GET', 'none'), undef, 'nil';
    is_deeply [$redis->try_cmd('GET', 'a')], [$odd, undef], 'try_cmd';
    is_deeply [$redis->try_cmd('LPUSH', 'a', 1)],
        [undef, 'WRONGTYPE Operation against a key holding the wrong kind of value'], 'its error';
    ok !eval { $redis->cmd('LPUSH', 'a', 1); 1 }, 'cmd dies of one';
    is $@, "redis: LPUSH a: WRONGTYPE Operation against a key holding the wrong kind of value\n", 'and says why';
    is_deeply [$redis->transaction(['SET', 'n', 1], ['INCR', 'n'])], ['OK', 2], 'transaction';
    ok !eval { $redis->transaction(['LPUSH', 'n', 1]); 1 }, 'transaction dies of an error in it';
    is $redis->client(path => $redis->socket_path)->call('GET', 'n'), 2, 'by the unix socket';
    is $redis->cmd('CONFIG', 'GET', 'maxmemory')->[1], 64 * 2**20, 'options';
    is $redis->info('replication')->{role}, 'master', 'info';

    $redis->reset_stats;
    my $other = Gate::Redis::Client->new(port => $redis->port);
    $other->call('CLIENT', 'SETNAME', 'other');
    is_deeply [map { $_->{name} } $redis->clients], ['other'], 'clients, without our own';
    my $monitor = $redis->monitor;
    $other->call(@$_) for ['GET', $odd], ['PING'];
    $redis->cmd('GET', 'mine');
    is_deeply [map { $_->{argv} } $monitor->commands], [['GET', $odd], ['PING']], 'monitor: what others ask';
    like +($monitor->lines)[-1], qr/\A[\d.]+ \[0 127\.0\.0\.1:\d+\] "GET" "mine"\z/, 'monitor: every line';
    $monitor->stop;
    $other->call('GET', 'late');
    is scalar(my @lines = $monitor->lines), 3, 'a stopped monitor records nothing';
    is $redis->commandstats->{get}{calls}, 3, 'commandstats';
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no');
    is $redis->cmd('PING'), 'PONG', 'a killed connection is made again';
};

subtest 'life' => sub {
    my $redis = Gate::Redis->new(test => $t, name => 'life', persist => 1, timeout => 1)->start;
    ok !eval { Gate::Redis->new(test => $t, name => 'life'); 1 }, 'a name is taken once';
    $redis->cmd('SET', 'a', 1);
    $redis->kill('STOP');
    ok $redis->alive && !$redis->awake, 'halted';
    my $begin = time;
    is +($redis->client(timeout => 0.1) && $redis->try_cmd('GET', 'a'))[1],
        'redis 127.0.0.1:' . $redis->port . ': no answer in time', 'its kernel connects, it answers nothing';
    cmp_ok time - $begin, '<', 3, 'and nobody waits for ever';
    $redis->kill('CONT');
    is $redis->cmd('GET', 'a'), 1, 'it goes on';
    $redis->kill;
    ok !$redis->alive, 'killed';
    like +($redis->try_cmd('PING'))[1], qr/refused/, 'nobody listens';
    is $redis->start->cmd('GET', 'a'), 1, 'persist: every acknowledged write is there after KILL';
    is $redis->restart->cmd('GET', 'a'), 1, 'restart keeps the data';
    is $redis->restart(empty => 1)->cmd('GET', 'a'), undef, 'or drops it';

    my $plain = Gate::Redis->new(test => $t, name => 'plain')->start;
    $plain->cmd('DEBUG', 'POPULATE', 1000);
    is $plain->restart->cmd('DBSIZE'), 1000, 'without persist restart() saves first';
    $plain->stop->start(wait => 0, options => { 'key-load-delay' => 500, 'loading-process-events-interval-bytes' => 1024 });
    ok wait_for(sub { (($plain->try_cmd('GET', 'a'))[1] // '') =~ /\ALOADING / }), 'a start that takes time';
    is $plain->wait_ready->cmd('DBSIZE'), 1000, 'wait_ready waits for it';
    $plain->stop;
    my $bad = Gate::Redis->new(test => $t, name => 'bad', options => { nonsense => 1 });
    ok !eval { $bad->start; 1 }, 'start dies of a bad configuration';
    like $@, qr/nonsense/, 'with the words of the server';
};

subtest 'passwords and users' => sub {
    my $redis = Gate::Redis->new(test => $t, name => 'acl', password => 'pa"ss', user => 'admin', acl => [
        'user default off', 'user admin on >pa"ss ~* &* +@all', 'user gate on >x ~gate:* +get'])->start;
    is $redis->cmd('GET', 'a'), undef, 'our own user';
    my $gate = $redis->client(user => 'gate', password => 'x');
    is $gate->call('GET', 'gate:a'), undef, 'another user';
    is $gate->call('DEL', 'gate:a'), "NOPERM this user has no permissions to run the 'del' command", 'who may not';
    ok !eval { $redis->client(user => 'gate', password => 'y'); 1 }, 'a wrong password';
    like $@, qr/WRONGPASS/, 'is said to be wrong';
    is $redis->client(user => undef, password => undef)->call('PING'), 'NOAUTH Authentication required.', 'none';
    $redis->cmd('ACL', 'SETUSER', 'second', 'on', '>y', '~*', '+@all');
    $redis->credentials('second', 'y');
    is $redis->cmd('ACL', 'WHOAMI'), 'second', 'credentials';
    my $simple = Gate::Redis->new(test => $t, name => 'requirepass', password => 'se cret')->start;
    is $simple->cmd('CONFIG', 'GET', 'requirepass')->[1], 'se cret', 'a password alone';
};

subtest 'TLS' => sub {
    my $certs = Gate::Certs->of($t);
    is $certs, Gate::Certs->of($t), 'certificates are made once';
    ok !eval { $certs->cert('none'); 1 }, 'an unknown one';
    my %verify = (SSL_ca_file => $certs->ca, SSL_verifycn_name => 'localhost', SSL_verifycn_scheme => 'default');
    my %refused = (wrong => qr/hostname verification failed/, expired => qr/verify failed/, stranger => qr/verify failed/);
    for my $cert (sort keys %refused) {
        my $redis = Gate::Redis->new(test => $t, name => "tls-$cert", tls => 1, cert => $cert)->start;
        ok !eval { Gate::Redis::Client->new(port => $redis->port, tls => \%verify); 1 }, "$cert is refused";
        like $@, $refused{$cert}, 'for that';
        $redis->stop;
    }
    my $redis = Gate::Redis->new(test => $t, name => 'tls', tls => 'mutual')->start;
    is $redis->cmd('SET', 'a', 'x' x 1_000_000), 'OK', 'mutual: a large command';
    is length $redis->cmd('GET', 'a'), 1_000_000, 'a large reply';
    my $stranger = Gate::Redis::Client->new(port => $redis->port, tls => \%verify);
    ok !eval { $stranger->call('PING'); 1 }, 'nobody without a certificate';
    my $monitor = $redis->monitor;
    is $redis->client->call('ECHO', 'x'), 'x', 'a second connection';
    is scalar(my @lines = $monitor->lines), 1, 'monitor';
};

subtest 'keys and revocations' => sub {
    my $redis = Gate::Redis->new(test => $t, name => 'store')->start;
    my $store = Gate::KeyRecord->new($redis)->set_up;
    like $redis->cmd('GET', 'gate:epoch'), qr/\A[0-9a-f]{32}\z/, 'epoch';
    my $record = $store->put('a key', id => 'k1', created => 1700000000, expires => 1700000060,
        scopes => ['a', 'b:*'], labels => { team => 'x' }, burst => 5);
    my $digest = Digest::SHA::sha256_hex('a key');
    my %hash = @{ $redis->cmd('HGETALL', "gate:key:$digest") };
    is_deeply \%hash, { v => 1, id => 'k1', digest => $digest, name => 'test key', owner => 'tests',
        status => 'active', created => '2023-11-14T22:13:20Z', expires => '2023-11-14T22:14:20Z',
        scopes => '["a","b:*"]', labels => '{"team":"x"}', burst => 5 }, 'the hash';
    is $redis->cmd('GET', 'gate:keyid:k1'), $digest, 'by its id';
    is_deeply $redis->cmd(qw(ZRANGE gate:keys 0 -1 WITHSCORES)), ['k1', 1700000000], 'the list';
    $store->change($record, status => 'suspended', burst => undef);
    is_deeply $redis->cmd('HMGET', "gate:key:$digest", 'status', 'burst', 'v'), ['suspended', undef, 1], 'change';
    $store->revoke('jti', 'https://idp', 'x', forget => 1800000000);
    my $last = $store->revoke('all', undef, undef, until => 1700000000);
    $store->remove($record);
    $store->load(map { [Gate::KeyRecord::item('sid', '', $_)] } 1 .. 3);
    is $redis->cmd('EXISTS', "gate:key:$digest", 'gate:keyid:k1', 'gate:keys'), 0, 'remove';
    my %set = @{ $redis->cmd(qw(ZRANGE gate:rev 0 -1 WITHSCORES)) };
    is_deeply \%set, { 'jti:https%3A%2F%2Fidp:x' => 1800000000, 'all:-:-:1700000000' => 'inf',
        map { ("sid:-:$_" => 'inf') } 1 .. 3 }, 'the set of what is revoked';
    my @log = @{ $redis->cmd(qw(XRANGE gate:log - +)) };
    my @changed = (qw(type key digest), $digest, qw(id k1));
    is_deeply [map { $_->[1] } @log], [([@changed]) x 2,
        [qw(type revoked item jti:https%3A%2F%2Fidp:x forget 1800000000)],
        [qw(type revoked item all:-:-:1700000000 forget never)], [@changed]], 'the stream';
    is $log[3][0], $last, 'ids of the stream';
    $redis->cmd('FLUSHALL');
    my $before = $store->epoch;
    $store->restore([$record], [['jti', 'i', 'x'], ['sid', '', 'y', until => 5, forget => 1800000000]]);
    is $redis->cmd('GET', 'gate:epoch'), $store->epoch, 'a store is restored';
    isnt $store->epoch, $before, 'under another epoch';
    is $redis->cmd('HGET', "gate:key:$digest", 'status'), 'suspended', 'with its records';
    is_deeply { @{ $redis->cmd(qw(ZRANGE gate:rev 0 -1 WITHSCORES)) } }, { 'jti:i:x' => 'inf', 'sid:-:y:5' => 1800000000 },
        'and what is revoked';
};

# A test that dies, or is killed, leaves no server behind.
subtest 'the end of a test' => sub {
    my $script = 'use Gate::Test; use Gate::Redis; $| = 1; my $t = Gate::Test->new(module => 0);'
        . 'my $r = Gate::Redis->new(test => $t)->start; print $r->pid, " ", $t->dir, "\n"; ';
    my %ways = (dies => 'die "on purpose"', 'is interrupted' => 'kill INT => $$; sleep 9',
        'is killed' => 'kill KILL => $$', 'is killed, its server halted' => '$r->kill("STOP"); kill KILL => $$');
    for my $how (sort keys %ways) {
        open my $out, '-|', $^X, '-It/lib', '-e', "open STDERR, '>', '/dev/null'; $script $ways{$how}"
            or die "perl: $!";
        my ($pid, $dir) = split ' ', <$out> // '';
        close $out;
        ok $pid && wait_for(sub { Gate::Guard::state_of($pid) =~ /\AZ?\z/ && !-e $dir }), "one that $how";
    }
};

done_testing;
