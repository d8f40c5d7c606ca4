# What a real Redis server does to its clients: it loads, sleeps, pauses, is busy, full, a replica of
# another one, or ends connections. Keys that are there are let in or 503, others are 401 or 503, and
# afterwards all is as before.
use lib 't/lib';
use Gate::Test;

use IO::Socket::INET;
use MIME::Base64 qw(decode_base64);
use Time::HiRes qw(time sleep);

use Gate::FakeRedis;
use Gate::KeyRecord;
use Gate::RESP;
use Gate::Redis;

my $t = Gate::Test->new;
my $redis = Gate::Redis->new(test => $t, options => { 'busy-reply-threshold' => 50 })->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
$t->{ports}{redis} = $redis->port;
$t->write_jwks('keys.jwks', 'rs');
my $issuer = 'https://idp.example.com';

# Without a zone nothing is remembered from one request to the next.
my $lookups = <<'END';
    gate_redis main { server 127.0.0.1:%%PORT_redis%%; timeout 300ms; }
    gate_keys partners { redis main; prefix acme_; }
    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Key $gate_key_id always;
        location / { gate key=partners; empty_gif; }
        location = /open { return 204; }
    }
END
$t->start($lookups, zone => '');

my %id_of;
sub stored_key {
    my $key = api_key('acme_');
    $id_of{$key} = $store->put($key)->{id};
    return $key;
}
my @known = map { stored_key() } 1 .. 8;
my @strangers = map { api_key('acme_') } 1 .. 8;

sub begin {
    my ($key) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port) or die "connect: $!";
    print {$socket} request_bytes('GET', '/', headers => ['X-API-Key' => $key]);
    $socket->flush;
    return $socket;
}

# What is wrong with the answers that are awaited: [key, connection], ..; counts by status.
sub wrong {
    my ($count, @asked) = @_;
    my @wrong;
    for (@asked) {
        my ($key, $socket) = @$_;
        my $answer = http_raw('', socket => $socket, count => 1, methods => ['GET']);
        my $id = $answer->header('X-Key') // '';
        $count->{ $answer->status }++;
        my $good = $answer->status == 503 || ($id_of{$key} ? $answer->status == 200 && $id eq $id_of{$key}
            : $answer->status == 401 && $id eq '');
        push @wrong, $answer->status . " $id" if !$good;
    }
    return @wrong;
}
sub all_keys { return map { ($known[$_], $strangers[$_]) } 0 .. $#known; }
sub ask_all { my ($count) = @_; return wrong($count // {}, map { [$_, begin($_)] } all_keys()); }
# Everybody has his answer, and nobody 503.
sub well {
    return wait_for(sub { my %count; return !ask_all(\%count) && !$count{503}; }, 10);
}

# The answers of a while in which something happens again and again.
sub during {
    my ($what, $seconds, $happens) = @_;
    my ($end, %count, @wrong) = (time + $seconds);
    while (time < $end) {
        my @asked = map { [$_, begin($_)] } all_keys();
        $happens->() if $happens;
        push @wrong, wrong(\%count, @asked);
    }
    is_deeply \@wrong, [], "$what: no wrong answer";
    return \%count;
}

ok well(), 'all is well';

subtest 'connections end' => sub {
    my $killed = 0;
    my $count = during('CLIENT KILL', 3, sub { $killed += $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal') });
    cmp_ok $killed, '>=', 2, 'connections were ended';
    ok $count->{503}, 'some questions had no answer';
    ok well(), 'and then all is well';
};

subtest 'pauses' => sub {
    my $count = during('CLIENT PAUSE', 2, sub { $redis->cmd('CLIENT', 'PAUSE', 50, 'ALL') });
    ok $count->{200}, 'short ones are waited for';
    $redis->cmd('CLIENT', 'PAUSE', 700, 'ALL');
    my %count;
    is_deeply [ask_all(\%count)], [], 'a long one';
    is_deeply \%count, { 503 => 16 }, 'is 503 in time';
    ok well(), 'and then all is well';
};

subtest 'it sleeps' => sub {
    my $sleeper = $redis->client;
    my @asked = map { [$_, begin($_)] } all_keys();
    $sleeper->send(Gate::RESP::command('DEBUG', 'SLEEP', '0.8'));
    my %count;
    is_deeply [wrong(\%count, @asked)], [], 'mid-flight';
    ok well(), 'and then all is well';
};

subtest 'a busy script' => sub {
    my $pid = fork // die;
    if (!$pid) {
        eval { $redis->client(timeout => 20)->call('EVAL', 'while true do end', 0) };
        POSIX::_exit(0);
    }
    ok wait_for(sub { (($redis->try_cmd('GET', 'x'))[1] // '') =~ /\ABUSY/ }), 'it is busy';
    my %count;
    is_deeply [ask_all(\%count)], [], 'nobody is let in, nobody unknown';
    is_deeply [keys %count], [503], 'but 503';
    $redis->cmd('SCRIPT', 'KILL');
    waitpid $pid, 0;
    ok well(), 'and then all is well';
};

subtest 'full, and unable to save' => sub {
    $redis->cmd('CONFIG', 'SET', 'maxmemory', 1);
    like +($redis->try_cmd('SET', 'x', 1))[1], qr/\AOOM /, 'it takes nothing';
    my %count;
    is_deeply [ask_all(\%count)], [], 'what is there is read';
    is_deeply \%count, { 200 => 8, 401 => 8 }, 'as before';
    $redis->cmd('CONFIG', 'SET', 'maxmemory', 0);
};

subtest 'it loads' => sub {
    my $client = $redis->client;
    $client->call('EVAL', q{for i = 1, 8000 do redis.call('SET', 'fill:' .. i, i) end}, 0);
    $redis->cmd('SAVE');
    $redis->kill('KILL');
    $t->mark;
    $redis->start(wait => 0, options => { 'key-load-delay' => 400, 'loading-process-events-interval-bytes' => 1024 });
    my $loading = 0;
    my %count;
    my @wrong;
    ok wait_for(sub {
        push @wrong, ask_all(\%count);
        $loading ||= (($redis->try_cmd('GET', 'x'))[1] // '') =~ /\ALOADING/;
        return !!$count{200};
    }, 30), 'until it has loaded';
    ok $loading, 'it was seen loading';
    is_deeply \@wrong, [], 'nobody is let in wrongly, nobody unknown who is not';
    like $t->log_since_mark, qr/cannot be used: it answers LOADING /, 'the log says so';
    $redis->wait_ready;
    ok well(), 'and then all is well';
};

subtest 'it becomes a replica that answers on' => sub {
    $redis->cmd('CONFIG', 'SET', 'replica-serve-stale-data', 'yes');
    $redis->cmd('REPLICAOF', '127.0.0.1', 1);
    $t->mark;
    my %count;
    ok wait_for(sub { %count = (); ask_all(\%count); !$count{200} }, 15), 'it is left before long';
    # Whoever connects anew on a slow machine meets it as a replica.
    my $left = qr/cannot be used: it is (?:not any more what it was when it was connected|a replica)/;
    ok wait_for(sub { $t->log_since_mark =~ $left }), 'the log says so';
    $redis->cmd('REPLICAOF', 'NO', 'ONE');
    ok well(), 'a master again, it is asked';
};

subtest 'it becomes a replica' => sub {
    # Nor is it asked for its role first.
    $t->write_config($lookups =~ s/timeout 300ms;/$& keepalive 60s;/r, zone => '');
    ok $t->reload && well(), 'its role was asked for just now';
    $redis->cmd('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
    $redis->cmd('REPLICAOF', '127.0.0.1', 1);
    my %count;
    is_deeply [ask_all(\%count)], [], 'of a master that it does not reach';
    is_deeply [keys %count], [503], 'is 503 to all';
    ok wait_for(sub { ask_all(); $t->error_log =~ /cannot be used: it answers MASTERDOWN / }), 'MASTERDOWN: the log says so';
    $redis->cmd('CONFIG', 'SET', 'replica-serve-stale-data', 'yes');
    ok wait_for(sub { ask_all(); $t->error_log =~ /cannot be used: it is a replica, which may not know yet what is revoked/ }),
        'nor is it asked when it would answer';
    %count = ();
    ask_all(\%count);
    is_deeply [keys %count], [503], 'still 503';
    $redis->cmd('REPLICAOF', 'NO', 'ONE');
    ok well(), 'a master again, it is asked';
};

subtest 'no word of a client is a command' => sub {
    my $cases = vectors('own/apikey_cases.json') or plan skip_all => 'no vectors';
    my @cases = grep { $_->{cls} eq 'redis-inject' } @{ $cases->{tests} };
    cmp_ok scalar(@cases), '>', 50, 'cases';
    $t->write_config(<<'END');
        gate_redis main { server 127.0.0.1:%%PORT_redis%%; }
        gate_keys any { redis main; checksum off; }
        gate_issuer corp { issuer https://idp.example.com; jwks_file keys.jwks; audience orders; }
        gate_revocation redis=main;
        server {
            listen 127.0.0.1:%%PORT%%;
            location / { gate jwt=corp key=any; empty_gif; }
        }
END
    $t->reload;
    my $size = $redis->cmd('DBSIZE');
    my $monitor = $redis->monitor;
    ok wait_for(sub { http_get('/', port => $t->port, headers => [Authorization => 'Bearer ' . mint()])->status == 200 }),
        'the store is loaded';
    my %wrong;
    for my $case (@cases) {
        my $value = decode_base64($case->{key_b64});
        my @header = $case->{where} eq 'jwt-jti' ? (Authorization => 'Bearer ' . mint(claims => { jti => $value }))
            : ('X-API-Key' => $value);
        my $answer = http_raw(request_bytes('GET', '/', headers => \@header), port => $t->port, count => 1,
            methods => ['GET']);
        my $status = $answer ? $answer->status : 'none';
        $wrong{ $case->{id} } = $status if $status =~ /\A5/;
    }
    is_deeply \%wrong, {}, 'nobody gets 5xx';
    my @commands = map { join ' ', @{ $_->{argv} } } $monitor->commands;
    my @other = grep { !/\A(?:HGETALL gate:key:[0-9a-f]{64}|GET gate:epoch|PING|ROLE|CLIENT SETNAME nginx-gate-\d+)\z/i
        && !/\A(?:XREAD COUNT 1000 BLOCK 500 STREAMS gate:log|XRANGE gate:log|XINFO STREAM gate:log|ZSCAN gate:rev) [-+ 0-9A-Z]+\z/i } @commands;
    is_deeply \@other, [], 'Redis sees nothing but ' . @commands . ' commands of the gate';
    ok scalar(grep {/HGETALL/} @commands), 'lookups among them';
    is $redis->cmd('DBSIZE'), $size, 'and has what it had';
};
ok $t->stop, 'stops';

# ---- sentinels change their minds while many ask

subtest 'a failover under load' => sub {
    my $one = Gate::Test->new;
    my $sentinel = Gate::FakeRedis->start(test => $one, role => 'sentinel', master => ['127.0.0.1', $redis->port]);
    my $second = Gate::Redis->new(test => $one, name => 'second')->start;
    my $there = Gate::KeyRecord->new($second)->set_up;
    $there->put($_) for @known;
    $one->{ports} = { %{ $one->{ports} || {} }, fake => $sentinel->port };
    $one->start($lookups =~ s/server 127\.0\.0\.1:%%PORT_redis%%;/sentinel master=m 127.0.0.1:%%PORT_fake%%;/r, zone => '');
    my $status = sub { return http_get('/', port => $one->port, headers => ['X-API-Key' => $known[0]])->status; };
    ok wait_for(sub { $status->() == 200 }), 'the first master is asked';
    $redis->kill('KILL');
    is $status->(), 503, 'it dies';
    $sentinel->be(master => ['127.0.0.1', $second->port]);
    ok wait_for(sub { $status->() == 200 }, 3), 'however many ask, the sentinels are asked, too';
    ok $one->stop, 'stops';
};

done_testing;
