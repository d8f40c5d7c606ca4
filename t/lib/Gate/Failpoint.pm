package Gate::Failpoint;

# What the tests that kill workers in the middle of a store share: an nginx that dies at a place
# (src/nginx/failpoint.cc), what it is asked for, and requests with the answer each must get.

use strict;
use warnings;

use Exporter 'import';
use IO::Socket::INET;
use Storable ();
use Time::HiRes qw(sleep time);

use Gate::HTTP qw(http_raw request_bytes http_get);
use Gate::Journal qw(journal_line append);
use Gate::Test ();
use Gate::Token qw(mint key jwks);

our @EXPORT = qw(start_at token revoke revoked_soon answers_are_right victims is_ours);

my $iss = 'https://idp.example.com';
my (@good, @bad, @fresh, $next_fresh);

sub token { return (Authorization => 'Bearer ' . mint(key => 'ed25519', claims => { jti => $_[0] })); }

# Tokens that are good, those that revoke() kills, and those that nobody has seen before.
sub good { @good = map { [token("good$_")] } 0 .. 9 if !@good; return @good; }
sub bad { @bad = map { [token("bad$_")] } 0 .. 4 if !@bad; return @bad; }
sub fresh { return $fresh[$next_fresh++] //= [token('fresh' . rand)]; }

# Buckets of tenants are soon full again: five that are not may share a set of four.
my $http = <<'EOF2';
gate_zone %%ZONE%%;
gate_revocation file=%%DIR%%/revocations max_lag=%%LAG%%;
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/corp.jwks; audience orders; }
server {
    listen 127.0.0.1:%%PORT%%;
    add_header X-Worker $pid always;
    add_header X-Cache $gate_cache always;
    add_header X-Reason $gate_reason always;
    keepalive_requests 1000000;
    location = /open { return 204; }
    location / { gate jwt=corp; empty_gif; }
    location /limited/ { gate jwt=corp; gate_limit rate=1000r/s; gate_limit rate=600r/m burst=1 key=$http_x_tenant; empty_gif; }
}
EOF2

sub config { my ($t, %opt) = @_; return $t->write_config($http, vars => { ZONE => $opt{zone} // 'gate:1m', LAG => $opt{lag} // '30s' }); }

# Starts nginx, on a fresh journal, so that it dies (or stops) at that place.
sub start_at {
    my ($t, $plan, %opt) = @_;
    $next_fresh = 0;    # this nginx has seen none of them
    $t->write_jwks('corp.jwks', 'ed25519');
    $t->write_file('revocations', '');
    config($t, %opt);
    local $ENV{GATE_FAILPOINT} = $plan;
    $t->start;
    Gate::Test::wait_for(sub { $t->workers == $t->{workers} }) or die 'no workers';
    return $t;
}

sub revoke { my ($t, @jti) = @_; append($t->dir . '/revocations', join '', map { journal_line('jti', $iss, $_) } @jti); return; }

sub status { return http_get('/', headers => [@_])->status; }

# Seconds until the token is refused, or undefined.
sub revoked_soon {
    my (@headers) = @_;
    my $begin = time;
    return Gate::Test::wait_for(sub { status(@headers) == 401 }, 3) ? time - $begin : undef;
}

# How long the machine itself made a process wait while `code` ran: the worst of many short sleeps.
sub _stall {
    my ($t, $code) = @_;
    my $file = $t->dir . '/stall';
    defined(my $pid = fork) or die "fork: $!";
    if ($pid == 0) {
        my ($stop, $worst) = (0, 0);
        $SIG{TERM} = sub { $stop = 1 };
        until ($stop) {
            my $begin = time;
            sleep 0.002;
            my $late = time - $begin - 0.002;
            $worst = $late if $late > $worst;
        }
        Storable::store(\$worst, $file);
        POSIX::_exit(0);
    }
    $code->();
    kill 'TERM', $pid;
    waitpid $pid, 0;
    my $worst = eval { ${ Storable::retrieve($file) } } // 0;
    unlink $file;
    return $worst;
}

# Asks count requests one after another, a hundred on a connection: what was wrong (a hash), and the
# longest answer, in seconds, less what the machine itself made client and worker wait. Options: good
# and bad, patterns of what good and revoked tokens get in place of 200 and 401.
sub answers_are_right {
    my ($t, $count, %opt) = @_;
    my $accepted = $opt{good} // '200';
    my @cases = (
        (map { [$accepted, '/', @$_] } good()), (map { [$opt{bad} // 401, '/', @$_] } bad()),
        [401, '/', Authorization => 'Bearer ' . mint(key => 'es256', header => { kid => key('ed25519')->{kid}, alg => 'EdDSA' })],
        [204, '/open'],
    );
    my @requests = map { request_bytes('GET', $_->[1], headers => [@$_[2 .. $#$_]], keepalive => 1) } @cases;
    my (%wrong, $slowest, $socket);
    $slowest = 0;
    my $stall = _stall($t, sub {
        for my $number (0 .. $count - 1) {
            undef $socket if $number % 100 == 0;
            $socket //= IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port, Timeout => 5);
            my $index = $number % (@cases + 2);
            my $is_new = $index >= @cases;
            my $wanted = $is_new ? $accepted : $cases[$index][0];
            my $path = $index == @cases ? '/limited/' : '/';
            my $request = $is_new ? request_bytes('GET', $path, keepalive => 1, headers => [@{ fresh() }, 'X-Tenant', rand]) : $requests[$index];
            my $begin = time;
            my $response = http_raw($request, methods => ['GET'], count => 1, socket => $socket, timeout => 5);
            my $took = time - $begin;
            $slowest = $took if $took > $slowest;
            undef $socket if !$response->status;
            next if ($response->status || '') =~ /\A(?:$wanted)\z/;
            my $what = $is_new ? "new $path" : $index < 10 ? 'good' : $index < 15 ? 'revoked' : 'other';
            $wrong{"$what: wanted $wanted, got " . ($response->status || $response->{ended})}++;
        }
    });
    return (\%wrong, $slowest - 2 * $stall);
}

# The workers that were killed, by the log.
sub victims {
    my ($t) = @_;
    my @all = $t->log_since_mark =~ /worker process (\d+) exited on signal 9/g;
    return @all;
}

# Answers are timed: before whatever else this machine does, where we may say so.
setpriority 0, $$, -10 if $ENV{GATE_FAILPOINTS} && $> == 0;

sub is_ours { return $ENV{GATE_FAILPOINTS}; }

1;
