# Values that would be commands if anybody wrote them into Redis' protocol: as keys of a store in Redis,
# as what a lookup asks for, as key ids, and as ids that gatectl is given. Redis sees each as one argument
# or not at all, and only commands that the gate has.
use lib 't/lib';
use Gate::Test;
use Gate::Vectors qw(ran);

use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(decode_base64);

use Gate::KeyRecord;
use Gate::Redis;

my $file = vectors('own/apikey_cases.json') or plan skip_all => 'skipped: no vectors';
my @cases = @{ $file->{tests} };

my $t = Gate::Test->new;
my $redis = Gate::Redis->new(test => $t)->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
$t->{ports}{redis} = $redis->port;
$t->write_jwks('keys.jwks', 'rs');

my $prefix = 'acme_live_';
my ($key, $expired, $foreign) = (api_key($prefix), api_key($prefix), api_key('other_live_'));
my %placeholder = (KEY => $key, KEY_EXPIRED => $expired, KEY_OTHER_TENANT => $foreign, KEY_PREFIX => $prefix,
    KEY_SHA256_HEX_UPPER => uc sha256_hex($key));
my @records = ($store->put($key), $store->put($expired, expires => time - 10));
$redis->cmd('SET', 'canary', 'alive');

$t->start(<<'EOF');
    gate_redis main { server 127.0.0.1:%%PORT_redis%%; }
    gate_keys partners { redis main; prefix acme_live_; }
    gate_keys any { redis main; checksum off; }
    gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
    gate_claim $jti jti;
    server {
        listen 127.0.0.1:%%PORT%%;
        large_client_header_buffers 4 512k;
        location /partner { gate key=partners; empty_gif; }
        location /any { gate key=any; empty_gif; }
        location /jti { gate jwt=corp; gate_revocation_lookup redis=main EXISTS "gone:$jti" valid=0; empty_gif; }
        location /field { gate jwt=corp; gate_revocation_lookup redis=main HEXISTS gone $jti valid=0; empty_gif; }
    }
EOF
ok wait_for(sub { http_get('/any', headers => { 'X-API-Key' => $key })->status == 200 }), 'the store is asked';
my $monitor = $redis->monitor;

sub value_of { my ($case) = @_; return decode_base64($case->{key_b64}) =~ s/\{\{(\w+)\}\}/$placeholder{$1}/gr; }
sub characters { my ($bytes) = @_; utf8::decode($bytes); return $bytes; }
sub bearer { my (%token) = @_; return 'Authorization: Bearer ' . mint(%token); }

# The complaint about one request, or nothing.
sub fault {
    my ($case, $uri, $header) = @_;
    my $status = http_raw("GET $uri HTTP/1.1\r\nHost: gw.test\r\n$header\r\nConnection: close\r\n\r\n",
        methods => ['GET'], count => 1, timeout => 3)->status;
    return (grep { $_ == $status } @{ $case->{status} }) ? () : "$case->{id} $uri: status $status";
}

# An id that no key has.
sub gatectl_fault {
    my ($case) = @_;
    my $value = value_of($case);
    return if $value =~ /\0/;    # no program can be given one
    my ($status, $out) = gatectl('key', 'show', '--redis', $redis->address, '--', $value);
    return $status == 1 && $out eq '' ? () : "$case->{id} gatectl: exit status $status";
}

my %send = (
    'apikey' => sub {
        my ($case) = @_;
        return map { fault($case, $_, 'X-API-Key: ' . value_of($case)) } '/partner', '/any';
    },
    'apikey-header' => sub {
        my ($case) = @_;
        return (fault($case, '/any', 'X-API-Key: ' . value_of($case)),
            fault($case, '/partner', "X-API-Key: $prefix" . value_of($case)));
    },
    'jwt-jti' => sub {
        my ($case) = @_;
        my $header = bearer(claims => { jti => characters(value_of($case)) });
        return map { fault($case, $_, $header) } '/jti', '/field';
    },
    'jwt-kid' => sub {
        my ($case) = @_;
        return fault($case, '/jti', bearer(header => { kid => characters(value_of($case)) }));
    },
    'mgmt-id' => \&gatectl_fault,
);
my $ran = 0;
for my $where (sort keys %send) {
    my @here = grep { ($_->{where} // $_->{cls}) eq $where } @cases;
    my @faults = map { $send{$where}->($_) } @here;
    is_deeply \@faults, [], @here . " values as $where";
    $ran += @here;
}
ran('own/apikey_cases.json', $ran, @cases + 0,
    (@cases - $ran) . ' are refresh tokens: t/redis_refresh.t');

# ---- what Redis saw

my @commands = map { $_->{argv} } $monitor->commands;
my %asked;
$asked{ uc $_->[0] }++ for @commands;
my %known = map { $_ => 1 } qw(HGETALL GET EXISTS HEXISTS ROLE INFO CLIENT HMGET ZSCAN);    # the last two are gatectl's
is_deeply [grep { !$known{$_} } sort keys %asked], [], 'no other command than those of the gate'
    or diag explain \%asked;
cmp_ok $asked{$_} // 0, '>', 0, "$_ was asked" for qw(HGETALL EXISTS HEXISTS);
is_deeply [grep { uc $_->[0] eq 'HGETALL' && $_->[1] !~ /\Agate:key:[0-9a-f]{64}\z/ } @commands], [],
    'keys are asked for by their digests in lower case';
my %seen = map { $_->[-1] => 1 } grep { uc $_->[0] =~ /\AH?EXISTS\z/ } @commands;
# One with a control character is not asked for at all.
my @ids = map { value_of($_) } grep { ($_->{where} // '') eq 'jwt-jti' } @cases;
is_deeply [sort keys %seen], [sort map { ($_, "gone:$_") } grep { !/[\0-\x1f]/ } @ids],
    'each id was one argument, octet for octet';
is scalar(grep { index(join("\n", @$_), $key) >= 0 } @commands), 0, 'no command has a key itself';
is $redis->cmd('GET', 'canary'), 'alive', 'the canary lives';
is_deeply [sort grep { !/:used\z/ } @{ $redis->cmd('KEYS', '*') }], [sort 'canary', map { $store->name($_) } qw(epoch keys log),
    (map { 'key:' . sha256_hex($_) } $key, $expired), map { "keyid:$_->{id}" } @records], 'nothing was added, nothing is gone';

done_testing;
