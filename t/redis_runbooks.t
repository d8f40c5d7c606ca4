# What docs/OPERATIONS.md tells whoever is on duty, done step by step: Redis is gone, stays gone, is empty,
# fails over.
use lib 't/lib';
use Gate::Test;

use Time::HiRes qw(sleep time);

use Gate::KeyRecord;
use Gate::Redis;
use Gate::Redis::Sentinels;
use Gate::StoreFront;

my $issuer = 'https://idp.example.com';
my $text = slurp(root_dir() . '/docs/OPERATIONS.md');

# Without a directory below the test's own the state would outlive it.
sub configuration {
    my (%opt) = (followed => 'gate_revocation redis=main max_lag=1s;', @_);
    return "gate_zone gate:2m state=%%DIR%%/state;\n" . front_config($opt{redis}, %opt);
}

sub on_duty {
    my ($t, %opt) = @_;
    $t->write_config(configuration(%opt), zone => '');
    return $t->reload;
}

my $t = Gate::Test->new;
my $redis = Gate::Redis->new(test => $t, persist => 1)->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
my $address = 'server ' . $redis->address . ';';
$t->write_jwks('keys.jwks', 'rs');
my ($key, $other) = (api_key('acme_'), api_key('acme_'));
my $record = $store->put($key);
$store->put($other);
my ($good, $gone) = map { token($_) } qw(good gone);
$store->revoke('jti', $issuer, 'gone');
$t->start(configuration(redis => $address), zone => '');
ok wait_for(sub { with_token($good) eq '200 ' && with_key($key) eq '200 ' }), 'all is well';

subtest 'Redis is gone' => sub {
    ok $redis->wait_kept(sub { with_key($key) eq '200 ' }), 'a key that was used a short while ago';
    $redis->kill('KILL');
    is with_key($key), '200 ', 'still passes';
    is with_token($gone), '401 revoked', 'what was revoked stays revoked';
    ok wait_for(sub { with_token($good) eq '503 revocation_lag' }, 5), 'after max_lag good credentials are 503';
    ok wait_for(sub { $t->error_log =~ /gate_redis "main": \S+ cannot be used: / }), 'the log says why';
    $redis->start;
    ok wait_for(sub { with_token($good) eq '200 ' && with_key($key) eq '200 ' }, 5), 'started, workers come back by themselves';
    is with_key($other), '200 ', 'with what nobody knew';
};

subtest 'Redis stays gone' => sub {
    $redis->kill('KILL');
    ok wait_for(sub { with_token($good) eq '503 revocation_lag' }, 5), 'good credentials are 503';
    my $serve = 'gate_revocation redis=main max_lag=1s on_lag=serve;';
    ok on_duty($t, redis => $address, followed => $serve), 'on_lag=serve';
    is with_token($good), '200 ', 'lets them in';
    is with_token($gone), '401 revoked', 'what was revoked is still refused';
    my ($journal) = glob $t->dir . '/state/*';
    is +(gatectl('revoke', 'jti', 'meanwhile', '--issuer', $issuer, '--ttl', '1h', '--file', $journal))[0], 0,
        'revoked on the machine';
    ok wait_for(sub { with_token(token('meanwhile')) eq '401 revoked' }), 'it is';
    $t->write_file('keys.json', key_file($record));
    ok on_duty($t, redis => $address, followed => $serve, keys => "file %%DIR%%/keys.json;"), 'keys from a file';
    is with_key($key), '200 ', 'let keys in';
    is with_key(api_key('acme_')), '401 key_unknown', 'and others not';
    $t->stop;
    $t->start(configuration(redis => $address, followed => $serve, keys => "file %%DIR%%/keys.json;"), zone => '');
    is with_token($good), '503 revocation_lag', 'a machine that restarts never read the store';
    ok on_duty($t, redis => $address, followed => '', keys => "file %%DIR%%/keys.json;"), 'without gate_revocation';
    is with_token($good), '200 ', 'it lets everybody in';
    is with_token($gone), '200 ', 'also who was revoked in Redis';
    is with_token(token('meanwhile')), '401 revoked', 'but not on the machine';
    $redis->start;
    ok on_duty($t, redis => $address), 'undone in the same way';
    ok wait_for(sub { with_token($good) eq '200 ' && with_token($gone) eq '401 revoked' && with_key($other) eq '200 ' }, 5),
        'all is as it was';
};

subtest 'Redis is empty' => sub {
    my @copies = map { [$_, $redis->cmd('DUMP', $_)] } @{ $redis->cmd('KEYS', '*') };
    my $stranger = api_key('acme_');
    $redis->cmd('FLUSHALL');
    ok wait_for(sub { with_key($stranger) =~ /\A503/ }, 5), 'what needs it is 503';
    ok wait_for(sub { $t->error_log =~ /the key "gate:epoch" is missing/ }), 'the log says what it is';
    is with_token($gone), '401 revoked', 'what was revoked stays so';
    $redis->cmd('RESTORE', $_->[0], 0, $_->[1]) for @copies;
    ok wait_for(sub { with_token($good) eq '200 ' && with_key($stranger) eq '401 key_unknown' }, 5),
        'the backup is restored, with its epoch';
    $redis->cmd('FLUSHALL');
    ok wait_for(sub { with_token($good) eq '503 revocation_lag' }, 5), 'lost, without a backup';
    my $anew = api_key('acme_');
    $store->put($anew);
    $store->revoke('jti', $issuer, 'anew');
    my %said;
    my $end = time + 2.5;    # longer than a connection takes to come back, and the epoch to be asked for
    while (time < $end) {
        $said{ with_token($good) }++;
        $said{ with_key($anew) }++;
        sleep 0.05;
    }
    is_deeply [grep { !/\A503/ } keys %said], [], 'while it is written anew, nobody is let in';
    is +(gatectl('store', 'init', '--redis', $redis->address))[0], 0, 'the epoch last';
    ok wait_for(sub { with_token($good) eq '200 ' && with_key($anew) eq '200 ' && with_token(token('anew')) eq '401 revoked' }, 5),
        'everything is read again';
    is with_token($gone), '401 revoked', 'what is in memory stays in force';
};
$t->stop;

subtest 'failover' => sub {
    my $n = Gate::Test->new;
    my $fleet = Gate::Redis::Sentinels->new(test => $n)->start;
    my $records = Gate::KeyRecord->new($fleet)->set_up;
    $n->write_jwks('keys.jwks', 'rs');
    my $mine = api_key('acme_');
    $records->put($mine);
    my $sentinels = 'sentinel master=gate ' . join(' ', map {"127.0.0.1:$_"} $fleet->sentinel_ports) . ';';
    $n->start(configuration(redis => $sentinels), zone => '');
    ok wait_for(sub { with_token($good) eq '200 ' && with_key($mine) eq '200 ' }), 'all is well';
    $fleet->wait_replicated;
    $fleet->kill_master;
    $fleet->wait_failover;
    my $port = $fleet->master_port;
    ok wait_for(sub { $n->error_log =~ /its sentinels name 127\.0\.0\.1:$port as the master/ }, 10), 'the log names the new one';
    ok wait_for(sub { with_key(api_key('acme_')) eq '401 key_unknown' && with_token($good) eq '200 ' }, 10), 'which is asked and followed';
    is +(gatectl('revoke', 'jti', 'last', '--issuer', $issuer, '--ttl', '1h', '--sentinel', 'gate',
        map { ('--redis', "127.0.0.1:$_") } $fleet->sentinel_ports))[0], 0, 'what was revoked at last is repeated';
    ok wait_for(sub { with_token(token('last')) eq '401 revoked' }, 2), 'and in force';
};

# The section has no step that is not above.
my ($section) = $text =~ /^## Redis\n(.*?)^## /ms;
is_deeply [$section =~ /^### (.*)$/mg], ['Redis is gone', 'Redis stays gone', 'Redis is empty', 'Failover', 'A broken entry'],
    'each of these is rehearsed; a broken entry is in t/redis_revocation.t';

done_testing;
