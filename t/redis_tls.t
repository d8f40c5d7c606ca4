# gate_redis with TLS: who may be the server is decided before a password or a question is sent, and
# whatever is wrong is 503 and a sentence in the error log.
use lib 't/lib';
use Gate::Test;

use Gate::Certs;
use Gate::KeyRecord;
use Gate::Redis;

my $t = Gate::Test->new;
my $certs = Gate::Certs->of($t);
$t->write_file('pw', "the-password-of-redis\n");
my %redis = map {
    my ($name, %opt) = @$_;
    $name => Gate::Redis->new(test => $t, name => $name, password => 'the-password-of-redis', %opt)->start;
} ['plain'], ['socket', unixsocket => 1], ['good', tls => 1], ['mutual', tls => 'mutual'],
    map { [$_, tls => 1, cert => $_] } qw(wrong expired stranger);
my $key = api_key('acme_');
for my $redis (values %redis) { Gate::KeyRecord->new($redis)->set_up->put($key); }

my $trust = 'ssl on; ssl_trusted_certificate certs/ca.crt;';
my $mine = 'ssl_certificate certs/client.crt; ssl_certificate_key certs/client.key;';
my $refused = 'its certificate';

# name => [server, words, what the log says of a failure (qr), host (default: localhost)]
my %case = (
    'plain' => ['plain', ''],
    'a unix socket' => ['socket', '', undef, 'unix:' . $redis{socket}->socket_path],
    'TLS by name' => ['good', $trust],
    'TLS by address' => ['good', $trust, undef, '127.0.0.1:' . $redis{good}->port],
    'TLS by ssl_name' => ['good', "$trust ssl_name redis.test;"],
    'an address as ssl_name' => ['good', "$trust ssl_name 127.0.0.1;"],
    'both have certificates' => ['mutual', "$trust $mine"],
    'whoever it is' => ['stranger', 'ssl on; ssl_verify off;'],
    'another name' => ['wrong', $trust, qr/its certificate does not name "localhost"/],
    'another address' => ['wrong', $trust, qr/its certificate does not name "127\.0\.0\.1"/,
        '127.0.0.1:' . $redis{wrong}->port],
    'another ssl_name' => ['good', "$trust ssl_name elsewhere.test;", qr/its certificate does not name "elsewhere\.test"/],
    'another address as ssl_name' => ['good', "$trust ssl_name 127.0.0.2;", qr/its certificate does not name "127\.0\.0\.2"/],
    'the right ssl_name of another name' => ['wrong', "$trust ssl_name elsewhere.test;"],
    'expired' => ['expired', $trust, qr/its certificate is not good: certificate has expired/],
    "of a stranger's authority" => ['stranger', $trust, qr/its certificate is not good: unable to (?:get local issuer|verify the first) certificate/],
    'without the certificate that it wants' => ['mutual', $trust, qr/\S/],
    'a server without TLS' => ['plain', $trust, qr/no login within connect_timeout|the TLS handshake failed|server closed/],
    'a server with TLS, asked without' => ['good', '', qr/\S/],
);

my @names = sort keys %case;
my ($blocks, $locations) = ('', '');
for my $n (0 .. $#names) {
    my ($server, $words, undef, $host) = @{ $case{ $names[$n] } };
    $host //= 'localhost:' . $redis{$server}->port;
    $blocks .= "gate_redis r$n { server $host; password_file pw; timeout 2s; connect_timeout 2s; $words }\n"
        . "gate_keys k$n { redis r$n; prefix acme_; }\n";
    $locations .= "location = /$n { gate key=k$n; empty_gif; }\n";
}
$_->reset_stats for values %redis;
$t->start("$blocks server { listen 127.0.0.1:%%PORT%%; $locations }");

sub ask { return http_get("/$_[0]", port => $t->port, headers => ['X-API-Key' => $key])->status; }

for my $n (0 .. $#names) {
    my ($server, undef, $why) = @{ $case{ $names[$n] } };
    if (!$why) {
        ok wait_for(sub { ask($n) == 200 }, 10), "$names[$n]: let in";
        next;
    }
    is ask($n), 503, "$names[$n]: 503";
    # A name may have another address, where nobody listens, before this one.
    ok wait_for(sub { $t->error_log =~ /gate_redis "r$n": \S+ cannot be used: [^\n]*$why/ }, 10),
        "$names[$n]: a line in the log says why";
}

# The certificate is looked at before anything is sent.
for my $server (qw(expired)) {
    is_deeply [sort grep { /\A(?:auth|role|hgetall)\z/ } keys %{ $redis{$server}->commandstats }], [],
        "$server: it was not sent a password";
}
unlike $t->error_log, qr/the-password-of-redis/, 'nor does a log hold it';

done_testing;
