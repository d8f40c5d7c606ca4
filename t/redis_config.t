# What nginx -t says about each mistake in gate_redis, and in the lines that name such a block: the
# exact text, with the value, the remedy, file and line. And what counts where nothing is written.
use lib 't/lib';
use Gate::Test;
use Gate::Config;

use Time::HiRes ();

use Gate::Certs;
use Gate::FakeRedis;

my $t = config_test();
Gate::Certs->of($t);
$t->write_file('pw', "secret of redis\n");
$t->write_file('empty', "\n");
$t->write_file('long', 'x' x 70_000);
$t->write_file('not.pem', "x\n");
$t->write_file('journal', '');

# The words stand on line 2.
sub in_redis { return in_server('', "gate_redis x {\n$_[0] }"); }
# A mistake in a word, and one that only the whole block shows.
sub wrong_word {
    my ($words, $said) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return refused($words, in_redis($words), qq{gate_redis "x": $said in nginx.conf:2});
}
sub wrong_block {
    my ($words, $said) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return refused($words, in_redis($words), qq{gate_redis "x" $said in nginx.conf:1});
}
sub good { my ($words) = @_; return warned("good: $words", in_redis($words)); }

my $one = 'server 127.0.0.1;';
my $topologies = 'expected one of "server HOST:PORT;", "sentinel master=NAME HOST:PORT ..;" and "cluster HOST:PORT ..;"';

subtest 'blocks' => sub {
    refused('without a block', in_server('', 'gate_redis x;'),
        'directive "gate_redis" has no opening "{" in nginx.conf:1');
    refused('a bad name', in_server('', 'gate_redis "a b" { }'),
        '"gate_redis" has the name "a b"; expected letters, digits, "_", "-" and "." in nginx.conf:1');
    refused('twice', in_server('', "gate_redis x { $one }\ngate_redis x { $one }"),
        'gate_redis "x" is declared twice; the first stands in nginx.conf:1 in nginx.conf:2');
    refused('in a server', in_server("gate_redis x { $one }"),
        '"gate_redis" directive is not allowed here in nginx.conf:2');
    wrong_word('host 127.0.0.1;', '"host" is unknown here; expected server, sentinel, cluster, user, '
        . 'password_file, sentinel_user, sentinel_password_file, db, prefix, ssl, ssl_verify, ssl_name, '
        . 'ssl_trusted_certificate, ssl_certificate, ssl_certificate_key, connect_timeout, timeout, keepalive, '
        . 'backoff, queue');
    wrong_word("$one timeout 1s; timeout 2s;", '"timeout" directive is duplicate');
    wrong_word("$one timeout;", '"timeout" has 0 arguments; expected 1');
};

subtest 'where it is' => sub {
    wrong_block('', "names no server; $topologies");
    wrong_block('prefix a:;', "names no server; $topologies");
    wrong_word('server;', '"server" has 0 arguments; expected 1');
    wrong_word('server a b;', '"server" has 2 arguments; expected 1');
    wrong_word("$one $one", '"server" directive is duplicate');
    wrong_word("$one cluster 127.0.0.1;", qq{"cluster" stands beside another topology; $topologies});
    wrong_word("cluster 127.0.0.1; $one", qq{"server" stands beside another topology; $topologies});
    wrong_word('cluster 127.0.0.1; sentinel master=m 127.0.0.1;',
        qq{"sentinel" stands beside another topology; $topologies});
    for my $port ('0', '70000', 'x', '') {
        wrong_word("server 127.0.0.1:$port;",
            qq{"server" has the value "127.0.0.1:$port": port "$port" is not a number from 1 to 65535});
    }
    wrong_word('server [::1;', q{"server" has the value "[::1": ']' is missing behind the address});
    wrong_word('server [::1]x;', q{"server" has the value "[::1]x": behind ']' comes ":port" only});
    wrong_word('server ::1;', '"server" has the value "::1": an IPv6 address stands in brackets: "[::1]:6379"');
    wrong_word('server [1.2.3];', '"server" has the value "[1.2.3]": "1.2.3" is no IPv6 address');
    wrong_word('server "a b";', '"server" has the value "a b": "a b" is no name or address of a host');
    wrong_word('server unix:redis.sock;', '"server" has the value "unix:redis.sock": behind "unix:" comes the '
        . q{path of a socket, beginning with '/'});
    my $path = 'unix:/' . 'x' x 120;
    wrong_word("server $path;", qq{"server" has the value "$path": the path of a socket has at most 107 octets});
    wrong_word('server no-such-host.invalid;', '"server" has the value "no-such-host.invalid": host not found; '
        . 'write its address, or "resolver ADDRESS;" in http, so that it is asked for while nginx runs');
    warned('a name that the resolver may know', in_server('', "resolver 127.0.0.1;\n"
        . "gate_redis x { server no-such-host.invalid:1; }"), 'gate_redis "x": "server" has the value '
        . '"no-such-host.invalid:1": host not found; the resolver is asked for it while nginx runs in nginx.conf:2');
    wrong_word('sentinel 127.0.0.1;', '"sentinel" has 1 arguments; expected 2 or more');
    wrong_word('sentinel 127.0.0.1 127.0.0.2;',
        '"sentinel" has an unknown value "127.0.0.1"; expected master=NAME first');
    wrong_word('sentinel master= 127.0.0.1;', '"sentinel" has an unknown value "master="; expected master=NAME first');
    wrong_word('sentinel master=m 127.0.0.1 127.0.0.1:0;',
        '"sentinel" has the value "127.0.0.1:0": port "0" is not a number from 1 to 65535');
    wrong_word('cluster;', '"cluster" has 0 arguments; expected 1 or more');
    wrong_word('cluster 127.0.0.1 127.0.0.1:0;',
        '"cluster" has the value "127.0.0.1:0": port "0" is not a number from 1 to 65535');
    good($_) for 'server localhost:6380;', 'server [::1]:1;', 'server unix:/run/redis.sock;',
        'sentinel master=m 127.0.0.1 [::1]:26380;', 'cluster 127.0.0.1:7000 127.0.0.1:7001;';
};

subtest 'who asks, and for what' => sub {
    wrong_word("$one user '';", q{"user" is empty; expected a user of Redis' ACL});
    wrong_block("$one user a;", 'has a user but no password; write "password_file PATH;"');
    wrong_word("$one password_file none;", '"password_file" names "DIR/none": No such file or directory');
    wrong_word("$one password_file empty;", '"password_file" names "DIR/empty": it is empty');
    wrong_word("$one password_file long;", '"password_file" names "DIR/long": it is larger than 64 KiB');
    my $sentinel = 'sentinel master=m 127.0.0.1;';
    wrong_block("$sentinel sentinel_user a;",
        'has a sentinel_user but no password; write "sentinel_password_file PATH;"');
    wrong_block("$one sentinel_password_file pw;", 'has a password for sentinels but names none');
    wrong_word("$sentinel sentinel_password_file none;",
        '"sentinel_password_file" names "DIR/none": No such file or directory');
    for my $db ('-1', '1000000', '1x', 'x') {
        wrong_word("$one db $db;", qq{"db" has an unknown value "$db"; expected a number such as 0});
    }
    wrong_block('cluster 127.0.0.1; db 1;', 'has a db; a cluster has only db 0');
    wrong_block("$one prefix 'a b';", 'has the prefix "a b": a prefix holds printable ASCII without blanks only');
    my $long = 'x' x 129;
    wrong_block("$one prefix $long;", qq{has the prefix "$long": a prefix has at most 128 octets});
    for my $prefix ('gate:', '{}:', '}{', '{gate') {
        wrong_block("cluster 127.0.0.1; prefix '$prefix';", qq{has the prefix "$prefix": in a cluster a prefix needs a }
            . 'hash tag such as "{gate}:", so that all keys of the store lie in one slot');
    }
    good("$one user a; password_file pw; db 15; prefix 'app/{x}:';");
    good("$sentinel user a; password_file pw; sentinel_user b; sentinel_password_file pw;");
    good('cluster 127.0.0.1; db 0;');
};

subtest 'a password that workers cannot read again' => sub {
    plan skip_all => 'root reads everything for others' if $> != 0;
    chmod 0600, $t->dir . '/pw' or die;
    warned('once', in_redis("$one password_file pw;"), '"password_file" names "DIR/pw", which the workers\' user '
        . 'cannot read again because of "DIR/pw"; a changed password counts after a reload only in nginx.conf:2');
    chmod 0644, $t->dir . '/pw' or die;
};

subtest 'TLS' => sub {
    my $unused = 'has ssl_ words but no "ssl on;"';
    wrong_word("$one $_ yes;", qq{"$_" has an unknown value "yes"; expected on or off}) for qw(ssl ssl_verify);
    wrong_block("$one ssl_verify off;", $unused);
    wrong_block("$one ssl off; $_ x;", $unused)
        for qw(ssl_name ssl_trusted_certificate ssl_certificate ssl_certificate_key);
    wrong_block("$one ssl on;", 'has "ssl on" but nobody to trust; write "ssl_trusted_certificate PATH;" (or '
        . '"ssl_verify off;", which protects from nobody in between)');
    wrong_block("$one ssl on; ssl_verify off; $_ x;", 'needs ssl_certificate and ssl_certificate_key together')
        for qw(ssl_certificate ssl_certificate_key);
    my $where = qr{^gate_redis "x" cannot use these certificates: see the line above in nginx\.conf:1\z}m;
    my %wrong = (
        'ssl_trusted_certificate none;' => qr{\Q("DIR/none") failed\E},
        'ssl_trusted_certificate not.pem;' => qr{\Q("DIR/not.pem") failed\E},
        'ssl_verify off; ssl_certificate not.pem; ssl_certificate_key not.pem;' =>
            qr{cannot load certificate "DIR/not\.pem"},
        'ssl_verify off; ssl_certificate certs/client.crt; ssl_certificate_key certs/server.key;' =>
            qr{\Q("DIR/certs/server.key") failed\E.*key values mismatch},
    );
    refused($_, in_redis("$one ssl on; $_"), qr{\A.*$wrong{$_}.*\n$where}) for sort keys %wrong;
    good("$one ssl on; ssl_verify off;");
    good("$one ssl on; ssl_trusted_certificate certs/ca.crt; ssl_name redis.test; "
        . 'ssl_certificate certs/client.crt; ssl_certificate_key certs/client.key;');
};

subtest 'times and numbers' => sub {
    my %range = (connect_timeout => ['0 61s x', '1ms to 60s'], timeout => ['0 61s x', '1ms to 60s'],
        keepalive => ['99ms 61s x', '100ms to 60s'], backoff => ['999ms 61s x', '1000ms to 60s']);
    for my $word (sort keys %range) {
        my ($values, $expected) = @{ $range{$word} };
        wrong_word("$one $word $_;", qq{"$word" has an unknown value "$_"; expected a time from $expected})
            for split / /, $values;
    }
    wrong_word("$one queue $_;", qq{"queue" has an unknown value "$_"; expected a number from 1 to 1000000})
        for qw(0 1000001 x -1);
    good("$one connect_timeout 1ms; timeout 60s; keepalive 100ms; backoff 1s; queue 1000000;");
};

subtest 'gate_keys' => sub {
    my $keys = sub { return in_server('', "gate_redis main { $one } gate_keys x {\n$_[0] }"); };
    my $wrong = sub {
        my ($words, $said) = @_;
        refused($words, $keys->($words), qq{gate_keys "x"$said});
    };
    $wrong->('prefix a_;', ' names no file; write "file PATH;" or "redis NAME;" in nginx.conf:1');
    $wrong->('file keys.json; redis main;', ' names a file and a gate_redis block; its keys are in one in nginx.conf:1');
    $wrong->('redis;', ': "redis" has 0 arguments; expected 1 in nginx.conf:2');
    $wrong->('redis main; redis main;', ': "redis" directive is duplicate in nginx.conf:2');
    $wrong->('redis other;', ' names unknown redis "other"; declared gate_redis: main in nginx.conf:1');
    refused('no block at all', in_keys('redis main;'),
        'gate_keys "x" names unknown redis "main"; declared gate_redis: none in nginx.conf:1');
    $wrong->("file keys.json; $_ 1s;", ' has a file, which is watched; "valid" and "negative" are for keys in Redis '
        . 'in nginx.conf:1') for qw(valid negative);
    $wrong->("redis main; valid $_;", qq{: "valid" has an unknown value "$_"; expected 1s to 86400s in nginx.conf:2})
        for qw(0 0s 2d x);
    $wrong->("redis main; negative $_;", qq{: "negative" has an unknown value "$_"; expected 1s to 5s in nginx.conf:2})
        for qw(0s 6s x);
    warned("good: $_", $keys->($_)) for 'redis main;', 'redis main; valid 1d; negative 5s; checksum off;',
        'redis main; valid 1s; negative 1s; prefix a_;';
    warned('a block that comes later', in_server('', "gate_keys x { redis main; } gate_redis main { $one }"));
};

subtest 'gate_revocation' => sub {
    my $said = sub {
        my ($line, $message) = @_;
        refused($line, "gate_redis main { $one } gate_zone gate:1m;\ngate_revocation $line;",
            qq{"gate_revocation" $message in nginx.conf:2});
    };
    my $options = 'expected file=PATH, redis=NAME, max_lag=TIME, on_lag=deny|serve';
    $said->('redis=other', 'names unknown redis "other"; declared gate_redis: main');
    $said->('redis=', qq{has an unknown value "redis="; $options});
    $said->('redis=main lag=1s', qq{has an unknown value "lag=1s"; $options});
    $said->('redis=main file=journal', 'needs file=PATH or redis=NAME');
    $said->("redis=main max_lag=$_", "has max_lag=$_; expected 1s to 1d") for qw(0s 2d x);
    $said->('redis=main on_lag=maybe', 'has an unknown value "on_lag=maybe"; expected on_lag=deny or on_lag=serve');
    $said->("file=journal; gate_revocation redis=main", 'directive is duplicate');
    $said->("redis=main; gate_revocation file=journal", 'directive is duplicate');
    refused('no block', "gate_zone gate:1m;\ngate_revocation redis=main;",
        '"gate_revocation" names unknown redis "main"; declared gate_redis: none in nginx.conf:2');
    refused('no zone', "# no gate_zone\ngate_redis main { $one }\ngate_revocation redis=main;",
        '"gate_revocation" needs shared memory; write "gate_zone gate:64m;" beside it in nginx.conf:3');
    warned('good', "gate_redis main { $one } gate_zone gate:1m; gate_revocation redis=main max_lag=1d on_lag=serve;");
};

# What is asked where nothing but the server is written: no AUTH, no SELECT, and names with "gate:".
subtest 'defaults' => sub {
    my $run = Gate::Test->new;
    my $fake = Gate::FakeRedis->start(test => $run, epoch => 'e1');
    $run->{ports}{redis} = $fake->port;
    $run->start(<<'END');
        gate_redis main { server 127.0.0.1:%%PORT_redis%%; }
        gate_keys partners { redis main; prefix acme_; }
        server { listen 127.0.0.1:%%PORT%%; gate key=partners; location / { empty_gif; } }
END
    my $key = api_key('acme_');
    is http_get('/', port => $run->port, headers => ['X-API-Key' => $key])->status, 401, 'an unknown key';
    my ($worker) = $run->workers;
    # Which comes before or behind the question that waits for the connection.
    ok $fake->wait_commands(qr/^INFO memory/, 1, 5), 'whether it drops keys';
    is_deeply [grep { $_->[0] ne 'INFO' } $fake->commands], [['CLIENT', 'SETNAME', "nginx-gate-$worker"], ['ROLE'],
        ['HGETALL', 'gate:key:' . key_record($key)->{digest}], ['GET', 'gate:epoch']], 'and all else that was asked';
    ok $fake->wait_commands(qr/^ROLE/, 2, 15), 'a connection is asked again what it is';
    my ($first, $again) = map { $_->{time} } grep { $_->{argv}[0] eq 'ROLE' } $fake->events('command');
    cmp_ok $again - $first, '>', 4.5, 'after five seconds';
    $fake->play([{ hold => 1 }], match => qr/^HGETALL/);
    my $begin = Time::HiRes::time();
    is http_get('/', port => $run->port, headers => ['X-API-Key' => api_key('acme_')])->status, 503, 'one that hangs';
    my $waited = Time::HiRes::time() - $begin;
    ok $waited > 0.45 && $waited < 3, 'is waited for half a second' or diag $waited;
};

done_testing;
