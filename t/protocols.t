# HTTP as clients send it: versions, pipelining, odd bytes, long waits. Nothing crashes or hangs.

use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new;
my $app = $t->upstream('app');
$t->write_jwks('keys.jwks', 'rs');
$t->start(<<'EOF');
large_client_header_buffers 4 512k;
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_h2%% http2;
    client_body_timeout 2s;
    gate jwt=corp;
    gate_max_token_size 512k;
    gate_identity X-User $gate_subject;
    location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /cookie/ { gate_source jwt cookie=jwt; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /arg/ { gate_source jwt arg=token; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    error_page 400 = /sorry;
    location = /sorry { gate off; proxy_pass http://127.0.0.1:%%PORT_app%%/sorry; }
    location /gated-error/ { proxy_pass http://127.0.0.1:%%PORT_app%%; }
}
EOF

my $token = mint();
my $auth = "Authorization: Bearer $token\r\n";

subtest 'versions' => sub {
    is http_raw("GET / HTTP/1.0\r\n$auth\r\n")->status, 200, 'HTTP/1.0';
    is http_raw("GET / HTTP/1.0\r\n\r\n")->status, 401, 'HTTP/1.0 without a token';
    for my $case (['without', 401], ['with', 200, Authorization => "Bearer $token"]) {
        my ($name, $status, @headers) = @$case;
        my $response = curl('/x', port => $t->port('h2'), headers => [@headers]);
        is $response->status, $status, "HTTP/2 $name a token";
        is $response->{version}, 2, 'is HTTP/2';
    }
    is curl('/cookie/x', port => $t->port('h2'), headers => ['Cookie', "a=b; jwt=$token; c=d"])->status, 200, 'HTTP/2 cookie crumbs';
    is_deeply [Gate::Upstream::values_of($app->last_request, 'Cookie')], ['a=b; c=d'], 'the others arrive';
    is curl("/arg/x?a=1&token=$token&b=2", port => $t->port('h2'))->status, 200, 'HTTP/2 argument';
    is $app->last_request->{uri}, '/arg/x?a=1&b=2', 'scrubbed';
    unlike $t->access_log, qr/\Q@{[substr $token, -30]}\E/, 'and not logged';
};

subtest 'pipelining and refused bodies' => sub {
    my @responses = http_raw("GET / HTTP/1.1\r\nHost: a\r\n$auth\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n$auth\r\n");
    is_deeply [map { $_->status } @responses], [200, 401, 200], 'each request for itself';
    my $inner = "GET / HTTP/1.1\r\nHost: a\r\n$auth\r\n";
    @responses = http_raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " . length($inner) . "\r\n\r\n$inner", count => 2, timeout => 1);
    is_deeply [map { $_->status } @responses], [401], 'the body of a refused request is not the next request';
    my $response = http_raw("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", timeout => 3);
    is $response->status, 401, 'no 100 Continue before the 401';
};

subtest 'odd lines' => sub {
    for my $case (
        ['folded line', "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer\r\n $token\r\n\r\n"],
        ['NUL in a value', "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer $token\0\r\n\r\n"],
        ['bare CR', "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer $token\rX: y\r\n\r\n"],
        ['blank before colon', "GET / HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer $token\r\n\r\n"],
    ) {
        my ($name, $bytes) = @$case;
        $app->clear;
        my $status = http_raw($bytes)->status;
        my @inside = grep { $_->{uri} ne '/sorry' } $app->requests;
        ok $status == 400 || $status == 401 || $status == 200 && !@inside, "$name: refused" or diag $status;
        is scalar(@inside), 0, "$name: not passed on";
    }
    for my $case (
        ['second Host', "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nX-User: admin\r\n\r\n"],
        ['bad length', "GET / HTTP/1.1\r\nHost: a\r\nX-User: admin\r\nContent-Length: x\r\n\r\n"],
        ['nonsense', "nonsense\r\n\r\n"],
    ) {
        my ($name, $bytes) = @$case;
        $app->clear;
        http_raw($bytes, timeout => 2);
        my @forged = map { Gate::Upstream::values_of($_, 'X-User') } $app->requests;
        is_deeply \@forged, [], "$name: error_page 400 sends no forged identity";
    }
};

subtest 'hostile tokens end quickly' => sub {
    my $deep = encode_base64url('{"alg":"RS256","x":' . '[' x 50_000 . ']' x 50_000 . '}');
    my %hostile = (
        '8,000 dots' => '.' x 8000, '500,000 dots' => '.' x 500_000, 'deep header' => "$deep.e30.AA",
        'wide header' => encode_base64url('{' . join(',', map { qq("k$_":1) } 1 .. 20_000) . '}') . '.e30.AA',
        'long' => 'A' x 400_000, 'huge kid' => encode_base64url('{"alg":"RS256","kid":"' . 'k' x 200_000 . '"}') . '.e30.AA',
        'number' => encode_base64url('{"alg":"RS256","n":1e400}') . '.e30.AA',
        'digits' => encode_base64url('{"alg":"RS256","n":' . '9' x 300_000 . '}') . '.e30.AA',
    );
    for my $name (sort keys %hostile) {
        my $start = Time::HiRes::time();
        is http_get('/', headers => { Authorization => "Bearer $hostile{$name}" })->status, 401, $name;
        cmp_ok Time::HiRes::time() - $start, '<', 2, 'soon';
        is http_get('/cookie/', headers => { Cookie => "jwt=$hostile{$name}" })->status, 401, "$name in a cookie";
        is http_get("/arg/?token=$hostile{$name}")->status, 401, "$name in an argument";
    }
    my $crumbs = join '; ', map { "c$_=$_" } 1 .. 20_000;
    is http_get('/cookie/', headers => { Cookie => "$crumbs; jwt=$token" })->status, 200, '20,000 other cookies';
    my $arguments = join '&', map { "a$_=$_" } 1 .. 20_000;
    is http_get("/arg/?$arguments&token=$token")->status, 200, '20,000 other arguments';
};

subtest 'a client that goes away' => sub {
    for my $i (1 .. 20) {
        my $socket;
        http_raw("GET /sleep/200/x HTTP/1.1\r\nHost: a\r\n$auth\r\n", timeout => 0.01, fd => \$socket);
        close $socket;
    }
    is http_get('/', headers => { Authorization => "Bearer $token" })->status, 200, 'the next is served';
};

done_testing;
