# gate_refresh with Redis: of all who come with a token, at whichever node, one is the first; what Redis
# does not take is not acknowledged; and values that would be commands are arguments.
use lib 't/lib';
use Gate::HTTP qw(http_raw request_bytes);
use Gate::Issued;
use Gate::Test;
use IO::Select;
use IO::Socket::INET;
use JSON::PP qw(encode_json);
use MIME::Base64 qw(decode_base64);

use Gate::KeyRecord;
use Gate::Redis;

my @nodes = map { Gate::Test->new(workers => 2, log_level => 'info') } 1 .. 2;
my $redis = Gate::Redis->new(test => $nodes[0], persist => 1)->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
chomp(my $hash = `openssl passwd -6 -salt saltsalt pencil`);
for my $node (@nodes) {
    $node->{ports}{redis} = $redis->port;
    $node->write_file('users.json', encode_json({ users => [{ name => 'ann', password => $hash }] }));
    $node->write_file('es256.pem', pem('es256', 'private'));
    $node->write_file('in.txt', "in\n");
    $node->start(<<'END');
    gate_redis main { server 127.0.0.1:%%PORT_redis%%; timeout 5s; }
    gate_revocation redis=main;
    gate_users staff { file users.json; }
    gate_issuer own { issuer https://own.example; audience app; key file=es256.pem kid=k; sign access=1h refresh=7d; }
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        gate jwt=own;
        add_header X-Reason $gate_reason always;
        location = /login { gate off; gate_login issuer=own users=staff; }
        location = /refresh { gate off; gate_refresh issuer=own; }
        location = /strict { gate off; gate_refresh issuer=own reuse=0s; }
        location / { root %%DIR%%; try_files /in.txt =404; add_header X-Reason $gate_reason always; }
    }
END
}
my $rounds = $ENV{GATE_LONG} ? 200 : 20;

sub at { my ($node) = @_; return (port => $nodes[$node]->port('main')); }
sub login { return http_post('/login', '{"username":"ann","password":"pencil"}', at(0))->json; }
sub refresh {
    my ($node, $token, $path) = @_;
    return http_post($path // '/refresh', encode_json({ refresh_token => $token }), at($node));
}
sub said { my ($answer) = @_; return $answer->status . ' ' . ($answer->header('X-Reason') // '-'); }
sub enters { my ($node, $token) = @_; return said(http_get('/', headers => [Authorization => "Bearer $token"], at($node))); }

ok wait_for(sub { refresh(1, refresh(0, login()->{refresh_token})->json->{refresh_token})->status == 200 }), 'both nodes are ready';

subtest '64 at once at two nodes' => sub {
    my %total;
    for my $round (1 .. $rounds) {
        my $token = login()->{refresh_token};
        my $bytes = request_bytes('POST', '/refresh', body => encode_json({ refresh_token => $token }));
        my @sockets = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $nodes[$_ % 2]->port('main')) } 1 .. 64;
        syswrite $_, $bytes for @sockets;
        my (%count, $next);
        for my $socket (@sockets) {
            my $answer = http_raw('', socket => $socket, methods => ['POST'], count => 1);
            $count{ said($answer) }++;
            $next = $answer->json if $answer->status == 200;
        }
        is_deeply \%count, { '200 -' => 1, '401 refresh_reused' => 63 }, "round $round" or diag explain \%count;
        is refresh($round % 2, $next->{refresh_token})->status, 200, 'and the session goes on';
    }
};

subtest 'a thief' => sub {
    my $tokens = login();
    my $next = refresh(0, $tokens->{refresh_token}, '/strict')->json;
    is enters($_, $next->{access_token}), '200 -', "node $_ lets it in" for 0, 1;
    is said(refresh(1, $tokens->{refresh_token}, '/strict')), '401 refresh_reused', 'a second use at the other node';
    ok wait_for(sub { enters($_, $next->{access_token}) eq '401 revoked' }), "node $_ knows that the session is over" for 0, 1;
    ok wait_for(sub { said(refresh($_, $next->{refresh_token})) eq '401 revoked' }), "for its refresh token, too" for 0, 1;
};

subtest 'revoked without having been used' => sub {
    my $token = login()->{refresh_token};
    $store->revoke('jti', 'https://own.example', claims_of($token)->{jti});
    my $probe = mint(key => 'es256', header => { kid => 'k' }, claims => { iss => 'https://own.example', aud => 'app', jti => 'probe' });
    $store->revoke('jti', 'https://own.example', 'probe');
    ok wait_for(sub { enters(0, $probe) eq '401 revoked' }), 'what came behind it is known';
    is said(refresh(0, $token)), '401 revoked', 'so is it';
};

subtest 'values that would be commands' => sub {
    my $file = vectors('own/apikey_cases.json') or return plan skip_all => 'skipped: no vectors';
    my @cases = grep { ($_->{where} // '') eq 'refresh-token' } @{ $file->{tests} };
    is scalar(@cases), 15, 'all of them';
    $redis->cmd('SET', 'canary', 'alive');
    my $monitor = $redis->monitor;
    for my $case (@cases) {
        my $value = decode_base64($case->{key_b64});
        my $as_form = http_post('/refresh', 'refresh_token=' . join('', map { sprintf '%%%02x', ord } split //, $value), at(0));
        ok((grep { $_ == $as_form->status } @{ $case->{status} }), "$case->{id} as a token: " . said($as_form));
        my $characters = $value;
        my $now = time;
        next if !utf8::decode($characters);
        my $signed = mint(key => 'es256', header => { typ => 'rt+jwt', kid => 'k' }, claims => { iss => 'https://own.example',
            aud => 'app', sub => 'ann', jti => $characters, sid => "s$characters", auth_time => $now, iat => $now, exp => $now + 99 });
        my $answer = refresh(1, $signed);
        ok((grep { $_ == $answer->status } @{ $case->{status} }), "$case->{id} as jti and sid: " . said($answer));
    }
    my %known = map { $_ => 1 } qw(MULTI SET GET EXEC ZADD XADD XREAD XINFO XRANGE ZSCAN ROLE PING INFO CLIENT);
    my %asked;
    $asked{ uc $_->{argv}[0] }++ for $monitor->commands;
    is_deeply [grep { !$known{$_} } sort keys %asked], [], 'no other commands' or diag explain \%asked;
    cmp_ok $asked{SET}, '>', 5, 'and those were asked';
    is $redis->cmd('GET', 'canary'), 'alive', 'the canary lives';
};

subtest 'a user who is disabled while Redis is slow' => sub {
    my $token = login()->{refresh_token};
    my $bytes = request_bytes('POST', '/refresh', body => encode_json({ refresh_token => $token }));
    $redis->cmd('CLIENT', 'PAUSE', 4000, 'WRITE');
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $nodes[1]->port('main'));
    syswrite $socket, $bytes;
    my $entry = sub { return encode_json({ users => [{ name => 'ann', password => $hash, status => $_[0] }] }); };
    $nodes[1]->write_file('users.json', $entry->('disabled'));
    ok wait_for(sub {
        !grep { http_post('/login', '{"username":"ann","password":"pencil"}', at(1))->status != 401 } 1 .. 6
    }, 3), 'disabled';
    ok !IO::Select->new($socket)->can_read(0), 'while the token is being used';
    $redis->cmd('CLIENT', 'UNPAUSE');
    is said(scalar http_raw('', socket => $socket, methods => ['POST'], count => 1)), '401 user_disabled', 'gets no tokens';
    $nodes[1]->write_file('users.json', $entry->('active'));
    ok wait_for(sub { refresh(1, login()->{refresh_token})->status == 200 }), 'enabled again';
};

subtest 'a store that has lost its data' => sub {
    my $token = login()->{refresh_token};
    $redis->cmd('DEL', $store->name('epoch'));
    is said(refresh(0, $token)), '503 store_unavailable', 'counts nothing';
    is said(refresh(0, $token)), '503 store_unavailable', 'nor is a second use judged by it';
    $redis->cmd('SET', $store->name('epoch'), $store->epoch);
    ok wait_for(sub { said(refresh(0, login()->{refresh_token})) eq '200 -' }, 10), 'until it is set up';
};

subtest 'what Redis does not take' => sub {
    my $token = login()->{refresh_token};
    $redis->stop;
    my $answer = refresh(0, $token);
    like said($answer), qr/^503 store_(unavailable|timeout)$/, 'is not acknowledged';
    cmp_ok $answer->header('Retry-After'), '>', 0, 'and may be tried again';
    $redis->start;
    ok wait_for(sub { refresh(0, $token)->status == 200 }, 10), 'when Redis is back';
    ok wait_for(sub { said(refresh(1, $token)) eq '401 refresh_reused' }, 10), 'once';
};

subtest 'Redis dies after the answer' => sub {
    $redis->cmd('CONFIG', 'SET', 'appendfsync', 'always');
    my $token = login()->{refresh_token};
    is refresh(0, $token)->status, 200, 'used';
    $redis->kill;
    $redis->start;
    ok wait_for(sub { said(refresh(1, $token)) eq '401 refresh_reused' }, 10), 'which Redis knows still';
};

done_testing();
