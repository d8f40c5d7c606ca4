# How the body of a login comes: in pieces, late, too large, twice; through redirects, and never to a
# subrequest or into a file.
use lib 't/lib';
use Gate::HTTP2;
use Gate::Logins;
use Gate::Test;

my $t = Gate::Test->new(log_level => 'info');
my $app = $t->upstream('app');
$t->write_file('users.json', user_file(ann => 1000));
$t->write_file('others.json', user_file(zoe => 1000));
$t->write_file('es256.pem', pem('es256', 'private'));
$t->write_file('page.shtml', '<!--#include virtual="/login" -->end');
my $http = <<'END';
log_format who '$status $http_x_id $gate_reason';
access_log %%DIR%%/who.log who;
gate_zone gate:1m;
gate_users staff { file users.json; hash_threads 1; hash_queue 100; }
gate_users others { file others.json; }
gate_issuer own { issuer https://own.example; audience app; key file=es256.pem; sign access=1h; }
server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_h2%% http2;
    client_body_timeout 1s;
    client_body_in_file_only on;
    client_body_buffer_size 1;
    root %%DIR%%;
    add_header X-Reason $gate_reason always;
    location = /login { gate_login issuer=own users=staff; }
    location = /open { return 204; }

    location = /told { gate_login issuer=own users=staff; error_page 401 = @no; error_page 413 = @large; }
    location @no { return 403 "sorry"; }
    location @large { return 507 "large"; }
    location = /asked { gate_login issuer=own users=staff; error_page 401 413 = @app; }
    location @app { proxy_pass http://127.0.0.1:%%PORT_app%%; proxy_read_timeout 2s; }
    location = /second { gate_login issuer=own users=staff; error_page 401 = @others; }
    location @others { gate_login issuer=own users=others; }
    location = /again { gate_login issuer=own users=staff; error_page 401 = /again; recursive_error_pages on; }

    location = /rewritten { rewrite ^ /login last; }
    location = /tried { try_files /none /login; }
    location = /missed { error_page 404 = @late; return 404; }
    location @late { gate_login issuer=own users=staff; }
    location = /page { error_page 404 = /login; return 404; }

    location = /sub { auth_request /login; empty_gif; }
    location = /page.shtml { ssi on; }
    location = /added { add_before_body /login; alias %%DIR%%/page.shtml; types { } default_type text/html; }
    location = /mirrored { mirror /login; mirror_request_body on; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location = /copied { mirror /copy; gate_login issuer=own users=staff; }
    location = /copied/bare { mirror /copy/bare; mirror_request_body off; gate_login issuer=own users=staff; }
    location = /copied/memory { client_body_in_file_only off; client_body_buffer_size 16k; mirror /copy;
        gate_login issuer=own users=staff; }
    location = /copy/bare { internal; proxy_pass http://127.0.0.1:%%PORT_app%%/copy; proxy_pass_request_body off;
        proxy_set_header Content-Length ""; }
    location = /copy { internal; client_body_in_file_only off; proxy_pass http://127.0.0.1:%%PORT_app%%/copy; proxy_read_timeout 2s; }
}
END
$t->start($http);

my $body = '{"username":"ann","password":"pencil"}';
sub said { my ($answer) = @_; return $answer->status . ' ' . ($answer->header('X-Reason') // ''); }
sub temporary { return grep { -f } glob $t->dir . '/client_body/*'; }
sub chunked { return join('', map { sprintf "%x\r\n%s\r\n", length, $_ } @_) . "0\r\n\r\n"; }
sub post { my ($path, $text, %opt) = @_; return said(http_post($path, $text, %opt)); }
sub head { my ($path, @headers) = @_; return request_bytes('POST', $path, headers => [@headers]); }
sub who { my ($id) = @_; return slurp($t->dir . '/who.log') =~ /^(\d+) \Q$id\E /m ? $1 : ''; }
# A good login of that many octets.
sub padded { my ($size) = @_; return $body . ' ' x ($size - length $body); }

subtest 'sizes' => sub {
    is post('/login', padded(65536)), '200 ', '65536 octets';
    is post('/login', padded(65537)), '413 body_too_large', 'one more';
    my @chunks = unpack '(a10000)*', padded(65536);
    is post('/login', chunked(@chunks), headers => ['Transfer-Encoding' => 'chunked']), '200 ', 'in chunks';
    push @chunks, ' ';
    is post('/login', chunked(@chunks), headers => ['Transfer-Encoding' => 'chunked']), '413 body_too_large',
        'and one more in the last';
    is said(scalar http_raw([head('/login', 'Content-Length' => 65536), unpack '(a9999)*', padded(65536)], methods => ['POST'],
        pause => 0.01)), '200 ', 'in pieces';
    is said(scalar http_raw([head('/login', 'Transfer-Encoding' => 'chunked'), unpack '(a9999)*', chunked(@chunks)],
        methods => ['POST'], pause => 0.01)), '413 body_too_large', 'chunks in pieces';
    for my $size (65536, 65537) {
        my $h2 = Gate::HTTP2->new($t->port('h2'));
        my @frames = unpack '(a16384)*', padded($size);
        my $last = pop @frames;
        my $stream = $h2->request('POST', '/login', shift @frames, end => 0);
        $h2->more($stream, $_, end => 0) for @frames;
        $h2->status_of($h2->request('GET', '/open'));    # and the window is open again
        $h2->more($stream, $last);
        is $h2->status_of($stream), $size > 65536 ? 413 : 200, "$size octets over HTTP/2";
        $h2->close;
    }
    my @said = map { $_->status } http_raw(login_bytes('/login', keepalive => 1, password => 'x' x 65536)
        . request_bytes('GET', '/open'), methods => ['POST', 'GET'], count => 2);
    is "@said", '413', 'the connection ends behind a large one';
    is post('/login', ''), '400 body_malformed', 'Content-Length: 0';
    is post('/login', chunked(), headers => ['Transfer-Encoding' => 'chunked']), '400 body_malformed', 'no chunk';
    is http_raw(head('/login', 'Transfer-Encoding' => 'chunked') . "zz\r\n", methods => ['POST'])->status, 400, 'no chunk at all';
    my $get = http_request('GET', '/login', body => $body, keepalive => 1);
    is $get->status . ' ' . $get->header('Allow'), '405 POST', 'GET with a body';
    @said = map { $_->status } http_raw(request_bytes('GET', '/login', body => $body, keepalive => 1)
        . request_bytes('GET', '/open'), methods => ['GET', 'GET'], count => 2);
    is "@said", '405 204', 'which is skipped';
};

subtest 'slowly' => sub {
    my $late = http_raw([head('/login', 'Content-Length' => length $body, 'X-Id' => 'late'), map { substr $body, $_, 1 } 0 .. 3],
        methods => ['POST'], pause => 0.3);
    is $late->{ended}, 'eof', 'who goes silent waits for client_body_timeout only';
    is who('late'), '408', 'and is logged with 408';
    my $socket = connection();
    syswrite $socket, head('/login', 'Content-Length' => length $body, 'X-Id' => 'aborted') . substr $body, 0, 20;
    noticed();
    close $socket;
    ok wait_for(sub { who('aborted') =~ /\A4(?:00|99)\z/ }), 'who leaves with half of the body is gone: ' . who('aborted');
    $socket = connection();
    syswrite $socket, head('/login', 'Content-Length' => length $body, 'X-Id' => 'reset') . substr $body, 0, 20;
    noticed();
    reset_now($socket);
    ok wait_for(sub { who('reset') =~ /\A4(?:00|99)\z/ }), 'so is who resets the connection: ' . who('reset');
};

subtest 'Expect: 100-continue' => sub {
    my $socket = connection();
    syswrite $socket, head('/login', 'Content-Length' => length $body, Expect => '100-continue');
    noticed();
    syswrite $socket, $body;
    my $answer = answer_of($socket);
    is_deeply [$answer->status, @{ $answer->{interim} }], [200, 100], 'is told to go on';
    $socket = connection();
    syswrite $socket, head('/login', 'Content-Length' => 65537, Expect => '100-continue');
    $answer = answer_of($socket);
    is_deeply [$answer->status, @{ $answer->{interim} }], [413], 'unless it is too much';
    $socket = connection();
    syswrite $socket, request_bytes('GET', '/login', headers => ['Content-Length' => 5, Expect => '100-continue']);
    $answer = answer_of($socket);
    is_deeply [$answer->status, @{ $answer->{interim} }], [405], 'or not asked for';
};

subtest 'another answer' => sub {
    is post('/told', $body), '200 ', 'a good login';
    is post('/told', $body =~ s/ann/bob/r), '403 user_unknown', 'a bad one goes to another location';
    is post('/told', padded(70000)), '507 body_too_large', 'so does one that is too large';
    is post('/told', chunked(padded(70000)), headers => ['Transfer-Encoding' => 'chunked']), '507 body_too_large', 'in chunks';
    is http_post('/asked', $body =~ s/ann/bob/r)->status, 200, 'an application is asked';
    is $app->last_request->{body} // '', '', 'without the password';
    is http_post('/asked', padded(70000))->status, 200, 'also for what is too large';
    is http_post('/asked', chunked(padded(70000)), headers => ['Transfer-Encoding' => 'chunked'])->status, 200, 'in chunks';
    is post('/second', $body), '200 ', 'of the first users';
    is post('/second', $body =~ s/ann/zoe/r), '400 body_malformed', 'the body is read once, no second location has it';
    like http_post('/again', $body =~ s/ann/bob/r)->status, qr/\A(?:401|405|500)\z/, 'a location that is its own error page ends';
};

subtest 'by another way' => sub {
    is post($_, $body), '200 ', $_ for '/rewritten', '/tried', '/missed';
    is post('/page', $body), '405 method_not_allowed', 'error_page makes it a GET';
};

subtest 'subrequests log nobody in' => sub {
    my @forms = (['auth_request', '/sub'], ['SSI', '/page.shtml'], ['addition', '/added']);
    for my $form (@forms) {
        my ($name, $path) = @$form;
        for my $answer (http_get($path), http_post($path, $body)) {
            unlike $answer->body, qr/access_token/, "$name: no token";
        }
    }
    is http_post('/sub', $body)->status, 403, 'auth_request refuses';
    is http_post('/mirrored', $body)->status, 200, 'a mirror changes nothing';
};

is_deeply [map { slurp($_) } temporary()], [$body], 'a body that is proxied is in a file, as the location wants it';
unlink temporary();

subtest 'what others do with the body' => sub {
    for my $path ('/copied', '/copied/bare', '/copied/memory') {
        my ($login, $next) = http_raw(request_bytes('POST', $path, body => $body, keepalive => 1)
            . request_bytes('GET', '/open'), methods => ['POST', 'GET'], count => 2, timeout => 1.5);
        is $login->status, 200, "$path: logged in";
        is $next && $next->status, 204, 'and what comes next';
    }
    my @copies = map { $_->{body} // '' } grep { $_->{uri} eq '/copy' } $app->requests;
    is_deeply \@copies, [$body, '', $body], 'copies are whole';
};

is_deeply [map { slurp($_) } temporary()], [$body], 'in a file only where a mirror wants that';
unlike $t->error_log . slurp($t->dir . '/who.log'), qr/pencil/, 'no password in any log';
done_testing();
