# What the gate answers and logs for each class of outcome, by token and by API key.

use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new;
my $app = $t->upstream('app');
$t->write_jwks('keys.jwks', 'rs', 'es256', 'ed25519');

my $partner = api_key('acme_live_');
my %keys = (
    good      => $partner,
    suspended => api_key('acme_live_'),
    revoked   => api_key('acme_live_'),
    expired   => api_key('acme_live_'),
    later     => api_key('acme_live_'),
    elsewhere => api_key('acme_live_'),
    unknown   => api_key('acme_live_'),
);
$t->write_file('keys.json', key_file(
    key_record($keys{good}, id => 'k-good', name => 'partner', owner => 'ann', scopes => ['orders:*']),
    key_record($keys{suspended}, status => 'suspended'),
    key_record($keys{revoked}, status => 'revoked'),
    key_record($keys{expired}, expires => time - 1),
    key_record($keys{later}, not_before => time + 600),
    key_record($keys{elsewhere}, cidr => ['192.0.2.0/24']),
));

$t->start(<<'EOF');
large_client_header_buffers 4 64k;
log_format gate '$uri|$status|$gate_status|$gate_reason|$gate_credential|$gate_subject|$gate_key_id';
access_log %%DIR%%/gate.log gate;
gate_issuer corp    { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
gate_keys   partner { file %%DIR%%/keys.json; prefix acme_live_; }
server {
    listen 127.0.0.1:%%PORT%%;
    gate jwt=corp key=partner realm=shop;
    gate_identity X-User $gate_subject;
    location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /orders/ {
        gate_require_scope orders:read  methods=GET;
        gate_require_scope orders:write methods=POST,PUT;
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
    location /public/ { gate off; proxy_pass http://127.0.0.1:%%PORT_app%%; }
}
EOF

# The last line of the log with the gate's variables, once it is written.
sub logged {
    my ($uri) = @_;
    my $line;
    wait_for(sub { ($line) = reverse grep { /^\Q$uri\E\|/ } split /\n/, slurp($t->dir . '/gate.log'); $line });
    return [split /\|/, $line, -1];
}

my $uri = 0;
sub refused {
    my ($name, $path, $headers, $status, $reason, $challenge, %more) = @_;
    $app->clear;
    $path .= 'r' . ++$uri;
    $t->mark;
    my $response = http_request($more{method} // 'GET', $path, headers => $headers);
    subtest $name => sub {
        is $response->status, $status, "status $status";
        is $response->header('www-authenticate'), $challenge, 'challenge';
        is $response->header('cache-control'), 'no-store', 'not stored';
        is $app->hits, 0, 'the app saw nothing';
        my $line = logged($path);
        is $line->[3], $reason, "reason $reason";
        is $line->[2], 'DENIED', 'status variable';
        my $key = $more{repeat} ? qr/reason=/ : qr/\[error\].*auth: deny reason=$reason /;
        ok wait_for(sub { $t->log_since_mark =~ $key }), 'one log line' if !$more{repeat};
        unlike $t->log_since_mark, qr/\Q$_\E/, 'no secret in it' for grep { defined && length > 20 } @{ $more{secrets} || [] };
    };
    return $response;
}

my $read = mint(claims => { scope => 'orders:read' });
my $bad = q{Bearer realm="shop", error="invalid_token"};

subtest 'who may pass' => sub {
    my $response = http_get('/orders/1', headers => { Authorization => "Bearer $read" });
    is $response->status, 200, 'a token with the scope';
    my ($user) = Gate::Upstream::values_of($app->last_request, 'X-User');
    is $user, 'user-1', 'the app sees who it is';
    is scalar(my @none = Gate::Upstream::values_of($app->last_request, 'Authorization')), 0,
        'and not the token';
    is_deeply [@{ logged('/orders/1') }[2 .. 5]], ['PASSED', '-', 'jwt', 'user-1'], 'variables';

    $response = http_get('/orders/2', headers => { 'X-API-Key' => $keys{good} });
    is $response->status, 200, 'an API key whose wildcard scope covers it';
    is_deeply [@{ logged('/orders/2') }[2 .. 6]], ['PASSED', '-', 'key', 'ann', 'k-good'], 'variables';
    is scalar(@none = Gate::Upstream::values_of($app->last_request, 'X-API-Key')), 0, 'key stripped';

    is http_get('/public/1')->status, 200, 'anyone, where the gate is off';
    is logged('/public/1')->[2], 'SKIPPED', 'which the log says';
};

refused('no credential', '/', {}, 401, 'no_credential', 'Bearer realm="shop"');
refused('another scheme is no credential', '/', { Authorization => 'Basic dTpw' }, 401, 'no_credential',
    'Bearer realm="shop"', repeat => 1);

my %tokens = (
    exp_past     => mint(claims => { exp => time - 1 }),
    nbf_future   => mint(claims => { nbf => time + 60 }),
    iat_future   => mint(claims => { iat => time + 60 }),
    exp_missing  => mint(claims => { exp => undef }),
    aud_mismatch => mint(claims => { aud => 'billing' }),
    iss_mismatch => mint(claims => { iss => 'https://idp.example.com.evil.test' }),
    sig_bad      => mint(key => 'rs_b', header => { kid => key('rs')->{kid} }),
    kid_unknown  => mint(key => 'rs_b'),
    alg_none     => mint(alg => 'none'),
    alg_key_mismatch => mint(header => { kid => key('es256')->{kid} }),
    alg_not_allowed => mint(key => 'hs256'),
    tok_malformed => 'a.b',
    claim_unsafe => mint(claims => { sub => "a\r\nX-User: root" }),
);
for my $reason (sort keys %tokens) {
    refused("token: $reason", '/', { Authorization => "Bearer $tokens{$reason}" }, 401, $reason, $bad,
        secrets => [$tokens{$reason}, (split /\./, $tokens{$reason})[2]]);
}

my %key_reason = (
    suspended => 'key_suspended', revoked => 'key_revoked', expired => 'key_expired',
    later => 'key_not_yet', elsewhere => 'key_address', unknown => 'key_unknown',
);
for my $kind (sort keys %key_reason) {
    refused("key: $kind", '/', { 'X-API-Key' => $keys{$kind} }, 401, $key_reason{$kind}, $bad,
        secrets => [$keys{$kind}]);
}
my $typo = $keys{good};
substr($typo, 20, 1) = substr($typo, 20, 1) eq 'x' ? 'y' : 'x';
refused('key: mistyped', '/', { 'X-API-Key' => $typo }, 401, 'key_checksum', $bad);
refused('key: another prefix', '/', { 'X-API-Key' => api_key('acme_test_') }, 401, 'key_malformed', $bad);

refused('two credentials', '/', { Authorization => "Bearer $read", 'X-API-Key' => $keys{good} }, 400,
    'src_conflict', 'Bearer realm="shop", error="invalid_request"');
refused('scope missing', '/orders/', { Authorization => "Bearer $read" }, 403, 'scope_missing',
    'Bearer realm="shop", error="insufficient_scope", scope="orders:write"', method => 'POST');
refused('method without a rule', '/orders/', { Authorization => "Bearer $read" }, 403, 'method_not_covered',
    'Bearer realm="shop", error="insufficient_scope"', method => 'DELETE');
refused('too long', '/', { Authorization => 'Bearer ' . 'a' x 8193 }, 401, 'tok_too_long', $bad);
refused('hidden dot segment', '/public/..;/', {}, 400, 'dot_segment', undef);

subtest 'bad credentials look alike' => sub {
    my %seen;
    for my $reason (sort keys %tokens) {
        my $response = http_get('/', headers => { Authorization => "Bearer $tokens{$reason}" });
        $seen{ join "\n", $response->body, map { $response->header($_) // '' }
            qw(content-type www-authenticate cache-control content-length) } = 1;
    }
    is scalar(keys %seen), 1, 'one answer for every cause';
};

subtest 'refusals by one address are summarised' => sub {
    $t->mark;
    http_get('/many') for 1 .. 30;
    ok wait_for(sub { $t->log_since_mark =~ /auth: repeated \d+ times reason=no_credential client=127\.0\.0\.1/ }, 5),
        'the repeats are counted';
    my $lines = () = $t->log_since_mark =~ /auth: deny reason=no_credential/g;
    cmp_ok $lines, '<=', 3, 'not written one by one';
};

done_testing;
