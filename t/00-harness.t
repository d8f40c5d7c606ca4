# The harness itself, on an nginx without the gate: what the other tests rely on works, and what
# must make a test fail is seen.
use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new(module => 0);
my $app = $t->upstream('app');
my $http = <<'CONF';
server {
    listen 127.0.0.1:%%PORT%%;
    location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location = /hello { return 200 "hello %%WORD%%\n"; }
    location /fcgi { fastcgi_pass 127.0.0.1:%%PORT_fcgi%%; include /etc/nginx/fastcgi_params; }
    location /uwsgi { uwsgi_pass 127.0.0.1:%%PORT_uwsgi%%; include /etc/nginx/uwsgi_params; }
}
server { listen 127.0.0.1:%%PORT_h2%% http2;
    location / { grpc_pass grpc://127.0.0.1:%%PORT_grpc%%; }
}
CONF
my $grpc = Gate::Test->new(module => 0);
$grpc->start($grpc->grpc_server_config($app));
$t->{ports}{grpc} = $grpc->port;
$t->start($http, vars => { WORD => 'world' });

subtest 'requests' => sub {
    is http_get('/hello')->status, 200, 'status';
    is http_get('/hello')->body, "hello world\n", 'body, with a placeholder filled';
    my @two = http_raw("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" . request_bytes('HEAD', '/hello'));
    is scalar(@two), 2, 'two pipelined answers';
    is_deeply [map { length $_->body } @two], [12, 0], 'a HEAD answer has no body';
    is http_raw("GET /hello HTTP/1.0\r\n\r\n")->body, "hello world\n", 'HTTP/1.0, ended by close';
    is http_raw("nonsense\r\n\r\n")->status, 400, 'raw bytes';
    is http_raw("GET / HTTP/1.1\r\nHo", timeout => 0.2)->{ended}, 'timeout', 'an open end times out';
    is http_post('/x', 'a=1')->json->{body}, 'a=1', 'POST body reaches the application';
    my $response = curl('/call', port => $t->port('h2'), headers => ['X-User', 'ann', 'X_User', ''],
        method => 'POST', body => 'x');
    is $response->{version}, 2, 'HTTP/2 by curl';
    is $response->header('grpc-status'), 0, 'gRPC answer';
    is_deeply [Gate::Upstream::values_of($app->last_request, 'X-User')], ['ann'],
        'headers of a gRPC call are recorded';
};

subtest 'recording upstreams' => sub {
    $app->clear;
    my $seen = http_get('/a%2Fb?c=d', headers => ['X-User', 'eve', 'X-User', "\xff"])->json;
    is $seen->{uri}, '/a%2Fb?c=d', 'raw URI in the answer';
    is $app->hits, 1, 'one hit';
    is_deeply [Gate::Upstream::values_of($app->last_request, 'x-user')], ['eve', "\xff"],
        'exact header bytes';
    like $app->last_request->{raw}, qr{\AGET /a%2Fb\?c=d HTTP/1\.0\r\n}, 'raw request';
    is http_get('/status/418')->status, 418, 'status by path';
    is http_get('/xaccel/hello')->body, "hello world\n", 'X-Accel-Redirect by path';
    $app->clear;
    is $app->hits, 0, 'cleared';
    my $fcgi = $t->upstream('fcgi', protocol => 'fastcgi');
    my $uwsgi = $t->upstream('uwsgi', protocol => 'uwsgi');
    my @headers = (headers => ['X-User', 'ann'], body => 'payload');
    for ([fcgi => $fcgi], [uwsgi => $uwsgi]) {
        my ($name, $upstream) = @$_;
        my $json = http_request('POST', "/$name?q", @headers)->json;
        is $json->{body}, 'payload', "$name: body";
        is $json->{uri}, "/$name?q", "$name: URI";
        is_deeply [Gate::Upstream::values_of($upstream->last_request, 'HTTP_X_USER')], ['ann'],
            "$name: parameter";
    }
};

subtest 'configuration tests' => sub {
    my ($status, $text) = $t->nginx_t("server {\n    listen 127.0.0.1:%%PORT%%;\n    nonsense;\n}");
    is $status, 1, 'nginx -t fails';
    like $text, qr/^nginx: \[emerg\] unknown directive "nonsense" in nginx.conf:3$/m,
        'line number of the text';
    is +($t->nginx_t)[0], 0, 'the running configuration passes';
    is join('', $t->problems), '', 'its messages do not count as problems';
};

subtest 'reload' => sub {
    my @before = $t->workers;
    is scalar(@before), 1, 'one worker';
    $t->write_config($http, vars => { WORD => 'reload' }, workers => 2);
    ok $t->reload, 'reload';
    is http_get('/hello')->body, "hello reload\n", 'new configuration serves';
    ok wait_for(sub { $t->workers == 2 }), 'two workers';
    $t->write_config('nonsense;');
    ok !$t->reload, 'a broken configuration is refused';
    is http_get('/hello')->body, "hello reload\n", 'the old one serves on';
};

subtest 'faults are seen' => sub {
    my ($victim) = $t->workers;
    kill 'KILL', $victim;
    ok wait_for(sub { $t->problems }), 'a killed worker leaves an [alert]';
    like join("\n", $t->problems), qr/\[alert\].*worker process $victim exited on signal 9/, 'its line';
    $t->allow(qr/worker process $victim exited on signal 9/);
    is scalar(my @none = $t->problems), 0, 'and can be allowed';
    ok wait_for(sub { $t->workers == 2 && http_get('/hello')->status == 200 }), 'a new worker serves';
    for my $text ('==1==ERROR: AddressSanitizer: heap-use-after-free', 'a.cc:1: runtime error: x') {
        my $file = $t->write_file('sanitizer.1', "$text\n");
        is scalar(my @all = $t->problems), 1, "seen: $text";
        unlink $file;
    }
};

subtest 'tokens' => sub {
    my $token = mint(key => 'es256', claims => { sub => 'ann', aud => undef });
    my ($head, $payload, $signature) = split /\./, $token;
    like decode_base64url($payload), qr/"sub":"ann"/, 'claims override';
    unlike decode_base64url($payload), qr/"aud"/, 'an undefined claim is left out';
    require Crypt::PK::ECC;
    my $ec = Crypt::PK::ECC->new(jwk('es256'));
    ok $ec->verify_message_rfc7518(decode_base64url($signature), "$head.$payload", 'SHA256'),
        'signature verifies';
    unlike jwks('rs'), qr/"d"/, 'no private part in a key set';
    my $file = $t->write_file('pub.pem', pem('ed448'));
    my $message = $t->write_file('m', join '.', (split /\./, mint(key => 'ed448'))[0, 1]);
    my $sig = $t->write_file('s', sign(Gate::Test::slurp($message), 'EdDSA', 'ed448'));
    like `openssl pkeyutl -verify -pubin -inkey $file -rawin -in $message -sigfile $sig 2>&1`,
        qr/Verified Successfully/, 'Ed448 by openssl';
    like api_key('acme_live_'), qr/\Aacme_live_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}\z/, 'API key';
};

done_testing;
