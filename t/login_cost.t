# A login that fails costs the same whatever is wrong with it: the processor's time of a worker, which
# neither the machine's other work nor the clock of this test changes.
use lib 't/lib';
use Gate::Logins;
use Gate::Test;
use JSON::PP qw(encode_json);
use POSIX qw(sysconf _SC_CLK_TCK);

my $t = Gate::Test->new;
my $hash = hash_taking(1_000_000);
$t->write_file('users.json', encode_json({ users => [{ name => 'ann', password => $hash },
    { name => 'bob', password => $hash, status => 'disabled' }] }));
$t->write_file('es256.pem', pem('es256', 'private'));
$t->start(<<'END');
gate_users staff { file users.json; hash_threads 1; }
gate_issuer own { issuer https://own.example; audience app; key file=es256.pem; sign access=1h; }
server {
    listen 127.0.0.1:%%PORT%%;
    add_header X-Reason $gate_reason always;
    location = /login { gate_login issuer=own users=staff; }
}
END
my ($worker) = $t->workers;

sub spent {
    my @fields = split ' ', slurp("/proc/$worker/stat") =~ s/.*\) //r;
    return ($fields[11] + $fields[12]) / sysconf(_SC_CLK_TCK);
}
sub cost {
    my ($name, $password, $expected) = @_;
    my $before = spent();
    for (1 .. 2) {
        my $answer = http_post('/login', encode_json({ username => $name, password => $password }), timeout => 20);
        is $answer->status . ' ' . ($answer->header('X-Reason') // '-'), $expected, "$name: $expected";
    }
    return spent() - $before;
}

my $wrong = cost('ann', 'wrong', '401 password_wrong');
cmp_ok $wrong, '>', 0.2, 'a check takes a while';
my %cost = (
    'who is right' => cost('ann', 'pencil', '200 -'),
    'who is unknown' => cost('zoe', 'wrong', '401 user_unknown'),
    'who is disabled' => cost('bob', 'wrong', '401 user_disabled'),
    'who is disabled and right' => cost('bob', 'pencil', '401 user_disabled'),
    'a password that is too long' => cost('ann', 'x' x 2000, '401 password_wrong'),
    'an empty one' => cost('ann', '', '401 password_wrong'),
);
for my $who (sort keys %cost) {
    cmp_ok $cost{$who} / $wrong, '>', 0.7, "$who costs no less";
    cmp_ok $cost{$who} / $wrong, '<', 1.4, "$who costs no more";
}
done_testing();
