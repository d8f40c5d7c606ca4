# Logins that wait for a thread: they hold up nobody else, who leaves gives the place back, and every
# protocol gets its answers in order. See t/login_body.t, t/login_leaving.t.
use lib 't/lib';
use Gate::HTTP2;
use Gate::Logins;
use Gate::Test;
use JSON::PP ();

my $t = Gate::Test->new;
$t->write_file('users.json', user_file(ann => 1_000_000, bob => 1000));
$t->write_file('es256.pem', pem('es256', 'private'));
my $http = <<'END';
log_format who '$status $http_x_id $gate_reason';
access_log %%DIR%%/who.log who;
gate_zone gate:1m;
gate_users small { file users.json; hash_threads 1; hash_queue 3; }
gate_users wide { file users.json; hash_threads 1; hash_queue 100; }
gate_issuer own { issuer https://own.example; audience app; key file=es256.pem; sign access=1h; }
server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_h2%% http2;
    add_header X-Reason $gate_reason always;
    location = /login { gate_login issuer=own users=small; }
    location = /wide { gate_login issuer=own users=wide; }
    location = /open { return 204; }
}
END

sub who { my ($id) = @_; return slurp($t->dir . '/who.log') =~ /^(\d+) \Q$id\E /m ? $1 : ''; }
sub left { my ($id) = @_; return wait_for(sub { who($id) eq '499' }); }
sub said { my ($answer) = @_; return $answer->status . ' ' . ($answer->header('X-Reason') // ''); }

# One that is being hashed, three that wait for it.
my $round = 0;
sub filled {
    my ($path) = @_;
    ++$round;
    return map { login_sent($path // '/login', id => "$round.$_") } 0 .. 3;
}

sub queue_is_full {
    my @logins = filled();
    my $late = answer_of(login_sent('/login'));
    is said($late), '503 hash_queue_full', 'one more than may wait is turned away';
    cmp_ok $late->header('Retry-After'), '>', 0, 'and told when to come again';
    is http_get('/open')->status, 204, 'other locations answer';
    is scalar(grep { is_waiting($_) } @logins[1 .. 3]), 3, 'while the logins wait';
    is join(' ', map { answer_of($_)->status } @logins), '200 200 200 200', 'who are answered in the end';
    is answer_of(login_sent('/login', name => 'bob'))->status, 200, 'and there is room again';
    return;
}

sub who_leaves {
    my ($how, $leave) = @_;
    my @logins = filled();
    $leave->($logins[2]);
    ok left("$round.2"), "$how, the request ends with 499";
    my $next = login_sent('/login', id => "$round.next");
    ok is_waiting($next), "$how while it waits, its place is free";
    is answer_of(login_sent('/login'))->status, 503, 'and only that one';
    $leave->($logins[0]);
    ok left("$round.0"), "$how while it is hashed, the request ends";
    is join(' ', map { answer_of($_)->status } @logins[1, 3], $next), '200 200 200', 'the others are answered';
    return;
}

sub all_leave {
    my @logins = filled();
    close $_ for @logins;
    ok left("$round.$_"), "$_ has left" for 0 .. 3;
    is answer_of(login_sent('/login'))->status, 200, 'nobody waits behind those who left';
    return;
}

# The end comes with the request: no later event tells of it.
sub left_at_once {
    for my $i (1 .. 5) {
        my $socket = connection();
        syswrite $socket, login_bytes('/wide', id => "at once $i");
        $i % 2 ? shutdown $socket, 1 : close $socket;
    }
    ok left("at once $_"), 'nobody hashes for who has left already' for 1 .. 5;
    return;
}

sub other_locations {
    my @logins = map { login_sent('/wide') } 1 .. 20;
    is http_get('/open')->status, 204, 'another location answers' for 1 .. 20;
    cmp_ok scalar(grep { is_waiting($_) } @logins), '>=', 15, 'while twenty logins wait';
    close $_ for @logins;
    return;
}

$t->start($http);
subtest 'the queue is full' => \&queue_is_full;
subtest 'a client closes' => sub { who_leaves('closed', sub { close $_[0] }) };
subtest 'a client resets' => sub { who_leaves('reset', \&reset_now) };
subtest 'a client sends no more' => sub { who_leaves('half-closed', sub { shutdown $_[0], 1 }) };
subtest 'all leave' => \&all_leave;
subtest 'all have left' => \&left_at_once;
subtest 'other locations' => \&other_locations;

subtest 'requests behind a login' => sub {
    my @said = map { $_->status } http_raw(join('', login_bytes('/login', keepalive => 1),
        request_bytes('GET', '/open', keepalive => 1), login_bytes('/login', password => 'no', keepalive => 1),
        request_bytes('GET', '/none', keepalive => 1), login_bytes('/login', name => 'bob')),
        methods => [qw(POST GET POST GET POST)], timeout => 20);
    is "@said", '200 204 401 404 200', 'sent at once';
    my $socket = login_sent('/login', keepalive => 1);
    syswrite $socket, request_bytes('GET', '/open', keepalive => 1);
    noticed();
    syswrite $socket, login_bytes('/login', name => 'bob');
    @said = map { $_->status } http_raw('', socket => $socket, methods => [qw(POST GET POST)], count => 3, timeout => 20);
    is "@said", '200 204 200', 'sent while it waits';
    $socket = login_sent('/login', keepalive => 1, id => 'pipelined');
    syswrite $socket, request_bytes('GET', '/open', keepalive => 1);
    noticed();
    close $socket;
    is answer_of(login_sent('/login', name => 'bob'))->status, 200, 'a client that leaves with more on its way';
    $socket = login_sent('/login', keepalive => 1);
    syswrite $socket, "what is no request\r\n\r\n";
    @said = map { $_->status } http_raw('', socket => $socket, methods => ['POST', 'GET'], count => 2, timeout => 20);
    is "@said", '200 400', 'one that is none';
};

subtest 'HTTP/1.0' => sub {
    my @said = http_raw(login_bytes('/login', version => '1.0', headers => [Connection => 'keep-alive'])
        . request_bytes('GET', '/open', version => '1.0'), methods => [qw(POST GET)], timeout => 20);
    is join(' ', map { $_->status } @said), '200 204', 'a connection that is kept';
    is $said[0]->header('Connection'), 'keep-alive', 'and told so';
    my $last = http_raw(login_bytes('/login', version => '1.0'), timeout => 20, until_close => 1);
    is $last->status . ' ' . $last->header('Connection'), '200 close', 'one that is not';
};

my $body = '{"username":"ann","password":"pencil"}';

sub h2_noticed { my ($h2) = @_; return $h2->status_of($h2->request('GET', '/open')); }

subtest 'HTTP/2' => sub {
    my $h2 = Gate::HTTP2->new($t->port('h2'));
    my @streams = map { $h2->request('POST', '/wide', $body) } 1 .. 3;
    my $wrong = $h2->request('POST', '/wide', $body =~ s/pencil/no/r);
    is h2_noticed($h2), 204, 'another stream is answered';
    is scalar(grep { !defined $h2->status_of($_, 0) } @streams[1, 2], $wrong), 3, 'before the logins';
    $h2->reset($streams[1]);
    is join(' ', map { $h2->status_of($_) } @streams[0, 2], $wrong), '200 200 401', 'which are answered, too';
    is $h2->status_of($streams[1], 0), undef, 'but for the one that was reset';
    my $slow = $h2->request('POST', '/wide', substr($body, 0, 10), end => 0);
    h2_noticed($h2);
    $h2->more($slow, substr($body, 10));
    is $h2->status_of($slow), 200, 'a body in two frames';
    $slow = $h2->request('POST', '/wide', substr($body, 0, 10), end => 0);
    h2_noticed($h2);
    $h2->reset($slow);
    is h2_noticed($h2), 204, 'a stream that is reset with half of its body';
    my $large = $h2->request('POST', '/wide', 'x' x 16384, end => 0);
    $h2->more($large, 'x' x 16384, end => 0) for 1 .. 2;
    $h2->more($large, 'x' x 16383, end => 0);
    is h2_noticed($h2), 204, 'a body of nearly all that is allowed';
    is $h2->status_of($large, 0), undef, 'waits for more';
    $h2->reset($large);
    $h2->close;
};

subtest 'many on one connection' => sub {
    my $h2 = Gate::HTTP2->new($t->port('h2'));
    my @streams = map { $h2->request('POST', '/wide', $body) } 1 .. 20;
    is h2_noticed($h2), 204, 'all have come';
    my @refused;
    ok wait_for(sub { @refused = grep { ($h2->status_of($_, 0) // 0) == 503 } @streams; @refused >= 4 }), 'some are refused';
    is scalar(@refused), 4, 'of twenty, sixteen may wait';
    my %refused = map { $_ => 1 } @refused;
    my @waiting = grep { !$refused{$_} } @streams;
    $h2->reset($_) for @waiting[2 .. 15];
    h2_noticed($h2);
    my $next = $h2->request('POST', '/wide', $body =~ s/ann/bob/r);
    is join(' ', map { $h2->status_of($_) } @waiting[0, 1], $next), '200 200 200', 'a stream that was reset makes room';
    @streams = map { $h2->request('POST', '/wide', $body) } 1 .. 5;
    h2_noticed($h2);
    $h2->close;
    is answer_of(login_sent('/wide', name => 'bob'))->status, 200, 'and all at once when the connection ends';
};

unlike $t->error_log . slurp($t->dir . '/who.log'), qr/pencil/, 'no password in any log';
subtest 'a file that changes while a password is hashed' => sub {
    my %fates = (
        'another password' => [{ name => 'ann', password => hash_taking(2_000_001) }, 'password_wrong'],
        'disabled' => [{ name => 'ann', password => hash_taking(2_000_000), status => 'disabled' }, 'user_disabled'],
        'gone' => [{ name => 'bea', password => hash_taking(1000) }, 'user_unknown'],
    );
    for my $fate (sort keys %fates) {
        my ($user, $reason) = @{ $fates{$fate} };
        $t->write_file('users.json', user_file(ann => 2_000_000));
        ok wait_for(sub { answer_of(login_sent('/wide'))->status == 200 }, 15), 'ann has a slow hash';
        # One is hashed before it, so that it waits long enough.
        my @before = map { login_sent('/wide') } 1 .. 4;
        my $login = login_sent('/wide');
        $t->mark;
        $t->write_file('users.json', JSON::PP->new->encode({ users => [$user] }));
        ok wait_for(sub { $t->log_since_mark =~ /users.json" taken over/ }, 10), "$fate meanwhile";
        ok is_waiting($login), 'while it waits';
        is said(answer_of($login)), "401 $reason", "$fate: what is true in the end counts";
        answer_of($_) for @before;
    }
};

done_testing();
