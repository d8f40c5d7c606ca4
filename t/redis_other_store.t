# A reload may lead a block to another store. What the zone knows of the keys of the former one, or
# how far that one was followed, says nothing of it.
use lib 't/lib';
use Gate::Test;

use Gate::KeyRecord;
use Gate::Redis;

my $t = Gate::Test->new(workers => 2);
my %redis = map { $_ => Gate::Redis->new(test => $t, name => $_)->start } qw(one two);
$t->{ports}{"redis_$_"} = $redis{$_}->port for keys %redis;
my $key = api_key('p_');
Gate::KeyRecord->new($redis{one})->set_up->put($key, id => 'k1');
Gate::KeyRecord->new($redis{one}, prefix => 'other:')->set_up;
$redis{one}->cmd('SELECT', 1);
Gate::KeyRecord->new($redis{one})->set_up;
$redis{one}->cmd('SELECT', 0);
Gate::KeyRecord->new($redis{two})->set_up;

# The block `name` of these words is what the keys are in.
sub config {
    my ($words, %opt) = @_;
    my $name = $opt{name} // 'main';
    my $followed = $opt{followed} ? "gate_revocation redis=$name $opt{followed};" : '';
    return <<"END";
gate_zone gate:2m;
gate_redis $name { $words }
$followed
gate_keys partner { redis $name; prefix p_; valid 1h; }
gate_issuer corp { issuer https://idp.example.com; audience orders; jwks_file %%DIR%%/keys.jwks; }
server {
    listen 127.0.0.1:%%PORT%%;
    location / { gate key=partner; empty_gif; }
    location = /token { gate jwt=corp; empty_gif; }
}
END
}

$t->write_jwks('keys.jwks', 'rs');
sub status { return http_get('/x', headers => ['X-API-Key' => $key])->status; }

my $first = 'server 127.0.0.1:%%PORT_redis_one%%;';
$t->start(config($first));

subtest 'keys of the former store' => sub {
    ok wait_for(sub { status() == 200 }), 'the key is known';
    for (['another prefix', "$first prefix other:;"], ['another database', "$first db 1;"],
        ['another server', 'server 127.0.0.1:%%PORT_redis_two%%;']) {
        my ($what, $words) = @$_;
        $t->write_config(config($words));
        ok $t->reload, $what;
        ok wait_for(sub { status() != 503 }), 'the store answers';
        is status(), 401, 'and does not know the key';
        $t->write_config(config($first));
        ok $t->reload, 'back';
        ok wait_for(sub { status() == 200 }), 'it does';
    }
    $t->write_config(config("$first timeout 1s;"));
    ok $t->reload, 'the same store, asked more patiently';
    $redis{one}->stop;
    is status(), 200, 'what was known still counts';
};

subtest 'a followed block is led to another store' => sub {
    $redis{one}->start if !$redis{one}->alive;
    my $former = Gate::KeyRecord->new($redis{one})->set_up;
    $former->revoke('jti', 'https://idp.example.com', 'gone');
    my $token = sub { return http_get('/token', headers => [Authorization => 'Bearer ' . mint(claims => { jti => $_[0] })])->status; };
    my $lead = sub {
        my ($words) = @_;
        $t->write_config(config($words, followed => 'on_lag=serve'));
        return $t->reload;
    };
    ok $lead->($first), 'the first';
    ok wait_for(sub { $token->('good') == 200 && $token->('gone') == 401 }), 'is followed';
    $redis{two}->stop;
    ok $lead->('server 127.0.0.1:%%PORT_redis_two%%;'), 'the second';
    is $token->('good'), 503, 'was never read: nobody is served, whatever on_lag says';
    is $token->('gone'), 401, 'what is revoked stays so';
    $redis{two}->start;
    Gate::KeyRecord->new($redis{two})->set_up;
    ok wait_for(sub { $token->('good') == 200 }, 10), 'until it is';
    ok $lead->("$first timeout 200ms;"), 'back at the first';
    ok wait_for(sub { $token->('good') == 200 }), 'which is read again';
    $redis{one}->kill('STOP');
    ok $lead->("$first timeout 100ms;"), 'the same store again';
    is $token->('good'), 200, 'is served, for on_lag says so';
    $redis{one}->kill('CONT');
};

subtest 'a followed block gets one name after another' => sub {
    $redis{one}->start if !$redis{one}->alive;
    Gate::KeyRecord->new($redis{one})->set_up->put($key, id => 'k1');
    for (1 .. 7) {    # beside "main"
        $t->write_config(config($first, name => "name$_", followed => 'on_lag=deny'));
        ok $t->reload, "name$_";
    }
    ok wait_for(sub { status() == 200 }), 'eight are followed';
    $t->write_config(config($first, name => 'ninth', followed => 'on_lag=deny'));
    $t->mark;
    ok !$t->reload, 'a ninth reload is refused, for nobody would be served';
    like $t->log_since_mark, qr/\[emerg\] .*gate_zone "gate" cannot follow gate_redis "ninth": since nginx was started 8 blocks of other names were followed; restart nginx, or take back one of those names/,
        'with the remedy';
    is status(), 200, 'what was in force stays so';
    $t->write_config(config($first, name => 'name1', followed => 'on_lag=deny'));
    ok $t->reload, 'a former name is good';
    ok wait_for(sub { status() == 200 }), 'and served';
};

done_testing;
