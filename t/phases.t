# The gate among nginx's phases and other modules: satisfy, internal redirects, subrequests.

use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new;
my $app = $t->upstream('app');
$t->write_jwks('keys.jwks', 'rs');
mkdir $t->dir . '/html';
mkdir $t->dir . "/html/$_" for qw(dir try ssi add);
$t->write_file('html/dir/index.html', "index\n");
$t->write_file('html/try/real.html', "real\n");
$t->write_file('html/ssi/page.html', '[<!--#include virtual="/inner/secret" -->]');
$t->write_file('html/add/page.html', "page\n");
$t->write_file('users', 'basic:{PLAIN}pw' . "\n");

$t->start(<<'EOF');
log_format gate '$request_uri|$status|$gate_status|$gate_reason|$gate_subject';
access_log %%DIR%%/gate.log gate;
gate_issuer corp  { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
gate_issuer other { issuer https://other.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
server {
    listen 127.0.0.1:%%PORT%%;
    root %%DIR%%/html;
    gate jwt=corp;
    gate_error_format text;
    gate_identity X-User $gate_subject;
    location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /return/ { return 200 "secret"; }

    location /any-deny/ { satisfy any; deny all; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /any-allow/ { satisfy any; allow all; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /any-basic/ { satisfy any; auth_basic door; auth_basic_user_file %%DIR%%/users; gate_require_scope admin;
        gate_source jwt header=X-Token; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /all-basic/ { auth_basic door; auth_basic_user_file %%DIR%%/users; gate_source jwt header=X-Token;
        proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /all-deny/ { deny all; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /any-request/ { satisfy any; auth_request /check-no; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /all-request/ { auth_request /check; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location = /check { gate off; proxy_pass http://127.0.0.1:%%PORT_app%%/status/204; }
    location = /check-no { gate off; proxy_pass http://127.0.0.1:%%PORT_app%%/status/403; }
    location /any-optional/ { satisfy any; gate jwt=corp optional; deny all; proxy_pass http://127.0.0.1:%%PORT_app%%; }

    location /to-gated/ { gate off; auth_request /gated-check; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /to-error-page/ { gate off; auth_request /gated-with-page; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location = /gated-with-page { error_page 401 403 = @login; proxy_pass http://127.0.0.1:%%PORT_app%%/check; }
    location /to-odd/ { gate off; auth_request /gated-odd; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location = /gated-odd { gate_require $arg_never error=404; proxy_pass http://127.0.0.1:%%PORT_app%%/check; }
    location /gated-to-gated/ { auth_request /gated-check; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location = /gated-check { proxy_pass http://127.0.0.1:%%PORT_app%%/check; }
    location /ssi/ { gate off; ssi on; }
    location /ssi-gated/ { ssi on; alias %%DIR%%/html/ssi/; }
    location /inner/ { return 200 "inner $gate_subject"; }
    location /inner-admin/ { gate_require_scope admin; return 200 "admin"; }
    location /add/ { gate off; add_before_body /inner/x; }
    location /mirrored/ { gate off; mirror /mirror-target; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location = /mirror-target { proxy_pass http://127.0.0.1:%%PORT_app%%/mirrored-into; }

    location /err/ { error_page 401 = @login; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location @login { gate off; return 200 "please log in, $gate_reason\n"; }
    location /err-url/ { error_page 401 403 /sorry; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location = /sorry { gate off; proxy_pass http://127.0.0.1:%%PORT_app%%/sorry; }
    location /err-gated/ { error_page 401 /; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /err-away/ { error_page 401 https://login.test/; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /try/ { try_files $uri @fallback; }
    location @fallback { gate_identity X-Where fallback; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /try-admin/ { try_files $uri @admin; }
    location @admin { gate_require_scope admin; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /try-other/ { try_files $uri @other; }
    location @other { gate jwt=other; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /to-any/ { try_files $uri @any-other; }
    location @any-other { satisfy any; allow all; gate jwt=other; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /dir/ { index index.html; add_header X-Subject $gate_subject; }
    location /xaccel/ { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /files/ { internal; add_header X-Subject $gate_subject; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /rewritten/ { rewrite ^/rewritten/(.*) /files-public/$1 last; }
    location /files-public/ { gate off; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /limited/ { gate off; limit_except GET { gate jwt=corp; gate_require_scope admin; } proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /open-get/ { limit_except POST PUT { gate off; } proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /if/ { if ($arg_x) { set $dummy 1; } proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /delay/ { auth_delay 300ms; proxy_pass http://127.0.0.1:%%PORT_app%%; }
}
EOF

my $token = mint(claims => { scope => 'read' });
my $admin = mint(claims => { sub => 'boss', scope => 'admin' });
my @user = (Authorization => "Bearer $token");
my @boss = (Authorization => "Bearer $admin");
sub get { my ($path, @headers) = @_; $app->clear; return http_get($path, headers => \@headers); }
sub at_app { return [Gate::Upstream::values_of($app->last_request, $_[0])]; }
sub basic { return (Authorization => 'Basic ' . MIME::Base64::encode_base64("basic:$_[0]", '')); }

subtest 'return runs before the access phase' => sub {
    is get('/return/x')->status, 401, 'not without a credential';
};

subtest 'satisfy any' => sub {
    is get('/any-deny/x')->status, 401, 'neither: a 401 wins over a 403';
    is get('/any-deny/x', @user)->status, 200, 'a token is enough';
    is_deeply at_app('X-User'), ['user-1'], 'identity set';
    my $response = get('/any-allow/x', 'X-User' => 'root');
    is $response->status, 200, 'an address is enough';
    is $response->header('www-authenticate'), undef, 'no challenge on a 200';
    is_deeply at_app('X-User'), [], 'no identity then';
    is get('/any-allow/x', Authorization => 'Bearer bad')->status, 200, 'even with a bad token';
    is_deeply at_app('Authorization'), [], 'which is stripped';
    is get('/any-basic/x', basic('pw'))->status, 200, 'a password is enough';
    is get('/any-basic/x', 'X-Token' => $admin)->status, 200, 'a token is enough';
    $response = get('/any-basic/x', 'X-Token' => $token);
    is $response->status, 401, 'a scope that is missing, beside auth_basic: 401';
    ok grep({ /^Basic/ } $response->header_all('www-authenticate')), 'with its challenge';
    $response = get('/any-basic/x');
    is_deeply [map { /^(\w+)/ } $response->header_all('www-authenticate')], ['Basic', 'Bearer'], 'nothing at all: both challenges'
        or diag explain [$response->header_all('www-authenticate')];
    is get('/any-request/x')->status, 401, 'neither token nor auth_request';
    is get('/any-request/x', @user)->status, 200, 'token beside auth_request';
    is get('/any-optional/x')->status, 403, 'anonymous satisfies nothing by itself';
    is get('/any-optional/x', @user)->status, 200, 'a token does';
};

subtest 'satisfy all' => sub {
    is get('/all-basic/x', basic('pw'), 'X-Token' => $token)->status, 200, 'both';
    is get('/all-basic/x', basic('pw'))->status, 401, 'password alone';
    is get('/all-basic/x', basic('no'), 'X-Token' => $token)->status, 401, 'token alone';
    is get('/all-deny/x', @user)->status, 403, 'deny';
    is get('/all-request/x', @user)->status, 200, 'token and auth_request';
    is get('/all-request/x')->status, 401, 'auth_request alone';
};

subtest 'subrequests' => sub {
    $t->allow(qr/auth request unexpected status/);
    is get('/to-gated/x')->status, 401, 'auth_request to a gated location does not say yes to everybody';
    is get('/to-gated/x', @user)->status, 401, 'and checks nothing for a location without a gate';
    is get('/to-error-page/x')->status, 401, 'nor when an error_page would make a 200 of the refusal';
    is $app->hits, 0, 'the app is not asked';
    is get('/to-odd/x')->status, 401, 'a refusal that auth_request understands, whatever error= says';
    is get('/gated-to-gated/x', @user)->status, 200, 'a verified main request may';
    is get('/ssi/page.html')->body =~ /inner/, '', 'SSI from outside shows nothing';
    is get('/ssi-gated/page.html', @user)->body, '[inner user-1]', 'SSI within shows the main request\'s identity';
    my $body = get('/add/page.html')->body;
    unlike $body, qr/inner/, 'addition from outside shows nothing';
    get('/mirrored/x');
    ok !grep({ $_->{uri} =~ /mirrored-into/ } $app->requests), 'a mirror into a gated location is not sent';
};

subtest 'error_page' => sub {
    my $response = get('/err/x');
    is $response->status, 200, 'error_page 401 = takes over';
    is $response->body, "please log in, no_credential\n", 'with the reason at hand';
    is $app->hits, 0, 'the protected app is not asked';
    is $response->header('www-authenticate'), undef, 'our answer is not mixed in';
    $response = get('/err-url/x', 'X-User' => 'root');
    is $response->status, 401, 'a page of the app with the status kept';
    is $app->last_request->{uri}, '/sorry', 'fetched';
    is_deeply at_app('X-User'), [], 'without a forged identity';
    is get('/err-gated/x')->status, 401, 'a protected error page is refused again, once';
    is get('/err-away/x')->header('location'), 'https://login.test/', 'redirect elsewhere';
};

subtest 'internal redirects' => sub {
    is get('/try/real.html', @user)->body, "real\n", 'try_files: found';
    is get('/try/missing', @user)->status, 200, 'try_files: fallback';
    is_deeply [@{ at_app('X-Where') }, @{ at_app('X-User') }, @{ at_app('Authorization') }], ['fallback'],
        'with the identity headers of that location only';
    is get('/try-admin/x', @user)->status, 403, 'the new location is checked anew';
    is get('/try-admin/x', @boss)->status, 200, 'with the same credential';
    is get('/try-other/x', @user)->status, 401, 'an issuer the new location does not trust';
    is get('/to-any/x', @user)->status, 200, 'a location that refuses the token, but lets the address in';
    is_deeply at_app('X-User'), [], 'gets no identity that it did not verify';
    is get('/dir/', @user)->header('x-subject'), 'user-1', 'index';
    my $response = get('/xaccel/files/x', @user);
    is $response->status, 200, 'X-Accel-Redirect into a protected internal location';
    is $response->header('x-subject'), 'user-1', 'variables hold';
    is_deeply at_app('X-User'), ['user-1'], 'identity holds';
    is get('/xaccel/files/x')->status, 401, 'not without a token';
    is get('/rewritten/x')->status, 401, 'the gate of the first location counts for what rewrite leaves';
};

subtest 'limit_except and if' => sub {
    is get('/limited/x')->status, 200, 'GET is open';
    is http_post('/limited/x', 'a')->status, 401, 'POST is not';
    is http_post('/limited/x', 'a', headers => [@user])->status, 403, 'its requirement holds';
    is http_post('/limited/x', 'a', headers => [@boss])->status, 200, 'and can be met';
    is get('/open-get/x')->status, 200, 'gate off in limit_except';
    is http_post('/open-get/x', 'a')->status, 401, 'other methods keep the gate';
    is get('/if/x?x=1')->status, 401, 'an if block inherits the gate';
    is get('/if/x?x=1', @user)->status, 200, 'and lets in';
};

subtest 'auth_delay' => sub {
    my $start = Time::HiRes::time();
    is get('/delay/x', Authorization => 'Bearer a.b.c')->status, 401, 'refused';
    cmp_ok Time::HiRes::time() - $start, '>=', 0.25, 'after the delay';
};

done_testing;
