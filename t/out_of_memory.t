# Every allocation that a worker makes for a request fails once: nobody is let in by it, the worker lives,
# and the next request is answered as ever.

use lib 't/lib';
use Gate::Test;

use Gate::Shortage;

plan skip_all => 'the address sanitizer has a malloc of its own' if $ENV{GATE_ASAN} || $ENV{GATE_VALGRIND};

my $t = Gate::Test->new(workers => 1, log_level => 'notice');
my $shortage = Gate::Shortage->new($t);

my $key = api_key('k_');
$t->write_jwks('corp.jwks', 'rs', 'es256', 'ed25519');
$t->write_file('keys.json', key_file(key_record($key)));
{
    local %ENV = (%ENV, $shortage->environment);
    $t->start(<<'EOF2', zone => '');
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/corp.jwks; audience orders; }
gate_keys k { file %%DIR%%/keys.json; prefix k_; }
server {
    listen 127.0.0.1:%%PORT%%;
    gate_identity X-User $gate_subject;
    location / { gate jwt=corp key=k; gate_require_claim roles any staff; empty_gif; }
    location /key { gate jwt=corp key=k; empty_gif; }
}
EOF2
}
my ($worker) = wait_for(sub { ($t->workers)[0] });

my %claims = (roles => ['staff'], sub => 'a "quoted" name');
my @cases = (
    ['RS256', 200, '/', Authorization => 'Bearer ' . mint(claims => \%claims)],
    ['ES256', 200, '/', Authorization => 'Bearer ' . mint(key => 'es256', claims => \%claims)],
    ['EdDSA', 200, '/', Authorization => 'Bearer ' . mint(key => 'ed25519', claims => \%claims)],
    ['an API key', 200, '/key', 'X-API-Key', $key],
    ['a forged token', 401, '/', Authorization => 'Bearer ' . mint(key => 'rs_b', claims => \%claims, header => { kid => key('rs')->{kid} })],
    ['an expired token', 401, '/', Authorization => 'Bearer ' . mint(claims => { %claims, exp => time - 5 })],
    ['without the role', 403, '/', Authorization => 'Bearer ' . mint(claims => { roles => ['x'] })],
    ['no credential', 401, '/'],
    ['an unknown key', 401, '/key', 'X-API-Key', api_key('k_')],
);

for my $case (@cases) {
    my ($name, $wanted, $uri, @headers) = @$case;
    my (%seen, $failures);
    is http_get($uri, headers => \@headers)->status, $wanted, "$name: $wanted with memory";
    for my $number (1 .. 5000) {
        $shortage->fail_at($number);
        my $status = http_get($uri, headers => \@headers, timeout => 2)->status;
        last if !$shortage->end;
        ++$failures;
        $seen{$status}++;
    }
    cmp_ok $failures // 0, '>', 5, "$name: " . ($failures // 0) . ' allocations failed';
    note "$name: ", join ', ', map {"$_ $seen{$_} times"} sort keys %seen;
    ok !$seen{200}, "$name: nobody is let in" if $wanted != 200;
    is http_get($uri, headers => \@headers)->status, $wanted, "$name: $wanted again";
}
is_deeply [$t->workers], [$worker], 'the worker lives';

done_testing;
