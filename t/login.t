# gate_login: a user's name and password for tokens that the gate, and every library, verifies.
use lib 't/lib';
use Gate::Issued;
use Gate::Test;
use JSON::PP qw(encode_json);
use MIME::Base64 qw(decode_base64url);

my $t = Gate::Test->new(workers => 2, log_level => 'info');
# Hashes of "pencil": openssl passwd -6 -salt saltsalt, htpasswd's $apr1$.
my %hash;
chomp($hash{sha512} = `openssl passwd -6 -salt saltsalt pencil`);
chomp($hash{apr1} = `openssl passwd -apr1 -salt saltsalt pencil`);

sub users {
    my (@users) = @_;
    return encode_json({ users => [map { { password => $hash{sha512}, %$_ } } @users] });
}
my @people = (
    {   name => 'ann', email => 'ann@example.com', roles => ['editor', 'viewer'], scopes => ['orders:read', 'orders:write'],
        groups => ['blue'], created => '2026-01-15T10:00:00Z', labels => { id => 7, team => 'a"b' }
    },
    { name => 'bob', status => 'disabled' },
    { name => "j\x{fc}rgen" },
);
$t->write_file('users.json', users(@people));
$t->write_file('in.txt', "in\n");
$t->write_file('old.htpasswd', "carl:$hash{apr1}\n");
$t->write_file("$_.pem", pem($_, 'private')) for qw(rs es256 ed25519);
$t->write_file('hs.secret', decode_base64url(key('hs256')->{k}));
$t->allow(qr/weak hash/);
$t->start(<<'END');
gate_zone gate:16m;
gate_users staff { file users.json; }
gate_users old { file old.htpasswd; hash_threads 2; hash_queue 100; }
gate_issuer es { issuer https://es.example; audience orders; key file=es256.pem; sign access=1h refresh=7d; }
gate_issuer rs { issuer https://rs.example; audience orders other; type at+jwt; key file=rs.pem kid=r1; sign access=10m;
    claim role $user.role; claim mail $user.email; claim team $user.label.team; claim plan free; claim none $user.label.none;
    claim who "$user.name (staff)"; claim at "$user.label.none at home"; }
gate_issuer ed { issuer https://ed.example; audience orders; key file=ed25519.pem; sign access=2h; }
gate_issuer hs { issuer off; audience off; algorithms HS256; key secret_file=hs.secret; sign access=24h; }
server {
    listen 127.0.0.1:%%PORT%%;
    gate jwt=es,rs,ed,hs;
    gate_reply 401 '{"error":"no"}';
    add_header X-Reason $gate_reason always;
    location = /login/es { gate off; gate_login issuer=es users=staff; }
    location = /login/rs { gate off; gate_login issuer=rs users=staff; }
    location = /login/ed { gate off; gate_login issuer=ed users=staff; }
    location = /login/hs { gate off; gate_login issuer=hs users=staff; gate_field username email;
        gate_reply login 201 '{"token":"$access_token","expiresAt":"$expires_at","unix":"$expires_at.unix",
            "user":{"id":"$user.label.id","username":"$user.name","roles":"$user.roles","hello":"Hi $user.name!"}}'; }
    location = /login/old { gate off; gate_login issuer=es users=old; gate_error_format json; gate_reply 400 '{"bad":"$status"}'; }
    location = /login/limited { gate off; gate_login issuer=es users=staff; gate_fail_limit rate=3r/h key=username;
        gate_fail_limit rate=8r/h; }
    location = /login/checked { gate off; gate_preflight check; gate_login issuer=es users=staff; }
    location = /jwks { gate off; gate_jwks issuer=es; }
    location / { root %%DIR%%; add_header X-Who "$gate_subject|$gate_roles|$gate_scopes|$gate_groups" always;
        add_header X-Reason $gate_reason always; try_files /in.txt =404; }
}
END

sub login {
    my ($path, %fields) = @_;
    return http_post($path, encode_json(\%fields), headers => { 'Content-Type' => 'application/json' });
}
sub with { return http_get('/', headers => { Authorization => "Bearer $_[0]" }); }

subtest 'a good login' => sub {
    my $answer = login('/login/es', username => 'ann', password => 'pencil');
    is $answer->status, 200, 'is answered';
    is $answer->header('Cache-Control'), 'no-store', 'and nobody keeps the answer';
    is $answer->header('Content-Type'), 'application/json', 'which is JSON';
    my $json = $answer->json;
    is_deeply [sort keys %$json], [qw(access_token expires_in refresh_token scope token_type)], 'as in RFC 6749 section 5.1';
    is $json->{token_type}, 'Bearer', 'a bearer token';
    is $json->{expires_in}, 3600, 'for as long as "sign" says';
    is $json->{scope}, 'orders:read orders:write', 'with these scopes';

    my $token = $json->{access_token};
    ok verifies($token, jwk('es256')), 'another implementation verifies it';
    my $header = header_of($token);
    my $published = http_get('/jwks')->json->{keys}[0];
    is_deeply $header, { alg => 'ES256', typ => 'JWT', kid => $published->{kid} }, 'by the kid that is published';
    my $claims = claims_of($token);
    my ($jti, $sid, $iat) = delete @$claims{qw(jti sid iat)};
    like "$jti $sid", qr/\A[\w-]{22} [\w-]{22}\z/, 'it has an id, and one of the session';
    ok abs($iat - time) < 20, 'and was issued now';
    is_deeply $claims, {
        iss => 'https://es.example', sub => 'ann', aud => 'orders', exp => $iat + 3600, roles => ['editor', 'viewer'],
        scope => 'orders:read orders:write', groups => ['blue'],
    }, 'and says what the user may do';
    is with($token)->header('X-Who'), 'ann|editor,viewer|orders:read orders:write|blue', 'the gate lets it in';

    my $refresh = $json->{refresh_token};
    is header_of($refresh)->{typ}, 'rt+jwt', 'the refresh token says what it is';
    my $its = claims_of($refresh);
    is_deeply [sort keys %$its], [qw(aud auth_time exp iat iss jti sid sub)], 'and nothing else';
    is "$its->{sid} " . ($its->{exp} - $its->{iat}), "$sid 604800", 'of the same session, for seven days';
    my $refused = with($refresh);
    is $refused->status . ' ' . $refused->header('X-Reason'), '401 typ_bad', 'it opens nothing';
};

subtest 'keys of all kinds' => sub {
    my $rs = login('/login/rs', username => 'ann', password => 'pencil')->json;
    is_deeply [sort keys %$rs], [qw(access_token expires_in scope token_type)], 'no refresh token where none is asked for';
    ok verifies($rs->{access_token}, jwk('rs')), 'RS256';
    is_deeply header_of($rs->{access_token}), { alg => 'RS256', typ => 'at+jwt', kid => 'r1' }, 'of the type that is accepted';
    my $claims = claims_of($rs->{access_token});
    is_deeply $claims->{aud}, ['orders', 'other'], 'for all audiences';
    is join('|', map { $claims->{$_} // '-' } qw(role mail team plan who at none scope sid)),
        'editor|ann@example.com|a"b|free|ann (staff)| at home|-|-|-',
        'with the claims that the issuer names';
    is with($rs->{access_token})->header('X-Who'), 'ann|editor||', 'which count';
    my $ed = login('/login/ed', username => 'ann', password => 'pencil')->json->{access_token};
    ok verifies($ed, jwk('ed25519')), 'EdDSA';
    is with($ed)->status, 200, 'is let in';

    my $hs = login('/login/hs', email => 'ann', password => 'pencil');
    is $hs->status, 201, 'HS256, with a status of its own';
    my $json = $hs->json;
    my $token = $json->{token};
    ok verifies($token, key('hs256')), 'verifies';
    is_deeply header_of($token), { alg => 'HS256', typ => 'JWT' }, 'without kid';
    my $exp = claims_of($token)->{exp};
    is_deeply $json, {
        token => $token, expiresAt => $json->{expiresAt}, unix => $exp,
        user => { id => 7, username => 'ann', roles => ['editor', 'viewer'], hello => 'Hi ann!' },
    }, 'in the shape that gate_reply gives it';
    like $json->{expiresAt}, qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z/, 'RFC 3339';
    is with($token)->status, 200, 'is let in';
};

subtest 'forms and names' => sub {
    is http_post('/login/es', 'username=ann&password=pencil',
        headers => { 'Content-Type' => 'application/x-www-form-urlencoded' })->status, 200, 'a form';
    is http_post('/login/es', ' {"username":"ann","password":"pencil"}',
        headers => { 'Content-Type' => 'application/x-www-form-urlencoded' })->status, 200, 'JSON that curl -d calls a form';
    my $answer = login('/login/es', username => "j\x{fc}rgen", password => 'pencil');
    is claims_of($answer->json->{access_token})->{sub}, "j\x{fc}rgen", 'a name beyond ASCII';
    is login('/login/old', username => 'carl', password => 'pencil')->status, 200, 'a user of htpasswd';
    my $body = '{"username":"ann","password":"pencil"}';
    is http_request('POST', '/login/es', body => join('', map { sprintf "1\r\n%s\r\n", $_ } split //, $body) . "0\r\n\r\n",
        headers => { 'Transfer-Encoding' => 'chunked' })->status, 200, 'a chunk for each octet';
    is http_raw([map { $_ } "POST /login/es HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 38\r\n\r\n",
        split //, $body], pause => 0.001)->status, 200, 'octet by octet';
};

subtest 'who does not get in' => sub {
    my @cases = (
        ['a wrong password', { username => 'ann', password => 'Pencil' }, 'password_wrong'],
        ['an empty one', { username => 'ann', password => '' }, 'password_wrong'],
        ['one of 600 octets', { username => 'ann', password => 'pencil' . 'x' x 600 }, 'password_wrong'],
        ['nobody', { username => 'zoe', password => 'pencil' }, 'user_unknown'],
        ['another spelling', { username => 'Ann', password => 'pencil' }, 'user_unknown'],
        ['no name', { username => '', password => 'pencil' }, 'user_unknown'],
        ['who is disabled', { username => 'bob', password => 'pencil' }, 'user_disabled'],
        ['who is disabled and does not know', { username => 'bob', password => 'x' }, 'user_disabled'],
    );
    my %answers;
    for my $case (@cases) {
        my ($name, $fields, $reason) = @$case;
        my $answer = login('/login/es', %$fields);
        is $answer->status . ' ' . $answer->header('X-Reason'), "401 $reason", $name;
        my %headers = map { $_ => $answer->header($_) } qw(Content-Type WWW-Authenticate Cache-Control Content-Length);
        $answers{ encode_json([$answer->body, map { $headers{$_} } sort keys %headers]) }++;
    }
    is keys %answers, 1, 'all get the same answer';
    like((keys %answers)[0], qr/Bearer realm=/, 'with a challenge');
    like $t->error_log, qr/\[error\] .*auth: deny reason=$_ src=- kind=none status=401/, "logged: $_"
        for qw(password_wrong user_unknown user_disabled);
    my $nul = http_post('/login/es', '{"username":"ann","password":"pencil\u0000"}');
    is $nul->status . ' ' . $nul->header('X-Reason'), '400 body_malformed', 'a NUL does not shorten a password';
};

subtest 'bad requests' => sub {
    my @cases = (
        ['no body', [POST => '/login/old'], '400 body_malformed'],
        ['no password', [POST => '/login/old', body => '{"username":"ann"}'], '400 body_malformed'],
        ['a number', [POST => '/login/old', body => '{"username":"ann","password":1}'], '400 body_malformed'],
        ['broken JSON', [POST => '/login/old', body => '{"username":"ann"'], '400 body_malformed'],
        ['a field twice', [POST => '/login/old', body => 'username=a&username=b&password=c'], '400 body_malformed'],
        ['another type', [POST => '/login/old', body => '<a/>', headers => { 'Content-Type' => 'text/xml' }], '415 media_type'],
        ['too much', [POST => '/login/old', body => '{"username":"' . 'a' x 65536 . '"}'], '413 body_too_large'],
        ['too much in chunks', [POST => '/login/old', body => sprintf("%x\r\n%s\r\n", 70000, 'a' x 70000) . "0\r\n\r\n",
            headers => { 'Transfer-Encoding' => 'chunked' }], '413 body_too_large'],
        ['GET', [GET => '/login/old'], '405 method_not_allowed'],
        ['HEAD', [HEAD => '/login/old'], '405 method_not_allowed'],
        ['PUT', [PUT => '/login/old', body => '{}'], '405 method_not_allowed'],
    );
    for my $case (@cases) {
        my ($name, $request, $expected) = @$case;
        my $answer = http_request(@$request);
        is $answer->status . ' ' . $answer->header('X-Reason'), $expected, $name;
        is $answer->header('Allow'), $expected =~ /^405/ ? 'POST' : undef, "$name: Allow";
        is $answer->header('WWW-Authenticate'), undef, "$name: no challenge";
        my $body = $expected =~ /^400/ ? '{"bad":400}' : qr/^\{"error":"\w+","status":@{[substr $expected, 0, 3]}\}$/;
        like $answer->body, ref $body ? $body : qr/\A\Q$body\E\z/, "$name: a body of ours" if $name ne 'HEAD';
    }
    my $preflight = http_request('OPTIONS', '/login/es',
        headers => { Origin => 'https://app.example', 'Access-Control-Request-Method' => 'POST' });
    is $preflight->status, 204, 'a preflight is answered';
    my $checked = http_request('OPTIONS', '/login/checked',
        headers => { Origin => 'https://app.example', 'Access-Control-Request-Method' => 'POST' });
    is $checked->status, 405, 'unless gate_preflight says otherwise';
};

subtest 'attempts are limited' => sub {
    my @statuses = map { login('/login/limited', username => 'ann', password => 'no')->status } 1 .. 4;
    is "@statuses", '401 401 401 429', 'of one name';
    my $late = login('/login/limited', username => 'ann', password => 'pencil');
    is $late->status . ' ' . $late->header('X-Reason'), '429 too_many_failures', 'whoever comes with it now';
    cmp_ok $late->header('Retry-After'), '>', 0, 'and when to come again';
    is login('/login/limited', username => "j\x{fc}rgen", password => 'pencil')->status, 200, 'others get in';
    my @names = map { login('/login/limited', username => "u$_", password => 'no')->status } 1 .. 6;
    is "@names[0, 5]", '401 429', 'and of one address';
};

subtest 'a file that changes' => sub {
    my $new = users({ %{ $people[0] }, status => 'disabled' }, { %{ $people[1] }, status => 'active' });
    $t->write_file('users.json', $new);
    ok wait_for(sub { login('/login/es', username => 'bob', password => 'pencil')->status == 200 }), 'bob is let in';
    # Each worker has its own copy.
    ok wait_for(sub { !grep { login('/login/es', username => 'ann', password => 'pencil')->status != 401 } 1 .. 8 }),
        'ann is not';
    $t->write_file('users.json', '{"users":[{"name":"ann"}]}');
    ok wait_for(sub { $t->error_log =~ /users.json" not taken over: .*; the last good users stay in force/ }), 'a broken file';
    is login('/login/es', username => 'bob', password => 'pencil')->status, 200, 'changes nothing';
    $t->write_file('users.json', users(@people));
    ok wait_for(sub { login('/login/es', username => 'ann', password => 'pencil')->status == 200 }), 'until it is whole';
};

unlike $t->error_log . $t->access_log, qr/pencil|saltsalt/i, 'no password and no hash in any log';
done_testing();
