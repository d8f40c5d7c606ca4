# The identity that the application sees: set by the gate alone, on every way through nginx.

use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new;
my $app = $t->upstream('app');
my $fcgi = $t->upstream('fcgi', protocol => 'fastcgi');
my $uwsgi = $t->upstream('uwsgi', protocol => 'uwsgi');
my $grpc = Gate::Test->new(module => 0);
$grpc->start($grpc->grpc_server_config($app));
$t->{ports}{grpc} = $grpc->port;
$t->write_jwks('keys.jwks', 'rs');

$t->start(<<'EOF');
log_format gate '$uri|$status|$gate_status|$gate_subject|$gate_claim_tenant|$dept';
access_log %%DIR%%/gate.log gate;
underscores_in_headers on;
ignore_invalid_headers off;
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
gate_claim $dept org.dept;
gate_claim $odd  "https://example.com/odd";
gate_claim $raw  org as=json;
gate_claim $b64  org.dept as=base64url;
gate_identity_clear X-Forwarded-User X-Secret;
upstream app { server 127.0.0.1:%%PORT_app%%; keepalive 4; }
server {
    listen 127.0.0.1:%%PORT%%;
    gate jwt=corp;
    gate_identity X-User-Id $gate_subject;
    gate_identity X-User-Roles $gate_roles;
    gate_identity X-Scopes $gate_scopes;
    location / { proxy_pass http://app; }
    location /lists/ { gate_identity X-Groups $gate_groups; gate_identity X-Dept $dept; gate_identity X-Odd $odd;
        gate_identity X-Raw $raw; gate_identity X-B64 $b64; gate_identity X-Empty $gate_client; proxy_pass http://app; }
    location /public/ { gate off; proxy_pass http://app; }
    location /optional/ { gate jwt=corp optional; proxy_pass http://app; }
    location /fcgi/ { fastcgi_pass 127.0.0.1:%%PORT_fcgi%%; include /etc/nginx/fastcgi_params; }
    location /uwsgi/ { uwsgi_pass 127.0.0.1:%%PORT_uwsgi%%; include /etc/nginx/uwsgi_params; }
    location /any/ { satisfy any; allow 127.0.0.1; deny all; proxy_pass http://app; }
    location /dry/ { gate_dry_run on; proxy_pass http://app; }
    location /unsafe/ { proxy_set_header X-Direct $gate_claim_evil; proxy_pass http://app; }
}
server { listen 127.0.0.1:%%PORT_h2%% http2;
    gate jwt=corp; gate_identity X-User-Id $gate_subject;
    location / { grpc_pass grpc://127.0.0.1:%%PORT_grpc%%; } }
server { listen 127.0.0.1:%%PORT_inner%%; gate_identity_clear off;
    location / { proxy_pass http://app; }
    location /gated/ { gate jwt=corp; gate_identity X-User-Id $gate_subject; proxy_pass http://app; } }
EOF

sub values_at_app { return [Gate::Upstream::values_of(($_[1] // $app)->last_request, $_[0])]; }

my %claims = (roles => ['editor', 'viewer'], scope => 'a b', tenant => 't1', groups => ['g1', 'g2'],
    org => { dept => 'sales' }, 'https://example.com/odd' => 'x');
my $token = mint(claims => \%claims);
my @auth = (Authorization => "Bearer $token");
my @forged = ('X-User-Id', 'admin', 'x-user-id', 'root', 'X_User_Id', 'admin', 'X.User.Id', 'admin',
    'X-USER_ID', 'admin', 'X-User-Roles', 'admin', 'X-Forwarded-User', 'admin', 'X-Secret', '1');

subtest 'set from the token, whatever the client says' => sub {
    for my $path ('/x', '/optional/x') {
        $app->clear;
        is http_get($path, headers => [@auth, @forged])->status, 200, $path;
        is_deeply values_at_app('X-User-Id'), ['user-1'], 'one X-User-Id';
        is_deeply values_at_app('X-User-Roles'), ['editor,viewer'], 'roles by comma';
        is_deeply values_at_app('X-Scopes'), ['a b'], 'scopes by space';
        my @names = map { $_->[0] } @{ $app->last_request->{headers} };
        ok !grep({ /^(?:X_|X\.|X-USER_)/i } @names), 'no alias left';
        ok !grep({ /Forwarded-User|Secret|Authorization/i } @names), 'cleared and stripped';
    }
};

subtest 'forged headers vanish where nobody is verified' => sub {
    for my $path ('/public/x', '/optional/x', '/any/x', '/dry/x') {
        $app->clear;
        is http_get($path, headers => [@forged])->status, 200, $path;
        my @names = map { $_->[0] } @{ $app->last_request->{headers} };
        ok !grep({ /user|secret/i } @names), 'none of them arrives' or diag "@names";
    }
    is http_get('/x', headers => [@forged], port => $t->port('inner'))->status, 200, 'an inner server';
    is_deeply values_at_app('X-User-Id'), ['admin', 'root'], 'that trusts its client keeps them';
    is http_get('/gated/x', headers => [@auth, @forged], port => $t->port('inner'))->status, 200, 'a gated location of it';
    is_deeply values_at_app('X-User-Id'), ['user-1'], 'sets its own in their place';
    ok !grep({ $_->[0] =~ /^X[_.]USER[_.]ID$/i } @{ $app->last_request->{headers} }), 'and leaves no alias';
};

subtest 'removal wherever the header stands among others' => sub {
    for my $count (0, 1, 18, 19, 20, 21, 40) {
        for my $at (0, 1, int($count / 2), $count) {
            my @all = map { ("X-Filler-$_", $_) } 1 .. $count;
            splice @all, 2 * ($at > $count ? $count : $at), 0, 'X-User-Id', 'admin';
            $app->clear;
            http_get('/x', headers => [@auth, @all]);
            my $bad = join(',', @{ values_at_app('X-User-Id') }) ne 'user-1'
                || grep { join(',', @{ values_at_app("X-Filler-$_") }) ne $_ } 1 .. $count;
            ok !$bad, "$count others, at $at";
        }
    }
    my @spread = map { ("X-Filler-$_", $_, 'X-User-Id', "u$_") } 1 .. 30;
    $app->clear;
    http_get('/x', headers => [@auth, @spread]);
    is_deeply values_at_app('X-User-Id'), ['user-1'], 'thirty of them between others';
    is_deeply [map { @{ values_at_app("X-Filler-$_") } } 1 .. 30], [1 .. 30], 'the others arrive, in order';
};

subtest 'Connection cannot name an identity header away' => sub {
    $app->clear;
    http_get('/x', headers => [@auth, 'Connection', 'close, X-User-Id, X-User-Roles']);
    is_deeply values_at_app('X-User-Id'), ['user-1'], 'it still arrives';
};

subtest 'claims as values' => sub {
    $app->clear;
    is http_get('/lists/x', headers => [@auth])->status, 200, 'status';
    is_deeply values_at_app('X-Groups'), ['g1,g2'], 'groups';
    is_deeply values_at_app('X-Dept'), ['sales'], 'nested';
    is_deeply values_at_app('X-Odd'), ['x'], 'oddly named';
    is_deeply values_at_app('X-Raw'), ['{"dept":"sales"}'], 'as JSON';
    is_deeply values_at_app('X-B64'), ['c2FsZXM'], 'as base64url';
    is_deeply values_at_app('X-Empty'), [], 'an empty value sets nothing';
};

subtest 'unsafe values' => sub {
    my %unsafe = (
        'CR LF in a role' => { roles => ["a\r\nX-Admin: 1"] }, 'comma in a role' => { roles => ['a,admin'] },
        'control character in sub' => { sub => "a\tb" }, 'NUL in a scope' => { scope => ["a\0b"] },
        '5,000 octets' => { sub => 'a' x 5000 }, 'space in a scope element' => { scope => ['a b'] },
    );
    for my $name (sort keys %unsafe) {
        $app->clear;
        my $response = http_get('/x', headers => { Authorization => 'Bearer ' . mint(claims => $unsafe{$name}) });
        is $response->status, 401, "$name: refused";
        is $app->hits, 0, 'not a request';
    }
    $app->clear;
    my $evil = mint(claims => { evil => "x\r\nX-Admin: 1" });
    http_get('/unsafe/x', headers => { Authorization => "Bearer $evil" });
    is_deeply values_at_app('X-Direct'), [], 'no variable carries a control character';
    is_deeply values_at_app('X-Admin'), [], 'so nothing is injected';
};

subtest 'FastCGI, uwsgi and gRPC' => sub {
    for (['/fcgi/x', $fcgi], ['/uwsgi/x', $uwsgi]) {
        my ($path, $upstream) = @$_;
        http_get($path, headers => [@auth, @forged]);
        is_deeply values_at_app('HTTP_X_USER_ID', $upstream), ['user-1'], "$path: parameter";
        is_deeply values_at_app('HTTP_AUTHORIZATION', $upstream), [], "$path: credential stripped";
        is_deeply values_at_app('HTTP_X_SECRET', $upstream), [], "$path: cleared";
    }
    $app->clear;
    curl('/grpc', port => $t->port('h2'), headers => [@auth, @forged], method => 'POST', body => 'x');
    is_deeply values_at_app('X-User-Id'), ['user-1'], 'gRPC: header';
    is_deeply values_at_app('Authorization'), [], 'gRPC: credential stripped';
};

subtest 'nothing leaks from one request of a connection to the next' => sub {
    my @users = map { mint(claims => { sub => "user-$_" }) } 1 .. 5;
    my $bytes = join '', map {
        my $headers = $_ % 6 ? ['Authorization', "Bearer $users[$_ % 6 - 1]"] : [];
        request_bytes('GET', "/x$_", headers => $headers, keepalive => 1);
    } 0 .. 59;
    $app->clear;
    my @responses = http_raw($bytes);
    is_deeply [map { $_->status } @responses], [map { $_ % 6 ? 200 : 401 } 0 .. 59], 'pipelined: each its status';
    my %seen = map { $_->{uri} => [Gate::Upstream::values_of($_, 'X-User-Id')] } $app->requests;
    is_deeply \%seen, { map { ("/x$_" => ['user-' . $_ % 6]) } grep { $_ % 6 } 0 .. 59 }, 'each its identity';
};

subtest 'a legacy app that knows only Basic' => sub {
    my $bridge = Gate::Test->new;
    $bridge->{ports}{app} = $t->port('app');
    $bridge->write_jwks('keys.jwks', 'rs');
    $bridge->start(<<'EOF');
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
gate_claim $account account as=base64url;
server {
    listen 127.0.0.1:%%PORT%%;
    gate jwt=corp;
    gate_source jwt header=X-Token;
    gate_identity Authorization "Basic $account";
    location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /basic/ { auth_basic door; auth_basic_user_file /dev/null; proxy_pass http://127.0.0.1:%%PORT_app%%; }
}
EOF
    $app->clear;
    http_get('/', headers => ['X-Token', mint(claims => { account => 'app:pw' }), 'Authorization', 'Basic eHg6eHg=']);
    is_deeply values_at_app('Authorization'), ['Basic YXBwOnB3'], 'gets what the gate set, not what the client sent';
    is http_get('/', headers => ['Authorization', 'Basic eHg6eHg='])->status, 401, 'and nothing without a token';
};

subtest 'HTTP/2: one connection, several streams' => sub {
    my $response = curl('/h2', port => $t->port('h2'), headers => [@forged]);
    is $response->status, 401, 'no token, no entry';
};

done_testing;
