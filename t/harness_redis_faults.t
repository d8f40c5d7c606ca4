# The fake Redis and the proxy that spoils connections: each thing they can do, seen by a client.
use lib 't/lib';
use Gate::Test;

use IO::Select;
use MIME::Base64 qw(decode_base64);
use Time::HiRes qw(time);

use Gate::ChaosProxy;
use Gate::FakeRedis;
use Gate::RESP qw(command reply);
use Gate::Redis;

my $t = Gate::Test->new(module => 0);
my @record = (v => 1, digest => 'ab');
my $fake = Gate::FakeRedis->start(test => $t, epoch => 'e1', data => { 'gate:key:ab' => \@record },
    scripts => [{ match => sub { $_[0][0] eq 'ECHO' && @{ $_[0] } == 3 }, steps => [{ send => "+code\r\n" }] }]);
my $lookup = command('HGETALL', 'gate:key:ab') . command('GET', 'gate:epoch');

sub client { return Gate::Redis::Client->new(port => $_[0]->port, timeout => $_[1] // 5); }

# What call(..) returns or dies of, and the seconds it took.
sub outcome {
    my ($client, @argv) = @_;
    my $begin = time;
    my $reply = eval { $client->call(@argv) } // $@;
    return ($reply =~ s/\Aredis \S+: |\n//gr, time - $begin);
}

# All octets until the connection ends or `count` have come; and how it stands then.
sub octets_of {
    my ($client, $count, $seconds) = @_;
    my ($got, $deadline) = ('', time + ($seconds // 5));
    while (length $got < $count || !$count) {
        return ($got, 'open') if !IO::Select->new($client->{socket})->can_read($deadline - time);
        my $more = sysread $client->{socket}, $got, 65536, length $got;
        return ($got, defined $more ? 'fin' : 'rst') if !$more;
    }
    return ($got, 'open');
}

subtest 'a small store' => sub {
    my $client = client($fake);
    is_deeply [$client->calls(['HGETALL', 'gate:key:ab'], ['HGETALL', 'gate:key:none'], ['GET', 'gate:epoch'],
        ['GET', 'gate:key:ab'], ['ROLE'], ['SELECT', 1], ['CLIENT', 'SETNAME', 'x'], ['PING'])],
        [\@record, [], 'e1', 'WRONGTYPE Operation against a key holding the wrong kind of value',
            ['master', 0, []], 'OK', 'OK', 'PONG'], 'answers';
    like +(outcome($client, 'FOO'))[0], qr/\AERR unknown command 'FOO'/, 'an unknown command';
    cmp_ok +(outcome($client, qw(XREAD BLOCK 30 STREAMS gate:log $)))[1], '>=', 0.03, 'XREAD blocks';
    is_deeply [$fake->commands(qr/^CLIENT/)], [['CLIENT', 'SETNAME', 'x']], 'commands are recorded';
    ok $fake->wait_commands(qr/^GET/, 2), 'wait_commands';
    $fake->set('gate:key:ab', undef);
    is_deeply $client->call('HGETALL', 'gate:key:ab'), [], 'a changed value';
    $fake->set('gate:key:ab', \@record);
    is $fake->connections, 1, 'connections';
    is $fake->open_connections, 1, 'that are open';
    undef $client;
    is $fake->wait_event('end')->{why}, 'eof', 'the end of one';
    $fake->be(password => 'x', role => 'slave');
    is client($fake)->call('PING'), 'NOAUTH Authentication required.', 'a password is asked for';
    like client($fake)->call('AUTH', 'y'), qr/\AWRONGPASS/, 'that password';
    is $fake->open_connections, 0, 'all gone';
    my $known = Gate::Redis::Client->new(port => $fake->port, password => 'x');
    is $known->call('ROLE')->[0], 'slave', 'a role';
    $fake->be(password => undef, role => 'master');
    is client($fake)->call('ECHO', 'x', 'y'), 'code', 'a script that matches by code';
};

subtest 'scripts' => sub {
    my $client = client($fake);
    $fake->clear;
    $fake->play([{ delay_ms => 60 }, { send => "+x\xff\r\n" }], match => qr/^PING a$/, nth => 2, times => 2);
    is_deeply [map { (outcome($client, 'PING', $_))[0] } qw(a b a a a)], ['a', 'b', "x\xff", "x\xff", 'a'],
        'the nth that matches, so many times';
    is $fake->played, 2, 'played';
    my @at = map { $_->{time} } $fake->events('command');
    cmp_ok $at[3] - $at[2], '>=', 0.06, 'delay, by the recorded times';
    $fake->play([{ reply => 1 }, { send => "+more\r\n" }]);
    is_deeply [$client->calls(['PING'], ['ECHO', 'b'])], ['PONG', 'more'], 'the usual answer and one more';
    is $client->read, 'b', 'what is asked later is answered later';
    $fake->play([{ hold => 1 }, { reply => 1 }]);
    $client->send(command('PING'));
    ok $fake->wait_event('hold'), 'held';
    is +(octets_of($client, 1, 0.05))[0], '', 'no answer';
    $fake->proceed;
    is $client->read, 'PONG', 'until it may proceed';
    $fake->play([{ send => '+' }, { rst => 1 }]);
    is +(outcome($client, 'PING'))[0], 'Connection reset by peer', 'rst';
    $fake->play([{ close => 1 }], on => 'accept');
    is_deeply [octets_of(client($fake), 0)], ['', 'fin'], 'closed when it was accepted';
    $client = client($fake);
    $fake->refuse;
    ok !eval { client($fake) }, 'refused';
    is $client->call('PING'), 'PONG', 'but for those who were in';
    $fake->allow;
    is client($fake)->call('PING'), 'PONG', 'allowed again';
    $fake->drop(by => 'rst');
    is +(outcome($client, 'PING'))[0] =~ /reset|Broken pipe/, 1, 'drop';
    $client = client($fake);
    $client->send("GET / HTTP/1.1\r\n\r\n");
    is_deeply [octets_of($client, 0)], ['', 'fin'], 'what is no command ends the connection';
    like $fake->wait_event('broken')->{text}, qr/\Anot RESP: GET/, 'and is recorded';
    $fake->play([{ send => '+never' }], match => qr/never/);
    $fake->forget;
    is client($fake)->call('ECHO', 'never'), 'never', 'forgotten scripts';
    ok !eval { $fake->play([], match => sub { 1 }); 1 }, 'code is taken at the start only';
    ok !eval { $fake->ask('nonsense'); 1 }, 'an unknown request is an error';
};

# What a case sends, and how the connection stands when all of that has come.
sub expected {
    my ($case, $part) = @_;
    my @steps = @{ $case->{steps} };
    my $sent = join '', map { decode_base64($_->{send_b64} // '') } @steps;
    my $ends = grep { $_->{close} || $_->{half_close} || $_->{refuse} } @steps;
    my ($first, $second) = (reply(\@record), reply('e1'));
    return ($second . $first, 'open') if grep { $_->{swap_next_two_replies} } @steps;
    return (($part eq 'second' ? $first : '') . $sent . ($part eq 'first' && !$ends ? $second : ''),
        $ends ? 'fin' : 'open');
}

subtest 'vectors' => sub {
    my $vectors = vectors('own/redis_wire.json') or plan skip_all => 'no vectors';
    my ($wrong, $ran, @slow) = ('', 0);
    for my $case (@{ $vectors->{tests} }) {
        for my $part (qw(first second both)) {
            my $client = client($fake);
            $fake->forget;
            $fake->play_wire($case, exchange => $part) or next;
            $client->send($lookup);
            ++$ran;
            push @slow, [$client, $case, $part];
            ($fake->wait_event('hold') or die 'no hold') && $fake->proceed if $case->{id} eq 'redis-desync-004';
            $wrong .= _check(pop @slow) if !grep { ($_->{sleep_ms} // 0) > 100 } @{ $case->{steps} };
            $fake->allow;
        }
    }
    $wrong .= _check($_) for @slow;
    is $wrong, '', 'each sends what it says';
    is $ran, 3 * (@{ $vectors->{tests} } - 1), 'all but DNS are played';
};

# Slow ones come together: those that say nothing for ten seconds are not waited for.
sub _check {
    my ($client, $case, $part) = @{ $_[0] };
    my ($octets, $state) = expected($case, $part);
    my $long = grep { ($_->{sleep_ms} // 0) > 5000 } @{ $case->{steps} };
    $octets = $part eq 'second' ? reply(\@record) : '' if $long;
    my ($got, $how) = octets_of($client, $state eq 'fin' ? 0 : length $octets || 1, $octets eq '' && $state ne 'fin' ? 0.02 : 5);
    return $got eq $octets && $how eq $state ? '' : "$case->{id} $part: $how, " . reply($got) . "\n";
}

my $redis = Gate::Redis->new(test => $t)->start;
my $proxy = Gate::ChaosProxy->start(test => $t, to => $redis->port);
$redis->cmd('SET', 'a', 'x' x 10);
$redis->cmd('SET', 'big', 'y' x 3_000_000);

subtest 'a proxy' => sub {
    my $client = client($proxy, 1);
    is +(outcome($client, 'GET', 'a'))[0], 'x' x 10, 'pass';
    is length +(outcome($client, 'GET', 'big'))[0], 3_000_000, 'much';
    my %least = (delay => 0.06, drip => 0.02);
    for my $how (['delay', ms => 30], ['drip', octets => 4, ms => 5, direction => 'down']) {
        $proxy->mode(@$how);
        my ($reply, $seconds) = outcome($client, 'GET', 'a');
        is $reply, 'x' x 10, $how->[0];
        cmp_ok $seconds, '>=', $least{ $how->[0] }, 'takes its time';
    }
    $proxy->mode('stall', direction => 'down');
    my $waits = client($proxy, 0.1);
    is +(outcome($waits, 'GET', 'a'))[0], 'no answer in time', 'stall';
    $proxy->mode('pass');
    is $client->call('PING'), 'PONG', 'back';
    my $full = client($proxy);
    $proxy->mode('stall');
    $full->{timeout} = 0.2;
    ok !eval { $full->send('x' x 30_000_000); 1 }, 'nobody reads: the windows fill';
    $proxy->mode('pass');
    ok !eval { $proxy->mode('nonsense'); 1 }, 'an unknown mode';
};

subtest 'ends of connections' => sub {
    for my $case ([{ octets => 3 }, 'rst', '$10'], [{ octets => 3, by => 'fin' }, 'fin', '$10'], [{}, 'rst', ''],
        [{ octets => 5, direction => 'up', by => 'fin' }, 'fin', '']) {
        my ($how, $end, $got) = @$case;
        my $client = client($proxy);
        $client->call('PING');
        $proxy->mode('cut', %$how, once => 1);
        $client->send(command('GET', 'a'));
        is_deeply [octets_of($client, 0)], [$got, $end], join ' ', 'cut', map {"$_=$how->{$_}"} sort keys %$how;
        is client($proxy)->call('GET', 'a'), 'x' x 10, 'once';
    }
    my $garbled = client($proxy);
    $garbled->call('PING');
    $proxy->mode('garble');
    $garbled->send(command('GET', 'a'));
    my $noise = '';
    ok wait_for(sub { sysread $garbled->{socket}, $noise, 100, length $noise; length $noise >= 17 }), 'garble';
    like $noise, qr/\A[\x80-\xbf]{17}\z/, 'as many octets, but others';
    $proxy->mode('pass');
    is $garbled->call('GET', 'a'), 'x' x 10, 'until it ends';
    for my $how ('rst', 'fin') {
        my $client = client($proxy);
        $client->call('PING');
        $proxy->mode($how);
        is_deeply [octets_of($client, 0)], ['', $how], "$how of what is open";
        my $next = eval { client($proxy) };
        is $next ? (octets_of($next, 0))[1] : 'rst', $how, 'and of what comes';
        $proxy->mode('pass');
    }
    my $client = client($proxy);
    $client->call('PING');
    $redis->kill;
    is_deeply [octets_of($client, 0)], ['', 'fin'], 'the end of the server is passed on';
    my $next = eval { client($proxy) };
    is $next ? (octets_of($next, 0))[1] : 'rst', 'rst', 'no server';
    $redis->start;
    undef $client;
    ok wait_for(sub { !$proxy->open_connections }), 'none is left open';
};

subtest 'refused' => sub {
    my $client = client($proxy);
    $client->call('PING');
    $proxy->clear;
    $proxy->mode('refuse', keep => 1);
    ok !eval { client($proxy); 1 }, 'refused' for 1 .. 3;
    is $client->call('PING'), 'PONG', 'what was open stays';
    $proxy->mode('refuse');
    is_deeply [octets_of($client, 0)], ['', 'rst'], 'or not';
    $proxy->mode('pass');
    is client($proxy)->call('PING'), 'PONG', 'and back';
    is $proxy->connections, 1, 'connections';
    is scalar(my @all = $proxy->attempts), Gate::ChaosProxy::sees_refused() ? 4 : 1, 'attempts';
    cmp_ok abs(time - $all[-1]), '<', 5, 'and when';
    my $other = Gate::FakeRedis->start(test => $t, name => 'other', epoch => 'e2');
    $proxy->to($other->port);
    is client($proxy)->call('GET', 'gate:epoch'), 'e2', 'to another server';
    $_->stop for $proxy, $other;
    ok !eval { client($proxy); 1 }, 'stopped';
};

done_testing;
