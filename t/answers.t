# What a refused client gets: bodies by format and by template, browsers sent to the login page.

use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new;
my $app = $t->upstream('app');
$t->write_jwks('keys.jwks', 'rs');
$t->start(<<'EOF');
log_format gate '$uri|$status|$gate_status|$gate_reason';
access_log %%DIR%%/gate.log gate;
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
server {
    listen 127.0.0.1:%%PORT%%;
    server_name shop.test;
    gate jwt=corp;
    location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /problem/ { gate_error_format problem; }
    location /json/ { gate_error_format json; }
    location /text/ { gate_error_format text; }
    location /off/ { gate_error_format off; }
    location /reply/ { gate_reply 401 '{"error":"$title","code":"AUTH_REQUIRED","n":"$status","m":"say $detail"}';
        gate_reply 403 '{"denied":true}' type=application/vnd.x+json; gate_require_scope admin; }
    location /quiet/ { gate jwt=corp challenge=off; }
    location /realm/ { gate jwt=corp "realm=a \"b\""; }
    location /headers/ { add_header X-Always 1 always; add_header X-Ok 1; }
    location /login/ { gate_login_url /sign-in; }
    location /login-arg/ { gate_login_url https://sso.test/in?a=1 return_arg=next; gate_require_scope admin; }
    location /dry/ { gate_dry_run on; gate_require_scope admin; gate_identity X-User $gate_subject;
        proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /quiet-log/ { gate_log_level info; }
}
EOF

my $token = mint();
my @auth = (Authorization => "Bearer $token");
sub get { my ($path, @headers) = @_; return http_get($path, headers => \@headers); }

subtest 'formats' => sub {
    my %want = (
        '/problem/' => ['application/problem+json', '{"type":"about:blank","title":"Unauthorized","status":401}'],
        '/json/' => ['application/json', '{"error":"unauthorized","status":401}'],
        '/text/' => ['text/plain', "401 Unauthorized\n"],
        '/' => ['application/problem+json', '{"type":"about:blank","title":"Unauthorized","status":401}'],
    );
    for my $path (sort keys %want) {
        my $response = get($path);
        is $response->status, 401, $path;
        is $response->header('content-type'), $want{$path}[0], 'type';
        is $response->body, $want{$path}[1], 'body';
        is $response->header('content-length'), length $want{$path}[1], 'length';
        my $head = http_request('HEAD', $path);
        is $head->header('content-length'), length $want{$path}[1], 'HEAD: the same length';
        is $head->body, '', 'HEAD: no body';
    }
    like get('/off/')->body, qr/<center>nginx/, "off: nginx's page";
    like get('/', Accept => 'text/html,*/*;q=0.8', 'Sec-Fetch-Mode' => 'navigate')->body, qr/<center>nginx/,
        "auto: nginx's page for a browser that navigates";
    like get('/', Accept => 'application/json', 'Sec-Fetch-Mode' => 'cors')->body, qr/about:blank/, 'auto: fetch gets a problem';
    is get('/')->header('www-authenticate'), 'Bearer realm="shop.test"', 'realm: the server\'s name';
    is get('/quiet/')->header('www-authenticate'), undef, 'challenge=off';
    is get('/realm/')->header('www-authenticate'), 'Bearer realm="a \"b\""', 'realm is quoted';
    my $response = get('/headers/');
    is $response->header('x-always'), 1, 'add_header always';
    is $response->header('x-ok'), undef, 'add_header without always';
};

subtest 'gate_reply' => sub {
    my $response = get('/reply/');
    is_deeply $response->json, { error => 'Unauthorized', code => 'AUTH_REQUIRED', n => 401,
        m => 'say A valid credential is required.' }, 'fields of a 401';
    is $response->header('content-type'), 'application/json', 'type';
    $response = get('/reply/', @auth);
    is $response->status, 403, 'status 403';
    is $response->body, '{"denied":true}', 'its body';
    is $response->header('content-type'), 'application/vnd.x+json', 'its type';
    like $response->header('www-authenticate'), qr/insufficient_scope", scope="admin"/, 'and the challenge';
};

subtest 'gate_login_url' => sub {
    my @browser = ('Sec-Fetch-Mode' => 'navigate', Accept => 'text/html');
    my $response = get('/login/a%2Fb?c=d&e=f', @browser);
    is $response->status, 302, 'a navigation is sent to the login page';
    like $response->header('location'), qr{^(?:http://shop\.test:\d+)?/sign-in\?rd=%2Flogin%2Fa%252Fb%3Fc%3Dd%26e%3Df$}, 'with the way back';
    is $response->header('www-authenticate'), undef, 'no challenge';
    is $response->header('cache-control'), 'no-store', 'not stored';
    is $response->body, '', 'no body';
    is get('/login/x', Accept => 'text/html', 'Sec-Fetch-Mode' => 'cors')->status, 401, 'fetch: 401';
    is get('/login/x')->status, 401, 'curl: 401';
    is http_post('/login/x', 'a', headers => [@browser])->status, 401, 'a form post: 401';
    is get('/login/x', @browser, Authorization => 'Bearer a.b.c')->status, 302, 'a bad token too';
    is get('/login-arg/x', @browser)->header('location'), 'https://sso.test/in?a=1&next=%2Flogin-arg%2Fx', 'own argument';
    is get('/login-arg/x', @browser, @auth)->status, 403, '403 stays 403';
    for my $path ('//evil.test', '/\\evil.test', '/login//evil.test/..', '/login/%0d%0aSet-Cookie:x=1') {
        my $location = get("/login/..$path", @browser)->header('location') // '';
        unlike $location, qr{^(?:https?:)?//(?!shop\.test)}, "$path does not lead away";
        unlike $location, qr/[\r\n]/, 'no line break';
    }
};

subtest 'dry run changes nothing' => sub {
    $app->clear;
    $t->mark;
    is get('/dry/x', 'X-User' => 'root')->status, 200, 'no credential passes';
    is scalar(my @none = Gate::Upstream::values_of($app->last_request, 'X-User')), 0, 'a forged identity does not';
    ok wait_for(sub { $t->log_since_mark =~ /auth: would deny reason=no_credential/ }), 'logged';
    is get('/dry/y', @auth)->status, 200, 'a token without the scope passes';
    is_deeply [Gate::Upstream::values_of($app->last_request, 'Authorization')], ["Bearer $token"], 'nothing stripped';
    is scalar(@none = Gate::Upstream::values_of($app->last_request, 'X-User')), 0, 'nothing set';
    ok wait_for(sub { slurp($t->dir . '/gate.log') =~ m{^/dry/y\|200\|DRY_RUN\|scope_missing$}m }), 'status and reason';
};

subtest 'log level' => sub {
    $t->mark;
    get('/quiet-log/x', Authorization => 'Bearer x');    # a reason that is no repeat
    ok wait_for(sub { $t->log_since_mark =~ /\[info\].*auth: deny reason=tok_malformed/ }), 'info';
};

done_testing;
