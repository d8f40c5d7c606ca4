# What one request leaves behind never changes what another gets: thousands of requests in random
# order, over the same connections, each with the one answer that it has alone. GATE_LONG=1: 10^5.

use lib 't/lib';
use Gate::Test;
use Gate::Cache;
use Gate::Random;
use IO::Socket::INET;

my $rounds = $ENV{GATE_LONG} ? 2000 : 200;    # of 50 requests
seed();

my $t = Gate::Test->new(workers => 2, log_level => 'notice');
$t->write_jwks('keys.jwks', 'rs', 'es256');
$t->write_file('revoked', journal_line('sub', 'https://idp.example.com', 'gone'));
my $says = says();
$t->start(<<"EOF");
$says
keepalive_requests 100000000;
access_log off;
gate_log_level info;
gate_revocation file=%%DIR%%/revoked;
gate_roles staff { viewer orders:read; editor viewer orders:write; }
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; roles staff; }
gate_issuer alone { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience billing; algorithms ES256; }
server {
    listen 127.0.0.1:%%PORT%%;
    gate jwt=corp;
    location / { empty_gif; }
    location /read { gate_require_scope orders:read; empty_gif; }
    location /write { gate_require_scope orders:write; empty_gif; }
    location /tenant { gate_require_claim tenant eq blue; empty_gif; }
    location /alone { gate jwt=alone; empty_gif; }
    location /optional { gate jwt=corp optional; empty_gif; }
    location /dry { gate_dry_run on; gate_require_scope orders:write; empty_gif; }
    location /open { gate off; empty_gif; }
}
EOF

my $now = int time;
my @paths = map {"/$_"} '', qw(read write tenant alone optional dry open);
my @tokens = (
    undef, 'no.token.at-all', mint(claims => { exp => $now - 9 }), mint(header => { kid => 'other' }),
    mint(key => 'es256_b', header => { kid => key('es256')->{kid} }), mint(claims => { sub => 'gone' }),
    mint(claims => { aud => 'billing' }), mint(key => 'es256', claims => { aud => ['billing', 'orders'] }),
    mint(claims => { roles => ['viewer'], tenant => 'blue' }), mint(claims => { roles => "editor" }),
    mint(key => 'es256', claims => { scope => 'orders:write orders:read', tenant => 'green' }),
    mint(claims => { scope => "orders:re\x{61}d", sub => "a\"b", tenant => ['blue'] }),
);

sub connection { return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port) || die "connect: $!"; }
# Known or verified now: the decision is the same.
sub decision { return $_[0] =~ s/ (?:HIT|MISS|BYPASS)//r; }

my @all = map { my $path = $_; map { [$path, $_] } 0 .. $#tokens } @paths;
my @alone = map { my $socket = connection(); decision(heads($socket, [$_->[0], $tokens[$_->[1]]])) } @all;
my %given = map { (/^(\d+)/)[0] => 1 } @alone;
is join(' ', sort keys %given), '200 401 403', 'answers of each kind';

my @sockets = map { connection() } 1 .. 6;
my (%wrong, $count);
for my $round (1 .. $rounds) {
    my @picked = map { int rand @all } 1 .. 50;
    my @answers = heads($sockets[rand @sockets], map { [$all[$_][0], $tokens[$all[$_][1]]] } @picked);
    for my $i (0 .. $#picked) {
        my $case = $picked[$i];
        ++$count;
        next if decision($answers[$i]) eq $alone[$case];
        $wrong{"$all[$case][0] token $all[$case][1]: wanted $alone[$case], got $answers[$i]"}++;
    }
}
is $count, 50 * $rounds, "$count requests in random order";
is_deeply \%wrong, {}, 'each with the answer that it has alone';
close $_ for @sockets;

done_testing;
