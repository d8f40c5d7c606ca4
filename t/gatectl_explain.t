# gatectl explain: says of each credential what nginx decides of it, and which check it was.
use lib 't/lib';
use Gate::Test;

use JSON::PP ();

use Gate::KeyRecord;
use Gate::Redis;

my $t = Gate::Test->new;
my $redis = Gate::Redis->new(test => $t)->start;
$t->{ports}{redis} = $redis->port;

my %keys = map { $_ => api_key('acme_') } qw(good expired suspended bound);
$t->write_jwks('corp.jwks', 'rs', 'es256');
$t->write_file('keys.json', key_file(
    key_record($keys{good}, id => 'good'),
    key_record($keys{expired}, id => 'expired', expires => time - 1),
    key_record($keys{suspended}, id => 'suspended', status => 'suspended'),
    key_record($keys{bound}, id => 'bound', cidr => ['192.0.2.0/24'])));
$t->start(<<'CONF');
gate_issuer corp {
    issuer https://idp.example.com; audience orders; jwks_file %%DIR%%/corp.jwks;
    type JWT; max_lifetime 2h; require_claim sub;
}
gate_keys partner { file %%DIR%%/keys.json; prefix acme_; }
gate_redis main { server 127.0.0.1:%%PORT_redis%%; }
gate_keys remote { redis main; prefix beta_; }
server {
    listen 127.0.0.1:%%PORT%%;
    location / { gate jwt=corp key=partner; }
}
CONF

sub explained {
    my ($credential, @arguments) = @_;
    my %environment = $t->_environment;
    local @ENV{ keys %environment } = values %environment;
    my ($status, $out, $err) = gatectl('explain', @arguments, '-c', $t->dir . '/nginx.conf', '-p',
        $t->dir, '--nginx', $t->{nginx}, { stdin => "$credential\n" });
    return ($status, $out, $err);
}

# The reason nginx gives; '' for a request that passed the gate.
sub reason_of_nginx {
    my ($header, $value) = @_;
    $t->mark;
    my $answer = http_get('/', headers => [$header, $value]);
    return '' if $answer->status != 401;
    my $line = wait_for(sub { ($t->log_since_mark =~ /auth: deny reason=(\w+)/)[0] }, 2);
    return $line || 'no line';
}

# What explain says; fails if its status or its checks contradict it.
sub reason_of_explain {
    my ($credential, $check, @arguments) = @_;
    my ($status, $out, $err) = explained($credential, '--json', @arguments);
    my $told = eval { JSON::PP->new->utf8->decode($out) } or return "no JSON: $err";
    my @failed = grep { $_->{outcome} eq 'failed' } @{ $told->{checks} };
    my $accepted = $told->{verdict} eq 'accept';
    is $status, $accepted ? 0 : 1, 'exit status';
    is join(' ', map { $_->{check} } @failed), $check, "the failed check: '$check'";
    return $told->{reason};
}

my $now = time;
my @tokens = (
    ['' => ''],
    ['times' => 'exp_past', claims => { exp => $now - 5 }],
    ['times' => 'exp_missing', claims => { exp => undef }],
    ['times' => 'nbf_future', claims => { nbf => $now + 500 }],
    ['issuer' => 'iss_mismatch', claims => { iss => 'https://other.example' }],
    ['audience' => 'aud_mismatch', claims => { aud => 'others' }],
    ['type' => 'typ_bad', header => { typ => 'other' }],
    ['required claims' => 'claim_missing', claims => { sub => undef }],
    ['lifetime' => 'lifetime_exceeded', claims => { exp => $now + 9000 }],
    ['identity' => 'claim_type', claims => { sub => ['x'] }],
    ['signature' => 'sig_bad', key => 'rs_b', header => { kid => 'rs' }],
    ['key' => 'kid_unknown', key => 'rs_b', header => { kid => 'gone' }],
    ['key' => 'alg_key_mismatch', header => { kid => 'es256' }],
    ['algorithm' => 'alg_not_allowed', key => 'hs256', header => { kid => 'rs' }],
    ['shape' => 'alg_none', alg => 'none'],
);
for (@tokens) {
    my ($check, $expected, %mint) = @$_;
    my $token = mint(%mint);
    my $nginx = reason_of_nginx('Authorization', "Bearer $token");
    is $nginx, $expected, "nginx: '$expected'";
    is reason_of_explain($token, $check, '--issuer', 'corp'), $nginx, 'explain says the same';
}

my @keys = (['good', '' => ''], ['expired', 'times' => 'key_expired'],
    ['suspended', 'status' => 'key_suspended'], ['bound', 'address' => 'key_address']);
for (@keys) {
    my ($name, $check, $expected) = @$_;
    my $nginx = reason_of_nginx('X-API-Key', $keys{$name});
    is $nginx, $expected, "nginx: key '$name': '$expected'";
    is reason_of_explain($keys{$name}, $check, '--store', 'partner', '--address', '127.0.0.1'),
        $nginx, 'explain says the same';
}
is reason_of_explain($keys{bound}, '', '--store', 'partner'), '', 'without an address networks are not judged';
is reason_of_explain(api_key('acme_'), 'lookup', '--store', 'partner'), 'key_unknown', 'unknown key';

# ---- a store in Redis

my $redis_key = api_key('beta_');
my $store = Gate::KeyRecord->new($redis)->set_up;
my $record = $store->put($redis_key);
my @where = ('--store', 'remote', '--redis', $redis->address);
is reason_of_explain($redis_key, '', @where), '', 'a key in Redis';
is reason_of_explain(api_key('beta_'), 'lookup', @where), 'key_unknown', 'one that is not there';
$store->change($record, status => 'suspended');
is reason_of_explain($redis_key, 'status', @where), 'key_suspended', 'one that is suspended there';
is((explained($redis_key, '--store', 'remote'))[2],
    "gatectl: the keys of \"remote\" are in Redis: name it by --redis ADDRESS, as for gatectl key\n", 'Redis has to be named');
$redis->cmd('DEL', $store->name('epoch'));
my ($code, undef, $why) = explained(api_key('beta_'), @where);
is $code, 1, 'a store without its epoch tells nothing';
like $why, qr/gate:epoch/, 'and the message says so';

# ---- for people, without values

my $token = mint(claims => { sub => 'somebody-secret', scope => 'hidden:scope' });
my ($status, $out) = explained($token, '--issuer', 'corp');
is $status, 0, 'a good token is accepted';
like $out, qr/^signature +ok/m, 'each check with its outcome';
like $out, qr/^sub +string of 15 octets$/m, 'claims by type and length';
like $out, qr/^verdict  accept$/m, 'and the verdict';
unlike $out, qr/somebody-secret|hidden:scope|\Q$now\E/, 'values do not show';
($status, $out) = explained(mint(claims => { exp => $now - 100 }), '--issuer', 'corp');
like $out, qr/^times +failed +exp \d+ s ago.*: exp_past$/m, 'says how long ago a token expired';
like $out, qr/^signature +not reached/m, 'and what was not reached';

($status, $out, my $err) = explained($token, '--issuer', 'nobody');
is $status, 1, 'an unknown issuer is refused';
is $err, "gatectl: no issuer \"nobody\"; declared: corp\n", 'and the declared ones are named';
is((explained($token))[0], 2, 'neither issuer nor store is a usage error');

done_testing();
