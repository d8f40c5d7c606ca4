# Those files of conf/examples that need Redis, each with real servers: started as they are, but for
# ports and paths, and asked as their comments say. See t/examples.t.
use lib 't/lib';
use Gate::Test;

use Gate::Example qw(example nginx allowed refused ask bearer values_in);
use Gate::Certs;
use Gate::KeyRecord;
use Gate::Redis;
use Gate::Redis::Cluster;
use Gate::Redis::Sentinels;

my $issuer = 'https://idp.example.com';
my $doc = slurp(root_dir() . '/docs/REDIS.md');

sub key_in { return (headers => ['X-API-Key', $_[0]]); }
sub status { return ask(GET => @_)->status; }
# Until the store is loaded and a request is let in.
sub ready { my (@request) = @_; return ok wait_for(sub { status(@request) == 200 }), 'the store is loaded'; }
sub soon_refused {
    my ($what, @request) = @_;
    return ok wait_for(sub { status(@request) == 401 }, 2), $what;
}

# The user of docs/REDIS.md for another prefix and with a password.
sub acl_user {
    my ($prefix, $password) = @_;
    my ($line) = $doc =~ /^```acl\n(user gate .*)$/m or die 'no user in docs/REDIS.md';
    return $line =~ s/gate:/$prefix/gr =~ s/>\S+/>$password/r;
}

{
    my ($redis, $store);
    example 'redis-api-keys', { 'redis.password' => "s3cret-of-gate\n" }, sub {
        my $key = api_key('acme_live_');
        my $record = $store->put($key, owner => 'acme', scopes => ['orders:*']);
        my $seen = allowed('/', 'a key of the store', GET => '/', key_in($key));
        is values_in($seen, 'X-Key-Id'), $record->{id}, 'id';
        is values_in($seen, 'X-User'), 'acme', 'owner';
        refused('/', 401, 'key_unknown', 'another key', GET => '/', key_in(api_key('acme_live_')));
        allowed('/orders/', 'its scopes count', GET => '/orders/', key_in($key));
        my $poor = api_key('acme_live_');
        $store->put($poor);
        refused('/orders/', 403, 'scope_missing', 'no scope', GET => '/orders/', key_in($poor));
        is_deeply [$redis->cmd('ACL', 'LOG')], [[]], 'the user has all rights that it needs';

        my $late = api_key('acme_live_');
        is status('/', key_in($late)), 401, 'a key that is not there yet';
        $store->put($late);
        ok wait_for(sub { status('/', key_in($late)) == 200 }, 4), 'is let in two seconds later';
        $redis->kill('KILL');
        allowed('/', 'known keys outlive Redis', GET => '/', key_in($key));
        my $response = refused('/', 503, 'store_unavailable', 'others have to wait', GET => '/',
            key_in(api_key('acme_live_')));
        ok $response->header('Retry-After'), 'and are told so';
    }, sub {
        my ($t) = @_;
        $redis = Gate::Redis->new(test => $t, user => 'admin', password => 'of-admin', acl => [
            'user default off', 'user admin on >of-admin ~* &* +@all',
            acl_user('shop:', 's3cret-of-gate')])->start;
        $store = Gate::KeyRecord->new($redis, prefix => 'shop:')->set_up;
        return [qr/127\.0\.0\.1:6379/, $redis->address];
    };
}

# A token and a key are let in, and refused when they are revoked.
sub revoked_soon {
    my ($store, $token_location, $key_location) = @_;
    my @mine = bearer(claims => { jti => 'j1' });
    ready($token_location, bearer());
    allowed($token_location, 'a token', GET => $token_location, @mine);
    $store->revoke('jti', $issuer, 'j1');
    soon_refused('soon it is refused', $token_location, @mine);
    refused($token_location, 401, 'revoked', 'a revoked token', GET => $token_location, @mine);
    allowed($token_location, 'others pass', GET => $token_location, bearer(claims => { jti => 'j2' }));
    my $key = api_key('acme_live_');
    my $record = $store->put($key);
    allowed($key_location, 'a key', GET => $key_location, key_in($key));
    $store->change($record, status => 'suspended');
    soon_refused('suspended, it is refused', $key_location, key_in($key));
    refused($key_location, 401, 'key_suspended', 'a suspended key', GET => $key_location, key_in($key));
    return;
}

{
    my ($redis, $store);
    example 'redis-revocation', { 'corp.jwks' => jwks('rs') }, sub {
        revoked_soon($store, '/', '/partner/');
        my ($zadd, $xadd) = slurp(root_dir() . '/conf/examples/redis-revocation/nginx.conf')
            =~ /^#\s+(ZADD .*)\n#\s+(XADD .*)$/m;
        my @other = bearer(claims => { jti => '4f0c0d2e', exp => time + 60 });
        allowed('/', 'the token of the comment', GET => '/', @other);
        s/1764003600/time + 60/ge for $zadd, $xadd;
        $redis->transaction([split / /, $zadd], [split / /, $xadd]);
        soon_refused('as by hand', '/', @other);
    }, sub {
        my ($t) = @_;
        $redis = Gate::Redis->new(test => $t)->start;
        $store = Gate::KeyRecord->new($redis)->set_up;
        return [qr/127\.0\.0\.1:6379/, $redis->address];
    };
}

{
    my ($redis, $store);
    my ($key, $poor) = map { api_key('op_') } 1, 2;
    my %files = ('corp.jwks' => jwks('rs'),
        'operators.json' => key_file(key_record($key, scopes => ['operate']), key_record($poor)));
    example 'health', \%files, sub {
        ok wait_for(sub { status('/gate/ready') == 200 }), 'soon it is ready';
        my $response = ask(GET => '/gate/ready');
        is $response->body, "ready\n", 'and says no more';
        allowed('= /gate/ready', 'ready', GET => '/gate/ready');
        ready('/', bearer());
        allowed('/', 'a token', GET => '/', bearer());
        refused('/', 401, 'no_credential', 'nobody', GET => '/');
        for my $uri (qw(/gate/health /gate/health.json /gate/routes)) {
            allowed("= $uri", 'an operator', GET => $uri, key_in($key));
            refused("= $uri", 403, 'scope_missing', 'another key', GET => $uri, key_in($poor));
        }
        $redis->kill('KILL');
        ok wait_for(sub { status('/gate/ready') == 503 }), 'without Redis it is not ready';
        refused('= /gate/ready', 503, '', 'not ready', GET => '/gate/ready');
        my $states = sub {
            my $health = ask(GET => '/gate/health.json', key_in($key))->json;
            return join ', ', map { "$_->{integration} $_->{state}" } @{ $health->{integrations} };
        };
        my $expected = 'redis disconnected, revocation degraded, issuer connected, keys connected, '
            . 'users not_configured';
        ok wait_for(sub { $states->() eq $expected }), 'an operator sees why' or diag $states->();
    }, sub {
        my ($t) = @_;
        $redis = Gate::Redis->new(test => $t)->start;
        $store = Gate::KeyRecord->new($redis)->set_up;
        return [qr/127\.0\.0\.1:6379/, $redis->address];
    };
}

{
    my ($fleet, $store);
    my %files = ('corp.jwks' => jwks('rs'), 'redis.password' => 'of-redis', 'sentinel.password' => 'of-sentinels');
    example 'sentinel', \%files, sub {
        revoked_soon($store, '/', '/');
        $fleet->wait_replicated;
        $fleet->kill_master;
        $fleet->wait_failover;
        my $late = api_key('acme_live_');
        $store->put($late);
        ok wait_for(sub { status('/', key_in($late)) == 200 }, 5), 'another master is asked';
        my @token = bearer(claims => { jti => 'late' });
        $store->revoke('jti', $issuer, 'late');
        soon_refused('and followed', '/', @token);
    }, sub {
        my ($t) = @_;
        $fleet = Gate::Redis::Sentinels->new(test => $t, master => 'shop', node => { password => 'of-redis' },
            sentinel => { password => 'of-sentinels' })->start;
        $store = Gate::KeyRecord->new($fleet)->set_up;
        my @ports = $fleet->sentinel_ports;
        return map { [qr/127\.0\.0\.1:@{[26379 + $_]}/, "127.0.0.1:$ports[$_]"] } 0 .. 2;
    };
}

{
    my ($cluster, $store);
    example 'cluster-tls', { 'corp.jwks' => jwks('rs') }, sub {
        revoked_soon($store, '/', '/');
        my $slot = Gate::Redis::Cluster::slot_of('{shop}:');
        my ($to) = grep { $_->port != $cluster->owner_of($slot)->port } $cluster->masters;
        my @keys = map { api_key('acme_live_') } 1 .. 2;
        $store->put($_) for @keys;
        allowed('/', 'a key before its slot moves', GET => '/', key_in($keys[0]));
        $cluster->migrate_slot($slot, $to);
        allowed('/', 'and one behind it', GET => '/', key_in($keys[1]));
    }, sub {
        my ($t) = @_;
        my $certs = Gate::Certs->of($t);
        $t->write_file('redis-ca.pem', slurp($certs->ca));
        $t->write_file('redis-client.pem', slurp($certs->cert('client')));
        $t->write_file('redis-client.key', slurp($certs->key('client')));
        $cluster = Gate::Redis::Cluster->new(test => $t, replicas => 0, node => { tls => 'mutual' })->start;
        $store = Gate::KeyRecord->new($cluster, prefix => '{shop}:')->set_up;
        my @ports = $cluster->ports;
        return map { [qr/127\.0\.0\.1:@{[7001 + $_]}/, "127.0.0.1:$ports[$_]"] } 0 .. 2;
    };
}

done_testing;
