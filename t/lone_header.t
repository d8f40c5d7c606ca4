# A gate with one source, a header, finds and strips it on a way of its own. A second source that nobody uses
# makes the same gate take the long way: both answer and send on the same, whatever the header is called,
# wherever it stands, whatever is in it.
use lib 't/lib';
use Gate::Random;
use Gate::Test;
use Gate::Vectors qw(keepalive_responses);

my $count = 1200;
seed();

# Names of 7 to 23 octets, schemes of none to 9: some too short or too long for that way; nginx itself remembers
# where two of them are.
my @names = qw(X-Token X-Token1 X-API-Key Authorization X-Credential-For X-Credential-Fort Cf-Access-Jwt-Assertion
    User-Agent X-Forwarded-For);
my @schemes = qw(off X Bearer Bearers Negotiate);
my @places = map { my $name = $_; map { [$name, $_] } @schemes } @names;

my $t = Gate::Test->new;
my $app = $t->upstream('app', handler => sub { [200, [], ''] });
$t->write_jwks('corp.jwks', 'es256');
my $locations = join "\n", map {
    my $source = "gate_source jwt header=$places[$_][0] scheme=$places[$_][1];";
    my $rest = 'proxy_pass http://127.0.0.1:%%PORT_app%%; }';
    "location /short/$_ { gate jwt; $source $rest location /long/$_ { gate jwt; $source gate_source jwt header=X-Never; $rest";
} 0 .. $#places;
$t->start(<<"EOF");
gate_issuer corp { issuer off; jwks_file %%DIR%%/corp.jwks; audience off; }
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 100000;
    underscores_in_headers on;
    ignore_invalid_headers off;
    proxy_http_version 1.1;
    proxy_set_header X-Remembered "\$http_user_agent\$http_x_forwarded_for";
    add_header X-Reason \$gate_reason always;
    add_header X-Source \$gate_credential always;
    $locations
}
EOF

my @tokens = map { mint(key => 'es256', bare => 1, claims => { exp => time + 3600, sub => $_ }) } 'ann', 'bob';
my $forged = $tokens[0] =~ s/(.)(.)\z/($1 eq 'A' ? 'B' : 'A') . $2/er;

sub value {
    my ($scheme) = @_;
    my $text = pick(@tokens, @tokens, @tokens, $forged, '', 'x', 'abcdefg', 'abcdefgh', "$tokens[0] ", "a.b.c");
    return $text if $scheme eq 'off';
    my $word = pick(($scheme) x 6, lc $scheme, 'Basic', "${scheme}s", '');
    return $word . pick((' ') x 6, '  ', "\t", '') . $text;
}

sub header_name {
    my ($name) = @_;
    my $other = $name;
    substr $other, rand length $name, 1, 'q';
    return pick(($name) x 6, lc $name, uc $name, $name =~ tr/-/_/r, substr($name, 1), "${name}s", $other, $other);
}

# The header lines of a request.
sub make {
    my ($id) = @_;
    my $place = int rand @places;
    my ($name, $scheme) = @{ $places[$place] };
    my @headers = map { ['X-' . ('y' x rand 20) . int(rand 9), 'v' x rand 40] } 0 .. rand(pick(2, 25, 45));
    splice @headers, rand(@headers + 1), 0, [header_name($name), value($scheme)] for 1 .. pick(1, 1, 1, 1, 1, 2, 0);
    my $lines = join '', map {"$_->[0]: $_->[1]\r\n"} @headers;
    return map {"GET /$_/$place HTTP/1.1\r\nHost: localhost\r\nX-Id: $_-$id\r\n$lines\r\n"} 'short', 'long';
}

my @requests = map { make($_) } 0 .. $count - 1;
my @responses = keepalive_responses($t->port, @requests);
my %seen = map { (Gate::Upstream::values_of($_, 'X-Id'))[0] => $_ } $app->requests;

# All that the way could change.
sub outcome {
    my ($way, $id) = @_;
    my $response = $responses[2 * $id + ($way eq 'long')];
    my $sent = $seen{"$way-$id"};
    my @sent = $sent ? map {"$_->[0]: $_->[1]"} grep { $_->[0] ne 'X-Id' } @{ $sent->{headers} } : 'nothing';
    return join "\n", $response->status, map({ $response->header($_) // '' } 'X-Reason', 'X-Source', 'WWW-Authenticate'), @sent;
}

my (@faults, %statuses);
for my $id (0 .. $count - 1) {
    my ($short, $long) = map { outcome($_, $id) } 'short', 'long';
    ++$statuses{ $responses[2 * $id]->status };
    push @faults, "$requests[2 * $id]short:\n$short\nlong:\n$long" if $short ne $long;
}
is scalar(@faults), 0, 'both ways are the same' or diag $faults[0];
cmp_ok $statuses{$_} // 0, '>', $count / 20, "and often $_" for 200, 401;
my @refused = grep { $responses[2 * $_]->status != 200 } 0 .. $count - 1;
is scalar(grep { $seen{"short-$_"} } @refused), 0, 'who is not let in is not sent on';

done_testing;
