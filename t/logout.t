# gate_logout: what it acknowledges is in force in every worker, and stays so.
use lib 't/lib';
use Gate::Config;
use Gate::Issued;
use Gate::Test;
use JSON::PP qw(encode_json);
use MIME::Base64 qw(decode_base64url);

subtest 'wrong lines' => sub {
    config_test();
    my $corp = 'gate_issuer corp { issuer d; audience b; jwks_file corp.jwks; } gate_keys k { file keys.json; }';
    my $kept = "gate_zone gate:4m state=.; $corp";
    my $demands = 'ends the session of a token, so the location must demand one; write "gate jwt=NAME;" into it';
    for my $gate ('gate off;', 'gate key=k;', 'gate jwt=corp key=k;', 'gate jwt=corp optional;') {
        refused($gate, in_server("location /l { $gate gate_logout; }", $kept), qr/"gate_logout" \Q$demands\E in nginx\.conf:2/);
    }
    refused('nowhere', in_server('location /l { gate jwt=corp; gate_logout; }', "gate_zone gate:4m; $corp"),
        qr/"gate_logout" has nowhere to keep what it revokes/);
    refused('arguments', in_server('location /l { gate jwt=corp; gate_logout now; }', $kept),
        qr/invalid number of arguments in "gate_logout" directive/);
    my %cookies = (
        'access' => 'has an unknown value "access"; expected access NAME, refresh NAME, or off alone',
        'session a' => 'has an unknown value "session"; expected access NAME, refresh NAME, or off alone',
        'access a max=1' => 'has an unknown value "max=1"; expected path=, domain=, samesite= or secure=',
        'access a samesite=maybe' => 'has an unknown value "samesite=maybe"; expected samesite=lax, samesite=strict or samesite=none',
        'access a secure=yes' => 'has an unknown value "secure=yes"; expected secure=on or secure=off',
        'access a samesite=none secure=off' => 'cannot set the cookie "a": ',
        'access __Host-a domain=example.com' => 'cannot set the cookie "__Host-a": ',
        'access a; gate_cookie access b' => 'has a cookie for access twice, or one name for both tokens',
        'access a; gate_cookie refresh a' => 'has a cookie for refresh twice, or one name for both tokens',
        'access a; gate_cookie off' => 'says off beside another such line',
        'off; gate_cookie access a' => 'stands beside "gate_cookie off"',
    );
    refused("gate_cookie $_", in_server("gate_cookie $_;", $corp), qr/"gate_cookie" \Q$cookies{$_}\E.* in nginx\.conf:2/) for sort keys %cookies;
};

my $t = Gate::Test->new(workers => 4, log_level => 'info');
chomp(my $hash = `openssl passwd -6 -salt saltsalt pencil`);
$t->write_file('users.json', encode_json({ users => [{ name => 'ann', password => $hash },
    { name => 'bulky', password => $hash, groups => [map { "group-$_" x 10 } 1 .. 50] }] }));
$t->write_file('es256.pem', pem('es256', 'private'));
$t->write_file('corp.jwks', jwks('rs'));
$t->write_file('in.txt', "in\n");
mkdir $t->dir . '/state';
$t->start(<<'END');
gate_zone gate:16m state=%%DIR%%/state;
gate_users staff { file users.json; }
gate_issuer own { issuer https://own.example; audience app; key file=es256.pem; sign access=1h refresh=7d; }
gate_issuer corp { issuer https://idp.example.com; jwks_file corp.jwks; audience orders; }
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    gate jwt=own,corp;
    gate_source jwt cookie=access;
    gate_cookie access access path=/api samesite=strict secure=off;
    gate_cookie refresh __Host-refresh;
    add_header X-Reason $gate_reason always;
    location = /login { gate off; gate_login issuer=own users=staff; }
    location = /bare { gate off; gate_cookie off; gate_login issuer=own users=staff; }
    location = /logout { gate_source jwt header=Authorization scheme=Bearer; gate_logout; }
    location = /logout/told { gate_source jwt header=Authorization scheme=Bearer; gate_logout;
        gate_reply logout 200 '{"success":true,"message":"Logged out successfully","who":"$subject"}'; }
    location / { gate_source jwt header=Authorization scheme=Bearer; root %%DIR%%; try_files /in.txt =404; }
    location /api { root %%DIR%%; try_files /in.txt =404; }
}
END

sub login { return http_post($_[0] // '/login', '{"username":"ann","password":"pencil"}'); }
sub by { return [Authorization => "Bearer $_[0]"]; }
sub all_say {
    my ($token, $path) = @_;
    return join ' ', keys %{ { map { http_get($path // '/', headers => by($token))->status => 1 } 1 .. 24 } };
}

subtest 'cookies of a login' => sub {
    my $answer = login();
    my @cookies = $answer->header_all('Set-Cookie');
    my ($access, $refresh) = @{ $answer->json }{qw(access_token refresh_token)};
    is_deeply \@cookies, [
        "access=$access; Path=/api; Max-Age=3600; SameSite=Strict; HttpOnly",
        "__Host-refresh=$refresh; Path=/; Max-Age=604800; SameSite=Lax; Secure; HttpOnly",
    ] or diag(join "\n", @cookies);
    is http_get('/api', headers => { Cookie => "access=$access" })->status, 200, 'the browser comes in with it';
    is_deeply [login('/bare')->header_all('Set-Cookie')], [], 'none where they are off';
    my $bulky = http_post('/login', '{"username":"bulky","password":"pencil"}');
    is $bulky->status, 500, 'a token that no cookie holds';
    is $bulky->header('Set-Cookie'), undef, 'is in none';
    like $t->error_log, qr/gate: a token of \d+ octets is too long for the cookie "access"; put fewer claims into it/, 'as the log says';
};

subtest 'logout' => sub {
    my $token = login()->json->{access_token};
    my $other = login()->json->{access_token};
    is all_say($token), '200', 'the token is good everywhere';
    my $answer = http_post('/logout', '', headers => by($token));
    is $answer->status . $answer->body, '204', 'logged out';
    is $answer->header('Cache-Control'), 'no-store', 'which nobody keeps';
    my @cookies = $answer->header_all('Set-Cookie');
    is scalar(@cookies), 2, 'both cookies';
    like $_, qr/=; .*Max-Age=0;.*Expires=Thu, 01 Jan 1970/, 'are removed' for @cookies;
    is all_say($token), '401', 'and good nowhere';
    is http_get('/', headers => by($token))->header('X-Reason'), 'revoked', 'revoked';
    is all_say($other), '200', 'another session goes on';
    is http_post('/logout', '', headers => by($token))->status, 401, 'a second time it is no token any more';
    my $told = http_post('/logout/told', '{"any":"thing"}', headers => by($other));
    is_deeply $told->json, { success => JSON::PP::true, message => 'Logged out successfully', who => 'ann' },
        'an answer of the legacy kind';
    is all_say($other), '401', 'and out';
};

subtest 'tokens of other issuers' => sub {
    for my $claims ({ jti => 'j1' }, { jti => undef }) {
        my $token = mint(claims => { aud => 'orders', sid => 'theirs', %$claims });
        is all_say($token), '200', 'good';
        is http_post('/logout', '', headers => by($token))->status, 204, 'logged out';
        is all_say($token), '401', 'out';
    }
    is all_say(mint(claims => { aud => 'orders', sid => 'theirs', jti => 'j2' })), '200', 'their sessions are theirs';
};

subtest 'what is no logout' => sub {
    my $token = login()->json->{access_token};
    is http_post('/logout', '')->status, 401, 'without a token';
    my $get = http_get('/logout', headers => by($token));
    is $get->status . $get->header('Allow'), '405POST', 'GET';
    is all_say($token), '200', 'changes nothing';
};

subtest 'it lasts' => sub {
    my $token = login()->json->{access_token};
    is http_post('/logout', '', headers => by($token))->status, 204, 'logged out';
    $t->kill_all;
    $t->start;
    is all_say($token), '401', 'killed right after the answer, nginx knows still';
    is all_say(login()->json->{access_token}), '200', 'and others come in';
};

done_testing();
