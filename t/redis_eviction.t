# A server that would drop keys to make room: said once when it is connected, by one worker; whoever
# is let in is let in all the same.
use lib 't/lib';
use Gate::Test;

use Gate::Ctl;
use Gate::KeyRecord;
use Gate::Redis;

my $t = Gate::Test->new(workers => 2);
my $redis = Gate::Redis->new(test => $t)->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
$store->put(my $key = api_key('acme_'));
$t->write_file('pw', 'gate');
$t->write_jwks('keys.jwks', 'rs');
my $rights = '+hgetall +get +ping +role +client|setname';
my $server = $redis->address;

sub configuration {
    my (%opt) = @_;
    my $lookup = $opt{lookup} ? 'gate_revocation_lookup redis=main EXISTS "gone:$gate_key_id";' : '';
    return <<"END";
    gate_redis main { server $server; user gate; password_file %%DIR%%/pw; backoff 1s; keepalive 200ms; }
    gate_keys partners { redis main; prefix acme_; }
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { gate key=partners; $lookup empty_gif; }
    }
END
}
sub status { return http_get('/', port => $t->port, headers => ['X-API-Key' => $key])->status; }
sub lines { return $t->log_since_mark =~ /\[(\w+)\] \d+#\d+: gate_redis "main": \Q$server\E: (.*)$/mg; }
# nginx anew, until a worker has looked: all lines about it, level and text in turn.
sub said {
    my ($policy, $memory, %opt) = @_;
    $redis->cmd('CONFIG', 'SET', 'maxmemory-policy', $policy, 'maxmemory', $memory);
    $redis->cmd('ACL', 'SETUSER', 'gate', 'reset', 'on', '>gate', '~*', split(/ /, $rights), '+exists', @{ $opt{rights} // ['+info'] });
    $redis->reset_stats;
    $t->mark;
    $t->write_config(configuration(%opt));
    $t->pid ? $t->reload : $t->start or die 'nginx does not start';
    wait_for(sub { ($redis->commandstats->{info} || {})->{calls} || ($redis->commandstats->{info} || {})->{rejected_calls} })
        or return 'nobody asked';
    my @before = lines();
    is status(), 200, "$policy: whoever has a key is let in" for 1 .. 4;
    # ROLE is asked behind it on the same connection.
    my $roles = $redis->commandstats->{role}{calls};
    wait_for(sub { $redis->commandstats->{role}{calls} >= $roles + 3 }, 20) or die 'no ROLE';
    return lines();
}

is_deeply [said('noeviction', '100mb')], [], 'noeviction: nothing';
my $any = 'Redis drops keys and revocations';
is_deeply [said('allkeys-lru', '100mb')],
    ['error', "maxmemory-policy is allkeys-lru: $any when its memory is full; set noeviction"],
    'any key may go: an error, once for all workers';
is_deeply [said('allkeys-random', 0)],
    ['warn', "maxmemory-policy is allkeys-random: $any as soon as maxmemory is set; set noeviction"],
    'not yet: a warning';
my $expiring = 'Redis drops what has an expiry, such as ids that gate_revocation_lookup asks for,';
is_deeply [said('volatile-lru', '100mb')],
    ['warn', "maxmemory-policy is volatile-lru: $expiring when its memory is full; set noeviction"],
    'only keys with an expiry, which are none of the gate\'s own: a warning';
is_deeply [said('volatile-lru', '100mb', lookup => 1)],
    ['error', "maxmemory-policy is volatile-lru: $expiring when its memory is full; set noeviction"],
    'where an application\'s keys are looked up: an error';
my @unknown = said('allkeys-lru', '100mb', rights => []);
is $unknown[0], 'notice', 'a user that may not ask: a notice';
like $unknown[1], qr/\Awhether it drops keys when its memory is full is not known: INFO answers NOPERM/, 'that says so';

# ---- a connection that is lost again and again

said('allkeys-lru', '100mb');
my $up = () = $redis->clients;
$t->mark;
for (1 .. 2) {
    my $roles = $redis->commandstats->{role}{calls} // 0;
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    wait_for(sub { ($redis->commandstats->{role}{calls} // 0) >= $roles + $up }, 10) or die 'not connected again';
}
is_deeply [lines()], [], 'is asked once a minute at most';

# ---- gatectl

my $ctl = Gate::Ctl->new($redis, '--redis', $server);
my ($status, $state) = $ctl->json('store', 'check');
is $status, 1, 'store check finds it';
is_deeply [grep {/maxmemory/} @{ $state->{problems} }],
    ["maxmemory-policy is allkeys-lru: $any when its memory is full; set noeviction"], 'in the same words';
$redis->cmd('CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl');
($status, $state) = $ctl->json('store', 'check');
is_deeply [grep {/maxmemory/} @{ $state->{warnings} }],
    ["maxmemory-policy is volatile-ttl: $expiring when its memory is full; set noeviction"], 'as a warning too';

done_testing;
