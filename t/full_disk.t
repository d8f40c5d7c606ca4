# Logs that cannot be written change no decision.

use lib 't/lib';
use Gate::Test;
use Gate::Cache;

my $t = Gate::Test->new(workers => 1, log_level => 'notice');
plan(skip_all => 'no /dev/full') if !-c '/dev/full';
$t->write_jwks('keys.jwks', 'rs');
$t->write_file('revoked', '');
$t->write_file('ok.txt', "ok\n");
my $key = api_key('k_');
$t->write_file('keys.json', key_file(key_record($key)));
my $says = says();
my $http = <<"EOF";
$says
log_format gate '\$gate_status \$gate_reason \$gate_subject';
gate_revocation file=%%DIR%%/revoked;
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
gate_keys k { file %%DIR%%/keys.json; prefix k_; }
server {
    listen 127.0.0.1:%%PORT%%;
    root %%DIR%%;
    gate jwt=corp key=k;
    # %%LOGS%%
    location = /ok.txt { }
    location = /scope { gate_require_scope orders:read; alias %%DIR%%/ok.txt; }
}
EOF
my $lost = "\n    access_log /dev/full gate; error_log /dev/full info;";
$t->start($http, vars => { LOGS => $lost });

my $good = mint(claims => { jti => 'good' });
my $gone = mint(claims => { jti => 'gone' });
is answer('/ok.txt', $good), '200 MISS', 'a good token';
is answer('/ok.txt', $gone), '200 MISS', 'and another';
my $forged = mint(key => 'rs_b', header => { kid => key('rs')->{kid} });
my %rounds;
for (1 .. 200) {
    my @answers = (scalar answer('/ok.txt', $good), scalar answer('/scope', $good), scalar answer('/ok.txt', []),
        scalar answer('/ok.txt', $forged), scalar answer('/ok.txt', ['X-API-Key', $key]) =~ s/ \w+$//r);
    $rounds{"@answers"}++;
}
is_deeply \%rounds, { '200 HIT 403 HIT scope_missing 401 no_credential 401 sig_bad 200' => 200 },
    'the same decisions all the time';
$t->write_file('revoked', journal_line('jti', 'https://idp.example.com', 'gone'));
ok wait_for(sub { answer('/ok.txt', $gone) eq '401 revoked' }, 5), 'a revocation is taken over';
$t->write_jwks('keys.jwks', 'es256');
ok wait_for(sub { answer('/ok.txt', $good) eq '401 kid_unknown' }, 5), 'so is a changed key set';

done_testing;
