# The model that judges answers in make chaos: what it lets pass, and what not.
use lib 't/lib', 'tests/chaos/lib';
use Gate::Test;

use Chaos::Model;

my $t = Gate::Test->new(module => 0);
my $path = $t->dir . '/journal';
my $model = Chaos::Model->new($path);
my ($lag, $calm, $recovery) = ($Chaos::Model::MAX_LAG + 1, $Chaos::Model::kCalm, $Chaos::Model::kRecovery);

sub note_down {
    my (@fields) = @_;
    open my $journal, '>>', $path or die "$path: $!";
    print {$journal} join("\t", @fields), "\n";
    close $journal;
    $model->read_on;
    return;
}

# What is wrong with an answer at an instant, in words.
sub verdict {
    my ($instant, $id, $status, %more) = @_;
    return join ' ', $model->wrong({ node => 'A', location => 'plain', asked => $instant, got => $instant,
        status => $status, subject => 'alice', credential => $id && $model->{of}{$id}, %more });
}

note_down('N', 'k', 'key', 'text', 'alice', 'good:orders:read,a');
note_down('N', 'other', 'key', 'text', 'bob', 'bad');
is verdict(100, 'k', 200), '', 'a good one';
is verdict(100, 'k', 200, location => 'scoped'), '', 'with its scope';
is verdict(100, 'k', 401), 'decision 401, not 200', 'is refused by nobody';
is verdict(100, 'k', 200, subject => 'bob'), q(identity answered as of 'bob'), 'or let in as another';
is verdict(100, 'other', 401), '', 'a bad one';
is verdict(100, 'other', 200), 'decision 200, not 401', 'is not let in';
is verdict(100, '', 401), '', 'nobody';
is verdict(100, '', 200), 'decision 200, not 401', 'neither';
is verdict(100, '', 503, location => 'open'), 'decision 503, not 200', 'what is open is open';
is verdict(100, 'k', 503), 'decision 503 without a fault', 'or put off';
is verdict(100, 'k', 0), 'decision the connection was lost', 'a lost connection';
is verdict(100, 'k', 599), 'decision 599, not 200', 'one that hangs';

note_down('B', 200, 'k', 'bad');
is verdict(199, 'k', 401), 'decision 401, not 200', 'before a change';
is verdict(201, 'k', $_), '', "while it is under way: $_" for 200, 401;
note_down('A', 210, 'k');
is verdict(209 + $calm, 'k', 200), '', 'in its time';
is verdict(211 + $calm, 'k', 200), 'decision 200, not 401', 'after its time';
is verdict(211 + $calm, 'k', 401), '', 'it is in force';

note_down('F', 300, 1, 'late', 'A', '');
is verdict(301, 'k', 503), '', 'with a fault 503 is right';
is verdict(301, 'k', 503, node => 'B'), 'decision 503 without a fault', 'where the fault is';
is verdict(301, 'k', 200), 'decision 200, not 401', 'what was refused stays so';
is verdict(301, 'other', 503), '', 'nobody knows';
note_down('B', 302, 'k', 'good:a');
note_down('A', 302, 'k');
note_down('N', 'n', 'token', 'text', 'alice', 'good:a');
note_down('B', 302, 'n', 'bad');
note_down('A', 302, 'n');
is verdict(301.9 + $lag, 'n', 200), '', 'without proof for max_lag';
is verdict(302.1 + $lag, 'n', 200), 'decision 200, not 401', 'and no longer';
is verdict(303 + $calm, 'n', 200, node => 'B'), 'decision 200, not 401', 'elsewhere not even so long';
is verdict(350, 'k', $_), '', "who was refused may be so until it ends: $_" for 401, 200;
is verdict(350, 'k', 403, location => 'scoped'), '', 'with the scopes that it has';
is verdict(350, 'k', 200, location => 'scoped'), 'decision 200, not 401 or 403', 'and no others';
note_down('R', 360, 1);
is verdict(359 + $recovery, 'k', 503), '', 'behind the repair';
is verdict(361 + $recovery, 'k', 503), 'decision 503 without a fault', 'and when it is over';
is verdict(361 + $recovery + $calm, 'k', 401), 'decision 401, not 200', 'who was refused is let in';

note_down('F', 400, 2, 'reload', '', 'lost');
is verdict(401, 'k', 0), '', 'a connection may be lost when workers leave';
is verdict(401, 'k', 503), 'decision 503 without a fault', 'and nothing else';
note_down('R', 402, 2);
is verdict(405, 'k', 0), 'decision the connection was lost', 'and not later';

# Changes without an end, and many of them.
note_down('B', 500, 'k', 'bad');
note_down('B', 510, 'k', 'good:orders:read');
is verdict(520, 'k', $_, location => 'scoped'), '', "not acknowledged: $_" for 200, 401, 403;
note_down('A', 530, 'k');
is verdict(533, 'k', 401), 'decision 401, not 200', 'acknowledged with what came later';
is verdict(600, 'k', 200), '', 'long after';
is scalar @{ $model->{of}{k}{states} }, 1, 'all else is forgotten';
note_down('B', 610, 'k', 'bad');
note_down('A', 611, 'k');
is verdict(612, 'k', 200), '', 'another one';
is verdict(614, 'k', 200), 'decision 200, not 401', 'counts as well';
note_down('S', 700, 701);
ok !$model->stalled({ asked => 699, got => 699 }), 'before servers stand still';
ok $model->stalled({ asked => 699, got => 700 }), 'while they do';
ok $model->stalled({ asked => 701 + $recovery, got => 705 }), 'and until they are used again';
ok !$model->stalled({ asked => 702 + $recovery, got => 705 }), 'but not for ever';
note_down('X', 'k');
is scalar(grep { $_->{id} eq 'k' } @{ $model->{use} }, @{ $model->{hot} }), 0, 'who is retired is asked for no more';

done_testing;
