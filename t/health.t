# gate_health: every state of all that the gate depends on is made to happen, and is told once.
use lib 't/lib';
use Gate::Config;
use Gate::Test;

use Digest::SHA qw(sha256_hex);
use JSON::PP ();

use Gate::KeyRecord;
use Gate::Redis;

subtest 'wrong lines' => sub {
    config_test();
    my $one = 'stands beside another directive that answers the requests of this location; give each one a location of its own';
    refused('another form', in_server('location /h { gate_health xml; }'),
        '"gate_health" has an unknown value "xml"; expected page | json | ready | routes in nginx.conf:2');
    refused('none', in_server('location /h { gate_health; }'), qr/invalid number of arguments in "gate_health" directive in nginx.conf:2/);
    refused('twice', in_server('location /h { gate_health page; gate_health json; }'),
        '"gate_health" directive is duplicate in nginx.conf:2');
    refused('with gate_metrics', in_server('location /h { gate_metrics; gate_health json; }'), qq{"gate_health" $one in nginx.conf:2});
    refused('before gate_metrics', in_server('location /h { gate_health json; gate_metrics; }'), qq{"gate_metrics" $one in nginx.conf:2});
    refused('in a server', in_server('gate_health json;'), qr/"gate_health" directive is not allowed here in nginx.conf:2/);
};

my $t = Gate::Test->new(workers => 2);
my %redis = map { $_ => Gate::Redis->new(test => $t, name => $_, persist => 1)->start } qw(main side);
my %store = map { $_ => Gate::KeyRecord->new($redis{$_})->set_up("epoch of $_") } qw(main side);
$t->{ports}{"redis_$_"} = $redis{$_}->port for keys %redis;
my $issuer_file = 'a<b>&.jwks';
$t->write_jwks($issuer_file, 'rs');
my $key = api_key('f_');
$t->write_file('keys.json', key_file(key_record($key)));
$t->write_file(@$_) for ['staff.roles', "viewer *:read;\n"], ['people.json', '{"users":[]}'];

my $blocks = <<'END';
gate_zone gate:2m state=%%DIR%%/state;
gate_redis main { server 127.0.0.1:%%PORT_redis_main%%; timeout 1s; }
gate_redis side { server 127.0.0.1:%%PORT_redis_side%%; timeout 1s; }
gate_revocation redis=main max_lag=4s;
gate_roles staff { file staff.roles; }
gate_issuer corp { issuer https://idp.example.com; jwks_file "a<b>&.jwks"; audience orders; roles staff; }
gate_keys partner { redis main; prefix p_; }
gate_keys cold { redis side; prefix c_; }
gate_keys filed { file keys.json; prefix f_; }
gate_users people { file people.json; }
END
my $servers = <<'END';
server {
    listen 127.0.0.1:%%PORT%%;
    location / { gate jwt=corp key=partner,cold,filed; empty_gif; }
    location /looked/ { gate jwt=corp; gate_revocation_lookup redis=side EXISTS "gone:$gate_subject"; empty_gif; }
    location = "/<i>&" { gate off; return 204; }
    location = /ready { gate off; gate_health ready; }
    location = /page { gate off; gate_health page; }
    location = /json { gate off; gate_health json; limit_except GET { deny all; } }
    location = /routes { gate off; gate_health routes; }
    location = /metrics { gate off; gate_metrics; }
}
END
my $config = $blocks . $servers;
$t->start($config);

sub integrations { return @{ http_get('/json')->json->{integrations} }; }
# "redis main" => state, or the whole entry.
sub states { return { map { ("$_->{integration} $_->{name}" =~ s{/\S*/}{}r => $_->{state}) } integrations() }; }
sub entry { my ($what) = @_; return (grep { "$_->{integration} $_->{name}" eq $what } integrations())[0]; }
sub becomes {
    my ($what, $state, $seconds) = @_;
    return ok wait_for(sub { entry($what)->{state} eq $state }, $seconds // 5), "$what is $state"
        || diag explain(entry($what)), $t->log_since_mark;
}
sub ready { return http_get('/ready')->status; }
# Lines about changes since the mark, without time and process.
sub changes { return map { s/.*?(\[\w+\]) \d+#\d+: gate: /$1 /r } grep {/ was \w+ and is \w+/} split /\n/, $t->log_since_mark; }
sub said {
    my ($pattern) = @_;
    ok wait_for(sub { grep { $_ =~ $pattern } changes() }), "the log says so: $pattern" or diag $t->log_since_mark;
    return is scalar(my @all = grep { $_ =~ $pattern } changes()), 1, 'once';
}
sub gauge {
    my ($name) = @_;
    return { map { /^\Q$name\E\{(.*)\} (\S+)$/ ? ($1 => $2) : () } split /\n/, http_get('/metrics')->body };
}

my @all = ('redis main', 'redis side', 'revocation file=revocations', 'revocation redis=main',
    'revocation lookup=side', 'issuer corp', 'keys partner', 'keys cold', 'keys filed', 'users people');

subtest 'all is well' => sub {
    ok wait_for(sub { !grep { $_ ne 'connected' } values %{ states() } }), 'soon all is connected' or diag explain states();
    is_deeply states(), { map { $_ => 'connected' } @all }, 'which is all there is';
    is ready(), 200, 'ready';
    is join(' ', map { $_->{integration} } integrations()), 'redis redis revocation revocation revocation issuer keys keys keys users', 'in order';
    my $health = http_get('/json')->json;
    ok $health->{ready}, 'JSON says so, too';
    is $health->{known_by}, 'node', 'for all workers';
    like entry('issuer corp')->{where}, qr/nginx\.conf:6$/, 'with file and line';
    like entry('issuer corp')->{since}, qr/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/, 'and since when';
    is join("\n", changes()), '', 'nothing of it is news';
};

subtest 'nobody asks for anything' => sub {
    $t->mark;
    sleep 7;    # longer than an answer may take, and than keepalive
    is join("\n", changes()), '', 'nothing changes';
};

subtest 'forms' => sub {
    my %type = (page => 'text/html; charset=utf-8', json => 'application/json', routes => 'application/json',
        ready => 'text/plain; charset=utf-8');
    for my $form (sort keys %type) {
        my $response = http_get("/$form");
        is $response->status, 200, $form;
        is $response->header('Content-Type'), $type{$form}, "$form: type";
        is $response->header('Cache-Control'), 'no-store', "$form: not to be stored";
        my $head = http_request('HEAD', "/$form");
        is $head->status, 200, "$form: HEAD";
        cmp_ok $head->header('Content-Length'), '>', 0, "$form: its length";
        is $head->body, '', "$form: without body";
        is http_post("/$form", 'x')->status, $form eq 'json' ? 403 : 405, "$form: nothing else";
    }
    is http_get('/ready')->body, "ready\n", 'ready says nothing else' or diag $t->error_log;
    my $page = http_get('/page');
    like $page->header('Content-Security-Policy'), qr/^default-src 'none';/, 'the page loads nothing';
    is $page->header('X-Content-Type-Options'), 'nosniff', 'and is what it says';
    unlike $page->body, qr/<script|src=|href=|https?:/, 'nor names anything to load';
};

subtest 'routes' => sub {
    my %environment = $t->_environment;
    local @ENV{ keys %environment } = values %environment;
    my ($status, $out, $err) = gatectl('routes', '--json', '-c', $t->dir . '/nginx.conf', '-p', $t->dir, '--nginx', $t->{nginx});
    is $status, 0, 'gatectl routes' or diag $err;
    my $response = http_get('/routes');
    is $response->body, $out, 'say the same';
    is $response->header('Vary'), 'Accept, Sec-Fetch-Mode', 'JSON or a page';
    for ([Accept => 'text/html,*/*'], ['Sec-Fetch-Mode' => 'navigate']) {
        my $page = http_get('/routes', headers => $_);
        is $page->header('Content-Type'), 'text/html; charset=utf-8', "a page: @$_";
        like $page->body, qr{<code>= /<wbr>&lt;i&gt;&amp;</code>}, 'escapes';
        unlike $page->body, qr/<i>/, 'all of it';
        like $page->body, qr{<strong class="warn">open</strong> public}, 'and marks what is open';
    }
    is http_get('/routes', headers => [Accept => 'application/json, text/html;q=0.5'])->header('Content-Type'), 'application/json', 'JSON for programs';
};

subtest 'broken files' => sub {
    for (['issuer corp', $issuer_file, jwks('rs')], ['keys filed', 'keys.json', key_file(key_record($key))],
        ['issuer corp', 'staff.roles', "viewer *:read;\n"], ['users people', 'people.json', '{"users":[]}']) {
        my ($what, $file, $good) = @$_;
        my $quoted = $what =~ s/ (.*)/ "$1"/r;
        $t->mark;
        $t->write_file($file, 'broken <b>');
        becomes($what, 'degraded');
        like entry($what)->{reason}, qr{^what was good last stays in force: "\S*/\Q$file\E": \S}, 'and why';
        my $page = http_get('/page')->body;
        unlike $page, qr/<b>/, 'the page escapes it';
        like $page, qr{Degraded</strong></td><td>[^<]*</td><td><code>\w+</code>}, 'and shows it';
        is ready(), 200, 'still ready';
        $t->write_file($file, $good);
        becomes($what, 'connected');
        said(qr/^\[warn\] \Q$quoted\E was connected and is degraded: what was good last stays in force: /);
        said(qr/^\[notice\] \Q$quoted\E was degraded and is connected$/);
        is scalar(changes()), 2, 'and nothing else';
    }
};

# All workers have started: what they find changed from then on is a change to them.
sub all_at_work {
    return wait_for(sub {
        my %names = map { $_->{name} => 1 } $redis{main}->clients;
        my @workers = $t->workers;
        return @workers == 2 && !grep { !$names{"nginx-gate-$_"} } @workers;
    }, 10);
}

subtest 'a worker dies' => sub {
    $t->allow(qr/worker process \d+ exited on signal 9/);
    for my $round (1, 2) {
        my ($victim, $other) = $round == 1 ? $t->workers : reverse $t->workers;
        kill 'KILL', $victim;
        ok wait_for(sub { !grep { $_ == $victim } $t->workers }) && all_at_work(), 'another one comes';
        $t->mark;
        $t->write_file('keys.json', 'broken');
        becomes('keys filed', 'degraded');
        said(qr/^\[warn\] keys "filed" was connected and is degraded/);
        $t->write_file('keys.json', key_file(key_record($key)));
        becomes('keys filed', 'connected');
        said(qr/^\[notice\] keys "filed" was degraded and is connected/);
    }
    # What a new worker cannot read at all
    $t->write_file('keys.json', 'broken');
    becomes('keys filed', 'degraded');
    sleep 3;    # the start has to be that long ago
    my ($victim) = $t->workers;
    kill 'KILL', $victim;
    becomes('keys filed', 'disconnected');
    is ready(), 503, 'not ready';
    $t->write_file('keys.json', key_file(key_record($key)));
    becomes('keys filed', 'connected');
};

subtest 'Redis hangs' => sub {
    becomes($_, 'connected', 65) for @all[0, 1];    # whatever the killed workers left
    $t->mark;
    $redis{main}->kill('STOP');
    ok wait_for(sub { ready() == 503 }, 10), 'soon it is not ready';
    is http_get('/ready')->body, "not ready\n", 'and says so';
    is http_request('HEAD', '/ready')->status, 503, 'HEAD';
    becomes('redis main', 'disconnected');
    becomes('keys partner', 'disconnected');
    is entry('keys cold')->{state}, 'connected', 'the other one is not concerned';
    like entry('keys partner')->{reason}, qr/^gate_redis main: no connection: /, 'why';
    becomes('revocation redis=main', 'disconnected', 10);
    like entry('revocation redis=main')->{reason}, qr/^last known to be complete .*, which is more than max_lag$/, 'why';
    is http_get('/json')->json->{ready}, JSON::PP::false, 'JSON says so';
    like http_get('/page')->body, qr/Not ready:/, 'the page, too';
    $redis{main}->kill('CONT');
    becomes('revocation redis=main', 'connected');
    becomes('redis main', 'degraded');
    becomes('keys partner', 'degraded');
    is ready(), 200, 'ready again';
    said(qr/^\[error\] redis "main" was \w+ and is disconnected: no connection: /);
    said(qr/^\[notice\] redis "main" was disconnected and is degraded: /);
    said(qr/^\[warn\] revocation "redis=main" was connected and is degraded: last known/);
    said(qr/^\[error\] revocation "redis=main" was degraded and is disconnected: /);
    said(qr/^\[notice\] revocation "redis=main" was disconnected and is connected$/);
    said(qr/^\[error\] keys "partner" was \w+ and is disconnected: /);
};

subtest 'Redis is gone' => sub {
    $t->mark;
    $redis{main}->kill('KILL');
    becomes('redis main', 'disconnected', 3);
    like entry('redis main')->{reason}, qr/^no connection: /, 'why';
    $redis{main}->start;
    becomes('redis main', 'degraded');
    said(qr/^\[error\] redis "main" was degraded and is disconnected: no connection/);
    said(qr/^\[notice\] redis "main" was disconnected and is degraded: /);
};

subtest 'Redis comes back empty' => sub {
    $t->mark;
    $redis{side}->restart(empty => 1);
    ok wait_for(sub { (entry('keys cold')->{reason} // '') =~ /the key "gate:epoch" is missing/ }, 8),
        'which is found before anybody comes with a key' or diag explain integrations();
    is entry('keys cold')->{state}, 'disconnected', 'nothing can be decided';
    is entry('redis side')->{state}, 'degraded', 'though it answers';
    is ready(), 503, 'not ready';
    $store{side}->set_up('another');
    becomes('keys cold', 'degraded', 6);
    # Perhaps once for the moment without a connection, and once for the epoch.
    my @told = grep {/^\[error\] keys "cold" was \w+ and is disconnected: /} changes();
    ok @told == 1 || @told == 2, 'told' or diag $t->log_since_mark;
    is ready(), 200, 'ready';
};

subtest 'metrics' => sub {
    SKIP: {
        my ($promtool) = grep {-x} map {"$_/promtool"} split /:/, $ENV{PATH};
        skip 'no promtool', 1 if !$promtool;
        $t->write_file('metrics', http_get('/metrics')->body);
        is system("promtool check metrics < '" . $t->dir . "/metrics' >'" . $t->dir . "/promtool' 2>&1"), 0, 'promtool agrees'
            or diag slurp($t->dir . '/promtool');
    }
    my $state = gauge('nginx_gate_integration_state');
    is scalar(keys %$state), 4 * @all, 'each in each state';
    is $state->{'integration="issuer",name="corp",state="connected"'}, 1, 'connected';
    is $state->{'integration="issuer",name="corp",state="degraded"'}, 0, 'and not degraded';
    my $changes = gauge('nginx_gate_integration_changes_total');
    is $changes->{'integration="revocation",name="redis=main",to="disconnected"'}, 1, 'changes are counted' or diag explain $changes;
    my $epochs = gauge('nginx_gate_redis_epoch_info');
    is_deeply $epochs, { map { (qq{redis="$_->[0]",epoch="} . substr(sha256_hex($_->[1]), 0, 12) . '"' => 1) }
        [main => 'epoch of main'], [side => 'another'] }, 'which stores they are';
    is_deeply gauge('nginx_gate_redis_waiting'), { 'redis="main"' => 0, 'redis="side"' => 0 }, 'nobody waits';
    is_deeply gauge('nginx_gate_redis_waiting_limit'), { 'redis="main"' => 1024, 'redis="side"' => 1024 }, 'of so many';
    my $stranger = sub { http_get('/', headers => ['X-API-Key', api_key($_[0])])->status };
    my $count = sub { gauge('nginx_gate_redis_answer_seconds_count')->{'redis="main"'} // 0 };
    my $before = $count->();
    $stranger->('p_') for 1 .. 5;
    is $count->(), $before + 5, 'answers are counted';
    my $buckets = gauge('nginx_gate_redis_answer_seconds_bucket');
    is $buckets->{'redis="main",le="+Inf"'}, $count->(), 'in buckets';
    cmp_ok gauge('nginx_gate_redis_answer_seconds_sum')->{'redis="main"'}, '>', 0, 'and added up';
    $redis{main}->kill('STOP');
    my @sockets = map {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port) or die;
        print {$socket} request_bytes('GET', '/', headers => ['X-API-Key', api_key('p_')]);
        $socket;
    } 1 .. 3;
    ok wait_for(sub { gauge('nginx_gate_redis_waiting')->{'redis="main"'} > 0 }, 2), 'those who wait are seen';
    $redis{main}->kill('CONT');
    ok wait_for(sub { gauge('nginx_gate_redis_waiting')->{'redis="main"'} == 0 }), 'until they have their answer';
};

subtest 'a reload' => sub {
    becomes('issuer corp', 'connected');
    $t->write_file('keys.json', 'broken');
    becomes('keys filed', 'degraded');
    my $since = entry('keys filed')->{since};
    $t->write_file('keys.json', key_file(key_record($key)));
    becomes('keys filed', 'connected');
    $t->mark;
    ok $t->reload, 'is done';
    is_deeply [grep { !/redis|keys/ } changes()], [], 'is no news';
    ok wait_for(sub { ready() == 200 }), 'and ready';
    # A name that is gone is gone here, too.
    $t->write_config($config =~ s/corp/other/gr);
    ok $t->reload, 'another name';
    ok wait_for(sub { (states()->{'issuer other'} // '') eq 'connected' }), 'is watched';
    ok !exists states()->{'issuer corp'}, 'the old one is not';
};
ok $t->stop, 'stops';

subtest 'a start without Redis' => sub {
    my $one = Gate::Test->new(workers => 2);
    $one->port('nobody');
    $one->write_jwks('corp.jwks', 'rs');
    $one->start(<<'END');
gate_redis main { server 127.0.0.1:%%PORT_nobody%%; }
gate_keys partner { redis main; }
server {
    listen 127.0.0.1:%%PORT%%;
    location / { gate key=partner; empty_gif; }
    location = /ready { gate_health ready; }
    location = /json { gate_health json; }
}
END
    is http_get('/ready', port => $one->port)->status, 503, 'not ready from the first moment';
    ok wait_for(sub { $one->error_log =~ /gate: redis "main" was starting and is disconnected: no connection: connect\(\) failed: Connection refused/ }),
        'the log says why';
    is scalar(my @lines = $one->error_log =~ /gate: redis "main" was/g), 1, 'once';
    ok $one->stop, 'stops';
};

subtest 'without a zone' => sub {
    my $one = Gate::Test->new(workers => 2);
    $one->write_file('keys.json', key_file(key_record($key)));
    $one->start(<<'END', zone => '');
gate_keys filed { file keys.json; }
server {
    listen 127.0.0.1:%%PORT%%;
    location / { gate key=filed; empty_gif; }
    location = /ready { gate_health ready; }
    location = /page { gate_health page; }
    location = /json { gate_health json; }
}
END
    my $json = sub { http_get('/json', port => $one->port)->json };
    ok wait_for(sub { http_get('/ready', port => $one->port)->status == 200 }), 'ready';
    is $json->()->{known_by}, 'worker', 'a worker speaks for itself';
    like http_get('/page', port => $one->port)->body, qr/What the worker that answered knows/, 'and the page says so';
    is join(' ', map { $_->{state} } @{ $json->()->{integrations} }), 'not_configured not_configured not_configured connected not_configured',
        'what there is none of';
    $one->write_file('keys.json', 'broken');
    ok wait_for(sub { $one->error_log =~ /gate: keys "filed" was connected and is degraded/ }), 'a change is told';
    is scalar(my @lines = $one->error_log =~ /gate: keys "filed" was/g), 1, 'by one of them';
    ok $one->stop, 'stops';
};

subtest 'more than the zone has places for' => sub {
    my $one = Gate::Test->new(workers => 2);
    $one->write_file($_, key_file(key_record($key))) for qw(keys.json last.json);
    $one->start(join('', map {"gate_keys k$_ { file " . ($_ < 70 ? 'keys' : 'last') . ".json; }\n"} 1 .. 70) . <<'END');
server {
    listen 127.0.0.1:%%PORT%%;
    location = /json { gate_health json; }
}
END
    my $states = sub {
        my %states;
        $states{ $_->{state} }++ for @{ http_get('/json', port => $one->port)->json->{integrations} }[3 .. 72];
        return join ' ', map {"$_ $states{$_}"} sort keys %states;
    };
    # Either worker may answer.
    my $always = sub { my ($expected) = @_; return wait_for(sub { 20 == grep { $states->() eq $expected } 1 .. 20 }, 10); };
    ok $always->('connected 70'), 'every worker knows of all' or diag $states->();
    $one->write_file('last.json', 'broken');
    ok $always->('connected 69 degraded 1'), 'and of a change' or diag $states->();
    is scalar(my @lines = $one->error_log =~ /gate: keys "k70" was connected and is degraded/g), 1, 'which is told once';
    ok $one->stop, 'stops';
};

subtest 'a minute after a failure all is well again' => sub {
    plan skip_all => 'GATE_LONG=1 waits for that' if !$ENV{GATE_LONG};
    my $one = Gate::Test->new;
    my $redis = Gate::Redis->new(test => $one)->start;
    Gate::KeyRecord->new($redis)->set_up;
    $one->{ports}{redis} = $redis->port;
    $one->start('gate_redis main { server 127.0.0.1:%%PORT_redis%%; } gate_keys k { redis main; }
        server { listen 127.0.0.1:%%PORT%%; location = /json { gate_health json; } }');
    my $state = sub { http_get('/json', port => $one->port)->json->{integrations}[0]{state} };
    ok wait_for(sub { $state->() eq 'connected' }), 'connected';
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal');
    ok wait_for(sub { $state->() eq 'degraded' }), 'degraded';
    ok wait_for(sub { $state->() eq 'connected' }, 70), 'connected again';
    like $one->error_log, qr/\[notice\] \d+#\d+: gate: redis "main" was degraded and is connected/, 'which is told';
    ok $one->stop, 'stops';
};

done_testing();
