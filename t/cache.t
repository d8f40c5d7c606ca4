# Verdicts in shared memory: verified once, known to every worker; and never more than the truth
# about the token: each location, server and issuer decides for itself, at this second.

use lib 't/lib';
use Gate::Test;
use Gate::Cache;
use Time::HiRes qw(sleep time);

my $workers = 4;
my $t = Gate::Test->new(workers => $workers, log_level => 'notice');
my $app = $t->upstream('app');
my $key = api_key('k_');
$t->write_jwks('keys.jwks', 'rs', 'es256');
$t->write_file('keys.json', key_file(key_record($key)));
$t->write_file('ok.txt', "ok\n");
$t->write_file('revoked', '');

my $says = says();
my $http = <<"EOF";
$says
large_client_header_buffers 4 32k;
map \$gate_claim_level \$level_seven { 7 1; default 0; }
map "\$arg_user:\$gate_subject" \$same_user { ~^([^:]+):\\1\$ 1; default 0; }
gate_claim \$deep  org.unit.name;
gate_claim \$list  org.tags as=json;
gate_revocation file=%%DIR%%/revoked;
gate_roles staff { viewer orders:read; }
gate_issuer corp   { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; roles staff; leeway 0s; }
gate_issuer strict { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience billing; }
gate_issuer twin   { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; subject_claim uid sub; }
gate_keys k { file %%DIR%%/keys.json; prefix k_; }
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    root %%DIR%%;
    gate jwt=corp key=k;
    location = /ok.txt { add_header X-User \$gate_subject; $says }
    location = /scope { gate_require_scope orders:read; alias %%DIR%%/ok.txt; }
    location = /role { gate_require_role viewer; alias %%DIR%%/ok.txt; }
    location = /claim { gate_require_claim tenant eq blue; alias %%DIR%%/ok.txt; }
    location = /value { gate_require \$level_seven; alias %%DIR%%/ok.txt; }
    location = /same { gate_require \$same_user; alias %%DIR%%/ok.txt; }
    location /app/user { gate_identity X-User \$gate_subject; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /app/ {
        gate_identity X-User \$gate_subject; gate_identity X-Client \$gate_client; gate_identity X-Iss \$gate_issuer;
        gate_identity X-Scopes \$gate_scopes; gate_identity X-Roles \$gate_roles; gate_identity X-Role \$gate_role;
        gate_identity X-Groups \$gate_groups; gate_identity X-Deep \$deep; gate_identity X-List \$list;
        gate_identity X-Level \$gate_claim_level; gate_identity X-Kid \$gate_key_id; gate_identity X-Typ \$gate_header_typ;
        gate_identity X-Exp \$gate_expires; gate_identity X-Claims \$gate_claims; gate_identity X-Kind \$gate_credential;
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
}
server { listen 127.0.0.1:%%PORT_strict%% reuseport; root %%DIR%%; gate jwt=strict; location = /ok.txt { } }
server { listen 127.0.0.1:%%PORT_twin%% reuseport; root %%DIR%%; gate jwt=twin;
    add_header X-User \$gate_subject; $says location = /ok.txt { } }
EOF
$t->start($http);
ok wait_for(sub { $workers == $t->workers }), "$workers workers";

my $serial = 0;
# A token like no other before it.
sub fresh { my (%opt) = @_; return mint(%opt, claims => { jti => 'id' . ++$serial, %{ $opt{claims} || {} } }); }

subtest 'verified by one worker, known to all' => sub {
    for my $name ('rs', 'es256') {
        my $token = fresh(key => $name);
        my ($last, $times) = each_worker($workers, '/ok.txt', $token);
        is keys %$last, $workers, "$name: every worker answered";
        is delete $times->{'200 MISS'}, 1, 'it was verified once';
        is_deeply [keys %$times], ['200 HIT'], 'and known each time after that';
    }
};

subtest 'nothing to remember' => sub {
    like answer('/ok.txt', ['X-API-Key', $key]), qr/^200 /, 'an API key' for 1 .. 2;
    is answer('/ok.txt', []), '401 no_credential', 'no credential';
    my $bad = fresh(key => 'rs_b', header => { kid => key('rs')->{kid} });
    is answer('/ok.txt', $bad), '401 sig_bad', 'a bad token is refused each time' for 1 .. 3;
};

subtest 'each location decides for itself on a hit' => sub {
    my %kinds = (
        scope => { scope => 'orders:read' }, role => { roles => ['viewer'] },
        claim => { tenant => 'blue', level => 8 }, value => { level => 7, tenant => 'green' },
        plain => {}, escaped => { tenant => 'blue', roles => ["a\"b", 'viewer'] },
    );
    my %passes = (scope => '/scope /same', role => '/scope /role /same', claim => '/claim /same',
        value => '/value /same', plain => '/same', escaped => '/scope /role /claim /same');
    my @paths = ('/scope', '/role', '/claim', '/value', '/same?user=user-1', '/same?user=x');
    for my $kind (sort keys %kinds) {
        my (@cold, @known);
        push @cold, scalar(answer($_, fresh(claims => $kinds{$kind}))) =~ s/MISS/-/r for @paths;
        my $token = fresh(claims => $kinds{$kind});
        ok warm($workers, '/ok.txt', $token), "$kind: known";
        push @known, scalar(answer($_, $token)) =~ s/HIT/-/r for @paths;
        is_deeply \@known, \@cold, 'a hit decides as a verification does';
        my $passed = join ' ', map { $paths[$_] =~ s/\?.*//r } grep { $known[$_] =~ /^200/ } 0 .. $#paths;
        is $passed, $passes{$kind}, 'and as it should';
    }
};

subtest 'the application sees the same on a hit' => sub {
    my $raw = '{"iss":"https:\/\/idp.example.com","aud":["x","orders"],"iat":%d,"exp":%d.75,"jti":"%s",'
        . '"sub":"J\u00fcrgen \"J\" \u20ac","azp":"web","level":-1.50e1,"scope":"a  b:c d",'
        . '"roles":["viewer","\u0061dmin"],"groups":["gr\u00fcn"],"org":{"unit":{"name":"Z\u00fcrich/\\\\"},'
        . '"tags":[1,"\u00e9",{"n":null},true]}}';
    my @rich = (sprintf($raw, time, time + 600, 'rich'), json({ iss => 'https://idp.example.com',
        aud => 'orders', exp => int(time) + 600, sub => 12345, client_id => 'c', scope => ['a', 'b:c'],
        roles => 'one', groups => [], level => "\x{e9}\x{20ac}\x{1f600}", org => { unit => { name => 3.5 } } }));
    for my $payload (@rich) {
        $app->clear;
        my $token = mint(raw_payload => $payload);
        my @answers = map { scalar answer('/app/x', $token) } 1 .. 12;
        is $answers[0], '200 MISS', 'verified';
        is_deeply [@answers[1 .. 11]], [('200 HIT') x 11], 'then known';
        my @seen = map { [grep { $_->[0] =~ /^X-/ } @{ $_->{headers} }] } $app->requests;
        cmp_ok scalar @{ $seen[0] }, '>=', 11, 'identity is sent';
        is_deeply $seen[$_], $seen[0], "hit $_ sends the same" for 1 .. 11;
    }
};

subtest 'another issuer or server never gets it' => sub {
    my $token = fresh(claims => { uid => 'other-name' });
    ok warm($workers, '/ok.txt', $token), 'known';
    for (1 .. 8) {
        is answer('/ok.txt', $token, port => $t->port('strict')), '401 aud_mismatch', 'a stricter issuer refuses it';
        is answer('/ok.txt', $token), '200 HIT', 'and does not make it forgotten';
    }
    for my $round (1 .. 10) {
        # Both have one slot of the zone in turns; a worker may still know this second's.
        for my $issuer (['twin', 'other-name'], ['corp', 'user-1']) {
            my ($name, $user) = @$issuer;
            my ($text, undef, $response) =
                answer('/ok.txt', $token, $name eq 'twin' ? (port => $t->port('twin')) : ());
            like $text, qr/\A200 (?:HIT|MISS)\z/, "$name lets it in";
            is $response->header('X-User'), $user, 'by its own rules';
        }
    }
};

subtest 'instants pass while a token is known' => sub {
    my $end = int(time) + 3;
    my $token = fresh(claims => { exp => $end });
    ok warm($workers, '/ok.txt', $token), 'known';
    my ($late, $early) = (0, 0);
    my $refused = wait_for(sub {
        my $before = time;
        my $answer = answer('/ok.txt', $token);
        ++$early if $answer !~ /^200/ && time < $end;
        ++$late if $answer =~ /^200/ && $before >= $end + 1;
        return $answer eq '401 exp_past' && time > $end + 1;
    }, 15);
    ok $refused, 'expired';
    is $early, 0, 'not before';
    is $late, 0, 'nor a second late';
    my ($last) = each_worker($workers, '/ok.txt', $token);
    is_deeply [values %$last], [('401 exp_past') x $workers], 'in every worker';

    my $begin = int(time) + 2;
    my $later = fresh(claims => { nbf => $begin });
    is answer('/ok.txt', $later), '401 nbf_future', 'not yet good';
    ok wait_for(sub { answer('/ok.txt', $later) =~ /^200/ }, 10), 'good later';
    cmp_ok time, '>=', $begin, 'and not before';
    ok warm($workers, '/ok.txt', $later), 'and known then';
};

subtest 'a token of 8 KiB' => sub {
    my $token = '';
    for my $size (reverse 5500 .. 5800) {
        $token = fresh(claims => { pad => 'p' x $size, sub => 'behind the padding', tenant => 'blue' });
        last if length $token <= 8192;
    }
    cmp_ok length $token, '>', 8180, 'as long as tokens may be';
    $app->clear;
    my @answers = map { scalar answer('/app/user', $token) } 1 .. 8;
    is_deeply \@answers, ['200 MISS', ('200 HIT') x 7], 'is known';
    is_deeply [map { Gate::Upstream::values_of($_, 'X-User') } $app->requests],
        [('behind the padding') x 8], 'with its subject';
};

subtest 'reloads' => sub {
    my $token = fresh();
    my $revoked = fresh(claims => { jti => 'gone' });
    ok warm($workers, '/ok.txt', $_), 'known' for $token, $revoked;
    $t->write_file('revoked', journal_line('jti', 'https://idp.example.com', 'gone'));
    ok wait_for(sub { answer('/ok.txt', $revoked) eq '401 revoked' }, 5), 'another is revoked';
    ok $t->reload, 'the same zone';
    my ($last, $times) = each_worker($workers, '/ok.txt', $token);
    is_deeply [keys %$times], ['200 HIT'], 'new workers know it at once';
    is answer('/ok.txt', $revoked), '401 revoked', 'and what is revoked';
    for my $size ('2m', '1m') {
        $t->write_config($http, zone => "gate:$size");
        ok $t->reload, "a zone of $size";
        ($last, $times) = each_worker($workers, '/ok.txt', $token);
        is $times->{'200 MISS'}, 1, 'verdicts are new';
        ok warm($workers, '/ok.txt', $token), 'and kept again';
        is answer('/ok.txt', $revoked), '401 revoked', 'revocations stay';
    }
    my $plain = $http =~ s/^gate_revocation.*\n//mr;
    $t->write_config($plain, zone => 'other:1m');
    ok $t->reload, 'a zone of another name';
    is answer('/ok.txt', $token), '200 MISS', 'starts empty';
    $t->{zone} = '';
    $t->write_config($plain);
    ok $t->reload, 'no zone';
    ($last, $times) = each_worker($workers, '/ok.txt', $token);
    is_deeply [keys %$times], ['200 BYPASS'], 'tokens are verified each time';
    $t->write_config($http, zone => 'gate:1m');
    ok $t->reload, 'a zone again';
    is answer('/ok.txt', $token), '200 MISS', 'it starts empty';
    ok warm($workers, '/ok.txt', $token), 'and serves';
    is answer('/ok.txt', $revoked), '401 revoked', 'with the revocations of the journal';
};

done_testing;
