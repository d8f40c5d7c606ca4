# While nobody knows what is revoked, a good token is refused wherever its request goes: the page of
# the refusal may lie in a gated location, and what was refused a moment ago is not let in there.

use lib 't/lib';
use Gate::Test;
use Time::HiRes qw(time);

my $iss = 'https://idp.example.com';
my $t = Gate::Test->new(workers => 1);
my $journal = $t->write_file('revocations', '');
$t->write_jwks('corp.jwks', 'rs');
$t->write_config(<<"EOF2");
gate_zone gate:2m;
gate_revocation file=%%DIR%%/revocations max_lag=1s;
gate_issuer corp { issuer $iss; jwks_file %%DIR%%/corp.jwks; audience orders; }
server {
    listen 127.0.0.1:%%PORT%%;
    add_header X-Reason \$gate_reason always;
    add_header X-Cache \$gate_cache always;
    error_page 503 = /fallback;
    location / { gate jwt=corp; empty_gif; }
    location = /fallback { gate jwt=corp; empty_gif; }
}
EOF2
$t->start;

my @token = (Authorization => 'Bearer ' . mint());
my $get = sub { return http_get('/', headers => [@token]); };
is $get->()->header('X-Reason') // '', '', 'a good token';
is $get->()->header('X-Cache'), 'HIT', 'which the zone remembers';

unlink $journal;
ok wait_for(sub { $get->()->status == 503 }, 4), 'refused when the journal has been gone for a while';
# The worker keeps what came more than once within the second.
my %seen;
for my $round (1 .. 3) {
    my $end = time + 0.3;
    while (time < $end) {
        my $answer = $get->();
        $seen{join ' ', $answer->status, $answer->header('X-Reason') // '-'}++;
    }
}
is_deeply [keys %seen], ['503 revocation_lag'], 'and so it stays, redirected or not' or diag explain \%seen;

done_testing;
