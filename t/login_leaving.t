# Workers that leave, die or are replaced while logins are hashed: who waits is answered where that is
# possible, the others go on, and nobody stays longer than it takes.
use lib 't/lib';
use Gate::Logins;
use Gate::Test;
use POSIX ();

my $t = Gate::Test->new(log_level => 'notice');
$t->write_file('users.json', user_file(ann => 1_000_000, bob => 1000));
$t->write_file('es256.pem', pem('es256', 'private'));
my $http = <<'END';
gate_zone gate:1m;
gate_users staff { file users.json; hash_threads 1; hash_queue 100; }
gate_issuer own { issuer https://own.example; audience app; key file=es256.pem; sign access=1h; }
server {
    listen 127.0.0.1:%%PORT%%;
    add_header X-Worker $pid always;
    location = /login { gate_login issuer=own users=staff; }
    location = /open { return 204; }
}
END

sub gone { my (@pids) = @_; return !grep { Gate::Test::_alive($_) } @pids; }
sub threads_of { my ($pid) = @_; return scalar(my @all = glob "/proc/$pid/task/*"); }
# With 4 workers nobody knows who has it: the one that has a thread.
sub hashes { return grep { threads_of($_) > 1 } $t->workers; }

for my $workers (1, 4) {
    $t->start($http, workers => $workers);
    wait_for(sub { $t->workers == $workers }) or die 'no workers';
    subtest "$workers workers: a reload" => sub {
        my @logins = map { login_sent('/login') } 1 .. 3;
        my @old = $t->workers;
        ok wait_for(sub { scalar hashes() }), 'logins are being hashed';
        my %hash = map { $_ => 1 } hashes();
        ok $t->reload, 'new workers serve';
        is answer_of(login_sent('/login', name => 'bob'))->status, 200, 'who comes now is answered';
        my @answers = map { answer_of($_) } @logins;
        is join(' ', map { $_->status } @answers), '200 200 200', 'so are those that waited';
        ok !(grep { !$hash{ $_->header('X-Worker') } } @answers) || $workers > 1, 'by the worker that had them';
        close $_ for @logins;    # or nginx lingers
        ok wait_for(sub { gone(@old) }, 5), 'which leaves then';
    };
    subtest "$workers workers: leaving" => sub {
        my @logins = map { login_sent('/login') } 1 .. 3;
        ok wait_for(sub { scalar hashes() }), 'logins are being hashed';
        ok $t->stop, 'SIGQUIT';
        is join(' ', map { answer_of($_)->status } @logins), '200 200 200', 'those that wait are answered first';
        $t->start;
    };
    subtest "$workers workers: told to stop" => sub {
        my @logins = map { login_sent('/login') } 1 .. 8;
        ok wait_for(sub { scalar hashes() }), 'logins are being hashed';
        my ($master, @all) = ($t->pid, $t->workers);
        $t->signal('TERM');
        ok wait_for(sub { gone($master, @all) }, 10), 'SIGTERM';
        cmp_ok scalar(grep { answer_of($_)->status == 200 } @logins), '<', 8, 'nobody waits for all of them'
            if $workers == 1;
        $t->start;
        wait_for(sub { $t->workers == $workers }) or die 'no workers';
    };
    subtest "$workers workers: killed" => sub {
        $t->allow(qr/exited on signal 9/);
        my @logins = map { login_sent('/login') } 1 .. 4;
        my ($victim) = wait_for(sub { (hashes())[0] });
        ok $victim, 'logins are being hashed';
        my %before = map { $_ => 1 } $t->workers;
        kill 'KILL', $victim;
        ok wait_for(sub { grep { !$before{$_} } $t->workers }), 'a worker that dies is replaced';
        is answer_of(login_sent('/login', name => 'bob'))->status, 200, 'and logins go on';
        my %said = map { $_->status => 1 } map { answer_of($_) } @logins;
        ok !(grep {!/\A(?:0|200)\z/} keys %said), 'the others are answered: ' . join ' ', sort keys %said;
    };
    ok $t->stop, 'nginx leaves';
}

subtest 'without a master' => sub {
    $t->write_config($http, main => 'master_process off; daemon off;');
    defined(my $pid = fork) or die "fork: $!";
    $t->_run_nginx($t->dir . '/start.out', '-e', $t->dir . '/error.log', '-c', $t->dir . '/nginx.conf'), POSIX::_exit(0)
        if $pid == 0;
    ok wait_for(sub { $t->pid && connection_there() }), 'nginx runs';
    my $single = $t->pid;
    my $login = login_sent('/login');
    is answer_of(login_sent('/login', name => 'bob'))->status . answer_of($login)->status, '200200', 'logs in';
    $login = login_sent('/login');
    kill 'QUIT', $single;
    ok wait_for(sub { gone($single) }, 5), 'and leaves, for nobody';
    waitpid $pid, 0;
    unlink $t->dir . '/nginx.pid';
};

sub connection_there { return eval { connection(); 1 }; }

done_testing();
