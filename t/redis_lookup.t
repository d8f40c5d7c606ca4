# gate_revocation_lookup: applications that keep revoked ids under keys of their own.
use lib 't/lib';
use Gate::Test;

use Time::HiRes qw(sleep);

use Gate::Redis;

my $t = Gate::Test->new;
my $redis = Gate::Redis->new(test => $t)->start;
$t->{ports}{redis} = $redis->port;
$t->write_jwks('keys.jwks', 'rs');
my $key = api_key('acme_');
$t->write_file('keys.json', key_file(key_record($key, owner => 'ann')));

$t->start(<<'EOF');
    log_format reasons '$status $gate_reason';
    access_log %%DIR%%/reasons.log reasons;
    gate_redis app { server 127.0.0.1:%%PORT_redis%%; timeout 300ms; }
    gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
    gate_keys partners { file %%DIR%%/keys.json; prefix acme_; }
    gate_claim $jti jti;
    gate_claim $who sub;
    server {
        listen 127.0.0.1:%%PORT%%;
        gate jwt=corp;
        location /exists { gate_revocation_lookup redis=app EXISTS "blacklist:$jti" valid=0; empty_gif; }
        location /member { gate_revocation_lookup redis=app SISMEMBER revoked $jti valid=0; empty_gif; }
        location /field { gate_revocation_lookup redis=app HEXISTS banned:$gate_issuer $who valid=0; empty_gif; }
        location /both {
            gate_revocation_lookup redis=app EXISTS "blacklist:$jti" valid=0;
            gate_revocation_lookup redis=app SISMEMBER revoked $jti valid=0;
            empty_gif;
            location /both/none { gate_revocation_lookup off; empty_gif; }
        }
        location /cached { gate_revocation_lookup redis=app EXISTS "blacklist:$jti" valid=1s; empty_gif; }
        location /optional { gate jwt=corp optional; gate_revocation_lookup redis=app EXISTS "blacklist:$jti"; empty_gif; }
        location /keys { gate key=partners; gate_revocation_lookup redis=app SISMEMBER users $gate_subject valid=0; empty_gif; }
        location /scoped { gate_require_scope nothing; gate_revocation_lookup redis=app EXISTS "blacklist:$jti"; empty_gif; }
        location /outer { auth_request /exists; gate_revocation_lookup redis=app EXISTS "blacklist:$jti" valid=0; empty_gif; }
    }
EOF

my $lines = 0;
sub ask {
    my ($uri, @headers) = @_;
    my $status = http_get($uri, port => $t->port, headers => [@headers])->status;
    my @all;
    wait_for(sub { @all = split /\n/, slurp($t->dir . '/reasons.log'); @all > $lines });
    $lines = @all;
    return $all[-1] eq "$status -" ? $status : $all[-1];
}
sub bearer { my ($jti, %claims) = @_; return (Authorization => 'Bearer ' . mint(claims => { jti => $jti, %claims })); }
sub calls { my ($name) = @_; my $stats = $redis->commandstats; return $stats->{$name} ? $stats->{$name}{calls} : 0; }

wait_for(sub { @{ [$redis->clients] } >= 1 });
my $hostile = "*1 \$8 FLUSHALL \"' {a} \\r\\n";

for my $case (
    ['/exists', sub { ['SET', "blacklist:$_[0]", 1], ['DEL', "blacklist:$_[0]"] }],
    ['/member', sub { ['SADD', 'revoked', $_[0]], ['SREM', 'revoked', $_[0]] }],
    ['/field', sub { ['HSET', 'banned:https://idp.example.com', 'user-1', 1],
        ['HDEL', 'banned:https://idp.example.com', 'user-1'] }],
) {
    my ($uri, $commands) = @$case;
    my ($revoke, $restore) = $commands->('id-1');
    is ask($uri, bearer('id-1')), 200, "$uri: what is not there is let in";
    $redis->cmd(@$revoke);
    is ask($uri, bearer('id-1')), '401 revoked', 'what is there is refused';
    $redis->cmd(@$restore);
    is ask($uri, bearer('id-1')), 200, 'and let in when it is not any more';
}

# ---- octets are octets

$redis->cmd('SADD', 'revoked', $hostile);
is ask('/member', bearer($hostile)), '401 revoked', 'whatever stands in an id is one argument';
is ask('/member', bearer("$hostile.")), 200, 'and another id is another one';
ok !calls('flushall'), 'nothing else was asked';

# ---- several lines, none, and what they need

$redis->cmd('SADD', 'revoked', 'second');
is ask('/both', bearer('second')), '401 revoked', 'each of several lines counts';
is ask('/both/none', bearer('second')), 200, 'off drops them';
is ask('/both', bearer('neither')), 200, 'and all have to say no';
is ask('/exists', bearer(undef)), '401 claim_missing', 'a token without what is looked for is refused';
is ask('/optional'), 200, 'nobody is not looked for';
is ask('/scoped', bearer('id-2')), '403 scope_missing', 'who may not is not looked for';
is ask('/keys', 'X-API-Key' => $key), 200, 'keys too';
$redis->cmd('SADD', 'users', 'ann');
is ask('/keys', 'X-API-Key' => $key), '401 revoked', 'may be looked for';
is ask('/outer', bearer('id-3')), 401, 'a subrequest that would have to wait is refused';

# ---- answers are kept

$redis->reset_stats;
is ask('/cached', bearer('kept')), 200, 'an answer';
is ask('/cached', bearer('kept')), 200, 'counts for a while' for 1 .. 3;
is calls('exists'), 1, 'without another question';
$redis->cmd('SET', 'blacklist:kept', 1);
ok wait_for(sub { ask('/cached', bearer('kept')) eq '401 revoked' }, 3), 'and not longer';

# ---- what cannot be known is 503

$redis->cmd('SET', 'revoked', 'a string') if $redis->cmd('DEL', 'revoked');
is ask('/member', bearer('id-4')), '503 store_unavailable', 'a wrong type';
is ask('/exists', bearer('id-4')), 200, 'disturbs nothing else';
$redis->kill('STOP');
is ask('/exists', bearer('id-5')), '503 store_timeout', 'a server that hangs';
$redis->kill('CONT');
ok wait_for(sub { ask('/exists', bearer('id-5')) eq '200' }, 5), 'and answers again';
$redis->kill('KILL');
ok wait_for(sub { ask('/exists', bearer('id-6')) eq '503 store_unavailable' }, 5), 'one that is gone';
is ask('/both/none', bearer('id-6')), 200, 'where nothing is looked for nobody notices';

done_testing;
