# The zone's lock in hands that do not let go: a worker stopped while it holds it, one that dies with it
# when the master is dead or when the zone is of an old cycle. Nobody waits, nothing is decided wrongly.
# And workers that die or stop anywhere. Needs a module of BUILD=failpoints: make crash.

use lib 't/lib';
use Gate::Crowd qw(hammer);
use Gate::Failpoint;
use Gate::Test;
use POSIX ();
use Time::HiRes qw(sleep time);

plan skip_all => 'make crash runs it, with a module that can be told where to die' if !is_ours();

my $requests = $ENV{GATE_LONG} ? 10_000 : 2_000;
my $t = Gate::Test->new(workers => 3, log_level => 'notice');
my $dir = $t->dir;
$t->allow(qr/worker process \d+ exited on signal (?:9|11)/, qr/shared memory zone "gate" was locked by \d+/);

sub get { return http_get('/', headers => [@_]); }
sub status { return get(@_)->status; }
sub state_of { return slurp("/proc/$_[0]/stat") =~ /\A\d+ \(.*\) (\w)/s ? $1 : ''; }
sub stopped { return grep { state_of($_) eq 'T' } $t->workers; }

# Workers differ in what they know before they share it: a token is cached when somebody says HIT.
sub cached {
    my @token = @_;
    return wait_for(sub { (get(@token)->header('X-Cache') // '') eq 'HIT' }, 2);
}

sub right {
    my ($name, %opt) = @_;
    my ($wrong, $slowest) = answers_are_right($t, $requests, %opt);
    is_deeply $wrong, {}, "$name: $requests requests, no wrong answer";
    cmp_ok $slowest, '<', 0.1, "$name: none takes 100 ms";
    return;
}

# Does something in a worker that will not answer.
sub provoke {
    my ($bytes) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port) or die $!;
    syswrite $socket, $bytes;
    return $socket;
}

subtest 'stopped with the lock' => sub {
    start_at($t, 'table.payload:1:stop', lag => '1s');
    my $waiting = provoke(request_bytes('GET', '/', headers => [token('first')]));
    ok wait_for(sub { stopped() == 1 }, 3), 'a worker is stopped in the middle of a store';
    my ($holder) = stopped();
    ok !cached(token('second')), 'nothing can be cached';
    right('stopped', bad => 200);
    revoke($t, 'a', map {"bad$_"} 0 .. 4);
    ok wait_for(sub { (get(token('good'))->header('X-Reason') // '') eq 'revocation_lag' }, 3), 'a revocation cannot be applied: after max_lag nobody is let in';
    right('late', good => 503, bad => 503);
    Gate::Failpoint::config($t, zone => 'gate:2m', lag => '1s');
    my %old = map { $_ => 1 } $t->workers;
    $t->signal('HUP');
    ok wait_for(sub { !grep { $old{$_} && $_ != $holder } $t->workers }, 5), 'a reload with another zone is not held up';
    ok wait_for(sub { status(token('good')) == 200 }, 5), 'its workers let in';
    is status(token('a')), 401, 'and knows what is revoked';
    right('another zone', bad => 401);
    kill 'CONT', $holder;
    ok wait_for(sub { !Gate::Test::_alive($holder) }, 5), 'let go, the worker leaves';
    is http_raw('', socket => $waiting, methods => ['GET'], count => 1)->status, 200, 'behind its answer';
    ok wait_for(sub { !grep { $old{$_} } $t->workers }, 5), 'as the others of its age did';
    ok $t->stop, 'nginx leaves by itself';
};

subtest 'stopped with the lock, and let go' => sub {
    start_at($t, 'revocations.fill_high:1:stop', lag => '1s');
    revoke($t, map {"bad$_"} 0 .. 4);
    ok wait_for(sub { stopped() == 1 }, 3), 'a worker is stopped while it revokes';
    my ($holder) = stopped();
    sleep 1.5;
    right('stopped', good => 503, bad => '401|503');
    kill 'CONT', $holder;
    ok wait_for(sub { status(token('good')) == 200 }, 1), 'let go, all goes on';
    right('let go');
    ok cached(token('again')), 'and is cached';
    ok $t->stop, 'nginx leaves by itself';
};

subtest 'master dead, then the holder' => sub {
    # Orphans become ours, so that the dead are no zombies: PR_SET_CHILD_SUBREAPER.
    my $ours = $^O eq 'linux' && syscall(157, 36, 1, 0, 0, 0) == 0;
    plan skip_all => 'nobody reaps the dead here' if !$ours;
    start_at($t, 'table.payload:1');
    my ($master, @workers) = ($t->pid, $t->workers);
    kill 'KILL', $master;
    ok wait_for(sub { waitpid($master, POSIX::WNOHANG) == $master || !kill 0, $master }, 5), 'the master is dead';
    is status(), 401, 'the workers decide';
    is http_get('/open')->status, 204, 'and serve';
    my $victim = provoke(request_bytes('GET', '/', headers => [token('first')]));
    my $dead;
    ok wait_for(sub { ($dead) = grep { waitpid($_, POSIX::WNOHANG) == $_ } @workers; $dead }, 5), 'a worker dies with the lock';
    my $begin = time;
    ok cached(token('second')), 'another takes the lock from the dead';
    cmp_ok time - $begin, '<', 1, 'soon';
    revoke($t, map {"bad$_"} 0 .. 4);
    ok defined revoked_soon(token('bad4')), 'revocations are followed';
    right('without a master');
    my @left = grep { $_ != $dead } @workers;
    kill 'TERM', @left;
    ok wait_for(sub { waitpid $_, POSIX::WNOHANG for @left; !grep { kill 0, $_ } @left }, 5), 'the workers leave';
    unlink "$dir/nginx.pid";
    $t->start;
    right('started again');
    ok $t->stop, 'nginx leaves by itself';
};

subtest 'a dead holder of an old cycle' => sub {
    start_at($t, 'table.open:1');
    $t->mark;
    my %old = map { $_ => 1 } $t->workers;
    my @text = map { request_bytes('GET', '/', headers => [token("slow$_")]) } 1 .. 12;
    my @slow = map { provoke(substr $_, 0, 10) } @text;
    # Each old worker shall have some: those that have none leave.
    sleep 0.2;
    Gate::Failpoint::config($t, zone => 'gate:2m');
    ok $t->reload, 'a reload with another zone';
    my @leaving = grep { $old{$_} && Gate::Test::_alive($_) } keys %old;
    ok @leaving > 0, scalar(@leaving) . ' old workers have requests on their way';
    syswrite $slow[0], substr $text[0], 10;
    ok wait_for(sub { victims($t) == 1 }, 3), 'one dies with the lock of the old zone';
    my $slowest = 0;
    my %status;
    for my $i (1 .. $#slow) {
        my $begin = time;
        my $response = http_raw(substr($text[$i], 10), socket => $slow[$i], methods => ['GET'], count => 1);
        $status{ $response->status || 'lost' }++;
        $slowest = time - $begin if time - $begin > $slowest;
    }
    ok !(grep {!/\A(?:200|lost)\z/} keys %status), join ' ', 'the others of its age answer:', %status;
    cmp_ok $slowest, '<', 0.5, 'at once';
    revoke($t, map {"bad$_"} 0 .. 4);
    ok defined revoked_soon(token('bad4')), 'revocations are followed';
    right('new workers');
    ok cached(token('again')), 'which cache';
    ok wait_for(sub { !grep { Gate::Test::_alive($_) } keys %old }, 12), 'the old ones leave';
    ok $t->reload, 'and a reload works';
    right('after it');
    ok $t->stop, 'nginx leaves by itself';
};

subtest 'killed anywhere' => sub {
    start_at($t, '');
    revoke($t, map {"bad$_"} 0 .. 4);
    ok defined revoked_soon(token('bad4')), 'something is revoked';
    my @cases = ([200, '/', token('good')], [401, '/', token('bad1')], [401, '/'], [204, '/open']);
    my @hammers = map { hammer($t, \@cases, pause => 0.001) } 1 .. 2;
    for my $round (1 .. 8) {
        my %before = map { $_ => 1 } $t->workers;
        my @all = keys %before;
        my $victim = $all[rand @all];
        my $begin = time;
        kill $round % 2 ? 'KILL' : 'SEGV', $victim;
        my $born = wait_for(sub { my @new = grep { !$before{$_} } $t->workers; @new && time - $begin }, 5);
        ok $born && $born < 1, sprintf 'a replacement after %.3f s', $born || 9;
        sleep 0.2;
    }
    for my $found (map { $_->stop } @hammers) {
        is_deeply $found->{wrong}, {}, 'no wrong answer';
        cmp_ok $found->{lost}, '<=', 8, "only connections of the dead were lost ($found->{lost} of $found->{count})";
    }
    right('afterwards');
    ok $t->stop, 'nginx leaves by itself';
};

subtest 'stopped for a while' => sub {
    start_at($t, '', lag => '2s');
    is status(token('a')), 200, 'a token';
    my ($worker) = map { get(token('a'))->header('X-Worker') } 1;
    my $kept = provoke(request_bytes('GET', '/', headers => [token('a')], keepalive => 1));
    my $first = http_raw('', socket => $kept, methods => ['GET'], count => 1);
    is $first->status, 200, 'on a connection that is kept';
    my $there = $first->header('X-Worker');
    kill 'STOP', $there;
    ok wait_for(sub { state_of($there) eq 'T' }, 2), 'its worker is stopped';
    syswrite $kept, request_bytes('GET', '/', headers => [token('a')], keepalive => 1);
    revoke($t, 'a');
    ok defined revoked_soon(token('a')), 'the token is revoked by the others';
    sleep 3;
    kill 'CONT', $there;
    my $late = http_raw('', socket => $kept, methods => ['GET'], count => 1);
    isnt $late->status, 200, 'the first answer of the worker that was stopped knows it';
    ok wait_for(sub { http_raw(request_bytes('GET', '/', headers => [token('good')], keepalive => 1), socket => $kept, methods => ['GET'], count => 1)->status == 200 }, 2), 'and it goes on';
    ok $t->stop, 'nginx leaves by itself';
};

done_testing;
