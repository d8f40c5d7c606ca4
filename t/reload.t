# Reloads under load, with files changing in between: no wrong answer, no lost request, memory flat.
# GATE_RELOADS sets the number (10; make soak: 100 as they are, then 10 under valgrind).

use lib 't/lib';
use Gate::Test;

my $reloads = $ENV{GATE_RELOADS} || 10;
my $t = Gate::Test->new(workers => 2, log_level => 'notice');
my $app = $t->upstream('app');
my $key = api_key('k_');
$t->write_jwks('keys.jwks', 'rs', 'es256');
$t->write_file('keys.json', key_file(key_record($key, scopes => ['orders:read'])));
$t->write_file('staff.roles', "viewer orders:read;\n");
my $http = <<'EOF';
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; roles staff; }
gate_keys k { file %%DIR%%/keys.json; prefix k_; }
gate_roles staff { file %%DIR%%/staff.roles; }
server {
    listen 127.0.0.1:%%PORT%%;
    gate jwt=corp key=k;
    gate_identity X-User $gate_subject;
    gate_require_scope orders:read;
    # %%ROUND%%
    location / { return 204; }
    location /app/ { proxy_pass http://127.0.0.1:%%PORT_app%%; }
}
EOF
$t->start($http, vars => { ROUND => 0 });

# Requests with the answer each must get, whatever happens meanwhile.
my %must = (
    200 => [
        ['Authorization', 'Bearer ' . mint(claims => { scope => 'orders:read' })],
        ['Authorization', 'Bearer ' . mint(key => 'es256', claims => { roles => ['viewer'] })],
        ['X-API-Key', $key],
    ],
    401 => [
        [], ['Authorization', 'Bearer ' . mint(key => 'rs_b', header => { kid => key('rs')->{kid} })],
        ['Authorization', 'Bearer ' . mint(claims => { exp => time - 5 })], ['X-API-Key', api_key('k_')],
    ],
    403 => [['Authorization', 'Bearer ' . mint(claims => { scope => 'other' })]],
);

# A client process; its findings are in a file when it ends.
sub client {
    my ($number) = @_;
    my $file = $t->dir . "/client.$number";
    defined(my $pid = fork) or die "fork: $!";
    return $pid if $pid;
    my $stop = 0;
    local $SIG{TERM} = sub { $stop = 1 };
    my @cases = map { my $status = $_; map { [$status, $_] } @{ $must{$status} } } sort keys %must;
    my ($count, %wrong) = (0);
    until ($stop) {
        my ($status, $headers) = @{ $cases[$count++ % @cases] };
        my $response = http_get('/app/x', headers => $headers);
        # A connection that nginx closed while it exited was never a request.
        next if !$response->status && ($response->{ended} // '') =~ /connect|error/;
        $wrong{ "wanted $status, got " . ($response->status || $response->{ended}) }++ if $response->status != $status;
    }
    open my $out, '>', $file or POSIX::_exit(1);
    print {$out} join "\n", "count $count", map { "$wrong{$_} times: $_" } sort keys %wrong;
    close $out;
    POSIX::_exit(0);
}

sub memory { return slurp("/proc/$_[0]/status") =~ /^RssAnon:\s+(\d+)/m ? $1 : 0; }
# Of the master and of the larger one of its workers, in kB.
sub memories { return [memory($t->pid), (sort { $b <=> $a } map { memory($_) } $t->workers)[0] // 0]; }

my @clients = map { client($_) } 1 .. 2;
my $failed = 0;
my ($early, $late);
for my $round (1 .. $reloads) {
    my @others = $round % 2 ? ('ed25519') : ('es384', 'es512');
    $t->write_jwks('keys.jwks', 'rs', 'es256', @others);
    $t->write_file('keys.json', key_file(key_record($key, scopes => ['orders:read']), map { key_record(api_key('k_')) } 1 .. $round % 5));
    $t->write_file('staff.roles', "viewer orders:read;\nextra$round viewer;\n");
    $t->write_config($http, vars => { ROUND => $round });
    $t->reload(timeout => 30) or ++$failed;
    $early = memories() if $round == int($reloads / 2);
}
$late = memories();
kill 'TERM', @clients;
waitpid $_, 0 for @clients;

is $failed, 0, "$reloads reloads";
for my $number (1 .. 2) {
    my ($count, @wrong) = split /\n/, slurp($t->dir . "/client.$number");
    like $count, qr/^count [1-9]\d+/, "client $number asked ($count)";
    is_deeply \@wrong, [], 'and always got the right answer';
}
# The address sanitizer and valgrind keep what was freed.
for my $index ($ENV{GATE_ASAN} || $ENV{GATE_VALGRIND} ? () : (0, 1)) {
    my $who = qw(master worker)[$index];
    note "$who: $early->[$index] kB half way, $late->[$index] kB at the end";
    cmp_ok $late->[$index] - $early->[$index], '<', 512 + 8 * $reloads, "the memory of the $who is flat";
}

subtest 'a broken configuration is refused, the old one serves on' => sub {
    for my $case (['broken key set', 'keys.jwks', '{"keys":['], ['broken key file', 'keys.json', '{"version":1,"keys":[{}]}'],
        ['broken roles', 'staff.roles', 'viewer viewer;']) {
        my ($name, $file, $text) = @$case;
        my $good = slurp($t->dir . "/$file");
        $t->write_file($file, $text);
        my ($status, $output) = $t->nginx_t;
        is $status, 1, "$name: nginx -t fails";
        like $output, qr/\[emerg\].*\Q$file\E/, 'and names the file';
        ok !$t->reload, 'the reload is refused';
        is http_get('/', headers => $must{200}[0])->status, 204, 'the old configuration serves';
        $t->write_file($file, $good);
    }
    $t->allow(qr/not taken over/);
    ok $t->reload, 'and with good files it takes over again';
};

done_testing;
