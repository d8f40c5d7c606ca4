# gate_refresh: one use for each token, sessions that end, and thieves that end them.
use lib 't/lib';
use Gate::Config;
use Gate::Issued;
use Gate::Test;
use JSON::PP qw(encode_json);
use Gate::HTTP qw(http_raw request_bytes);
use IO::Socket::INET;
use MIME::Base64 qw(decode_base64url);

subtest 'wrong lines' => sub {
    my $c = config_test();
    $c->write_file('es.pem', pem('es256', 'private'));
    $c->write_file('u.json', '{"users":[]}');
    mkdir $c->dir . '/state';
    my $issuer = 'gate_issuer own { issuer a; audience b; key file=es.pem; sign access=1h refresh=2h; } '
        . 'gate_issuer plain { issuer c; audience b; key file=es.pem kid=k; sign access=1h; } gate_issuer corp { issuer d; '
        . 'audience b; jwks_file corp.jwks; } gate_users staff { file u.json; } ';
    my $zone = "gate_zone gate:4m state=state; $issuer";
    my $in = 'in nginx.conf:2';
    my %lines = (
        'no issuer' => ['gate_refresh from=body;', 'needs issuer= with the name of a block'],
        'an unknown one' => ['gate_refresh issuer=x;', 'names unknown issuer "x"; declared issuers: own, plain, corp'],
        'one that makes none' => ['gate_refresh issuer=corp;', qr/names issuer "corp", which makes no tokens; write "sign access=1h;" into its block/],
        'no refresh tokens' => ['gate_refresh issuer=plain;',
            qr/takes refresh tokens of issuer "plain", which makes none; write refresh=7d beside "sign" \(.*\), or from=bearer here/],
        'unknown users' => ['gate_refresh issuer=own users=x;', 'names unknown users "x"; declared gate_users: staff'],
        'another word' => ['gate_refresh issuer=own for=1;',
            'has an unknown value "for=1"; expected issuer=, users=, from=, expired=, reuse= or session='],
        'another source' => ['gate_refresh issuer=own from=body,arg;',
            'has an unknown value "from=body,arg"; expected from= with some of body, cookie and bearer'],
        'a bad time' => ['gate_refresh issuer=own reuse=soon;',
            'has an unknown value "reuse=soon"; expected reuse= with a time such as 10s or 30d'],
        'no cookie' => ['gate_refresh issuer=own from=cookie;',
            'has from=cookie but no cookie; write "gate_cookie refresh NAME;"'],
        'expired refresh tokens' => ['gate_refresh issuer=own expired=1h;',
            'has expired= without from=bearer; a refresh token that has expired is never good'],
        'twice' => ['gate_refresh issuer=own; gate_refresh issuer=own;', 'directive is duplicate'],
    );
    for my $name (sort keys %lines) {
        my ($line, $text) = @{ $lines{$name} };
        refused($name, in_server("location /r { gate off; $line }", $zone), ref $text ? $text : qr/"gate_refresh" \Q$text\E in nginx\.conf:2/);
    }
    refused('a gate', in_server('gate jwt=own; location /r { gate_refresh issuer=own; }', $zone),
        qr/"gate_refresh" decides for itself, but a gate is in force here \(.*\); write "gate off;" in this location/);
    refused('nowhere to keep it', in_server('location /r { gate_refresh issuer=own; }', "gate_zone gate:4m; $issuer"),
        qr/"gate_refresh" has nowhere to keep what it revokes; write "gate_zone gate:64m state=.*;" or "gate_revocation redis=NAME;"/);
};

my $t = Gate::Test->new(workers => 4, log_level => 'info');
chomp(my $hash = `openssl passwd -6 -salt saltsalt pencil`);
my $bob = { name => 'bob', password => $hash, roles => ['editor'] };
sub write_users { $t->write_file('users.json', encode_json({ users => [{ name => 'ann', password => $hash }, @_] })); return; }
write_users($bob);
$t->write_file('es256.pem', pem('es256', 'private'));
$t->write_file('hs.secret', decode_base64url(key('hs256')->{k}));
$t->write_file('in.txt', "in\n");
mkdir $t->dir . '/state';
$t->start(<<'END');
gate_zone gate:16m state=%%DIR%%/state;
gate_users staff { file users.json; }
gate_issuer own { issuer https://own.example; audience app; key file=es256.pem; sign access=1h refresh=7d; }
gate_issuer hs { issuer off; audience off; algorithms HS256; key secret_file=hs.secret; sign access=24h; claim role $user.role; }
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    gate jwt=own,hs;
    add_header X-Reason $gate_reason always;
    location = /login { gate off; gate_cookie refresh sid path=/refresh secure=off; gate_login issuer=own users=staff; }
    location = /login/hs { gate off; gate_login issuer=hs users=staff; gate_reply login 200 '{"token":"$access_token"}'; }
    location = /refresh { gate off; gate_cookie refresh sid path=/refresh secure=off; gate_refresh issuer=own from=body,cookie; }
    location = /strict { gate off; gate_refresh issuer=own users=staff reuse=0s; }
    location = /short { gate off; gate_refresh issuer=own session=10s; }
    location = /renew { gate off; gate_refresh issuer=hs from=bearer expired=1h reuse=2s;
        gate_reply refresh 200 '{"token":"$access_token","expiresAt":"$expires_at"}'; }
    location = /logout { gate_logout; }
    location / { root %%DIR%%; try_files /in.txt =404; add_header X-Roles $gate_roles; add_header X-Reason $gate_reason always; }
}
END

sub login { my ($name, $path) = @_; return http_post($path // '/login', encode_json({ username => $name, password => 'pencil' }))->json; }
sub by { return [Authorization => "Bearer $_[0]"]; }
sub status { return http_get('/', headers => by($_[0]))->status; }
sub refresh {
    my ($token, $path) = @_;
    return http_post($path // '/refresh', encode_json({ refresh_token => $token }));
}
sub said { my ($answer) = @_; return $answer->status . ' ' . ($answer->header('X-Reason') // '-'); }

subtest 'a session goes on' => sub {
    my $first = login('ann');
    my $answer = refresh($first->{refresh_token});
    is $answer->status, 200, 'new tokens';
    my $second = $answer->json;
    is_deeply [sort keys %$second], [qw(access_token expires_in refresh_token token_type)], 'as after a login';
    is status($second->{access_token}), 200, 'which are good';
    is status($first->{access_token}), 200, 'as is the access token that was there before';
    my ($old, $new) = map { claims_of($_->{refresh_token}) } $first, $second;
    is_deeply [@$new{qw(sid auth_time sub)}], [@$old{qw(sid auth_time sub)}], 'of the same session';
    isnt $new->{jti}, $old->{jti}, 'by another id';
    ok verifies($second->{refresh_token}, jwk('es256')), 'another implementation verifies it';
    is refresh($second->{refresh_token})->status, 200, 'and again';
};

subtest 'by cookie' => sub {
    my $answer = http_post('/login', '{"username":"ann","password":"pencil"}');
    my ($token) = $answer->header('Set-Cookie') =~ /^sid=([^;]+); Path=\/refresh; Max-Age=604800;/;
    my @cookie = (Cookie => "a=b; sid=$token");
    is said(http_post('/refresh', '', headers => [@cookie, 'Sec-Fetch-Site' => 'cross-site'])), '401 no_credential',
        'not for another site';
    is said(http_post('/refresh', '', headers => [Cookie => "sid=$token; sid=$token"])), '401 no_credential', 'nor twice';
    my $next = http_post('/refresh', '', headers => [@cookie, 'Sec-Fetch-Site' => 'same-origin']);
    is $next->status, 200, 'for ours';
    like $next->header('Set-Cookie'), qr/^sid=\Q@{[$next->json->{refresh_token}]}\E; /, 'and takes the next place';
};

subtest 'one use' => sub {
    my $tokens = login('ann');
    my $next = refresh($tokens->{refresh_token})->json;
    is said(refresh($tokens->{refresh_token})), '401 refresh_reused', 'a second one soon after';
    is status($next->{access_token}), 200, 'changes nothing';
    is refresh($next->{refresh_token})->status, 200, 'and the session goes on';

    my $stolen = login('ann');
    my $theirs = refresh($stolen->{refresh_token}, '/strict')->json;
    is status($theirs->{access_token}), 200, 'somebody uses a token';
    is said(refresh($stolen->{refresh_token}, '/strict')), '401 refresh_reused', 'and somebody else does later';
    is status($theirs->{access_token}), 401, 'the session is over';
    is said(refresh($theirs->{refresh_token})), '401 revoked', 'for whoever has a token of it';
    is status($stolen->{access_token}), 401, 'in all places';
    like $t->error_log, qr/auth: deny reason=refresh_reused /, 'and the operator is told';

    for my $round (1 .. 10) {
        my $token = login('ann')->{refresh_token};
        my $bytes = request_bytes('POST', '/refresh', body => encode_json({ refresh_token => $token }));
        my @sockets = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port('main')) } 1 .. 16;
        syswrite $_, $bytes for @sockets;
        my %count;
        $count{ http_raw('', socket => $_, methods => ['POST'], count => 1)->status }++ for @sockets;
        is_deeply \%count, { 200 => 1, 401 => 15 }, "one of sixteen, round $round";
    }
};

subtest 'who gets none' => sub {
    my $tokens = login('ann');
    is said(refresh($tokens->{access_token})), '401 typ_bad', 'an access token';
    is said(refresh('x.y.z')), '401 tok_b64', 'no token';
    is said(http_post('/refresh', '{}')), '401 no_credential', 'nothing';
    is said(http_post('/refresh', '{"refresh_token":7}')), '400 body_malformed', 'a number';
    is said(http_get('/refresh')), '405 method_not_allowed', 'GET';
    is said(refresh('x' x 8193)), '401 tok_too_long', 'more than gate_max_token_size';
    my $forged = mint(key => 'es256_b', header => { typ => 'rt+jwt' },
        claims => { iss => 'https://own.example', aud => 'app', sub => 'ann', jti => 'x', sid => 'y', auth_time => time });
    like said(refresh($forged)), qr/^401 (kid_unknown|sig_bad)$/, 'a forged one';
    my $old = mint(key => 'es256', header => { typ => 'rt+jwt', kid => header_of($tokens->{refresh_token})->{kid} },
        claims => { iss => 'https://own.example', aud => 'app', sub => 'ann', jti => 'x', sid => 'y', auth_time => time - 11,
            iat => time - 5 });
    is said(refresh($old, '/short')), '401 exp_past', 'whose session has lasted long enough';
    my $session = login('ann');
    is http_post('/logout', '', headers => by($session->{access_token}))->status, 204, 'after a logout';
    is said(refresh($session->{refresh_token})), '401 revoked', 'the refresh token is dead';

    my $bobs = login('bob');
    write_users({ %$bob, status => 'disabled' });
    ok wait_for(sub { !grep { http_post('/login', '{"username":"bob","password":"pencil"}')->status != 401 } 1 .. 12 }), 'disabled';
    is said(refresh($bobs->{refresh_token})), '401 user_disabled', 'gets nothing more';
    write_users();
    ok wait_for(sub { said(refresh($bobs->{refresh_token})) eq '401 user_unknown' }), 'nor who is gone';
    write_users($bob);
    ok wait_for(sub { refresh($bobs->{refresh_token})->status == 200 }), 'the token was not used up';
};

subtest 'by the token itself' => sub {
    ok wait_for(sub { login('bob', '/login/hs')->{token} }), 'everybody knows bob';
    my $token = login('bob', '/login/hs')->{token};
    my $answer = http_post('/renew', '', headers => by($token));
    is $answer->status, 200, 'a new one';
    my $new = $answer->json->{token};
    is http_get('/', headers => by($new))->header('X-Roles'), 'editor', 'which is good';
    is claims_of($new)->{auth_time}, claims_of($token)->{auth_time}, 'and knows when the login was';
    is said(http_get('/', headers => by($token))), '401 revoked', 'it has taken the place of the old one';
    is said(http_post('/renew', '', headers => by($token))), '401 refresh_reused', 'once';
    my %claims = (iss => undef, aud => undef, sub => 'bob', auth_time => time - 90000, role => 'admin');
    my $late = mint(key => 'hs256', claims => { %claims, iat => time - 90000, exp => time - 3590, jti => 'late' });
    is said(http_get('/', headers => by($late))), '401 exp_past', 'one that has expired';
    my $renewed = http_post('/renew', '', headers => by($late))->json->{token};
    is http_get('/', headers => by($renewed))->header('X-Roles'), 'editor', 'is good for a new one, with what is true now';
    my $older = mint(key => 'hs256', claims => { %claims, iat => time - 90000, exp => time - 3610, jti => 'older' });
    is said(http_post('/renew', '', headers => by($older))), '401 exp_past', 'but not for ever';
    my $nameless = mint(key => 'hs256', claims => { %claims, jti => undef, iat => time });
    is http_post('/renew', '', headers => by($nameless))->status, 200, 'one without jti';
    is status($nameless), 401, 'is used up as well';
    is said(http_post('/renew', '')), '401 no_credential', 'none';
};

subtest 'it lasts' => sub {
    my $tokens = login('ann');
    is refresh($tokens->{refresh_token})->status, 200, 'used';
    $t->kill_all;
    $t->start;
    is said(refresh($tokens->{refresh_token})), '401 refresh_reused', 'which nginx knows after its death';
};

unlike $t->error_log . $t->access_log, qr/eyJ/, 'no token in any log';
done_testing();
