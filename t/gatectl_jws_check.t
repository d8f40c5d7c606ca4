# gatectl jws-check as other programs use it: one process, JSON lines in and out, over the corpora.
use lib 't/lib';
use Gate::Test;

use JSON::PP ();

my $json = eval { require JSON::XS; JSON::XS->new } || JSON::PP->new;
$json->utf8->canonical;

# All requests through one process: status, answers by id.
sub check_all {
    my @requests = @_;
    my ($status, $out) =
        gatectl('jws-check', { stdin => join '', map { $json->encode($_) . "\n" } @requests });
    my %answers = map { $_->{id} => $_ } map { $json->decode($_) } split /\n/, $out;
    return ($status, \%answers);
}

# Compares answers with expected verdicts ("accept", "reject", or anything else for either).
sub judge_file {
    my ($name, $requests, $expected) = @_;
    my ($status, $answers) = check_all(@$requests);
    is $status, 0, "$name: every line was a request";
    my @wrong = grep {
        my $verdict = $answers->{$_}{verdict} // 'no answer';
        $expected->{$_} =~ /\A(?:accept|reject)\z/ ? $verdict ne $expected->{$_}
            : $verdict !~ /\A(?:accept|reject)\z/;
    } sort keys %$expected;
    is "@wrong", '', "$name: every verdict is the expected one";
    my @unreasoned = grep {
        ($answers->{$_}{verdict} eq 'accept') != ($answers->{$_}{reason} eq '')
    } keys %$answers;
    is "@unreasoned", '', "$name: refusals, and only they, have a reason";
    note sprintf 'vectors: %s ran %d of %d', $name, scalar(keys %$answers), scalar(@$requests);
    return;
}

sub token_of { return map { exists $_[0]{$_} ? ($_ => $_[0]{$_}) : () } qw(token token_b64); }

SKIP: {
    my $file = vectors('own/attack_tokens.json') or skip 'no vectors', 3;
    judge_file('own/attack_tokens.json',
        [map { { id => $_->{id}, jwks => $file->{keysets}{ $_->{keyset} }, token_of($_),
            level => 'jwt', now => 1800000000 } } @{ $file->{tests} }],
        { map { $_->{id} => $_->{verdict} } @{ $file->{tests} } });
}

SKIP: {
    my $file = vectors('own/attack_jwks.json') or skip 'no vectors', 3;
    judge_file('own/attack_jwks.json',
        [map { { id => $_->{id}, jwks => $_->{jwks}, token_of($_), now => 1800000000 } }
            @{ $file->{tests} }],
        { map { $_->{id} => $_->{verdict} } @{ $file->{tests} } });
}

for my $name (qw(json_web_signature json_web_key)) {
    SKIP: {
        my $file = vectors("wycheproof/$name.json") or skip 'no vectors', 3;
        my (@requests, %expected);
        for my $group (@{ $file->{testGroups} }) {
            for my $test (@{ $group->{tests} }) {
                push @requests, { id => "$test->{tcId}", jwks => $group->{public} // $group->{private},
                    token => $test->{jws}, level => 'jws' };
                my $result = $test->{strict_result} // $test->{result};
                $expected{ $test->{tcId} } = $result eq 'valid' ? 'accept' : 'reject';
            }
        }
        judge_file("wycheproof/$name.json", \@requests, \%expected);
    }
}

# ---- as a co-process: an answer comes before the next request is written

my $program = $ENV{GATE_CTL} || root_dir() . '/build/release/gatectl';
require IPC::Open2;
my $pid = IPC::Open2::open2(my $from, my $to, $program, 'jws-check');
$to->autoflush(1);
for my $id (1 .. 3) {
    my $token = mint(claims => { exp => $id == 2 ? time - 1 : time + 60 });
    print {$to} json({ id => $id, jwks => { keys => [jwk('rs')] }, token => $token }), "\n";
    my $answer = $json->decode(scalar <$from>);
    is_deeply $answer, { id => $id, verdict => $id == 2 ? 'reject' : 'accept',
        reason => $id == 2 ? 'exp_past' : '' }, "answer $id comes at once";
}
close $to;
waitpid $pid, 0;
is $?, 0, 'and the end of input ends it';

is((gatectl('jws-check', { stdin => "nonsense\n" }))[0], 2, 'a line that is no request is usage');

done_testing();
