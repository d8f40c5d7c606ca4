# state=: what gatectl has acknowledged survives a kill of every process a millisecond later, a
# restart and a binary upgrade: the first answer of the next nginx knows it. GATE_LONG=1: 200 kills.

use lib 't/lib';
use Gate::Crowd;
use Gate::Journal qw(journal_line);
use Gate::Test;
use Time::HiRes qw(sleep time);

my $rounds = $ENV{GATE_LONG} ? 200 : 40;
my $iss = 'https://idp.example.com';
my $t = Gate::Test->new(workers => 2, log_level => 'notice');
my $dir = $t->dir;
$t->write_jwks('corp.jwks', 'rs');
$t->write_config(<<"EOF2", main => Gate::Crowd::environment());
gate_zone gate:1m state=%%DIR%%/state;
gate_issuer corp { issuer $iss; jwks_file %%DIR%%/corp.jwks; audience orders; }
server {
    @{[Gate::Crowd::lines()]}
    location = /open { return 204; }
    location / { gate jwt=corp; empty_gif; }
}
EOF2
$t->start;
my $journal = "$dir/state/revocations";
ok -f $journal, 'the journal is there before the first revocation';
my @owner = (stat "$dir/state")[4, 5];
is_deeply [(stat $journal)[4, 5]], \@owner, 'and belongs to whom the directory belongs';
is sprintf('%o', (stat $journal)[2] & 07777), '640', 'others cannot read it';

sub headers { return (headers => [Authorization => "Bearer $_[0]"]); }
sub revoke { return (gatectl('revoke', 'jti', '--file', $journal, '--issuer', $iss, $_[0]))[0]; }

# All processes at once, and none is left: their ports can be taken again.
sub kill_all {
    my @all = ($t->pid, $t->workers);
    kill 'KILL', @all;
    unlink "$dir/nginx.pid";
    return wait_for(sub { !grep { Gate::Test::_alive($_) } @all }, 5);
}

subtest "$rounds kills a millisecond after the acknowledgement" => sub {
    my ($good, $refused, $stuck, $old) = (0, 0, 0, 0);
    my $first = mint(claims => { jti => 'round0' });
    for my $round (1 .. $rounds) {
        my $token = mint(claims => { jti => "round$round" });
        ++$good if http_get('/', headers($token))->status == 200;
        revoke("round$round") == 0 or ++$stuck;
        ++$stuck if $round == 1 && revoke('round0') != 0;
        sleep 0.001;
        kill_all() or ++$stuck;
        $t->start;
        ++$refused if http_get('/', headers($token))->status == 401;
        ++$old if http_get('/', headers($first))->status == 401;
    }
    is $stuck, 0, 'all were acknowledged and all processes were gone';
    is $good, $rounds, 'each token was good before';
    is $refused, $rounds, 'the first answer to each refuses it';
    is $old, $rounds, 'and the first of all stays refused';
    is http_get('/', headers(mint(claims => { jti => 'good' })))->status, 200, 'others pass';
};

subtest 'an acknowledged line survives one that was torn' => sub {
    open my $file, '>>:raw', $journal or die $!;
    syswrite $file, substr journal_line('jti', $iss, 'torn'), 0, 25;
    close $file;
    kill_all();
    $t->start;
    is http_get('/', headers(mint(claims => { jti => 'torn' })))->status, 200, 'what was not acknowledged is not in force';
    is revoke('behind'), 0, 'gatectl mends the journal';
    my $token = mint(claims => { jti => 'behind' });
    ok wait_for(sub { http_get('/', headers($token))->status == 401 }, 1), 'and what it adds is in force';
    kill_all();
    $t->start;
    is http_get('/', headers($token))->status, 401, 'after a kill too';
};

subtest 'restart' => sub {
    my $token = mint(claims => { jti => 'restart' });
    is http_get('/', headers($token))->status, 200, 'a token';
    is revoke('restart'), 0, 'is revoked';
    ok $t->stop, 'nginx leaves';
    $t->start;
    is http_get('/', headers($token))->status, 401, 'the next one knows it at once';
    ok $t->stop, 'stopped';
    is revoke('while down'), 0, 'a revocation while nginx is down';
    $t->start;
    is http_get('/', headers(mint(claims => { jti => 'while down' })))->status, 401, 'is known too';
};

subtest 'binary upgrade' => sub {
    my $token = mint(claims => { jti => 'upgrade' });
    is http_get('/', headers($token))->status, 200, 'a token';
    my $old = $t->pid;
    is revoke('upgrade'), 0, 'is revoked';
    kill 'USR2', $old;
    ok wait_for(sub { ($t->pid // $old) != $old && -e "$dir/nginx.pid.oldbin" }, 10), 'a new master';
    kill 'QUIT', $old;
    ok wait_for(sub { !-e "$dir/nginx.pid.oldbin" }, 10), 'the old one has left';
    is http_get('/', headers($token))->status, 401, 'the new one knows it';
    is http_get('/', headers(mint(claims => { jti => 'round1' })))->status, 401, 'and what is older';
    is http_get('/', headers(mint(claims => { jti => 'good' })))->status, 200, 'others pass';
};

done_testing;
