package Bench::Peers;

# What else verifies a token in front of an application: HAProxy's jwt_verify and nginx's njs with
# WebCrypto, each as cheap as it can be made. They test the algorithm and the signature only; the
# gate also tests times, issuer and audience.

use strict;
use warnings;

use Gate::Test ();
use Gate::Token qw(pem);
use IO::Socket::INET;
use POSIX ();

use Bench::Load qw(pin_worker worker_of);
use Bench::Pairs;
use Bench::Subjects qw(subject request_of bench_keys);

my @algorithms = qw(RS256 ES256);
my $haproxy;    # process id; ended also when a check fails

# One frontend and one key for each algorithm; the algorithm is the operator's word, not the token's.
my $haproxy_config = <<'END';
global
    nbthread 1
    maxconn 1000
defaults
    mode http
    timeout client 1h
    timeout server 1h
    timeout connect 5s
    timeout http-keep-alive 1h
FRONTENDS
END
my $haproxy_frontend = <<'END';
frontend ALG
    bind 127.0.0.1:PORT
    http-request set-var(txn.bearer) http_auth_bearer
    http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
    http-request deny deny_status 401 unless { var(txn.alg) -m str ALG }
    http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify(txn.alg,"DIR/ALG.pem") -m int 1 }
    http-request return status 200 content-type text/plain string "hello"
END

# njs 0.7.9 has no handler of the access phase that may wait: js_content verifies and answers. It
# starts each request in a fresh copy of the interpreter, so that a key has to be imported each time.
my $njs_script = <<'END';
const fs = require('fs');
const algorithms = {
    RS256: [{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, { name: 'RSASSA-PKCS1-v1_5' }],
    ES256: [{ name: 'ECDSA', namedCurve: 'P-256' }, { name: 'ECDSA', hash: 'SHA-256' }],
};
const keys = { RS256: Buffer.from('KEY_RS256', 'base64'), ES256: Buffer.from('KEY_ES256', 'base64') };

async function answer(r, alg) {
    const bearer = r.headersIn.Authorization;
    if (!bearer || !bearer.startsWith('Bearer ')) { r.return(401); return; }
    const token = bearer.slice(7);
    const dots = [token.indexOf('.'), token.lastIndexOf('.')];
    const header = JSON.parse(Buffer.from(token.slice(0, dots[0]), 'base64url'));
    if (header.alg != alg) { r.return(401); return; }
    const key = await crypto.subtle.importKey('spki', keys[alg], algorithms[alg][0], false, ['verify']);
    const good = await crypto.subtle.verify(algorithms[alg][1], key,
        Buffer.from(token.slice(dots[1] + 1), 'base64url'), Buffer.from(token.slice(0, dots[1])));
    if (good) { r.return(200, 'hello'); } else { r.return(401); }
}
function rs256(r) { return answer(r, 'RS256'); }
function es256(r) { return answer(r, 'ES256'); }
export default { rs256, es256 };
END

sub _public_pem { return pem(bench_keys()->{ subject($_[0])->{key} }, 'public'); }

sub _start_haproxy {
    my ($dir, $ports) = @_;
    my $frontends = '';
    for my $alg (@algorithms) {
        my %text = (ALG => $alg, PORT => $ports->($alg), DIR => $dir->dir);
        $frontends .= $haproxy_frontend =~ s/(ALG|PORT|DIR)/$text{$1}/gr;
        $dir->write_file("$alg.pem", _public_pem($alg));
    }
    my $config = $dir->write_file('haproxy.cfg', $haproxy_config =~ s/FRONTENDS/$frontends/r);
    defined($haproxy = fork) or die "fork: $!";
    if ($haproxy == 0) {
        open STDOUT, '>', $dir->dir . '/haproxy.out';
        open STDERR, '>&', \*STDOUT;
        exec 'haproxy', '-db', '-f', $config or POSIX::_exit(127);
    }
    Gate::Test::wait_for(sub { IO::Socket::INET->new('127.0.0.1:' . $ports->($algorithms[-1])) }, 10)
        or die 'haproxy does not answer: ' . Gate::Test::slurp($dir->dir . '/haproxy.out');
    return;
}

sub _stop_haproxy {
    return if !$haproxy;
    kill 'TERM', $haproxy;
    waitpid $haproxy, 0;
    undef $haproxy;
    return;
}

END { local $?; _stop_haproxy(); }

sub _start_njs {
    my $nginx = Gate::Test->new(module => 0, log_level => 'notice');
    my $script = $njs_script;
    for my $alg (@algorithms) {
        my $key = _public_pem($alg) =~ s/-----.*-----|\n//gr;
        $script =~ s/KEY_$alg/$key/;
    }
    $nginx->write_file('bench.js', $script);
    $nginx->start('js_path %%DIR%%; js_import bench from bench.js; access_log off; '
        . 'keepalive_requests 1000000000; keepalive_timeout 3600s; server { listen 127.0.0.1:%%PORT%%; '
        . 'location = /RS256 { js_content bench.rs256; } location = /ES256 { js_content bench.es256; } }',
        main => 'load_module /usr/lib/nginx/modules/ngx_http_js_module.so;');
    return $nginx;
}

sub _measure {
    my ($alg, $port, $pid, $seconds, %opt) = @_;
    my $subject = subject($alg);
    Bench::Pairs::refuses($port, $subject, 401, %opt);
    my $load = Bench::Load->new(port => $port, pid => $pid, request => request_of($subject, %opt));
    my $result = $load->run($load->calibrate($seconds));
    $load->stop;
    return $result;
}

# $gate: {port, pid} of the worker with the gate. Returns the words of missed bars.
sub measure {
    my ($gate, $seconds) = @_;
    my $dir = Gate::Test->new;
    _start_haproxy($dir, sub { $dir->port($_[0]) });
    my $njs = _start_njs();
    my $njs_worker = worker_of($njs);
    pin_worker($haproxy, $njs_worker);
    print "\nWhat else verifies tokens (signature only):\n\n";
    printf "%-6s %-9s %10s %14s %22s\n", '', '', 'requests/s', 'us CPU/request', 'the gate is ahead by';
    my @missed;
    for my $alg (@algorithms) {
        my %result = (
            gate => _measure($alg, $gate->{port}, $gate->{pid}, $seconds),
            haproxy => _measure($alg, $dir->port($alg), $haproxy, $seconds),
            njs => _measure($alg, $njs->port, $njs_worker, $seconds, uri => "/$alg"),
        );
        for my $name (qw(gate haproxy njs)) {
            my ($rate, $micros) = (Bench::Load::rate($result{$name}), Bench::Load::micros($result{$name}));
            my $ahead = Bench::Load::rate($result{gate}) / $rate;
            my $cheaper = $micros / Bench::Load::micros($result{gate});
            printf "%-6s %-9s %10.0f %14.1f %22s\n", $alg, $name, $rate, $micros, $name eq 'gate' ? ''
                : sprintf '%.2f, by CPU %.2f', $ahead, $cheaper;
            push @missed, "$alg: $name is not slower" if $name ne 'gate' && ($ahead <= 1 || $cheaper <= 1);
        }
    }
    _stop_haproxy();
    $njs->stop;
    return @missed;
}

1;
