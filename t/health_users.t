# gate_health on the files of gate_users.
use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new(workers => 1);
my $file = $t->dir . '/users.json';
my $good = '{"users":[]}';
$t->write_file('users.json', $good);
$t->start(<<'END');
gate_zone gate:2m;
gate_users staff { file users.json; }
server {
    listen 127.0.0.1:%%PORT%%;
    location = /json { gate_health json; }
    location = /ready { gate_health ready; }
    location = /page { gate_health page; }
}
END

sub entry { return (grep { $_->{integration} eq 'users' } @{ http_get('/json')->json->{integrations} })[0]; }
sub becomes {
    my ($state, $why) = @_;
    ok wait_for(sub { entry()->{state} eq $state }, 5), $why or diag explain(entry()), $t->error_log;
    return is http_get('/ready')->status, $state eq 'disconnected' ? 503 : 200, "$state: ready or not";
}

becomes('connected', 'a good file');
is entry()->{name}, 'staff', 'with its name';
like entry()->{where}, qr/nginx\.conf:\d+$/, 'and place';
like http_get('/page')->body, qr{Users}, 'the page has a line of it';
$t->write_file('users.json', 'broken');
becomes('degraded', 'a broken one');
is entry()->{reason}, qq{what was good last stays in force: "$file": line 1: is not name:hash}, 'and why';
sleep 3;    # the start has to be that long ago
$t->allow(qr/worker process \d+ exited on signal 9/);
kill 'KILL', $t->workers;
becomes('disconnected', 'a worker that can read nothing');
$t->write_file('users.json', $good);
becomes('connected', 'a good one again');
ok wait_for(sub { $t->error_log =~ /gate: users "staff" was disconnected and is connected/ }), 'the log says so';
done_testing;
