# A Redis that takes every login and ends the connection at each question is up and down all the time.
# The log says so now and then, with how often, and what it said last is true in the end; the metrics
# count each time.
use lib 't/lib';
use Gate::Test;

use Time::HiRes qw(sleep time);

use Gate::FakeRedis;

my $t = Gate::Test->new;
my $fake = Gate::FakeRedis->start(test => $t, epoch => 'e1');
$t->start(<<"END");
    gate_redis main { server 127.0.0.1:@{[$fake->port]}; timeout 300ms; }
    gate_keys partners { redis main; prefix acme_; }
    gate_revocation redis=main max_lag=2s;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { gate key=partners; empty_gif; }
        location = /json { gate_health json; }
        location = /metrics { gate_metrics; }
    }
END
sub states { return { map { ("$_->{integration}" => $_->{state}) } @{ http_get('/json')->json->{integrations} } }; }
sub lines { return grep {/: gate: \w+ "[^"]*" was \w+ and is /} split /\n/, $t->log_since_mark; }
sub counted {
    my $sum = 0;
    $sum += $_ for http_get('/metrics')->body =~ /^nginx_gate_integration_changes_total\{.*\} (\d+)$/mg;
    return $sum;
}

ok wait_for(sub { states()->{redis} eq 'connected' }), 'all is well';
$t->mark;
my $before = counted();
$fake->play([{ close => 1 }], match => qr/^(?!CLIENT|ROLE|INFO)/, times => 0);
my $end = time + 20;
sleep 0.2 while time < $end;
my $changes = counted() - $before;
my @lines = lines();
cmp_ok $changes, '>', 12, "in twenty seconds the states changed $changes times";
my %of;
$of{$_}++ for map { /gate: (\w+ "[^"]*") was \w+ and is (\w+)/ ? "$1 $2" : () } @lines;
is_deeply [grep { $of{$_} > 4 } sort keys %of], [], 'each state of each was told four times at most: ' . @lines . ' lines'
    or diag explain \%of;
ok scalar(grep {/\[error\].*redis "main" was \w+ and is disconnected: /} @lines), 'that it is down among them';

# ---- it stays up; in a minute all of it has been told

$fake->forget;
ok wait_for(sub { http_get('/json')->json->{ready} }, 10), 'it stays up';
sub told_last {
    return { map { /gate: (\w+) "[^"]*" was \w+ and is (\w+)/ ? ($1 => $2) : () } lines() };
}
sub is_true { my ($told, $is) = (told_last(), states()); return !grep { $told->{$_} ne $is->{$_} } keys %$told; }
ok wait_for(sub { is_true() && grep {/ \(\d+ changes in between\)$/} lines() }, 90), 'what was told last is true'
    or diag explain told_last(), states();

done_testing;
