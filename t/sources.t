# Where a credential may stand, which one counts, and that it is gone before anyone else looks.

use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new;
my $app = $t->upstream('app');
$t->write_jwks('keys.jwks', 'rs');
my $key = api_key('acme_');
my $bare = 'Legacy-Key-0123456789';
$t->write_file('keys.json', key_file(key_record($key, owner => 'ann')));
$t->write_file('bare.json', key_file(key_record($bare, owner => 'bob')));

$t->start(<<'EOF');
log_format gate '$request|$status|$gate_reason|$gate_credential|$gate_subject|$http_referer|$http_cookie|$http_authorization|$arg_access_token';
access_log %%DIR%%/gate.log gate;
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
gate_keys acme { file %%DIR%%/keys.json; prefix acme_; }
gate_keys bare { file %%DIR%%/bare.json; checksum off; }
map $http_cookie $early { default $http_cookie; }
limit_req_zone $binary_remote_addr zone=slow:1m rate=1r/m;
server {
    listen 127.0.0.1:%%PORT%%;
    set $seen $early;
    gate jwt=corp key=acme,bare;
    gate_identity X-User $gate_subject;
    location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /cookie/ { gate_source jwt cookie=jwt; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /both/ { gate_source jwt header=Authorization; gate_source jwt cookie=jwt;
        proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /any-origin/ { gate_source jwt cookie=jwt origin=any; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /query/ { gate_source jwt arg=access_token; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /query-rewritten/ { gate_source jwt arg=access_token; proxy_pass http://127.0.0.1:%%PORT_app%%/new/; }
    location /query-kept/ { gate_source jwt arg=access_token; gate_strip off; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /query-return/ { gate_source jwt arg=access_token; return 302 https://x.test$request_uri; }
    location /query-limited/ { gate_source jwt arg=access_token; limit_req zone=slow; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /shared/ { gate_source jwt header=Authorization; gate_source key header=Authorization scheme=Bearer;
        proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /custom/ { gate_source jwt header=X-Token; gate_source key header=X-Token; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /known/ { gate jwt=corp; gate_source jwt header=Referer; add_header X-Seen "[$http_referer]" always; empty_gif; }
    location /lone/ { gate jwt=corp; gate_source jwt header=X-Token; empty_gif; }
    location /scheme/ { gate_source key header=Authorization scheme=ApiKey; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /optional/ { gate jwt=corp optional; gate_source jwt arg=access_token; gate_source jwt header=Authorization;
        proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /variable/ { gate_source jwt $http_x_other; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /first/ { gate_source_conflict first; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /kept/ { gate_source jwt header=Authorization; gate_source jwt cookie=jwt; gate_strip off; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /size/ { gate_max_token_size 100; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /public/ { gate off; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /preflight-pass/ { gate_preflight pass; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /preflight-check/ { gate_preflight check; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /preflight/ { add_header Access-Control-Allow-Origin https://a.test; proxy_pass http://127.0.0.1:%%PORT_app%%; }
}
EOF

my $token = mint();
my $other = mint(claims => { sub => 'user-2' });
my $n = 0;

# Status, and what the log says of reason and subject.
sub outcome {
    my ($path, @headers) = @_;
    my $method = 'GET';
    ($method, $path) = @$path if ref $path;
    my $mark = length slurp($t->dir . '/gate.log');
    $app->clear;
    my $status = http_request($method, $path, headers => \@headers)->status;
    my $line;
    wait_for(sub { ($line) = substr(slurp($t->dir . '/gate.log'), $mark) =~ /(.*)\n/ });
    my @field = split /\|/, $line, -1;
    return "$status $field[2] $field[4]" =~ s/ -(?= |\z)/ /gr =~ s/ +/ /gr =~ s/ \z//r;
}
my $is = sub { my ($name, $want, @request) = @_; is outcome(@request), $want, $name };
sub at_app { return [Gate::Upstream::values_of($app->last_request, $_[0])]; }

subtest 'headers' => sub {
    $is->('bearer', '200 user-1', '/', Authorization => "Bearer $token");
    $is->('scheme without case', '200 user-1', '/', Authorization => "bEARER $token");
    $is->('two blanks', '401 tok_b64', '/', Authorization => "Bearer  $token");
    $is->('glued', '401 no_credential', '/', Authorization => "Bearer$token");
    $is->('scheme alone', '401 tok_malformed', '/', Authorization => 'Bearer');
    $is->('list', '401 tok_b64', '/', Authorization => "Bearer $token,");
    $is->('another scheme', '401 no_credential', '/', Authorization => 'Negotiate x');
    $is->('nginx refuses a second Authorization itself', '400', '/', Authorization => "Bearer $token",
        Authorization => "Bearer $other");
    $is->('key header', '200 ann', '/', 'X-API-Key' => $key);
    $is->('key header twice', '400 header_multiple', '/', 'X-API-Key' => $key, 'X-API-Key' => $key);
    $is->('key without prefix, of the store without one', '200 bob', '/', 'X-API-Key' => $bare);
    $is->('own scheme', '200 ann', '/scheme/', Authorization => "ApiKey $key");
    $is->('own scheme stays apart', '200 user-1', '/scheme/', Authorization => "Bearer $token");
    $is->('a token in the key header', '401 key_unknown', '/', 'X-API-Key' => 'a.b.c');
    $is->('too long', '401 tok_too_long', '/size/', Authorization => "Bearer $token");
};

subtest 'one source for tokens and keys' => sub {
    for my $path ('/shared/', '/custom/') {
        my @at = $path eq '/custom/' ? ('X-Token', '') : ('Authorization', 'Bearer ');
        $is->("$path token", '200 user-1', $path, $at[0] => "$at[1]$token");
        $is->("$path key by prefix", '200 ann', $path, $at[0] => "$at[1]$key");
        $is->("$path key without prefix", '200 bob', $path, $at[0] => "$at[1]$bare");
        $is->("$path prefix decides, no second try", '401 key_malformed', $path, $at[0] => "$at[1]acme_$token");
    }
};

subtest 'cookies' => sub {
    $is->('cookie', '200 user-1', '/cookie/', Cookie => "a=b; jwt=$token; c=d");
    is_deeply at_app('Cookie'), ['a=b; c=d'], 'only its crumb is taken';
    $is->('alone', '200 user-1', '/cookie/', Cookie => "jwt=$token");
    is_deeply at_app('Cookie'), [], 'the empty line goes too';
    $is->('in a second line', '200 user-1', '/cookie/', Cookie => 'a=b', Cookie => "jwt=$token");
    is_deeply at_app('Cookie'), ['a=b'], 'the first line stays';
    $is->('quoted', '200 user-1', '/cookie/', Cookie => qq{jwt="$token"});
    $is->('twice', '400 cookie_multiple', '/cookie/', Cookie => "jwt=$token; jwt=$token");
    $is->('twice in two lines', '400 cookie_multiple', '/cookie/', Cookie => "jwt=$token", Cookie => "jwt=x");
    $is->('name has case', '401 no_credential', '/cookie/', Cookie => "JWT=$token");
    $is->('a header does not count there', '401 no_credential', '/cookie/', Authorization => "Bearer $token");
    $is->('header before cookie', '200 user-1', '/both/', Authorization => "Bearer $token", Cookie => "jwt=$other");
    is_deeply [@{ at_app('Cookie') }, @{ at_app('Authorization') }], [], 'both are stripped';
    $is->('kept', '200 user-1', '/kept/', Authorization => "Bearer $token", Cookie => "jwt=$other");
    is_deeply [@{ at_app('Cookie') }, @{ at_app('Authorization') }], ["jwt=$other", "Bearer $token"], 'gate_strip off';
};

subtest 'cookies from another site' => sub {
    my @cookie = (Cookie => "jwt=$token", Host => 'app.test');
    $is->('safe method', '200 user-1', '/cookie/', @cookie, Origin => 'https://evil.test');
    my $post = ['POST', '/cookie/'];
    $is->('no origin at all', '200 user-1', $post, @cookie);
    $is->('own origin', '200 user-1', $post, @cookie, Origin => 'http://app.test');
    $is->('another origin', '401 cross_site', $post, @cookie, Origin => 'https://evil.test');
    $is->('null origin', '401 cross_site', $post, @cookie, Origin => 'null');
    $is->('same-site is not same origin', '401 cross_site', $post, @cookie, 'Sec-Fetch-Site' => 'same-site');
    $is->('fetch metadata wins', '200 user-1', $post, @cookie, 'Sec-Fetch-Site' => 'same-origin', Origin => 'https://app.test');
    $is->('an upgrade', '401 cross_site', '/cookie/', @cookie, Origin => 'https://evil.test', Upgrade => 'websocket',
        Connection => 'upgrade');
    $is->('a header credential is not ambient', '200 user-2', ['POST', '/both/'], @cookie, Origin => 'https://evil.test',
        Authorization => "Bearer $other");
    $is->('origin=any', '200 user-1', ['POST', '/any-origin/'], @cookie, Origin => 'https://evil.test');
};

subtest 'query argument' => sub {
    my $secret = mint(claims => { sub => 'user-1', jti => 'query' });
    $app->clear;
    my $response = http_get("/query/a%2Fb?x=1&access_token=$secret&y=%2F", headers => {
        Referer => "https://a.test/p?access_token=$secret" });
    is $response->status, 200, 'accepted';
    is $app->last_request->{uri}, '/query/a%2Fb?x=1&y=%2F', 'the app gets the rest, byte for byte';
    is $response->header('cache-control'), 'no-store', 'response not stored';
    is $response->header('referrer-policy'), 'no-referrer', 'nor sent as Referer';
    http_get("/query-rewritten/a?access_token=$secret&y=1");
    is $app->last_request->{uri}, '/new/a?y=1', 'with a URI in proxy_pass';
    http_get("/query-kept/a?access_token=$secret&y=1");
    like $app->last_request->{uri}, qr{^/query-kept/a\?access_token=\*+&y=1$}, 'gate_strip off: masked, not sent';
    is http_get("/query/x?access_token=$secret&access_token=$secret")->status, 400, 'twice';
    is http_get("/query/x?access_token%3d$secret")->status, 401, 'encoded name is another name';
    is http_get("/query/x?xaccess_token=$token")->status, 401, 'longer name';
    is http_get("/query/x?access_token=$secret%00")->status, 401, 'encoded byte in it';
    is http_get("/query/x?access_token=$secret;x=1")->status, 401, 'semicolon is no separator';
    is http_get("/public/x?access_token=abc&y=1")->status, 200, 'public location';
    is $app->last_request->{uri}, '/public/x?access_token=abc&y=1', 'keeps its own argument';
    $response = http_get("/query-return/a?access_token=$secret&y=1");
    is $response->header('location'), 'https://x.test/query-return/a?y=1', 'return: not in the Location';
    http_get("/query-limited/a?access_token=$secret") for 1 .. 2;
    ok wait_for(sub { $t->error_log =~ /limiting requests/ }), 'limit_req wrote its line';
    my $part = substr $secret, -60;
    unlike slurp($t->dir . "/$_"), qr/\Q$part\E/, "$_ holds no byte of it" for qw(gate.log access.log error.log);
    my @all = $app->requests;
    ok !grep({ $_->{raw} =~ /\Q$part\E/ } @all), 'nor does any upstream request';
};

subtest 'paths that climb' => sub {
    for my $path ('/public/../x', '/x/..%2fpublic/y', '/x/%2e%2e/public/y', '/x/.%2E/public/y', '/x/..;/y', '/x/..%5cy', '/x/%252e%252e/y',
        '/x/%c0%ae%c0%ae/y', '/public/..') {
        $app->clear;
        is http_get($path, headers => { Authorization => "Bearer $token" })->status, 400, $path;
        is $app->hits, 0, 'not passed on';
    }
    $is->($_, '200 user-1', $_, Authorization => "Bearer $token") for '/x/./y', '/x/...', '/x..y', '/x/%2E/y';
};

subtest 'what an application may take for a credential is never passed on as none' => sub {
    $is->('none', '200', '/optional/');
    for my $value ("\tBearer $token", "Bearer\t$token", "\x0bBearer $token", "Bearer\x0c$token", 'Bearer') {
        my $shown = $value =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger;
        like outcome('/optional/', Authorization => $value), qr/^401 tok_/, substr($shown, 0, 20);
        is $app->hits, 0, 'the app saw nothing';
    }
    for my $name ('access%5Ftoken=', 'access_token%3d', '%61ccess_token=') {
        like outcome("/optional/?$name$token"), qr/^401 tok_/, $name;
        is $app->hits, 0, 'the app saw nothing';
    }
};

subtest 'requests that nginx refuses before any phase' => sub {
    my $secret = mint(claims => { jti => 'early' });
    my $part = substr $secret, -40;
    http_raw("GET /query/x?access_token=$secret HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", timeout => 2);
    http_raw("GET /query/x?access_token=$secret HTTP/1.1\r\n\r\n", timeout => 2);
    ok wait_for(sub { 2 <= (() = slurp($t->dir . '/access.log') =~ m{/query/x\?access_token=\*+ HTTP/1.1" 400}g) }), 'are logged';
    unlike slurp($t->dir . '/access.log'), qr/\Q$part\E/, 'without the argument';
};

subtest 'variable' => sub {
    $is->('value', '200 user-1', '/variable/', 'X-Other' => $token);
    $is->('empty', '401 no_credential', '/variable/');
};

subtest 'two credentials' => sub {
    $is->('token and key', '400 src_conflict', '/', Authorization => "Bearer $token", 'X-API-Key' => $key);
    $is->('first wins', '200 user-1', '/first/', Authorization => "Bearer $token", 'X-API-Key' => $key);
    is_deeply [@{ at_app('X-API-Key') }, @{ at_app('Authorization') }], [], 'both are stripped';
};

subtest 'what others saw before' => sub {
    http_get('/cookie/x', headers => { Cookie => "jwt=$token", Authorization => "Bearer $token" });
    my $part = substr $token, -40;
    my $log = slurp($t->dir . '/gate.log');
    my ($line) = reverse grep { m{/cookie/x } } split /\n/, $log;
    unlike $line, qr/jwt=/, '$http_cookie is read anew after stripping';
};

subtest 'the only source of a location' => sub {
    is http_get('/lone/x', headers => ['X-Token', mint()])->status, 200, 'once';
    is http_get('/lone/x', headers => ['X-Token', mint(), 'X-Token', mint()])->status, 400, 'twice is ambiguous';
};

subtest 'a header that nginx itself points at' => sub {
    my $response = http_get('/known/x', headers => [Referer => mint()]);
    is $response->status, 200, 'it is a source like any other';
    is $response->header('X-Seen'), '[]', 'and gone for those who follow the pointer';
};

subtest 'preflight' => sub {
    my @preflight = (Origin => 'https://a.test', 'Access-Control-Request-Method' => 'PUT');
    my $response = http_request('OPTIONS', '/preflight/x', headers => [@preflight]);
    is $response->status, 204, 'answered here';
    is $response->header('access-control-allow-origin'), 'https://a.test', 'with the add_header lines';
    $app->clear;
    $is->('passed on', '200', ['OPTIONS', '/preflight-pass/x'], @preflight);
    is $app->hits, 1, 'the app answers';
    $is->('checked', '401 no_credential', ['OPTIONS', '/preflight-check/x'], @preflight);
    $is->('any other OPTIONS', '401 no_credential', ['OPTIONS', '/preflight/x'], Origin => 'https://a.test');
    $is->('a GET with these headers', '401 no_credential', '/preflight/x', @preflight);
};

done_testing;
