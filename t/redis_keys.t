# API keys in Redis: one lookup for each key, known to all workers afterwards; what the store cannot
# say is 503, never 401 and never 200.
use lib 't/lib';
use Gate::Test;

use Gate::KeyRecord;
use Gate::Redis;

my $t = Gate::Test->new(workers => 2);
my $redis = Gate::Redis->new(test => $t)->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
my $app = $t->upstream('app');
$t->{ports}{redis} = $redis->port;

$t->start(<<'EOF');
    log_format reasons '$status $gate_reason $gate_cache';
    access_log %%DIR%%/reasons.log reasons;
    gate_redis main { server 127.0.0.1:%%PORT_redis%%; timeout 300ms; }
    gate_keys partners { redis main; prefix acme_; negative 1s; }
    server {
        listen 127.0.0.1:%%PORT%%;
        gate key=partners;
        gate_identity X-Key $gate_key_id;
        location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
        location /scoped/ { gate_require_scope orders:read; proxy_pass http://127.0.0.1:%%PORT_app%%; }
        location /either/ { satisfy any; deny all; proxy_pass http://127.0.0.1:%%PORT_app%%; }
        location = /open { gate off; return 204; }
        location = /metrics { gate off; gate_metrics; }
    }
EOF

# Status, and what the log says of reason and cache.
sub ask {
    my ($key, $uri) = @_;
    my $answer = http_get($uri // '/x', port => $t->port, headers => ['X-API-Key' => $key]);
    return $answer->status . ' ' . last_line();
}

my $lines = 0;
sub last_line {
    my @all;
    wait_for(sub { @all = split /\n/, slurp($t->dir . '/reasons.log'); @all > $lines });
    $lines = @all;
    return $all[-1] =~ s/\A\d+ //r;
}

sub metrics {
    my $body = http_get('/metrics', port => $t->port)->body;
    last_line();    # its own
    return $body;
}

# How many connections were made, lost or not to be had.
sub connections {
    return { metrics() =~ /^nginx_gate_redis_connections_total\{redis="main",server="127\.0\.0\.1:\d+",event="(\w+)"\} (\d+)$/mg };
}

sub lookups { my $calls = $redis->commandstats; return $calls->{hgetall} ? $calls->{hgetall}{calls} : 0; }

wait_for(sub { $t->error_log !~ /cannot be used/ && @{ [$redis->clients] } >= 2 });

# ---- known, unknown, and told apart from each other's records

my $key = api_key('acme_');
my $record = $store->put($key, owner => 'alice', scopes => ['orders:read']);
$redis->reset_stats;
is ask($key), '200 - MISS', 'a key of the store is let in';
is_deeply [Gate::Upstream::values_of($app->last_request, 'X-Key')], [$record->{id}], 'as the one that it is';
my %seen;
$seen{ ask($key) }++ for 1 .. 30;
is_deeply \%seen, { '200 - HIT' => 30 }, 'and known to both workers then';
is lookups(), 1, 'by one lookup';
is ask($key, '/scoped/x'), '200 - HIT', 'its scopes count';
is ask($key, '/either/x'), '200 - HIT', 'under satisfy any too';

my $stranger = api_key('acme_');
is ask($stranger), '401 key_unknown -', 'a key that is not there is unknown';
ask($stranger) for 1 .. 5;
is lookups(), 2, 'which is remembered for a short while';
is ask($stranger, '/either/x'), '401 key_unknown -', 'and satisfies nothing';

$store->put($stranger);
ok wait_for(sub { ask($stranger) =~ /\A200/ }, 3), 'and is let in when that has been forgotten';

# ---- every state of a record

my $suspended = api_key('acme_');
$store->put($suspended, status => 'suspended');
is ask($suspended), '401 key_suspended -', 'a suspended key is refused';
my $old = api_key('acme_');
$store->put($old, expires => time - 1);
is ask($old), '401 key_expired -', 'an expired one';
my $elsewhere = api_key('acme_');
$store->put($elsewhere, cidr => ['192.0.2.0/24']);
is ask($elsewhere), '401 key_address -', 'one of another network';
my %answers;
for my $refused ($suspended, $old, $elsewhere, api_key('acme_'), 'acme_' . 'x' x 50) {
    my $answer = http_get('/x', port => $t->port, headers => ['X-API-Key' => $refused]);
    my $text = join "\n", $answer->status, (map { $answer->header($_) // '' } qw(WWW-Authenticate Content-Type
        Content-Length Cache-Control Retry-After)), $answer->body;
    push @{ $answers{$text} }, $refused;
}
$lines += 5;
wait_for(sub { (() = slurp($t->dir . '/reasons.log') =~ /\n/g) >= $lines });
is scalar(keys %answers), 1, 'to the client all look alike, as one that is unknown' or diag explain [keys %answers];

# ---- records that are none

my %bad = (
    'a wrong type' => sub { my ($name) = @_; $redis->cmd('DEL', $name); $redis->cmd('SET', $name, 'x') },
    'another version' => sub { $redis->cmd('HSET', $_[0], 'v', 2) },
    'no version' => sub { $redis->cmd('HDEL', $_[0], 'v') },
    'an unknown field' => sub { $redis->cmd('HSET', $_[0], 'admin', 1) },
    'no status' => sub { $redis->cmd('HDEL', $_[0], 'status') },
    'a list that is no list' => sub { $redis->cmd('HSET', $_[0], 'scopes', '["a"],"roles":["admin"]') },
    'no digest' => sub { $redis->cmd('HDEL', $_[0], 'digest') },
);
for my $what (sort keys %bad) {
    my $broken = api_key('acme_');
    my $made = $store->put($broken);
    $bad{$what}->($store->name("key:$made->{digest}"));
    $t->mark;
    is ask($broken), '503 record_bad -', "$what: 503";
    like $t->log_since_mark, qr/gate_keys "partners": the record of digest [0-9a-f]{12}\.\. cannot be used: /,
        'and says so';
    ask($broken) for 1 .. 10;
    my @said = grep {/cannot be used/} split /\n/, $t->log_since_mark;
    cmp_ok scalar @said, '<=', 2, 'once for each worker, however often it is asked for' or diag @said;
}
is ask($key), '200 - HIT', 'others are not disturbed';

my $other = $store->put(api_key('acme_'));
my $taken = api_key('acme_');
my $made = $store->put($taken);
$redis->cmd('HSET', $store->name("key:$made->{digest}"), 'digest', $other->{digest});
my $lost = connections()->{lost} // 0;
is ask($taken), '503 record_bad -', 'the record of another key lets nobody in';
ok wait_for(sub { connections()->{lost} > $lost }), 'and whoever answers so is left';

# ---- without its epoch a store knows nothing

ok wait_for(sub { ask(api_key('acme_')) eq '401 key_unknown -' }), 'a store that answers';
my $late = api_key('acme_');
$store->put($late);
$redis->cmd('DEL', $store->name('epoch'));
is ask($late), '503 store_unavailable -', 'no epoch: 503';
is ask(api_key('acme_')), '503 store_unavailable -', 'also for keys that are not there';
is ask($key), '200 - HIT', 'what is known serves on';
ok wait_for(sub { ask($late); $t->error_log =~ /the key "gate:epoch" is missing/ }),
    'and the log says what is missing';
$store->set_up($store->epoch);
ok wait_for(sub { ask($late) eq '200 - MISS' }), 'restored, it answers again';

# ---- a server that is gone, or hangs

$t->mark;
$redis->kill('STOP');
my $hanging = api_key('acme_');
is ask($hanging), '503 store_timeout -', 'a server that hangs: 503 in time';
is ask($key), '200 - HIT', 'meanwhile what is known serves on';
$redis->kill('CONT');
$store->put($hanging);
ok wait_for(sub { ask($hanging) eq '200 - MISS' }, 5), 'and it is asked again afterwards';

$redis->kill('KILL');
my $gone = api_key('acme_');
ok wait_for(sub { ask($gone) =~ /\A503 store_unavailable/ }), 'a server that is gone: 503';
is ask($key), '200 - HIT', 'what is known serves on';
my $answer = http_get('/x', port => $t->port, headers => ['X-API-Key' => $gone]);
ok $answer->header('Retry-After'), 'with Retry-After';
is $answer->header('WWW-Authenticate'), undef, 'and no challenge';
ok wait_for(sub { connections()->{failed} }, 10), 'that nobody listens is counted';
like $t->log_since_mark, qr/gate_redis "main": 127\.0\.0\.1:\d+ cannot be used: /, 'the log names it';
$redis->restart(empty => 1);
ok wait_for(sub { ask(api_key('acme_')) =~ /\A503 store_unavailable/ }, 5), 'empty it knows nothing';
is(http_get('/open', port => $t->port)->status, 204, 'an open location never notices');
$store->set_up;
$store->put($gone);
ok wait_for(sub { ask($gone) eq '200 - MISS' }, 5), 'set up anew it is asked again';

# ---- counted

my %outcomes = metrics() =~ /^nginx_gate_redis_questions_total\{redis="main",outcome="(\w+)"\} (\d+)$/mg;
cmp_ok $outcomes{$_} // 0, '>', 0, "questions are counted: $_" for qw(answered error timeout closed);
cmp_ok connections()->{$_} // 0, '>', 0, "connections are counted: $_" for qw(up lost failed);

done_testing;
