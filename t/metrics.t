# gate_metrics: its forms, and that every counter is what the client counted itself.

use lib 't/lib';
use Gate::Config;
use Gate::Test;
use Gate::Vectors qw(keepalive_responses);
use IO::Socket::INET;
use Socket qw(IPPROTO_TCP TCP_NODELAY);

subtest 'wrong lines' => sub {
    config_test();
    my $zone = '"gate_metrics" needs shared memory to count in; write "gate_zone gate:64m;" at http level';
    refused('another form', in_server('location /m { gate_metrics xml; }'),
        '"gate_metrics" has an unknown value "xml"; expected prometheus | json in nginx.conf:2');
    refused('twice', in_server('location /m { gate_metrics; gate_metrics json; }'),
        '"gate_metrics" directive is duplicate in nginx.conf:2');
    refused('in a server', in_server('gate_metrics;'), qr/"gate_metrics" directive is not allowed here in nginx.conf:2/);
    refused('without a zone', '# no gate_zone' . "\n" . in_server('location /m { gate_metrics; }'), "$zone in nginx.conf:3");
};

my ($promtool) = grep {-x} map {"$_/promtool"} split /:/, $ENV{PATH};
my $t = Gate::Test->new(workers => 2);
my ($key, $unknown) = (api_key('p_'), api_key('p_'));
$t->write_jwks('corp.jwks', 'rs');
$t->write_file('keys.json', key_file(key_record($key)));
$t->write_file('users', "u:{PLAIN}p\n");
my $config = <<'EOF2';
gate_issuer corp { issuer https://idp.example.com; jwks_file corp.jwks; audience orders; }
gate_keys partner { file keys.json; prefix p_; }
add_header X-Cache $gate_cache always;
keepalive_requests 1000000;
server {
    listen 127.0.0.1:%%PORT%%;
    server_name first;
    location / { gate jwt=corp key=partner; empty_gif; }
    location /scope/ { gate jwt=corp; gate_require_scope none; empty_gif; }
    location /optional/ { gate jwt=corp optional; empty_gif; }
    location /dry/ { gate jwt=corp; gate_dry_run on; empty_gif; }
    location /limited/ { gate key=partner; gate_limit rate=5r/h; empty_gif; }
    location /any/ { satisfy any; auth_basic any; auth_basic_user_file %%DIR%%/users; gate jwt=corp; empty_gif; }
    location /free/ { satisfy any; allow all; gate jwt=corp; empty_gif; }
    location /page/ { gate jwt=corp; error_page 401 = /login/; empty_gif; }
    location /chain/ { gate jwt=corp; try_files $uri /chain2/x; }
    location /chain2/ { gate jwt=corp; empty_gif; }
    location /login/ { gate off; return 200 "login"; }
    location /open/ { empty_gif; }
    location = /metrics { gate_metrics; }
    location = /metrics.json { gate_metrics json; limit_except GET { deny all; } }
}
server { listen 127.0.0.1:%%PORT%%; server_name second; location / { gate jwt=corp; empty_gif; } }
EOF2
$t->start($config);

# What gate_metrics serves, as {labels text => value} for a family.
sub family {
    my ($name, $text) = @_;
    $text //= http_get('/metrics')->body;
    return { map { /^\Q$name\E(?:\{(.*)\})? (\d+)$/ ? ($1 // '' => $2) : () } split /\n/, $text };
}

subtest 'forms' => sub {
    my $response = http_get('/metrics');
    is $response->status, 200, 'Prometheus';
    is $response->header('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8', 'its type';
    is $response->header('Cache-Control'), 'no-store', 'not to be stored';
    my $zone = family('nginx_gate_zone_slots', $response->body);
    is join(' ', sort keys %$zone), join(' ', map {qq{segment="$_"}} sort
        qw(verdicts records large_records negative revocations buckets series)), 'all parts of the zone';
    my $head = http_request('HEAD', '/metrics');
    is $head->status, 200, 'HEAD';
    cmp_ok $head->header('Content-Length'), '>', 1000, 'its length';
    is http_post('/metrics', 'x')->status, 405, 'nothing else';
    my $json = http_get('/metrics.json');
    is $json->header('Content-Type'), 'application/json', 'JSON';
    is $json->json->{zone}{bytes}, family('nginx_gate_zone_bytes')->{''}, 'with the same content';
    is http_post('/metrics.json', 'x')->status, 403, 'limit_except';
    SKIP: {
        skip 'no promtool', 1 if !$promtool;
        $t->write_file('metrics', $response->body);
        is system("promtool check metrics < '" . $t->dir . "/metrics' >'" . $t->dir . "/promtool' 2>&1"), 0, 'promtool agrees'
            or diag slurp($t->dir . '/promtool');
    }
};

# Requests by name: method, uri, headers, and the labels of their counter without cache.
my @tokens = map { ['Authorization', 'Bearer ' . mint(claims => { jti => "t$_" })] } 1 .. 60;
my @forged = ('Authorization', 'Bearer ' . mint(key => 'rs_b', header => { kid => 'rs' }));
my @expired = ('Authorization', 'Bearer ' . mint(claims => { exp => time - 10 }));
my @cases = (
    (map { [GET => '/', $_, 'jwt corp - passed -'] } @tokens),
    (map { [GET => '/', $_, 'jwt corp - passed -', 'second'] } @tokens[0 .. 9]),
    [GET => '/', ['X-API-Key', $key], 'key - partner passed -'],
    [GET => '/', ['X-API-Key', $unknown], 'key - - denied key_unknown'],
    [GET => '/', [], 'none - - denied no_credential'],
    [GET => '/', [], 'none - - denied no_credential', 'second'],
    [GET => '/', \@forged, 'jwt - - denied sig_bad'],
    [GET => '/', \@expired, 'jwt - - denied exp_past'],
    [GET => '/', [@{ $tokens[0] }, 'X-API-Key', $key], 'none - - denied src_conflict'],
    [GET => '/scope/', $tokens[1], 'jwt corp - denied scope_missing'],
    [GET => '/optional/', [], 'none - - passed -'],
    [GET => '/optional/', $tokens[2], 'jwt corp - passed -'],
    [GET => '/dry/', [], 'none - - dry_run no_credential'],
    [GET => '/dry/', $tokens[3], 'jwt corp - dry_run -'],
    [GET => '/any/', ['Authorization', 'Basic dTpw'], 'none - - skipped no_credential'],
    [GET => '/free/', [], ''],
    [GET => '/page/', \@forged, 'jwt - - denied sig_bad'],
    [GET => '/chain/x', $tokens[4], 'jwt corp - passed -'],
    [OPTIONS => '/', ['Origin', 'https://a.example', 'Access-Control-Request-Method', 'GET'], 'none - - skipped -'],
    [GET => '/open/', [], ''],
    [GET => '/a/%2e%2e%3b/b', [], 'none - - denied dot_segment'],
);

my (%expected, $socket);

# One request on the one connection, which is opened again when nginx closes it.
sub send_case {
    my ($method, $uri, $headers, $labels, $server) = @{ $_[0] };
    $server //= 'first';
    my $bytes = request_bytes($method, $uri, headers => ['Host', $server, @$headers], keepalive => 1);
    my $response;
    for (1 .. 3) {
        if (!$socket) {
            $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port, Timeout => 5) or die "connect: $!";
            setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
        }
        $response = scalar http_raw($bytes, methods => [$method], count => 1, socket => $socket);
        undef $socket if !$response->status || lc($response->header('Connection') // '') eq 'close';
        last if $response->status;
    }
    return if $labels eq '';
    my ($credential, $issuer, $store, $decision, $reason) = map { $_ eq '-' ? '' : $_ } split / /, $labels;
    # A refused request has no $gate_cache: shared memory did not know its credential.
    my $cache = $credential eq 'none' ? '' : lc($response->header('X-Cache') // '') || 'miss';
    $expected{ qq{server="$server",credential="$credential",issuer="$issuer",store="$store",}
        . qq{decision="$decision",reason="$reason",cache="$cache"} }++;
    return;
}

subtest '10,000 mixed requests, a reload and a killed worker' => sub {
    my %before = %{ family('nginx_gate_decisions_total') };
    $expected{$_} += $before{$_} for keys %before;
    srand 7;
    my $count = $ENV{GATE_ASAN} ? 3000 : 10_000;
    for my $request (1 .. $count) {
        send_case($cases[rand @cases]);
        if ($request == int $count / 3) {
            $t->write_config("# changed\n$config");
            ok $t->reload, 'a reload';
        }
        if ($request == int $count * 2 / 3) {
            $t->allow(qr/worker process \d+ exited on signal 9/);
            my @old = $t->workers;
            select undef, undef, undef, 0.1;
            kill 'KILL', $old[0];
            ok wait_for(sub { my %old = map { $_ => 1 } @old; grep { !$old{$_} } $t->workers }), 'a killed worker';
        }
    }
    send_case([GET => '/limited/', ['X-API-Key', $key], $_ <= 5 ? 'key - partner passed -' : 'key - partner denied rate_limited'])
        for 1 .. 9;
    wait_for(sub { my $seen = family('nginx_gate_decisions_total'); !grep { ($seen->{$_} // 0) != $expected{$_} } keys %expected }, 3);
    my $seen = family('nginx_gate_decisions_total');
    ($seen->{$_} // 0) == ($expected{$_} // 0) or diag "$_: ", $seen->{$_} // 0, ' instead of ', $expected{$_} // 0
        for sort keys %{ { %$seen, %expected } };
    is_deeply $seen, \%expected, 'every counter is what the client counted';
    is_deeply family('nginx_gate_series_overflow_total'), { '' => 0 }, 'none found no room';
    my $json = http_get('/metrics.json')->json;
    my %json = map {
        my $sample = $_;
        join(',', map {qq{$_="$sample->{labels}{$_}"}} qw(server credential issuer store decision reason cache)) => $sample->{value}
    } @{ $json->{counters}{decisions} };
    is_deeply \%json, \%expected, 'the same in JSON';
    my $used = family('nginx_gate_zone_slots_used');
    cmp_ok $used->{'segment="verdicts"'}, '>=', 50, 'verdicts are counted';
    cmp_ok $used->{'segment="buckets"'}, '>=', 1, 'and buckets';
    is $used->{'segment="series"'}, 1 + keys %expected, 'and series';
};

# What dashboards and alarms ask for is what is served.
subtest 'contrib' => sub {
    my %served = map { ($_->[0] => 1, $_->[1] eq 'histogram' ? ("$_->[0]_bucket" => 1) : ()) }
        map { [split] } http_get('/metrics')->body =~ /^# TYPE (.*)/mg;
    $served{nginx_gate_revocation_lag_seconds} = 1;    # where revocations are followed
    for my $file (map { root_dir() . "/contrib/$_" } qw(alerts.yml dashboard.json)) {
        my @asked = slurp($file) =~ /(nginx_gate_\w+)/g;
        cmp_ok scalar @asked, '>', 10, "$file asks for families";
        is join(' ', grep { !$served{$_} } @asked), '', 'all of which are served';
    }
    my %heading = map { lc($_) =~ s/ /-/gr => 1 } slurp(root_dir() . '/docs/OPERATIONS.md') =~ /^#+ (.*)$/mg;
    my @anchors = slurp(root_dir() . '/contrib/alerts.yml') =~ m{runbook: docs/OPERATIONS\.md#(\S+)}g;
    cmp_ok scalar @anchors, '>', 8, 'alarms have runbooks';
    is join(' ', grep { !$heading{$_} } @anchors), '', 'which are there';
    SKIP: {
        skip 'no promtool', 2 if !$promtool;
        for my $check ('check rules', 'test rules') {
            my $file = root_dir() . '/contrib/' . ($check =~ /test/ ? 'alerts_test.yml' : 'alerts.yml');
            is system("promtool $check '$file' >'" . $t->dir . "/promtool' 2>&1"), 0, "promtool $check"
                or diag slurp($t->dir . '/promtool');
        }
    }
    my $dashboard = JSON::PP->new->decode(slurp(root_dir() . '/contrib/dashboard.json'));
    my @expressions = map { $_->{expr} } map { @{ $_->{targets} } } @{ $dashboard->{panels} };
    cmp_ok scalar @expressions, '>', 10, 'the dashboard has expressions';
    SKIP: {
        skip 'no promtool', 1 if !$promtool;
        # As rules, with the variables of the dashboard filled in: promtool reads each expression.
        my $number = 0;
        my $rules = join '', map {
            my $expression = s/\$__rate_interval/5m/gr =~ s/\$(?:instance|server)/.*/gr;
            "      - {record: 'dashboard:" . ++$number . "', expr: '$expression'}\n"
        } @expressions;
        $t->write_file('dashboard.yml', "groups:\n  - name: dashboard\n    rules:\n$rules");
        is system("promtool check rules '" . $t->dir . "/dashboard.yml' >'" . $t->dir . "/promtool' 2>&1"), 0,
            'which Prometheus understands' or diag slurp($t->dir . '/promtool');
    }
};

# A worker remembers where it counted a few hundred kinds: with more of them, each is still counted as its own.
subtest 'more kinds than a worker remembers' => sub {
    my $servers = 600;
    my $many = Gate::Test->new;
    $many->write_jwks('corp.jwks', 'rs');
    my $listen = 'listen 127.0.0.1:%%PORT%%;';
    $many->start("gate_zone gate:64m;\ngate_issuer corp { issuer https://idp.example.com; jwks_file corp.jwks; audience orders; }\n"
        . 'keepalive_requests 100000; server_names_hash_max_size 4096;'
        . "server { $listen location = /metrics { gate_metrics; } }\n"
        . join("\n", map {"server { $listen server_name s$_; location / { gate jwt=corp; empty_gif; } }"} 1 .. $servers));
    my %wanted = map { ("s$_" => 1 + $_ % 3) } 1 .. $servers;
    my @bearer = (Authorization => 'Bearer ' . mint());
    my @rounds = map { my $round = $_; grep { $wanted{"s$_"} >= $round } 1 .. $servers } 1 .. 3;
    my @answers = keepalive_responses($many->port, map { request_bytes('GET', '/', headers => [Host => "s$_", @bearer], keepalive => 1) } @rounds);
    is scalar(grep { $_->status == 200 } @answers), scalar @rounds, 'all are let in';
    my $seen = family('nginx_gate_decisions_total', http_get('/metrics', port => $many->port)->body);
    my %counted;
    for (keys %$seen) { $counted{$1} += $seen->{$_} if /server="(s\d+)"/; }
    is_deeply \%counted, \%wanted, 'and counted where they were asked for';
    $many->stop;
};

done_testing();
