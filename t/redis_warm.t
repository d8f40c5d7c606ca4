# What is known costs Redis nothing, however often it is asked for: in 10^5 requests the server sees the
# follower, the questions that keep connections alive, and the batches of `used`, at most 5 commands a
# second. No command has more of a client than a digest, and no secret is in Redis, in a log or in the zone.
use lib 't/lib';
use Gate::Test;

use IO::Select;
use Time::HiRes qw(sleep time);

use Gate::Crowd qw(crowd);
use Gate::KeyRecord;
use Gate::Redis;
use Gate::Secrets qw(shared_memory);

my $kRequests = $ENV{GATE_ASAN} || $ENV{GATE_VALGRIND} ? 10_000 : 100_000;
my $kWorkers = 2;
my $kAtOnce = 50;

my @letters = ('A' .. 'Z', 'a' .. 'z', 0 .. 9);
my $password = join '', 'redis-', map { $letters[rand @letters] } 1 .. 32;
my $t = Gate::Test->new(workers => $kWorkers);
my $redis = Gate::Redis->new(test => $t, password => $password)->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
$t->write_file('pw', "$password\n");
$t->write_jwks('keys.jwks', 'rs');
my %secret;
my @known = map { my $key = api_key('acme_'); $store->put($key); $key } 1 .. 3;
my $unknown = api_key('acme_');
my @tokens = map { mint(claims => { jti => "t-$_" }) } 1 .. 3;
$secret{password} = $password;
@secret{ map {"key $_"} 0 .. 2 } = @known;
$secret{'unknown key'} = $unknown;
for my $n (0 .. 2) {
    my (undef, $payload, $signature) = split /\./, $tokens[$n];
    @secret{"payload $n", "signature $n"} = ($payload, $signature);
}

my $says = Gate::Crowd::lines();
my $configuration = <<"END";
    gate_redis main { server @{[$redis->address]}; password_file %%DIR%%/pw; timeout 1s; }
    gate_keys partners { redis main; prefix acme_; valid 60s; }
    gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
    gate_revocation redis=main;
    access_log off;
    server {
        $says
        location / { gate jwt=corp key=partners; empty_gif; }
        location = /open { return 204; }
    }
END
$t->start($configuration);
my @headers = ((map { ['X-API-Key' => $_] } @known), map { [Authorization => "Bearer $_"] } @tokens);
my $crowd = crowd($t, $kWorkers);
sub ask_all { return map { my $worker = $_; map { $crowd->ask($worker, '/', headers => $_)->status } @headers } $crowd->workers; }
sub calls {
    my $all = $redis->commandstats;
    return { map { $_ => $all->{$_}{calls} } keys %$all };
}
ok $redis->wait_kept(sub { !grep { $_ != 200 } ask_all() }), 'all is known to all workers';
my $monitor = $redis->monitor;
is $crowd->ask(($crowd->workers)[0], '/', headers => ['X-API-Key' => $unknown])->status, 401, 'an unknown key';

# ---- 10^5 requests

# One connection to a worker, many requests at once on it.
sub pour {
    my ($worker, $count) = @_;
    my $socket = $crowd->{sockets}{$worker};
    my $text = join '', map { request_bytes('GET', '/', headers => $headers[$_ % @headers], keepalive => 1) } 1 .. $kAtOnce;
    my %seen;
    for (1 .. $count / $kAtOnce) {
        print {$socket} $text;
        $socket->flush;
        my $answers = '';
        my @statuses;
        # A picture ends with ';'.
        while (@statuses < $kAtOnce || $answers !~ /;\z/) {
            IO::Select->new($socket)->can_read(20) && sysread $socket, $answers, 1 << 16, length $answers or last;
            @statuses = $answers =~ m{HTTP/1\.1 (\d+) }g;
        }
        $seen{$_}++ for @statuses;
    }
    return \%seen;
}
my $before = calls();
my $began = time;
my %seen;
for my $worker ($crowd->workers) {
    my $said = pour($worker, $kRequests / $kWorkers);
    $seen{$_} += $said->{$_} for keys %$said;
}
# Long enough to tell how many commands a second are usual.
sleep 0.1 while time - $began < 10;
my $seconds = time - $began;
my $after = calls();
is_deeply \%seen, { 200 => $kRequests }, "$kRequests requests were let in";
my %grown = map { ($after->{$_} // 0) > ($before->{$_} // 0) ? ($_ => $after->{$_} - ($before->{$_} // 0)) : () } keys %$after;
delete @grown{ 'info', grep { /\|/ && !/\Axinfo/ } keys %grown };    # those of this test
my %expected = map { $_ => 1 } qw(xread get role ping hset zadd), 'xinfo|stream';
note sprintf '%.1f s: %s', $seconds, join ', ', map {"$_ $grown{$_}"} sort keys %grown;
is_deeply [grep { !$expected{$_} } keys %grown], [], 'and only followed and kept alive';
ok !$grown{hgetall}, 'none was looked up';
my $total = 0;
$total += $_ for values %grown;
cmp_ok $total / $seconds, '<=', 5, sprintf '%.1f commands a second', $total / $seconds;

# ---- what Redis was sent

my %words;
for my $command ($monitor->commands) {
    my ($verb, @arguments) = @{ $command->{argv} };
    $words{uc $verb}++;
    next if $verb =~ /\A(?:XREAD|XINFO|ROLE|PING|INFO|AUTH|CLIENT)\z/i;
    push @{ $words{odd} }, "@{ $command->{argv} }"
        if ($arguments[0] // '') !~ /\Agate:(?:epoch\z|key:[0-9a-f]{64}\z|used|log\z|rev\z)/;
}
is_deeply $words{odd} // [], [], 'each key is one of the data model, with a digest in hexadecimal digits';
is $words{HGETALL}, 1, 'the unknown key was looked up once';

# ---- secrets

my $secrets = Gate::Secrets->new(%secret);
my $planted = 'x' . unpack('H*', $known[0]) . 'y';
is_deeply $secrets->found_in(\$planted), ['key 0'], 'the search finds what is planted';

# All of it once more, where debug lines are written.
$t->{log_level} = 'debug';
$t->write_config($configuration);
ok $t->reload, 'at debug level';
for my $header (@headers, ['X-API-Key' => $unknown], [Authorization => "Bearer $tokens[0]x"]) {
    http_get('/', port => $t->port, headers => $header) for 1 .. 4;
}
my @lines = split /\n/, $t->error_log;
my $own = join "\n", grep {/: (?:\*\d+ )?(?:auth|gate\w*): /} @lines;
my $told = join "\n", grep { !/ \[debug\] / } @lines;
ok scalar(grep {/: \*\d+ auth: deny/} @lines), 'the log has lines of the gate';
is_deeply $secrets->found_in(\$own), [], 'no secret in a line of the gate, at any level';
is_deeply $secrets->found_in(\$told), [], 'nor in a line of nginx from info up';
my $dump = join "\n", map { join ' ', map { @{ $_->{argv} } } $_ } $monitor->commands;
is_deeply $secrets->found_in(\$dump), [], 'nor in a command';
my @keys = @{ $redis->cmd('KEYS', '*') };
my $held = join "\n", @keys, map {
    my $type = $redis->cmd('TYPE', $_);
    my @read = $type eq 'hash' ? ('HGETALL') : $type eq 'zset' ? ('ZRANGE') : $type eq 'stream' ? ('XRANGE') : ('GET');
    my @rest = $type eq 'zset' ? (0, -1) : $type eq 'stream' ? ('-', '+') : ();
    json($redis->cmd(@read, $_, @rest));
} @keys;
like $held, qr/[0-9a-f]{64}/, 'digests are in Redis';
is_deeply $secrets->found_in(\$held), [], 'and no secret';

SKIP: {
    my $zone = shared_memory(($t->workers)[0]);
    skip 'the memory of a worker cannot be read here', 2 if !defined $zone;
    cmp_ok length $zone, '>=', 1 << 20, 'the zone';
    is_deeply $secrets->found_in(\$zone), [], 'has no secret';
}

done_testing;
