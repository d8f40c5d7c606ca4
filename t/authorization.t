# What locations ask for: scopes, roles, claims and values, by method, added up over the levels.

use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new;
my $app = $t->upstream('app');
$t->write_jwks('keys.jwks', 'rs');
$t->write_file('staff.roles', "viewer *:read;\neditor viewer orders:write;\n# all\nadmin *;\n");
my %key = map { $_ => api_key('k_') } qw(wild roles labels);
$t->write_file('keys.json', key_file(
    key_record($key{wild}, scopes => ['orders:*', '*:list']),
    key_record($key{roles}, roles => ['editor']),
    key_record($key{labels}, labels => { plan => 'gold', seats => 5 }),
));
$t->start(<<'EOF');
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; roles staff;
    role_claim realm_access.roles roles role; }
gate_keys  k { file %%DIR%%/keys.json; prefix k_; roles staff; }
gate_roles staff { file %%DIR%%/staff.roles; }
map $gate_claim_tenant $is_acme { acme 1; default 0; }
server {
    listen 127.0.0.1:%%PORT%%;
    gate jwt=corp key=k;
    gate_error_format off;
    add_header X-Reason $gate_reason always;
    location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /scope/ { gate_require_scope orders:read; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /any/ { gate_require_scope any a b; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /all/ { gate_require_scope all a b; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /role/ { gate_require_role editor; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /methods/ { gate_require_scope orders:read methods=GET; gate_require_scope orders:write methods=POST,PUT;
        proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /both/ { gate_require_scope a methods=GET; gate_require_scope b; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /claim/eq/ { gate_require_claim org.level eq 3; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /claim/ge/ { gate_require_claim org.level ge 3; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /claim/ne/ { gate_require_claim tenant ne acme; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /claim/in/ { gate_require_claim tenant in acme corp; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /claim/not-in/ { gate_require_claim tenant !in acme corp; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /claim/any/ { gate_require_claim amr any otp hwk; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /claim/all/ { gate_require_claim amr all pwd otp; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /claim/match/ { gate_require_claim email match ^[^@]+@example\.com$; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /claim/exists/ { gate_require_claim act exists error=401; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /claim/absent/ { gate_require_claim act !exists; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /claim/plan/ { gate_require_claim plan eq gold; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /value/ { gate_require $is_acme error=404; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location ~ ^/tenants/(?<tenant>[^/]+)/ { gate_require_scope orders:$tenant; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /arg/ { gate_require_scope "x:${arg_t}:read"; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /up/ {
        gate_require_scope a;
        proxy_pass http://127.0.0.1:%%PORT_app%%;
        location /up/down/ { gate_require_scope b; proxy_pass http://127.0.0.1:%%PORT_app%%; }
        location /up/reset/ { gate_require off; gate_require_scope b; proxy_pass http://127.0.0.1:%%PORT_app%%; }
        location /up/open/ { gate off; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    }
    location /optional/ { gate jwt=corp optional; gate_require_scope a; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /limited/ { gate_require_scope a; limit_except GET { gate_require_scope b; } proxy_pass http://127.0.0.1:%%PORT_app%%; }
}
EOF

# "status reason" of a request with these claims (or with an API key).
sub outcome {
    my ($who, $path, $method) = @_;
    my @headers = ref $who ? (Authorization => 'Bearer ' . mint(claims => $who)) : $who ? ('X-API-Key' => $who) : ();
    $app->clear;
    my $response = http_request($method // 'GET', $path, headers => [@headers]);
    is $app->hits, $response->status == 200 ? 1 : 0, 'the app saw it only if it was allowed';
    return join ' ', $response->status, $response->header('x-reason') // ();
}
sub passes { my ($name, @request) = @_; is outcome(@request), '200', $name; return; }
sub refuses { my ($name, $want, @request) = @_; is outcome(@request), $want, $name; return; }
my $scope = '403 scope_missing';

subtest 'scopes' => sub {
    passes('as a string', { scope => 'x orders:read y' }, '/scope/');
    passes('as an array', { scope => ['orders:read'] }, '/scope/');
    passes('under another name', { scp => ['orders:read'] }, '/scope/');
    refuses('the first claim present counts, alone', $scope, { scope => 'x', scp => ['orders:read'] }, '/scope/');
    refuses('none', $scope, {}, '/scope/');
    refuses($_, $scope, { scope => $_ }, '/scope/')
        for 'orders:readx', 'xorders:read', 'Orders:read', 'orders', 'orders:*', '*', 'orders:read,x', "orders:rea";
    refuses('an object', $scope, { scope => { 'orders:read' => 1 } }, '/scope/');
    refuses('a nested array', $scope, { scope => [['orders:read']] }, '/scope/');
    passes('any', { scope => 'b' }, '/any/');
    refuses('any of none', $scope, { scope => 'c' }, '/any/');
    passes('all', { scope => 'b a' }, '/all/');
    refuses('all but one', $scope, { scope => 'b' }, '/all/');
};

subtest 'wildcards count where the operator wrote them' => sub {
    passes('in a key', $key{wild}, '/scope/');
    passes('in a role map', { roles => ['viewer'] }, '/scope/');
    passes('through a role that includes it', { roles => 'editor' }, '/scope/');
    passes('everything', { roles => ['admin'] }, '/all/');
    refuses('a role that is in no map', $scope, { roles => ['*', 'root'] }, '/scope/');
};

subtest 'roles' => sub {
    passes('the role', { roles => ['editor'] }, '/role/');
    passes('of an API key', $key{roles}, '/role/');
    passes('nested', { realm_access => { roles => ['editor'] } }, '/role/');
    passes('a member of that very name first', { 'realm_access.roles' => ['editor'], realm_access => { roles => [] } }, '/role/');
    refuses('included is not including', '403 role_missing', { roles => ['viewer'] }, '/role/');
    refuses($_->[0], '403 role_missing', $_->[1], '/role/')
        for ['case', { roles => ['Editor'] }], ['comma list', { roles => 'editor,viewer' }], ['object', { roles => { editor => 1 } }],
            ['true', { roles => JSON::PP::true }], ['nested array', { roles => [['editor']] }];
};

subtest 'methods' => sub {
    my %read = (scope => 'orders:read');
    passes('GET', \%read, '/methods/');
    passes('HEAD goes with GET', \%read, '/methods/', 'HEAD');
    refuses('POST', $scope, \%read, '/methods/', 'POST');
    passes('PUT', { scope => 'orders:write' }, '/methods/', 'PUT');
    refuses($_, '403 method_not_covered', { scope => 'orders:read orders:write' }, '/methods/', $_) for qw(DELETE PATCH OPTIONS PROPFIND BREW);
    refuses('a line without methods holds for each', $scope, { scope => 'a' }, '/both/');
    passes('both lines', { scope => 'a b' }, '/both/');
    refuses('an uncovered method beside it', '403 method_not_covered', { scope => 'a b' }, '/both/', 'POST');
};

subtest 'claims' => sub {
    my $unmet = '403 claim_unmet';
    passes('eq', { org => { level => 3 } }, '/claim/eq/');
    refuses('eq', $unmet, { org => { level => 4 } }, '/claim/eq/');
    refuses('missing', $unmet, {}, '/claim/eq/');
    passes('ge', { org => { level => 3.5 } }, '/claim/ge/');
    refuses('ge', $unmet, { org => { level => 2 } }, '/claim/ge/');
    passes('ne', { tenant => 'other' }, '/claim/ne/');
    refuses('ne', $unmet, { tenant => 'acme' }, '/claim/ne/');
    refuses('ne of nothing', $unmet, {}, '/claim/ne/');
    passes('in', { tenant => 'corp' }, '/claim/in/');
    refuses('in', $unmet, { tenant => 'cor' }, '/claim/in/');
    passes('!in', { tenant => 'x' }, '/claim/not-in/');
    refuses('!in', $unmet, { tenant => 'acme' }, '/claim/not-in/');
    refuses('!in of nothing', $unmet, {}, '/claim/not-in/');
    passes('any', { amr => ['pwd', 'otp'] }, '/claim/any/');
    refuses('any', $unmet, { amr => ['pwd'] }, '/claim/any/');
    passes('all', { amr => ['otp', 'pwd', 'x'] }, '/claim/all/');
    refuses('all', $unmet, { amr => ['otp'] }, '/claim/all/');
    passes('match', { email => 'a@example.com' }, '/claim/match/');
    refuses('match', $unmet, { email => 'a@example.com.evil' }, '/claim/match/');
    refuses('match has limits', $unmet, { email => 'a' x 3000 }, '/claim/match/');
    passes('exists', { act => { sub => 'x' } }, '/claim/exists/');
    refuses('exists', '401 claim_unmet', {}, '/claim/exists/');
    passes('!exists', {}, '/claim/absent/');
    refuses('!exists', $unmet, { act => 1 }, '/claim/absent/');
    passes('labels of a key are its claims', $key{labels}, '/claim/plan/');
    refuses('a key without labels', $unmet, $key{wild}, '/claim/plan/');
};

subtest 'variables' => sub {
    passes('gate_require', { tenant => 'acme' }, '/value/');
    refuses('gate_require', '404 value_unmet', { tenant => 'x' }, '/value/');
    passes('named capture', { scope => 'orders:acme' }, '/tenants/acme/x');
    refuses('of another tenant', $scope, { scope => 'orders:acme' }, '/tenants/corp/x');
    refuses('a capture cannot widen', $scope, { scope => 'orders:*' }, '/tenants/*/x');
    refuses('nor name another part', $scope, { scope => 'orders:acme:admin' }, '/tenants/acme:admin/x');
    passes('argument', { scope => 'x:1:read' }, '/arg/?t=1');
    refuses('empty argument', $scope, { scope => 'x::read' }, '/arg/?t=');
    refuses('no argument', $scope, { scope => 'x::read' }, '/arg/');
    refuses('admin role does not help a bad value', $scope, { roles => ['admin'] }, '/arg/?t=*');
};

subtest 'levels' => sub {
    refuses('a lower level adds', $scope, { scope => 'b' }, '/up/down/');
    passes('both', { scope => 'a b' }, '/up/down/');
    passes('gate_require off drops what is inherited', { scope => 'b' }, '/up/reset/');
    passes('gate off drops all', '', '/up/open/');
    refuses('limit_except adds', $scope, { scope => 'a' }, '/limited/', 'POST');
    passes('limit_except: GET', { scope => 'a' }, '/limited/');
};

subtest '401 comes before 403' => sub {
    refuses('no credential', '401 no_credential', '', '/scope/');
    refuses('optional and anonymous, with a requirement', '401 no_credential', '', '/optional/');
    refuses('optional and bad', '401 exp_past', { exp => 1 }, '/optional/');
    refuses('expired and without scope', '401 exp_past', { exp => 1 }, '/scope/');
};

done_testing;
