# gate_fail_limit: a client that keeps failing is refused before a signature is computed; what is
# known passes all the same.

use lib 't/lib';
use Gate::Test;
use Time::HiRes qw(sleep);

my $t = Gate::Test->new(workers => 2);
my ($key, $other) = (api_key('p_'), api_key('p_'));
$t->write_jwks('corp.jwks', 'rs');
$t->write_file('keys.json', key_file(key_record($key)));
$t->start(<<'EOF2');
gate_issuer corp { issuer https://idp.example.com; jwks_file corp.jwks; audience orders; }
gate_keys partner { file keys.json; prefix p_; }
set_real_ip_from 127.0.0.1;
real_ip_header X-Client;
server {
    listen 127.0.0.1:%%PORT%%;
    gate jwt=corp key=partner;
    gate_max_token_size 1k;
    location / { gate_fail_limit rate=3r/h; empty_gif; }
    location /scope/ { gate_fail_limit rate=3r/h; gate_require_scope none; empty_gif; }
    location /user/ { gate_fail_limit rate=3r/h key=$arg_user; empty_gif; }
    location /quick/ { gate_fail_limit rate=30r/m burst=1; empty_gif; }
    location /dry/ { gate_fail_limit rate=3r/h; gate_dry_run on; empty_gif; }
    location /twice/ { gate_fail_limit rate=3r/h; error_page 401 = /again/; empty_gif; }
    location /again/ { gate_fail_limit rate=3r/h; empty_gif; }
    location /off/ { gate_fail_limit off; empty_gif; }
    location /none/ { gate jwt=corp optional; gate_fail_limit rate=3r/h; empty_gif; }
}
EOF2

my $number = 0;
sub fresh { return ('Authorization', 'Bearer ' . mint(claims => { jti => "j" . ++$number, @_ })); }
sub forged { my $token = mint(key => 'rs_b', header => { kid => 'rs' }, claims => { jti => "j" . ++$number }); return ('Authorization', "Bearer $token"); }
my $client = '';
sub ask { my ($uri, @headers) = @_; return http_get($uri, headers => ['X-Client', $client, @headers]); }
sub statuses { my ($count, $uri, $headers) = @_; return join ' ', map { ask($uri, $headers->())->status } 1 .. $count; }

$client = '192.0.2.1';
my @known = fresh();
is ask('/', @known)->status, 200, 'a good token, seen once';
is statuses(3, '/', \&forged), '401 401 401', 'three forged ones';
$t->mark;
my $refused = ask('/', fresh());
is $refused->status, 429, 'a good token, never seen, is refused';
cmp_ok $refused->header('Retry-After'), '<=', 1200, 'until the next token is there';
cmp_ok $refused->header('Retry-After'), '>', 1100, 'but not much earlier';
is $refused->header('WWW-Authenticate'), undef, 'no challenge';
ok wait_for(sub { $t->log_since_mark =~ /deny reason=too_many_failures .*status=429/ }), 'unverified';
is ask('/', @known)->status, 200, 'a known one passes';
is ask('/', 'X-API-Key', $key)->status, 200, 'a key passes';
is ask('/', 'X-API-Key', $other)->status, 429, 'an unknown one does not';
is ask('/')->status, 401, 'no credential is no attempt';
is ask('/scope/', @known)->status, 403, 'another location has buckets of its own';
is ask('/off/', fresh())->status, 200, 'off';
$client = '192.0.2.2';
is ask('/', fresh())->status, 200, 'another address';

subtest 'what is a failed attempt' => sub {
    $client = '192.0.2.3';
    is statuses(5, '/', sub { () }), '401 401 401 401 401', 'no credential';
    is statuses(5, '/scope/', \&fresh), '403 403 403 403 403', 'a scope that is missing';
    is ask('/', fresh())->status, 200, 'nothing was charged';
    is ask('/', fresh(exp => time - 100))->status, 401, 'an expired token';
    is ask('/', 'Authorization', 'Bearer ' . 'x' x 2000)->status, 401, 'one that is too long';
    is ask('/', 'X-API-Key', 'p_x')->status, 401, 'a malformed key';
    is ask('/', fresh())->status, 429, 'were three';
    $client = '192.0.2.4';
    is statuses(3, '/none/', sub { () }), '200 200 200', 'anonymous requests';
    is ask('/none/', fresh())->status, 200, 'are none';
    $client = '192.0.2.5';
    is ask('/twice/x', forged())->status, 401, 'refused, and again behind error_page';
    is statuses(3, '/twice/x', \&forged), '401 401 429', 'is one attempt';
};

subtest 'of an IPv6 client the /64 counts, of a mapped address the IPv4 one' => sub {
    $client = '2001:db8:1:2::1';
    is statuses(1, '/', \&forged), '401', 'one';
    $client = '2001:db8:1:2:ffff::9';
    is statuses(3, '/', \&forged), '401 401 429', 'its neighbour';
    $client = '2001:db8:1:3::1';
    is statuses(1, '/', \&forged), '401', 'another network';
    $client = '::ffff:192.0.2.77';
    is statuses(3, '/', \&forged), '401 401 401', 'mapped';
    $client = '192.0.2.77';
    is statuses(1, '/', \&forged), '429', 'plain';
};

subtest 'other keys' => sub {
    $client = '192.0.2.6';
    is statuses(4, '/user/?user=a', \&forged), '401 401 401 429', 'a value';
    is statuses(1, '/user/?user=b', \&fresh), '200', 'another';
    is statuses(5, '/user/', \&forged), '401 401 401 401 401', 'an empty one is not counted';
};

subtest 'the bucket fills again' => sub {
    $client = '192.0.2.7';
    is statuses(2, '/quick/', \&forged), '401 429', 'one in two seconds';
    my $wait = ask('/quick/', fresh())->header('Retry-After');
    is $wait, 2, 'Retry-After';
    sleep $wait;
    is ask('/quick/', fresh())->status, 200, 'is honest';
};

subtest 'a dry run' => sub {
    $client = '192.0.2.8';
    $t->mark;
    is statuses(4, '/dry/', \&forged), '200 200 200 200', 'lets pass';
    ok wait_for(sub { $t->log_since_mark =~ /would deny reason=too_many_failures/ }), 'and says what it would do';
};

done_testing();
