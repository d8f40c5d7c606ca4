# gatectl routes: the table of what each location accepts and requires is what nginx has in force
# after merging.
use lib 't/lib';
use Gate::Test;

use JSON::PP ();

my $t = Gate::Test->new;

$t->write_jwks('corp.jwks', 'rs');
$t->write_file('keys.json', key_file(key_record(api_key('acme_'))));

sub gatectl_on {
    my ($http, @arguments) = @_;
    my $options = ref $arguments[-1] ? pop @arguments : {};
    $t->write_config($http);
    my %environment = $t->_environment;
    local @ENV{ keys %environment } = values %environment;
    return gatectl(@arguments, '-c', $t->dir . '/nginx.conf', '-p', $t->dir, '--nginx', $t->{nginx},
        $options);
}

my $blocks = <<'CONF';
gate_issuer corp { issuer https://idp.example.com; audience orders; jwks_file %%DIR%%/corp.jwks; }
gate_keys partner { file %%DIR%%/keys.json; prefix acme_; }
CONF

my $http = $blocks . <<'CONF';
server {
    listen 127.0.0.1:%%PORT%%;
    server_name api.example www.example;
    gate jwt=corp key=partner;
    location /orders/ {
        gate_require_scope orders:read methods=GET;
        gate_require_scope any orders:write orders:admin methods=POST,PUT;
        gate_require_claim dept match ^s;
        location /orders/help/ { gate_require off; }
    }
    location = /health { gate off; }
    location ~ \.php$ { limit_except GET { gate_require_role admin; } }
    location /maybe/ { gate jwt optional; }
    location /some/ { gate jwt; satisfy any; allow all; }
    location /try/ { gate_dry_run on; }
    location @fallback { internal; }
}
server {
    listen 127.0.0.1:%%PORT_two%%;
    location / { return 200; }
}
CONF

my ($status, $out, $err) = gatectl_on($http, 'routes', '--json');
is $status, 0, 'routes --json is done' or diag $err;
my $routes = JSON::PP->new->utf8->decode($out)->{routes};

# A row as one line: methods | accepted | required lines' text at line.
sub row {
    my ($route) = @_;
    my $methods = $route->{other_methods} ? 'others' : @{ $route->{but} } ? "not @{$route->{but}}"
        : "@{$route->{methods}}";
    my $accepted = $route->{public} ? 'public' : $route->{refused} ? 'refused' : "@{$route->{accepts}}";
    my @flags = grep { $route->{$_} } qw(optional satisfy_any dry_run internal);
    my @required = map { "$_->{text}:" . ($_->{where} =~ /:(\d+)\z/)[0] } @{ $route->{required} };
    return join '|', $methods, "$accepted @flags" =~ s/ \z//r, "@required",
        ($route->{where} =~ /:(\d+)\z/)[0];
}

my %rows;
push @{ $rows{"@{$_->{server}} $_->{location}"} }, row($_) for @$routes;
my $server = 'api.example www.example';
my $any = 'jwt=corp key=partner';
is_deeply \%rows, {
    "$server " => ["|$any||3"],
    "$server location /orders/" => [
        "GET HEAD|$any|orders:read:8 dept match ^s:10|7",
        "POST PUT|$any|any orders:write orders:admin:9 dept match ^s:10|7",
        'others|refused||7'],
    "$server location /orders/help/" => ["|$any||11"],
    "$server location = /health" => ['|public||13'],
    "$server location ~ \\.php\$" => ["GET HEAD|$any||14"],
    "$server limit_except in location ~ \\.php\$" => ["not GET HEAD|$any|admin:14|14"],
    "$server location /maybe/" => ['|jwt=corp optional||15'],
    "$server location /some/" => ['|jwt=corp satisfy_any||16'],
    "$server location /try/" => ["|$any dry_run||17"],
    "$server location \@fallback" => ["|$any internal||18"],
    ' location /' => ['|public||22'],
}, 'rows tell methods, what is accepted and required, and where';
is_deeply $routes->[-1]{listen}, ['127.0.0.1:' . $t->port('two')], 'a server without name by address';

($status, $out) = gatectl_on($http, 'routes');
is $status, 0, 'routes is done';
like $out, qr{^SERVER +LOCATION +METHODS +ACCEPTED +REQUIRED +WHERE$}m, 'a table for people';
like $out, qr{^api\.example www\.example +/orders/ +GET HEAD +\Q$any\E +scope orders:read \[nginx\.conf:8\]; claim dept match \^s \[nginx\.conf:10\] +nginx\.conf:7$}m,
    'with file and line';
like $out, qr{= /health +all +public}, 'public locations say so';

($status, $out) = gatectl_on($http, 'routes', '--public', '--json');
is_deeply [map { $_->{location} } @{ JSON::PP->new->utf8->decode($out)->{routes} }],
    ['location = /health', 'location /maybe/', 'location /some/', 'location /try/', 'location /'],
    '--public lists what lets somebody in without a credential';

($status, $out, $err) = gatectl_on($blocks . 'server { gate jwt=nobody; }', 'routes');
is $status, 1, 'a broken configuration is refused';
like $err, qr{\[emerg\] .*"gate" names unknown issuer "nobody"}, 'in the words of nginx';
is $out, '', 'and nothing else is printed';

my $plain = Gate::Test->new(module => 0);
$plain->write_config('server { listen 127.0.0.1:%%PORT%%; }');
($status, $out, $err) = gatectl('routes', '-c', $plain->dir . '/nginx.conf', '-p', $plain->dir,
    '--nginx', $plain->{nginx});
is $status, 1, 'an nginx without the module is refused';
like $err, qr/does this configuration load the module/, 'and told so';

# The dump: under -t only, private, and without the secrets' text.
my $secret = 'a secret that is long enough for HS256';
$t->write_file('hs.secret', $secret);
my $dump = $t->dir . '/dump.json';
($status, my $said) = $t->nginx_t($blocks . "gate_issuer hs { issuer off; audience off; algorithms HS256;\n"
    . "key secret_file=%%DIR%%/hs.secret; }\nserver { listen 127.0.0.1:%%PORT%%; }",
    env => { GATE_DUMP => $dump });
is $status, 0, "nginx -t with GATE_DUMP" or diag $said;
ok slurp($dump) =~ /hs\.secret/ && index(slurp($dump), $secret) < 0, 'names files, not secrets';
is sprintf('%o', (stat $dump)[2] & 07777), '600', 'and is private';

done_testing();
