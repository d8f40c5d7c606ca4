# Random revocations against a store that is followed while streams are trimmed, followers die, connections
# are cut, nginx is reloaded, and a replica that lags takes over. After each of these every credential is asked
# for: what a model of its own says is revoked is refused, everything else is let in.
#
# GATE_LONG: 10^5 operations; GATE_SEED repeats a run.
use lib 't/lib';
use Gate::Test;

use List::Util qw(max shuffle);
use Time::HiRes qw(sleep time);

use Gate::ChaosProxy;
use Gate::KeyRecord;
use Gate::Random;
use Gate::Redis;

my $kOperations = $ENV{GATE_LONG} ? 100_000 : 3000;
my $kRounds = $ENV{GATE_LONG} ? 40 : 12;
my $kTokens = 300;
my $kKeys = 20;
my $kPast = 3000;     # seconds in which the tokens were issued

my $seed = seed();

my $issuer = 'https://idp.example.com';
my $t = Gate::Test->new(workers => 2, zone => 'gate:64m');
$t->allow(qr/exited on signal 9|was locked by/);
my @redis = map { Gate::Redis->new(test => $t, name => $_)->start } qw(a b);
my $proxy = Gate::ChaosProxy->start(test => $t, to => $redis[0]->port);
my $store = Gate::KeyRecord->new($redis[0])->set_up;
my $secret = 'a secret of thirty-two octets or more';
$t->write_file('secret', $secret);

# ---- the model: what is revoked, as it was told

my $now = int time;
my %space = map { $_ => int($kOperations * 1.5) } qw(jti sub sid client);
my (%revoked, %mark, %status);
sub word { my ($kind) = @_; return "$kind-" . int rand $space{$kind}; }
sub instant { return $now - int rand $kPast; }

sub is_revoked {
    my ($token) = @_;
    return 1 if $revoked{"jti $token->{jti}"};
    return 1 if defined $mark{all} && $mark{all} >= $token->{iat};
    for my $kind (qw(sub sid client)) {
        my $what = "$kind $token->{$kind}";
        return 1 if $revoked{$what} || defined $mark{$what} && $mark{$what} >= $token->{iat};
    }
    return 0;
}

my %hs = (kty => 'oct', k => encode_base64url($secret), kid => undef);
sub token_of {
    my (%about) = @_;
    my $text = mint(key => \%hs, alg => 'HS256', claims => { iss => $issuer, jti => $about{jti}, sub => $about{sub},
        sid => $about{sid}, client_id => $about{client}, iat => $about{iat}, exp => $now + 86_400 });
    return { %about, text => $text };
}
my @tokens = map { token_of(iat => instant(), map { $_ => word($_) } keys %space) } 1 .. $kTokens;
my @keys = map { my $key = api_key('acme_'); { text => $key, record => $store->put($key) } } 1 .. $kKeys;
$status{ $_->{record}{id} } = 'active' for @keys;

# ---- operations

my $done = 0;
sub revoke {
    my ($kind, $value, %opt) = @_;
    $store->revoke($kind, $kind eq 'key' ? 'partners' : $issuer, $value,
        forget => rand() < 0.5 ? undef : $now + 7200 + int rand 10_000, %opt);
    my $what = $kind eq 'all' ? 'all' : "$kind $value";
    if (defined $opt{until}) { $mark{$what} = max($mark{$what} // 0, $opt{until}); }
    else { $revoked{$what} = 1; }
    return;
}
sub operate {
    my $dice = rand;
    ++$done;
    return revoke('jti', word('jti')) if $dice < 0.5;
    for my $kind (qw(sub sid client)) {
        $dice -= $kind eq 'sub' ? 0.5 + 0.15 : 0.15;
        return revoke($kind, word($kind), rand() < 0.7 ? (until => instant()) : ()) if $dice < 0;
    }
    return revoke('all', '', until => $now - $kPast + int rand $kPast / 10) if $dice < 0.01;
    my $key = $keys[rand @keys];
    my $id = $key->{record}{id};
    return revoke('key', $id) if rand() < 20 / $kOperations;
    $status{$id} = $status{$id} eq 'active' ? 'suspended' : 'active';
    $store->change($key->{record}, status => $status{$id});
    return;
}
sub operate_for { my ($count) = @_; operate() for 1 .. $count; return; }

# ---- what nginx says

$t->start(<<"END");
    gate_redis main { server 127.0.0.1:@{[$proxy->port]}; timeout 500ms; }
    gate_keys partners { redis main; prefix acme_; }
    gate_issuer corp { issuer $issuer; key secret_file=%%DIR%%/secret; algorithms HS256; audience orders; }
    gate_revocation redis=main max_lag=60s;
    access_log off;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { gate jwt=corp key=partners; add_header X-Reason \$gate_reason always; empty_gif; }
    }
END
# A worker whose connection is not there again does not know a key, and says so.
sub ask {
    my (@headers) = @_;
    my $said;
    wait_for(sub {
        my $answer = http_get('/', port => $t->port, headers => [@headers]);
        $said = $answer->status . ' ' . ($answer->header('X-Reason') // '');
        $said !~ /\A503 store_/;
    }, 10);
    return $said;
}
sub with_token { return ask(Authorization => "Bearer $_[0]{text}"); }

# The last of all is in force: so is what was before it.
my $synced = 0;
sub in_step {
    my $last = token_of(jti => 'sync-' . ++$synced, sub => 's', sid => 's', client => 'c', iat => $now + 1);
    revoke('jti', $last->{jti});
    return wait_for(sub { with_token($last) eq '401 revoked' }, 20);
}

sub wrong {
    my @wrong;
    for my $token (@tokens) {
        my $said = with_token($token);
        my $expected = is_revoked($token) ? '401 revoked' : '200 ';
        push @wrong, "$said in place of $expected: jti $token->{jti}" if $said ne $expected;
    }
    for my $key (@keys) {
        my $id = $key->{record}{id};
        my $expected = $revoked{"key $id"} ? qr/\A401 (?:revoked|key_suspended)\z/
            : $status{$id} eq 'suspended' ? qr/\A401 key_suspended\z/ : qr/\A200 \z/;
        my $said = ask('X-API-Key' => $key->{text});
        push @wrong, "$said in place of $expected: key $id" if $said !~ $expected;
    }
    return @wrong;
}

# ---- what happens meanwhile

my %fault = (
    'nothing' => sub { operate_for($_[0]) },
    'a stream that is trimmed while nobody follows' => sub {
        $proxy->mode('refuse');
        operate_for($_[0]);
        $redis[0]->cmd('XTRIM', 'gate:log', 'MAXLEN', int rand 3);
        $proxy->mode('pass');
    },
    'a stream that is trimmed while it is followed' => sub {
        for (1 .. 5) {
            operate_for($_[0] / 5);
            $redis[0]->cmd('XTRIM', 'gate:log', 'MAXLEN', int rand 3);
        }
    },
    'a follower that dies' => sub {
        operate_for($_[0] / 2);
        my ($follower) = map { ($_->{name} // '') =~ /(\d+)\z/ ? $1 : () }
            grep { ($_->{cmd} // '') =~ /\Axread/ } $redis[0]->clients;
        kill 'KILL', $follower if $follower;
        operate_for($_[0] / 2);
    },
    'connections that are cut' => sub {
        for (1 .. 4) {
            operate_for($_[0] / 4);
            $redis[0]->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        }
    },
    'a reload' => sub {
        operate_for($_[0] / 2);
        $t->reload or die 'no reload';
        operate_for($_[0] / 2);
    },
    # What the follower took of the old master stays in force; records are those of the new one.
    'a replica that lags takes over' => sub {
        my ($old, $new) = @redis;
        $new->cmd('REPLICAOF', '127.0.0.1', $old->port);
        operate_for($_[0] / 2);
        $new->wait_copy_of($old);
        $new->cmd('REPLICAOF', 'NO', 'ONE');
        my %then = map { $_->{record}{id} => { %{ $_->{record} } } } @keys;
        operate_for($_[0] / 4);
        in_step() or die 'not in step before the failover';
        $proxy->mode('refuse');
        @redis = ($new, $old);
        $store->{redis} = $new;
        for my $key (@keys) {
            %{ $key->{record} } = %{ $then{ $key->{record}{id} } };
            $status{ $key->{record}{id} } = $key->{record}{status};
        }
        operate_for($_[0] / 4);
        $proxy->to($new->port);
        $proxy->mode('pass');
    },
);

ok in_step(), 'the store is followed';
is_deeply [wrong()], [], 'as the model says';
my @faults = sort keys %fault;
my @order = map { shuffle(@faults) } 0 .. $kRounds / @faults;
for my $round (1 .. $kRounds) {
    my $what = $order[ $round - 1 ];
    $fault{$what}->($kOperations / $kRounds);
    ok in_step(), "$round: $what: in step again";
    # What was trimmed before the follower read it is missed within a second, and the set is read then.
    my @wrong;
    wait_for(sub { @wrong = wrong(); return !@wrong }, 10);
    is_deeply \@wrong, [], "$round: all is as the model says"
        or diag "GATE_SEED=$seed";
}
my $refused = grep { is_revoked($_) } @tokens;
note "$done operations; $refused of $kTokens tokens and ", scalar(grep {/\Akey /} keys %revoked), " of $kKeys keys are revoked";
cmp_ok $refused, '>', $kTokens / 10, 'many are revoked in the end';
cmp_ok $refused, '<', $kTokens * 0.95, 'and many are not';

done_testing;
