# Every file of conf/examples starts as it is, but for ports and paths, and does what its comments
# say: in each location at least one request is let in and one is refused. Those that need Redis:
# t/examples_redis.t; those with endpoints: t/examples_endpoints.t.
use lib 't/lib';
use Gate::Test;

use Gate::Example qw(example nginx app allowed refused ask bearer values_in);

sub key_in { return (headers => [$_[0], $_[1]]); }

example 'minimal', { 'corp.jwks' => jwks('rs', 'es256') }, sub {
    my $seen = allowed('/', 'a token', GET => '/a', bearer());
    is values_in($seen, 'X-User'), 'user-1', 'the application knows who it is';
    is values_in($seen, 'Authorization'), '', 'and does not see the token';
    my $response = refused('/', 401, 'no_credential', 'no token', GET => '/a');
    is $response->header('WWW-Authenticate'), 'Bearer realm=""', 'challenge without error';
    is $response->header('Cache-Control'), 'no-store', 'not to be stored';
    refused('/', 401, 'exp_past', 'expired', GET => '/a', bearer(claims => { exp => time - 1 }));
    refused('/', 401, 'aud_mismatch', 'for others', GET => '/a', bearer(claims => { aud => 'x' }));
    refused('/', 401, 'iss_mismatch', 'by others', GET => '/a', bearer(claims => { iss => 'x' }));
    refused('/', 401, 'sig_bad', 'forged', GET => '/a', bearer(key => 'rs_b', header => { kid => 'rs' }));
    $seen = allowed('/public/', 'a spoofed header', GET => '/public/', headers => ['X_User', 'root',
        'X-User', 'root']);
    is values_in($seen, 'X-User') . values_in($seen, 'X_User'), '', 'arrives clean';
    refused('/public/', 400, 'dot_segment', 'a hidden dot segment', GET => '/public/..;/a');

    $response = refused('/', 401, 'no_credential', 'a body that waits to be asked for', POST => '/a',
        headers => ['Expect', '100-continue', 'Content-Length', 1000], timeout => 2);
    is scalar(@{ $response->{interim} }), 0, 'is not asked for: no interim 100';

    nginx->write_file('corp.jwks', '{"keys":[');
    my ($status, $output) = nginx->nginx_t;
    is $status, 1, 'a broken key file stops nginx -t';
    like $output, qr{^nginx: \[emerg\] gate_issuer "corp": "\S+/corp\.jwks" cannot be used: .* in nginx\.conf:\d+$}m,
        'which names block, file and line';
    ok !nginx->reload, 'and a reload';
    allowed('/', 'the old configuration serves on', GET => '/a', bearer());
};

example 'jwks', { 'corp.jwks' => jwks('rs', 'es256') }, sub {
    my @claims = (client_id => 'web', jti => 'j1', exp => time + 600, scope => 'orders:read x');
    my @token = (header => { typ => 'at+jwt' }, claims => {@claims});
    my $seen = allowed('/orders/', 'GET with orders:read', GET => '/orders/1', bearer(@token));
    is values_in($seen, 'X-Client'), 'web', 'client';
    is values_in($seen, 'X-Scopes'), 'orders:read x', 'scopes';
    allowed('/orders/', 'a second key', HEAD => '/orders/1', bearer(@token, key => 'es256'));
    my $response = refused('/orders/', 403, 'scope_missing', 'POST with orders:read',
        POST => '/orders/', bearer(@token));
    is $response->header('WWW-Authenticate'),
        'Bearer realm="orders", error="insufficient_scope", scope="orders:write"', 'names the scope';
    is $response->header('Content-Type'), 'application/problem+json', 'problem+json';
    refused('/orders/', 403, 'method_not_covered', 'PATCH', PATCH => '/orders/1', bearer(@token));
    refused('/orders/', 401, 'alg_not_allowed', 'ES384', GET => '/orders/1', bearer(@token, key => 'es384'));
    refused('/orders/', 401, 'typ_bad', 'an ID token', GET => '/orders/1', bearer(claims => {@claims}));
    refused('/orders/', 401, 'lifetime_exceeded', 'a long-lived one', GET => '/orders/1',
        bearer(@token, claims => { @claims, exp => time + 90000 }));
    refused('/orders/', 401, 'claim_missing', 'no jti', GET => '/orders/1',
        bearer(@token, claims => { @claims, jti => undef }));
    allowed('/reports/', 'one of two scopes', GET => '/reports/', bearer(@token));
    refused('/reports/', 403, 'scope_missing', 'neither', GET => '/reports/',
        bearer(@token, claims => { @claims, scope => 'x' }));
    my $log;
    wait_for(sub { ($log = slurp(nginx->dir . '/gated.log')) =~ /"PATCH / });
    like $log, qr/"GET \/orders\/1 [^"]*" 200 gate=PASSED reason=\S* sub=user-1 client=web tid=[0-9a-f]{12} /,
        'access log of a pass';
    like $log, qr/"PATCH [^"]*" 403 gate=DENIED reason=method_not_covered /, 'and of a refusal';

    nginx->write_jwks('corp.jwks', 'es256');
    ok wait_for(sub { ask(GET => '/orders/', bearer(@token))->status == 401 }, 3),
        'a key that left the file is refused without a reload';
    allowed('/orders/', 'the other one goes on', GET => '/orders/1', bearer(@token, key => 'es256'));
};

my %secrets = ('session.secret' => 'n' . 'Qz7' x 20 . "\n", 'session-old.secret' => 'o' . 'Vx3' x 20 . "\n");

sub secret_key { return { kty => 'oct', k => encode_base64url(substr $secrets{$_[0]}, 0, -1) }; }

example 'pem-and-secret',
    { 'partner.pem' => pem('rs'), 'partner-next.pem' => pem('es256'), %secrets }, sub {
    my %claims = (iss => 'https://partner.example.net', aud => 'shop');
    allowed('/partner/', 'RS256', GET => '/partner/', bearer(claims => \%claims, header => { kid => '2025' }));
    allowed('/partner/', 'ES256', GET => '/partner/',
        bearer(key => 'es256', claims => \%claims, header => { kid => '2026' }));
    refused('/partner/', 401, 'alg_key_mismatch', 'the other key\'s kid', GET => '/partner/',
        bearer(key => 'es256', claims => \%claims, header => { kid => '2025' }));
    refused('/partner/', 401, 'alg_not_allowed', 'HMAC with the public key', GET => '/partner/',
        bearer(key => { kty => 'oct', k => encode_base64url(pem('rs')) }, alg => 'HS256',
            claims => \%claims, header => { kid => '2025' }));
    my $set = http_get('/.well-known/jwks.json', port => nginx->port);
    is join(' ', map {"$_->{kid} $_->{alg}"} @{ $set->json->{keys} }), '2025 RS256 2026 ES256', 'the keys as a JWK Set';
    my $published = '= /.well-known/jwks.json';
    allowed($published, 'everybody', GET => '/.well-known/jwks.json');
    refused($published, 405, '', 'another method', POST => '/.well-known/jwks.json', body => '');
    my %session = (iss => 'session-service', aud => 'app');
    allowed('/app/', "signed with $_", GET => '/app/',
        bearer(key => secret_key($_), alg => 'HS256', claims => \%session)) for sort keys %secrets;
    refused('/app/', 401, 'sig_bad', 'another secret', GET => '/app/',
        bearer(key => { kty => 'oct', k => encode_base64url('s' x 40) }, alg => 'HS256',
            claims => \%session));
    refused('/app/', 401, 'iss_mismatch', 'a token of the partner', GET => '/app/',
        bearer(claims => \%claims, header => { kid => '2025' }));
};

{
    my %key = (live => api_key('acme_live_'), other => api_key('acme_live_'), expired => api_key('acme_live_'),
        legacy => 'a1b2c3d4e5f6', new => api_key('acme_int_'), old => api_key('acme_int_'),
        none => api_key('acme_int_'));
    my ($new, $old) = ('N' x 40, 'O' x 40);
    my @scopes = (scopes => ['v1:*']);
    my %files = (
        'partner-keys.json' => key_file(
            key_record($key{live}, id => 'k1', name => 'warehouse', owner => 'acme', @scopes,
                labels => { plan => 'gold' }),
            key_record($key{other}, labels => { plan => 'free' }),
            key_record($key{expired}, @scopes, expires => time - 1)),
        'legacy-keys.json' => key_file(key_record($key{legacy}, labels => { plan => 'silver' })),
        'internal-keys.json' => key_file(key_record($key{new}, pepper => $new),
            key_record($key{old}, pepper => $old), key_record($key{none})),
        'pepper-new' => $new, 'pepper-old' => $old,
    );
    example 'api-keys', \%files, sub {
        my $seen = allowed('/v1/', 'a key', GET => '/v1/x', key_in('X-API-Key', $key{live}));
        is values_in($seen, 'X-Key-Id'), 'k1', 'id';
        is values_in($seen, 'X-Key-Name'), 'warehouse', 'name';
        is values_in($seen, 'X-User'), 'acme', 'owner';
        is values_in($seen, 'X-API-Key'), '', 'the key itself is stripped';
        refused('/v1/', 403, 'scope_missing', 'no scope', GET => '/v1/', key_in('X-API-Key', $key{other}));
        refused('/v1/', 401, 'key_expired', 'expired', GET => '/v1/', key_in('X-API-Key', $key{expired}));
        refused('/v1/', 401, 'key_unknown', 'unknown', GET => '/v1/',
            key_in('X-API-Key', api_key('acme_live_')));
        my $typo = $key{live};
        substr($typo, 20, 1) = substr($typo, 20, 1) eq 'A' ? 'B' : 'A';
        refused('/v1/', 401, 'key_checksum', 'mistyped', GET => '/v1/', key_in('X-API-Key', $typo));
        my @scheme = ('Authorization', "ApiKey $key{live}");
        allowed('/v2/', 'by prefix', GET => '/v2/', key_in(@scheme));
        allowed('/v2/', 'without prefix', GET => '/v2/', key_in('Authorization', "ApiKey $key{legacy}"));
        refused('/v2/', 403, 'claim_unmet', 'another plan', GET => '/v2/',
            key_in('Authorization', "ApiKey $key{other}"));
        refused('/v2/', 401, 'no_credential', 'in another header', GET => '/v2/',
            key_in('X-API-Key', $key{live}));
        allowed('/internal/', "$_ pepper", GET => '/internal/', key_in('X-API-Key', $key{$_}))
            for qw(new old);
        refused('/internal/', 401, 'key_unknown', 'no pepper', GET => '/internal/',
            key_in('X-API-Key', $key{none}));

        nginx->write_file('partner-keys.json', key_file(key_record($key{live}, @scopes, status => 'revoked')));
        ok wait_for(sub { ask(GET => '/v1/', key_in('X-API-Key', $key{live}))->status == 401 }, 3),
            'a revoked key is refused without a reload';
    };
}

{
    my $key = api_key('acme_live_');
    my %files = ('corp.jwks' => jwks('rs'),
        'partner-keys.json' => key_file(key_record($key, owner => 'acme', scopes => ['orders:*'])));
    example 'jwt-or-key', \%files, sub {
        my @token = bearer(claims => { scope => 'orders:read' });
        my $seen = allowed('/', 'a token', GET => '/', @token);
        is values_in($seen, 'X-Credential') . ' ' . values_in($seen, 'X-User'), 'jwt user-1', 'its identity';
        $seen = allowed('/', 'a key', GET => '/', key_in('X-API-Key', $key));
        is values_in($seen, 'X-Credential') . ' ' . values_in($seen, 'X-User'), 'key acme', 'its identity';
        my $response = refused('/', 400, 'src_conflict', 'both', GET => '/',
            headers => [@{ $token[1] }, 'X-API-Key', $key]);
        like $response->header('WWW-Authenticate'), qr/error="invalid_request"/, 'challenge';
        refused('/', 401, 'no_credential', 'neither', GET => '/');
        allowed('/shared/', 'a token', GET => '/shared/', @token);
        allowed('/shared/', 'a key as bearer', GET => '/shared/', key_in('Authorization', "Bearer $key"));
        refused('/shared/', 401, 'tok_malformed', 'neither of them', GET => '/shared/',
            key_in('Authorization', 'Bearer abc'));
        $seen = allowed('/catalogue/', 'anonymous', GET => '/catalogue/');
        is values_in($seen, 'X-User'), '', 'nobody';
        $seen = allowed('/catalogue/', 'a token', GET => '/catalogue/', @token);
        is values_in($seen, 'X-User'), 'user-1', 'somebody';
        refused('/catalogue/', 401, 'exp_past', 'a bad token', GET => '/catalogue/',
            bearer(claims => { exp => 1 }));
        allowed('/import/', 'POST with a key', POST => '/import/', key_in('X-API-Key', $key));
        refused('/import/', 401, 'no_credential', 'POST with a token', POST => '/import/', @token);
        allowed('/import/', 'GET with a token', GET => '/import/', @token);
        refused('/import/', 401, 'no_credential', 'GET with a key', GET => '/import/',
            key_in('X-API-Key', $key));
    };
}

example 'cookie-and-query', { 'corp.jwks' => jwks('rs') }, sub {
    my $token = mint();
    my @cookie = ('Cookie', "theme=dark; access_token=$token; lang=en");
    my $seen = allowed('/app/', 'a header', GET => '/app/', bearer());
    $seen = allowed('/app/', 'a cookie', GET => '/app/', headers => [@cookie]);
    is values_in($seen, 'X-User'), 'user-1', 'identity';
    is values_in($seen, 'Cookie'), 'theme=dark; lang=en', 'the other cookies stay';
    allowed('/app/', 'a POST of our own page', POST => '/app/', headers => [@cookie,
        'Host', 'app.example.com', 'Origin', 'http://app.example.com']);
    refused('/app/', 401, 'cross_site', 'a POST of another site\'s page', POST => '/app/',
        headers => [@cookie, 'Origin', 'https://evil.example']);
    refused('/app/', 400, 'cookie_multiple', 'the cookie twice', GET => '/app/',
        headers => [@cookie, 'Cookie', 'access_token=x']);
    allowed('/api/', 'a POST of the application', POST => '/api/',
        headers => [@cookie, 'Origin', 'https://spa.example.com', 'Sec-Fetch-Site', 'same-site']);
    refused('/api/', 401, 'cross_site', 'a POST of another site\'s page', POST => '/api/',
        headers => [@cookie, 'Origin', 'https://evil.example']);
    $seen = allowed('/download/', 'a query argument', GET => "/download/a%2Fb?x=1&ticket=$token&y=2");
    is $seen->{uri}, '/download/a%2Fb?x=1&y=2', 'removed from what the application gets';
    refused('/download/', 400, 'arg_multiple', 'the argument twice', GET => "/download/?ticket=$token&ticket=x");
    refused('/download/', 401, 'no_credential', 'a header', GET => '/download/', bearer());
    wait_for(sub { nginx->access_log =~ /y=2/ });
    like nginx->access_log, qr/GET \/download\/a%2Fb\?x=1&ticket=\*+&y=2 HTTP/, 'the access log holds stars';
    unlike nginx->access_log . nginx->error_log, qr/\Q$token\E/, 'no log holds the token';
};

example 'roles', { 'corp.jwks' => jwks('rs') }, sub {
    my $with = sub { return bearer(claims => {@_}); };
    my $role = sub { return $with->(realm_access => { roles => [@_] }); };
    my $seen = allowed('/orders/', 'a viewer reads', GET => '/orders/', $role->('viewer'));
    is values_in($seen, 'X-Roles'), 'viewer', 'roles from a nested claim';
    allowed('/orders/', 'an editor writes', PUT => '/orders/1', $role->('editor'));
    allowed('/orders/', 'a scope of the token', GET => '/orders/', $with->(scope => 'orders:read'));
    refused('/orders/', 403, 'scope_missing', 'a viewer writes', PUT => '/orders/1', $role->('viewer'));
    refused('/orders/', 403, 'scope_missing', 'a wildcard in a token', GET => '/orders/', $with->(scope => '*'));
    allowed('/orders/refunds/', 'level 3', GET => '/orders/refunds/', $with->(roles => 'viewer', level => 3));
    refused('/orders/refunds/', 403, 'claim_unmet', 'level 2', GET => '/orders/refunds/',
        $with->(roles => 'viewer', level => 2));
    refused('/orders/refunds/', 403, 'scope_missing', 'level without scope', GET => '/orders/refunds/',
        $with->(level => 3));
    allowed('/admin/', 'an admin', GET => '/admin/', $role->('admin'));
    refused('/admin/', 403, 'role_missing', 'an editor', GET => '/admin/', $role->('editor'));
    my $tenants = '~ ^/tenants/(?<tenant>[^/]+)/';
    allowed($tenants, 'its own tenant', GET => '/tenants/a1/x', $with->(scope => 'tenant:a1'));
    refused($tenants, 403, 'scope_missing', 'another tenant', GET => '/tenants/b2/x',
        $with->(scope => 'tenant:a1'));
    refused($tenants, 403, 'scope_missing', 'a wildcard in the path', GET => '/tenants/*/x',
        $with->(scope => 'tenant:*'));
    allowed('/beta/', 'a tester', GET => '/beta/', $with->(groups => ['beta']));
    refused('/beta/', 404, 'value_unmet', 'anybody else', GET => '/beta/', $with->(groups => ['x']));
    allowed('/orders/help/', 'any token', GET => '/orders/help/', bearer());
    refused('/orders/help/', 401, 'no_credential', 'no token', GET => '/orders/help/');
    allowed('/wiki/', 'anybody reads', GET => '/wiki/', bearer());
    allowed('/wiki/', 'an editor writes', POST => '/wiki/', $role->('editor'));
    refused('/wiki/', 403, 'role_missing', 'a viewer writes', POST => '/wiki/', $role->('viewer'));
};

example 'multi-issuer', { 'staff.jwks' => jwks('rs'), 'customers.jwks' => jwks('es256') }, sub {
    my %customer = (iss => 'https://login.example.net/', aud => ['https://shop.example.com'],
        sub => 'auth0|7', customer_number => 4711, permissions => ['shop:buy'],
        'https://example.net/tier' => 'gold');
    my @customer = (key => 'es256', claims => \%customer);
    my $seen = allowed('/', 'staff', GET => '/', bearer());
    is values_in($seen, 'X-Issuer'), 'https://idp.example.com', 'issuer';
    $seen = allowed('/', 'a customer', GET => '/', bearer(@customer));
    is values_in($seen, 'X-User'), '4711', 'a number as subject';
    is values_in($seen, 'X-Tier'), 'gold', 'a claim with an odd name';
    refused('/', 401, 'alg_not_allowed', 'one issuer\'s key for the other', GET => '/',
        bearer(key => 'rs', claims => \%customer));
    refused('/', 401, 'iss_mismatch', 'without the last slash', GET => '/',
        bearer(@customer, claims => { %customer, iss => 'https://login.example.net' }));
    allowed('/back-office/', 'staff', GET => '/back-office/', bearer());
    refused('/back-office/', 401, 'iss_mismatch', 'a customer', GET => '/back-office/', bearer(@customer));
    allowed('/shop/', 'a customer', GET => '/shop/', bearer(@customer));
    refused('/shop/', 403, 'scope_missing', 'one who may not buy', GET => '/shop/',
        bearer(@customer, claims => { %customer, permissions => ['shop:look'], scope => 'shop:buy' }));
    refused('/shop/', 401, 'iss_mismatch', 'staff', GET => '/shop/', bearer());
};

example 'browser-login', { 'session.secret' => $secrets{'session.secret'} }, sub {
    my $session = sub {
        return ('Cookie', 'session=' . mint(key => secret_key('session.secret'), alg => 'HS256',
            claims => { iss => 'session-service', aud => 'app', @_ }));
    };
    my @browser = ('Accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'Sec-Fetch-Mode', 'navigate');
    allowed('/app/', 'a session', GET => '/app/', headers => [$session->(), @browser]);
    my $response = refused('/app/', 302, 'no_credential', 'a browser without one', GET => '/app/a?b=c&d',
        headers => [@browser]);
    like $response->header('Location'), qr{\A(?:http://[^/]+)?/login/\?rd=%2Fapp%2Fa%3Fb%3Dc%26d\z},
        'to the login page and back';
    $response = refused('/app/', 302, 'no_credential', 'a path that names a host',
        GET => '/app//evil.example/', headers => [@browser]);
    unlike $response->header('Location') // '', qr{rd=(?:%2F%2F|[^%])}, 'does not lead there';
    $response = refused('/app/', 401, 'no_credential', 'a script', GET => '/app/');
    is $response->header('Location'), undef, 'no redirect';
    allowed('/app/admin/', 'an admin', GET => '/app/admin/', headers => [$session->(roles => ['admin'])]);
    $response = refused('/app/admin/', 403, 'role_missing', 'anybody else', GET => '/app/admin/',
        headers => [$session->(), @browser]);
    is $response->json->{message}, 'Ask your team lead for access.', 'the reply of the configuration';
    is $response->json->{error}, 'forbidden', 'with a field';
    allowed('/api/', 'a session', GET => '/api/', headers => [$session->()]);
    $response = refused('/api/', 401, 'no_credential', 'a browser without one', GET => '/api/',
        headers => [@browser]);
    is $response->header('Content-Type'), 'application/json', 'JSON all the same';
    allowed('/login/', 'everybody', GET => '/login/?rd=%2Fapp%2F');
    refused('/login/', 400, 'dot_segment', 'a hidden dot segment', GET => '/login/..;/app/');
};

{
    my $hash = crypt 'secret', '$1$abcdefgh$';
    my %files = ('corp.jwks' => jwks('rs'), 'reports.htpasswd' => "ann:$hash\n");
    example 'satisfy-any', \%files, sub {
        my $monitor = '127.0.0.2';
        my $seen = allowed('/status/', 'its address', GET => '/status/', from => $monitor,
            headers => ['X-User', 'root', 'X_User', 'root', 'x.user', 'root']);
        is join('', map { values_in($seen, $_) } qw(X-User X_User x.user)), '', 'a forged identity is gone';
        $seen = allowed('/status/', 'a token', GET => '/status/', bearer());
        is values_in($seen, 'X-User'), 'user-1', 'identity of the token';
        refused('/status/', 401, 'no_credential', 'neither', GET => '/status/');
        allowed('/reports/', 'a token', GET => '/reports/', bearer());
        allowed('/reports/', 'a password', GET => '/reports/',
            headers => ['Authorization', 'Basic YW5uOnNlY3JldA==']);
        my $response = refused('/reports/', 401, undef, 'neither', GET => '/reports/');
        like $response->header('WWW-Authenticate'), qr/Basic realm="reports"/, 'the password window';
        refused('/reports/', 401, undef, 'a wrong password', GET => '/reports/',
            headers => ['Authorization', 'Basic YW5uOndyb25n']);
        allowed('/internal/', 'both', GET => '/internal/', from => $monitor, bearer());
        refused('/internal/', 403, undef, 'a token from elsewhere', GET => '/internal/', bearer());
        refused('/internal/', 401, 'no_credential', 'the address alone', GET => '/internal/', from => $monitor);
        nginx->allow(qr/access forbidden by rule/, qr/user "ann": password mismatch/);

        my ($decision, $payment) = allowed('/payments/', 'a token and a yes', GET => '/payments/', bearer());
        is $decision->{uri}, '/decide', 'the service is asked first';
        is values_in($decision, 'X-User'), 'user-1', 'and told who it is';
        is $payment->{uri}, '/payments/', 'then the application';
        refused('/payments/', 401, 'no_credential', 'no token: the service is not even asked',
            GET => '/payments/');
    };
}

my ($metrics, $slow) = map { api_key('acme_live_') } 1 .. 2;

example 'limits', {
    'corp.jwks' => jwks('rs'),
    'partner-keys.json' => key_file(key_record($metrics, scopes => ['metrics']), key_record($slow, rate => '1r/m')),
}, sub {
    allowed('/', 'a key', GET => '/', key_in('X-API-Key', $slow));
    my $response = refused('/', 429, 'rate_limited', 'its own rate', GET => '/', key_in('X-API-Key', $slow));
    cmp_ok $response->header('Retry-After'), '>', 50, 'is one a minute';
    my @tenant = (claims => { tenant => 't', sub => 'a' });
    allowed('/reports/', 'one of four', GET => '/reports/', bearer(@tenant)) for 1 .. 4;
    refused('/reports/', 429, 'rate_limited', 'the fifth', GET => '/reports/', bearer(@tenant));
    @tenant = (claims => { tenant => 't', sub => 'b' });
    allowed('/reports/', 'another subject', GET => '/reports/', bearer(@tenant)) for 1 .. 2;
    refused('/reports/', 429, 'rate_limited', 'the seventh of the tenant', GET => '/reports/', bearer(@tenant));
    allowed('/search/', 'a small plan', GET => '/search/', bearer()) for 1 .. 3;
    refused('/search/', 429, 'rate_limited', 'has a small rate', GET => '/search/', bearer());
    allowed('/search/', 'a large plan', GET => '/search/', bearer(claims => { plan => 'gold', sub => 'g' })) for 1 .. 4;

    my $guesser = '127.0.9.9';
    my @forged = (key => 'rs_b', header => { kid => 'rs' });
    refused('/', 401, undef, 'a forged token', GET => '/', from => $guesser, bearer(@forged)) for 1 .. 5;
    refused('/', 429, 'too_many_failures', 'then one that was never seen', GET => '/', from => $guesser,
        bearer(claims => { jti => 'new' }));
    allowed('/', 'from elsewhere', GET => '/', bearer(claims => { jti => 'new' }));
    allowed('/', 'which is known then', GET => '/', from => $guesser, bearer(claims => { jti => 'new' }));

    refused('= /gate/metrics', 403, 'scope_missing', 'another key', GET => '/gate/metrics', key_in('X-API-Key', $slow));
    allowed('= /gate/metrics', "the scraper's", GET => '/gate/metrics', key_in('X-API-Key', $metrics));
    like ask(GET => '/gate/metrics', key_in('X-API-Key', $metrics))->body,
        qr/decision="denied",reason="rate_limited",cache="\w+"\} 1$/m, 'counts them';
};
{
    my $key = api_key('acme_live_');
    my $record = key_record($key);
    my %files = ('corp.jwks' => jwks('rs'), 'partner-keys.json' => key_file($record), revocations => '');
    example 'revocation', \%files, sub {
        my @journals = map { nginx->dir . "/$_" } 'state/revocations', 'revocations';
        my @issuer = ('--issuer', 'https://idp.example.com');
        my @mine = bearer(claims => { jti => 'j1', sub => 'anna' });
        my @others = bearer(claims => { jti => 'j2', sub => 'otto' });
        my $gone = sub {
            my ($uri, @credential) = @_;
            return wait_for(sub { ask(GET => $uri, @credential)->status == 401 }, 2);
        };
        allowed('/', 'a token', GET => '/', @mine);
        is +(gatectl('revoke', 'jti', '--file', $journals[0], @issuer, 'j1'))[0], 0, 'gatectl revoke jti';
        ok $gone->('/', @mine), 'soon it is refused';
        refused('/', 401, 'revoked', 'a revoked token', GET => '/', @mine);
        allowed('/', 'others pass', GET => '/', @others);
        is +(gatectl('revoke', 'sub', '--file', $journals[1], @issuer, 'otto'))[0], 0, 'gatectl revoke sub';
        ok $gone->('/', @others), 'the second journal counts too';
        allowed('/partner/', 'a key', GET => '/partner/', key_in('X-API-Key', $key));
        is +(gatectl('revoke', 'key', '--file', $journals[0], '--store', 'partner', $record->{id}))[0], 0, 'gatectl revoke key';
        ok $gone->('/partner/', key_in('X-API-Key', $key)), 'soon it is refused';
        refused('/partner/', 401, 'revoked', 'a revoked key', GET => '/partner/', key_in('X-API-Key', $key));
    };
}

opendir my $directory, root_dir() . '/conf/examples' or die "conf/examples: $!";
my %here = map { $_ => 1 } grep { !/\A\./ } readdir $directory;
my $tests = join '', map { slurp($_) } glob root_dir() . '/t/examples*.t';
ok $tests =~ /^\s*example '\Q$_\E'/m, "$_ is exercised" for sort keys %here;

done_testing;
