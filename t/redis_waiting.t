# Requests that wait for Redis: each gets its own answer, whoever leaves, and nothing is left of
# those that did.
use lib 't/lib';
use Gate::Test;

use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(time sleep);

use Gate::FakeRedis;

my $t = Gate::Test->new;
my $app = $t->upstream('app');
my $fake = Gate::FakeRedis->start(test => $t, epoch => 'e1');
$t->{ports}{redis} = $fake->port;
$t->write_file('users', 'ann:{PLAIN}secret');
$t->write_file('page.html', 'a page');
my %id_of;

sub stored_key {
    my (%members) = @_;
    my $key = api_key('acme_');
    my $record = key_record($key, %members);
    $id_of{$key} = $record->{id};
    $fake->set("gate:key:$record->{digest}", [v => 1, map { ($_ => "$record->{$_}") }
        grep { !ref $record->{$_} && $_ ne 'v' } sort keys %$record]);
    return $key;
}

$t->start(<<'EOF');
    log_format waits '$status $gate_reason $gate_key_id $uri';
    access_log %%DIR%%/waits.log waits;
    gate_redis main { server 127.0.0.1:%%PORT_redis%%; timeout 1s; queue 40; }
    gate_redis slow { server 127.0.0.1:%%PORT_redis%%; timeout 200ms; keepalive 60s; }
    gate_keys partners { redis main; prefix acme_; }
    gate_keys others { redis slow; prefix acme_; }
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        gate key=partners;
        gate_identity X-Key $gate_key_id;
        add_header X-Key $gate_key_id always;
        add_header X-Reason $gate_reason always;
        root %%DIR%%;
        location / { proxy_pass http://127.0.0.1:%%PORT_app%%; }
        location /gif { empty_gif; }
        location /slow { gate key=others; empty_gif; }
        location /any { satisfy any; auth_basic x; auth_basic_user_file %%DIR%%/users; empty_gif; }
        location /post { limit_except GET { gate key=partners; } gate off; empty_gif; }
        location /tried { try_files /nothing /page.html; }
        location = /page.html { gate_require_scope pages; error_page 403 = @lost; }
        location @lost { gate off; return 404; }
        location /sub { gate off; auth_request /gif; empty_gif; }
        location /fallback { error_page 503 = @open; empty_gif; }
        location @open { gate off; return 200 "open\n"; }
        location /early { gate off; return 200; }
    }
EOF
ok wait_for(sub { $fake->open_connections >= 2 }), 'connected';

sub lookups { return scalar(my @all = $fake->commands(qr/^HGETALL/)); }

# Sends a request and does not wait: its connection.
sub begin {
    my ($key, $uri, %opt) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port) or die $!;
    print {$socket} request_bytes($opt{method} // 'GET', $uri, headers => ['X-API-Key' => $key], %opt);
    $socket->flush;
    return $socket;
}

sub finish { my ($socket) = @_; return http_raw('', socket => $socket, count => 1, methods => ['GET']); }
sub reset_connection {
    my ($socket) = @_;
    setsockopt $socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0) or die;
    close $socket;
    return;
}
sub ask { my ($key, $uri, %opt) = @_; return finish(begin($key, $uri, %opt)); }
sub lines { return split /\n/, slurp($t->dir . '/waits.log'); }

# All lookups wait until proceed().
sub hold { $fake->play([{ hold => 1 }, { reply => 1 }], match => qr/^HGETALL/); return; }

# ---- one question for all who come with one key

my $key = stored_key();
hold();
my @sockets = map { begin($key, "/gif?$_") } 1 .. 30;
ok $fake->wait_event('hold'), 'the lookup waits';
is ask($key, '/early')->status, 200, 'an open location does not';
$fake->proceed;
is_deeply [map { finish($_)->header('X-Key') } @sockets], [($id_of{$key}) x 30], 'all are let in';
is lookups(), 1, 'by one lookup';

# ---- everybody gets his own

my @keys = map { stored_key() } 1 .. 24;
hold();
@sockets = map { [$_, begin($_, '/gif')] } @keys;
ok wait_for(sub { lookups() >= 2 }), 'many lookups wait';
$fake->proceed;
is_deeply [map { finish($_->[1])->header('X-Key') } @sockets], [map { $id_of{$_} } @keys],
    'each gets the answer to its own';

my ($one, $two, $three) = map { stored_key() } 1 .. 3;
my @answers = http_raw(join('', map { request_bytes('GET', '/gif', keepalive => 1,
    headers => ['X-API-Key' => $_]) } $one, $two, $three, $one), port => $t->port);
is_deeply [map { $_->header('X-Key') } @answers], [@id_of{$one, $two, $three, $one}],
    'pipelined requests too, in their order';

# ---- clients that leave

my $left = 0;
for my $delay (0 .. ($ENV{GATE_LONG} ? 60 : 12)) {
    my ($goes, $stays) = (stored_key(), stored_key());
    $fake->play([{ delay_ms => 40 }, { reply => 1 }], match => qr/^HGETALL/);
    my $going = begin($goes, '/gif');
    my $staying = begin($stays, '/gif');
    sleep $delay * ($ENV{GATE_LONG} ? 0.001 : 0.005);
    reset_connection($going);
    is finish($staying)->header('X-Key'), $id_of{$stays}, "one leaves after $delay steps, another stays";
    $left++;
}
ok wait_for(sub { grep { /\A499 / } lines() }), 'those that left in time are logged as 499';
ok wait_for(sub { lines() >= 30 + 24 + 4 + 2 * $left + 1 }), 'and every request is logged once';

my $half = stored_key();
my ($asked, $gone) = (scalar lookups(), scalar grep { /\A499 / } lines());
hold();
my $socket = begin($half, '/gif');
ok wait_for(sub { lookups() > $asked }), 'one waits';
shutdown $socket, 1;
ok wait_for(sub { (grep { /\A499 / } lines()) > $gone }), 'a half-closed connection counts as one that left';
$fake->proceed;

# ---- HTTP/2: several requests of one connection wait

sub refused_at_once { return scalar grep { /\A503 / } lines(); }
is refused_at_once(), 0, 'nobody has been refused yet';
my @many = map { stored_key() } 1 .. 20;
my $asked_before = lookups();
hold();
my @arguments = map { ('-H', "X-API-Key: $_", '-o', '/dev/null', '-w', '%{http_code}\n',
    'http://127.0.0.1:' . $t->port('h2') . '/gif', '--next') } @many;
pop @arguments;
open my $curl, '-|', 'curl', '-s', '--no-progress-meter', '--http2-prior-knowledge', '-Z', '--parallel-max', 50, @arguments or die;
ok wait_for(sub { refused_at_once() == 4 && lookups() > $asked_before }), 'of twenty that one connection asks at once four are refused';
$fake->proceed;
chomp(my @codes = sort <$curl>);
close $curl;
is_deeply \@codes, [(200) x 16, (503) x 4], 'while sixteen wait';
my $stream = stored_key();
$fake->play([{ delay_ms => 200 }, { reply => 1 }], match => qr/^HGETALL/);
my $aborted = curl('/gif', port => $t->port('h2'), http2 => 1, headers => ['X-API-Key' => $stream],
    args => ['-m', '0.05']);
isnt $aborted->{curl_status}, 0, 'a client of HTTP/2 gives up';
is ask(stored_key(), '/gif')->status, 200, 'and others are answered';

# ---- redirects, subrequests, other modules

is ask(stored_key(scopes => undef), '/tried')->status, 404,
    'after an internal redirect the other location is decided about with what is known';
is ask(stored_key(), '/any')->status, 200, 'satisfy any: a good key';
is ask(api_key('acme_'), '/any')->status, 401, 'an unknown one';
is ask(api_key('acme_'), '/any', headers => ['X-API-Key' => api_key('acme_'),
    Authorization => 'Basic YW5uOnNlY3JldA=='])->status, 200, 'an unknown one beside a good password';
is ask(stored_key(), '/post', method => 'POST', body => '')->status, 404, 'limit_except: let in to where nothing is';
is ask(api_key('acme_'), '/post', method => 'POST', body => '')->status, 401, 'limit_except: an unknown one';
is ask(stored_key(), '/sub')->status, 401, 'a subrequest never waits: it is refused';

# ---- in time, and not too many

$fake->play([{ hold => 1 }], match => qr/^HGETALL/);
my $begin = time;
my $late = stored_key();
my $connections = $fake->connections;
my $answer = ask($late, '/slow');
is $answer->status . ' ' . $answer->header('X-Reason'), '503 store_timeout', 'no answer in time: 503';
cmp_ok time - $begin, '<', 1, 'soon';
ok wait_for(sub { $fake->connections > $connections }, 5), 'what comes late on that connection finds nobody: there is another';
$fake->proceed;
ok wait_for(sub { ask($late, '/slow')->status == 200 }, 5), 'and it is right again';

hold();
$asked = lookups();
$socket = begin(stored_key(), '/gif');
ok wait_for(sub { lookups() > $asked }), 'one waits';
$fake->drop(by => 'close');
$answer = finish($socket);
is $answer->status . ' ' . $answer->header('X-Reason'), '503 store_unavailable', 'the connection ends: 503 at once';
ok wait_for(sub { ask(stored_key(), '/gif')->status == 200 }, 5), 'until there is another';

# Until they have logged in, questions stand in line.
$connections = $fake->connections;
$fake->play([{ hold => 1 }], on => 'accept', times => 2);
$fake->drop(by => 'close');
ok wait_for(sub { $fake->connections >= $connections + 2 }, 5), 'both blocks connect again';
$socket = begin(stored_key(), '/gif');
is ask($key, '/early')->status, 200, 'after which one stands in line';
$fake->drop(by => 'close');
$answer = finish($socket);
is $answer->status . ' ' . $answer->header('X-Reason'), '503 store_unavailable', 'the connection ends: 503 too';
ok wait_for(sub { ask(stored_key(), '/gif')->status == 200 }, 5), 'until there is another';

hold();
@sockets = map { begin(stored_key(), '/gif') } 1 .. 40;
my $full;
ok wait_for(sub { $full = ask(stored_key(), '/gif'); $full->status == 503 }, 5), 'one more is refused at once';
is $full->header('X-Reason'), 'store_unavailable', 'with its reason';
is ask(stored_key(), '/fallback')->body, "open\n", 'error_page takes over';
$fake->proceed;
my %statuses;
$statuses{ finish($_)->status }++ for @sockets;
is_deeply [sort keys %statuses], [200], 'those that waited are let in';

# ---- a reload, and the end of the worker

my $kept = stored_key();
hold();
$socket = begin($kept, '/gif');
sleep 0.1;
$t->signal('HUP');
ok wait_for(sub { $t->error_log =~ /gracefully shutting down/ }), 'a reload while one waits';
sleep 0.3;
$fake->proceed;
is finish($socket)->status, 200, 'the old worker lets it in';

done_testing;
