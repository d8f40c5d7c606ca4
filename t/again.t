# A credential that comes again within the second takes a way of its own through the handlers. What
# it is answered, and what the application sees, is the same as on the long way.

use lib 't/lib';
use Gate::Test;
use Gate::HTTP qw(http_raw);

my $t = Gate::Test->new;
my $app = $t->upstream('app');
my ($key, $bound, $long) = (api_key('k_'), api_key('k_'), 'f_long' . 'x' x 30);
$t->write_jwks('keys.jwks', 'rs');
$t->write_file('keys.json',
    key_file(key_record($key, owner => 'machine'), key_record($bound, cidr => ['127.0.0.1/32'])));
$t->write_file('foreign.json', key_file(key_record($long, owner => 'machine')));
$t->write_file('none.json', key_file());
mkdir $t->dir . '/html';
$t->write_file('html/page.html', "page\n");
$t->start(<<'EOF');
gate_issuer corp  { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
gate_issuer other { issuer https://other.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
gate_keys k { file %%DIR%%/keys.json; prefix k_; }
gate_keys foreign { file %%DIR%%/foreign.json; prefix f_; checksum off; }
gate_keys long { file %%DIR%%/none.json; prefix f_long; checksum off; }
limit_req_zone $server_name zone=slow:64k rate=500r/s;
log_format who "[$gate_subject]";
map $gate_subject $mapped { default "<$gate_subject>"; }
server {
    listen 127.0.0.1:%%PORT%%;
    root %%DIR%%/html;
    gate jwt=corp;
    location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /headers/ { gate_identity X-User $gate_subject; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /key/ { gate key=k; gate_identity X-User $gate_subject; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /one/ { gate key=foreign; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /two/ { gate key=foreign,long; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /both/ { gate jwt=corp key=k; gate_source key header=Authorization scheme=Bearer;
        proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /other/ { gate jwt=other; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location = /page.html { limit_req zone=slow burst=1000; }
    location /small/ { gate_max_token_size 256; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /small-any/ { satisfy any; deny all; gate_max_token_size 256; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /small-return/ { gate_max_token_size 256; return 200 "secret\n"; }
    location = /metrics { gate off; gate_metrics; }
    location /if/ { proxy_pass http://127.0.0.1:%%PORT_app%%; if ($arg_other) { set $branch 1; } }
    location /dry/ { gate_dry_run on; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /off/ { gate off; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /keep/ { gate_strip off; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /check/ { gate_preflight check; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /page/ { error_page 404 = @again; return 404; }
    location /missing/ { error_page 404 = @again; }
    location @again { gate jwt=corp key=k; gate_identity X-User $gate_subject; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /missing-identity/ { gate_identity X-User $gate_subject; error_page 404 = @again; }
    location /ambiguous/ { gate_source jwt header=X-One scheme=off; gate_source jwt header=X-Two scheme=off;
        error_page 400 = @key; }
    location @key { gate key=k; gate_identity X-User $gate_subject; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /refused/ { gate jwt=other; error_page 401 = @again; }
    location /rewritten/ { gate_source jwt header=X-Token scheme=off; rewrite ^ /key-missing/ last; }
    location /key-missing/ { gate key=k; error_page 404 = @token; }
    location /rewritten-lone/ { gate_source jwt header=X-Token1 scheme=off; rewrite ^ /key-missing-lone/ last; }
    location /key-missing-lone/ { gate key=k; gate_source key header=X-API-Key; error_page 404 = @token1; }
    location @token1 { gate_source jwt header=X-Token1 scheme=off; gate_identity X-User $gate_subject;
        proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location @token { gate_source jwt header=X-Token scheme=off; gate_identity X-User $gate_subject;
        proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /to-other/ { error_page 404 = @other; }
    location @other { gate jwt=other; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /to-off/ { error_page 404 = @off; }
    location @off { gate off; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /open-to/ { gate off; error_page 404 = @again; }
}
server {
    listen 127.0.0.1:%%PORT_early%%;
    gate jwt=corp;
    set $early_header $http_authorization;
    set $early_subject $gate_subject;
    set $early_mapped $mapped;
    location /variables/ { proxy_pass http://127.0.0.1:%%PORT_app%%;
        proxy_set_header X-Copy "[$http_authorization]"; proxy_set_header X-Who "[$gate_subject]";
        proxy_set_header X-Early "[$early_subject$early_mapped]"; }
    location /logged/ { access_log %%DIR%%/who.log who; proxy_pass http://127.0.0.1:%%PORT_app%%; }
}
server {
    listen 127.0.0.1:%%PORT_header%%;
    gate jwt=corp;
    set $early_header $http_authorization;
    location / { proxy_pass http://127.0.0.1:%%PORT_app%%; proxy_set_header X-Copy "[$http_authorization]"; }
}
EOF

my $token = mint(claims => { sub => 'user-1' });
my $times = 8;    # the first is verified, the next two are noted; all of them within a second or two

# The header lines as the application saw them, but those that a proxy adds.
sub seen {
    my ($request) = @_;
    return [map { join ': ', @$_ } grep { $_->[0] !~ /\A(?:Host|Connection)\z/i } @{ $request->{headers} }];
}

# Asks some times; passes when all answers are of the status, and what the application saw was what
# is expected (undef: nothing came there). Header lines as they are sent.
sub same {
    my ($name, $uri, $lines, $status, $expected, %opt) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $method = $opt{method} // 'GET';
    my $version = $opt{version} // '1.1';
    $app->clear;
    my $bytes = join '', map {"$_\r\n"} "$method $uri HTTP/$version", @$lines, '';
    my %got;
    my @to = (methods => [$method], $opt{server} ? (port => $t->port($opt{server})) : ());
    $got{ scalar(http_raw($bytes, @to))->status }++ for 1 .. $times;
    my @requests = $app->requests;
    return is_deeply [\%got, map { seen($_) } @requests],
        [{ $status => $times }, defined $expected ? ($expected) x $times : ()], $name;
}

# How many decisions were counted whose labels match.
sub counted {
    my ($labels) = @_;
    my $text = http_get('/metrics')->body;
    my $sum = 0;
    while ($text =~ /^nginx_gate_decisions_total\{([^}]*)\} (\d+)/mg) {
        my ($of, $count) = ($1, $2);
        $sum += $count if $of =~ $labels;
    }
    return $sum;
}

my $host = 'Host: h';
my $bearer = "Authorization: Bearer $token";

subtest 'the credential leaves the list wherever it stands' => sub {
    same 'last', '/', [$host, 'X-A: 1', 'X-B: 2', $bearer], 200, ['X-A: 1', 'X-B: 2'];
    same 'first', '/', [$bearer, $host, 'X-A: 1', 'X-B: 2'], 200, ['X-A: 1', 'X-B: 2'];
    same 'in the middle', '/', [$host, 'X-A: 1', $bearer, 'X-B: 2'], 200, ['X-A: 1', 'X-B: 2'];
    same 'alone', '/', [$bearer], 200, [], version => '1.0';
    same 'behind so many that the list has parts', '/',
        [$host, (map {"X-$_: 1"} 1 .. 19), $bearer], 200, [map {"X-$_: 1"} 1 .. 19];
    same 'alone in its part', '/', [$host, (map {"X-$_: 1"} 1 .. 19), $bearer, 'X-Z: 1'], 200,
        [(map {"X-$_: 1"} 1 .. 19), 'X-Z: 1'];
    same 'last in its part', '/headers/', [$host, (map {"X-$_: 1"} 1 .. 18), $bearer, map {"Y-$_: 1"} 1 .. 20],
        200, [(map {"X-$_: 1"} 1 .. 18), (map {"Y-$_: 1"} 1 .. 20), 'X-User: user-1'];
    same 'with identity headers in its place', '/headers/', [$host, 'X-A: 1', $bearer], 200,
        ['X-A: 1', 'X-User: user-1'];
    same 'forged ones go', '/headers/', [$host, 'x_user: root', $bearer, 'X-User: admin'], 200,
        ['X-User: user-1'];
    same 'an API key in its own header', '/key/', [$host, 'X-A: 1', "X-API-Key: $key", 'X-B: 2'], 200,
        ['X-A: 1', 'X-B: 2', 'X-User: machine'];
    same 'not where it is kept', '/keep/', [$host, $bearer], 200, [$bearer];
    same 'not in a dry run', '/dry/', [$host, $bearer], 200, [$bearer];
};

subtest 'spelling' => sub {
    same 'a scheme in other case', '/', [$host, "authorization: bEARER $token"], 200, [];
    same 'two blanks', '/', [$host, "Authorization: Bearer  $token"], 401;
    same 'a tab', '/', [$host, "Authorization: Bearer\t$token"], 401;
    same 'no token', '/', [$host, 'Authorization: Bearer'], 401;
    same 'another scheme', '/', [$host, 'Authorization: Basic dTpw'], 401;
    same 'one character more', '/', [$host, "${bearer}A"], 401;
    same 'one character less', '/', [$host, substr $bearer, 0, -1], 401;
    same 'a key with a blank', '/key/', [$host, "X-API-Key: $key x"], 401;
    same 'twice the key', '/key/', [$host, "X-API-Key: $key", "X-API-Key: $key"], 400;
};

subtest 'another location decides for itself' => sub {
    same 'let in', '/', [$host, $bearer], 200, [];
    same 'another issuer', '/other/', [$host, $bearer], 401;
    same "in an if's own location", '/if/?other=1', [$host, $bearer], 200, [];
    same 'a smaller limit on size', '/small/', [$host, $bearer], 401;
    same 'also where another module may let in', '/small-any/', [$host, $bearer], 401;
    same 'and that before the rewrite module answers', '/small-return/', [$host, $bearer], 401;
    same 'no gate', '/off/', [$host, $bearer], 200, [$bearer];
    same 'no key here', '/', [$host, "Authorization: Bearer $key"], 401;
    same 'a key of a store', '/one/', [$host, "X-API-Key: $long"], 200, [];
    same 'whose prefix is not the longest here', '/two/', [$host, "X-API-Key: $long"], 401;
    same 'a place for both: the token', '/both/', [$host, $bearer], 200, [];
    same 'a place for both: the key', '/both/', [$host, "Authorization: Bearer $key"], 200, [];
};

subtest 'methods' => sub {
    my @cors = ('Origin: https://a.example', 'Access-Control-Request-Method: PUT');
    same 'OPTIONS', '/', [$host, $bearer], 200, [], method => 'OPTIONS';
    same 'a preflight is answered', '/', [$host, $bearer, @cors], 204, undef, method => 'OPTIONS';
    same 'or checked', '/check/', [$host, @cors, $bearer], 200, \@cors, method => 'OPTIONS';
    same 'and refused', '/check/', [$host, @cors], 401, undef, method => 'OPTIONS';
};

subtest 'variables that somebody read before' => sub {
    same 'are read anew', '/variables/', [$host, $bearer], 200,
        ['X-Copy: []', 'X-Who: [user-1]', 'X-Early: [<>]'], server => 'early';
    same 'a header is gone', '/', [$host, $bearer], 200, ['X-Copy: []'], server => 'header';
    same 'also by the access log', '/logged/', [$host, $bearer], 200, [], server => 'early';
    my @lines;
    ok wait_for(sub { @lines = split /\n/, Gate::Test::slurp($t->dir . '/who.log'); @lines == $times }),
        'a line for each';
    is_deeply \@lines, [('[user-1]') x $times], 'as it was known in the end';
};

subtest 'internal redirects' => sub {
    same 'the credential is still known', '/page/', [$host, 'X-A: 1', $bearer], 200,
        ['X-A: 1', 'X-User: user-1'];
    same 'also when the first location let it in', '/missing/', [$host, $bearer, 'X-A: 1'], 200,
        ['X-A: 1', 'X-User: user-1'];
    same 'and was told by a header', '/missing-identity/', [$host, 'X-A: 1', $bearer], 200,
        ['X-A: 1', 'X-User: user-1'];
    same 'what was ambiguous there is not here', '/ambiguous/',
        [$host, "X-One: $token", "X-Two: x$token", "X-API-Key: $key"], 200, ['X-User: machine'];
    same 'each location took one of its own', '/rewritten/',
        [$host, "X-Token: $token", "X-API-Key: $key"], 200, ['X-User: user-1'];
    same 'also when each looks at one header alone', '/rewritten-lone/',
        [$host, "X-Token1: $token", "X-API-Key: $key"], 200, ['X-User: user-1'];
    my ($all, $refused) = (counted(qr/./), counted(qr/"iss_mismatch"/));
    same 'who was refused there is let in here', '/refused/', [$host, $bearer], 200, ['X-User: user-1'];
    is counted(qr/"iss_mismatch"/) - $refused, $times, 'and each refusal is counted';
    is counted(qr/./) - $all, $times, 'and nothing else';
    same 'to another issuer', '/to-other/', [$host, $bearer], 401;
    same 'to no gate: it is gone', '/to-off/', [$host, $bearer, 'X-A: 1'], 200, ['X-A: 1'];
    same 'from no gate', '/open-to/', [$host, $bearer], 200, ['X-User: user-1'];
};

subtest 'a key that is bound to addresses' => sub {
    my $from = sub {
        my ($address) = @_;
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port,
            LocalAddr => $address, Proto => 'tcp') or die "no socket: $!";
        $socket->blocking(0);
        return scalar(http_raw("GET /key/ HTTP/1.1\r\nHost: h\r\nX-API-Key: $bound\r\n\r\n",
            socket => $socket))->status;
    };
    is $from->('127.0.0.1'), 200, 'from there' for 1 .. $times;
    is $from->('127.0.0.2'), 401, 'from elsewhere' for 1 .. 2;
    is $from->('127.0.0.1'), 200, 'from there again';
};

subtest 'more requests at once than a worker keeps records for' => sub {
    my $count = 400;
    my @sockets = map {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port, Proto => 'tcp')
            or die "no socket: $!"
    } 1 .. $count;
    for my $round (1 .. 2) {
        $_->syswrite("GET /page.html HTTP/1.1\r\nHost: h\r\n$bearer\r\n\r\n") for @sockets;
        my %got;
        $got{ scalar(http_raw('', socket => $_, methods => ['GET'], timeout => 20))->status }++
            for @sockets;
        is_deeply \%got, { 200 => $count }, "round $round: all are answered";
    }
};

done_testing;
