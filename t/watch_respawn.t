# A worker that replaces a dead one must not bring back keys that were withdrawn since the start.

use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new(workers => 1);
my $old_key = api_key('k_');
my $new_key = api_key('k_');
$t->write_jwks('keys.jwks', 'rs');
my $started_with = key_file(key_record($old_key));
$t->write_file('keys.json', $started_with);
$t->start(<<'EOF');
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
gate_keys k { file %%DIR%%/keys.json; prefix k_; }
server {
    listen 127.0.0.1:%%PORT%%;
    gate jwt=corp key=k;
    location / { empty_gif; }
}
EOF

my @old = (Authorization => 'Bearer ' . mint());
my @new = (Authorization => 'Bearer ' . mint(key => 'rs_b'));
sub status { return http_get('/', headers => [@_])->status; }

sub replace_worker {
    my ($worker) = $t->workers;
    $t->allow(qr/worker process $worker exited on signal 9/);
    kill 'KILL', $worker;
    return wait_for(sub { my ($now) = $t->workers; $now && $now != $worker && status() }, 10);
}

# Within two seconds of its master a worker is no replacement: what the master read is the last good.
my $start = time;
ok wait_for(sub { time - $start > 3 }, 5), 'the master has grown old';
is status(@old), 200, 'the first token passes';
is status('X-API-Key' => $old_key), 200, 'the first key passes';
$t->write_jwks('keys.jwks', 'rs_b');
$t->write_file('keys.json', key_file(key_record($new_key)));
ok wait_for(sub { status(@new) == 200 && status(@old) == 401 }, 5), 'the token key is replaced';
ok wait_for(sub { status('X-API-Key' => $new_key) == 200 }, 5), 'the API key is replaced';
is status('X-API-Key' => $old_key), 401, 'the first API key is dead';

my $good = slurp($t->dir . '/keys.jwks');
unlink $t->dir . '/keys.jwks';
$t->write_file('keys.json', '{"version":1,');
$t->mark;
ok replace_worker(), 'a worker dies while the files cannot be read';
is status(@old), 503, 'its successor does not accept the withdrawn token key';
is status(@new), 503, 'nor decides on what it cannot know';
is status('X-API-Key' => $old_key), 503, 'the withdrawn API key stays dead';
ok wait_for(sub { $t->log_since_mark =~ /keys\.jwks" has changed since the start and cannot be read by this new worker/ }), 'which it says';

$t->write_file('keys.jwks', $good);
$t->write_file('keys.json', key_file(key_record($new_key)));
ok wait_for(sub { status(@new) == 200 && status('X-API-Key' => $new_key) == 200 }, 5), 'good files bring it back';
is status(@old), 401, 'the withdrawn one stays out';
ok replace_worker(), 'a worker dies while the files are good';
is status(@new), 200, 'its successor knows the current keys at once';
is status(@old), 401, 'and not the old ones';

# What nginx started with is good again where it comes back.
$t->write_file($_, 'broken') for qw(keys.jwks keys.json);
ok replace_worker(), 'a worker dies while the files are broken';
is status(@old) . ' ' . status('X-API-Key' => $old_key), '503 503', 'its successor knows nothing';
$t->write_jwks('keys.jwks', 'rs');
$t->write_file('keys.json', $started_with);
ok wait_for(sub { status(@old) == 200 && status('X-API-Key' => $old_key) == 200 }, 5), 'until the first files are put back';

subtest 'two files of one issuer' => sub {
    my $one = Gate::Test->new(workers => 1);
    my $with = sub {
        my @token = (Authorization => 'Bearer ' . mint(key => $_[0], header => { kid => undef }));
        return http_get('/', port => $one->port, headers => \@token)->status;
    };
    $one->write_file("$_.pem", pem($_)) for qw(rs es256);
    $one->start(<<'EOF');
gate_issuer corp { issuer https://idp.example.com; audience orders; key file=rs.pem; key file=es256.pem; }
server { listen 127.0.0.1:%%PORT%%; gate jwt=corp; location / { empty_gif; } }
EOF
    sleep 3.5;    # the start has to be that long ago
    $one->write_file('rs.pem', pem('rs_b'));
    ok wait_for(sub { $with->('rs') == 401 }), 'a key is withdrawn';
    $one->write_file('rs.pem', 'broken');
    my ($worker) = $one->workers;
    $one->allow(qr/worker process $worker exited on signal 9/);
    kill 'KILL', $worker;
    ok wait_for(sub { $with->('rs') == 503 }), 'a new worker knows none';
    $one->mark;
    $one->write_file('es256.pem', pem('es256_b'));
    ok wait_for(sub { $one->log_since_mark =~ /es256\.pem" taken over/ }), 'the other file changes';
    is join(' ', map { $with->($_) } qw(rs es256 es256_b)), '503 503 503', 'which brings nothing back';
    $one->write_file('rs.pem', pem('rs_b'));
    ok wait_for(sub { $with->('rs_b') == 200 }), 'until the first one is good';
    is join(' ', map { $with->($_) } qw(rs es256 es256_b)), '401 401 200', 'and both say who counts';
    ok $one->stop, 'stops';
};

done_testing;
