# Random lists of request headers, identity headers and credentials anywhere among them, on kept
# connections: the application sees what a plain model of the edits says, in order, byte for byte.
use lib 't/lib';
use Gate::Random;
use Gate::Test;
use Gate::Vectors qw(keepalive_responses);


my $count = $ENV{GATE_HEADER_EDITS} || 1500;
my $seed = seed();

my $t = Gate::Test->new;
my $app = $t->upstream('app', handler => sub { [200, [], ''] });
$t->write_jwks('corp.jwks', 'es256');
my $gate = 'gate jwt; gate_identity X-User $gate_subject; gate_identity X-Scopes $gate_scopes;';
my $sources = join ' ', map {"gate_source jwt $_;"} 'header=Authorization',
    'header=X-Token scheme=off', 'cookie=token';
$t->start(<<"EOF");
gate_issuer corp { issuer off; jwks_file %%DIR%%/corp.jwks; audience off; }
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 100000;
    underscores_in_headers on;
    ignore_invalid_headers off;
    proxy_http_version 1.1;
    $sources
    gate_identity_clear X-Groups;
    location /open { gate off; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /gated { $gate proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /again { $gate root %%DIR%%; try_files /none \@app; }
    location \@app { $gate proxy_pass http://127.0.0.1:%%PORT_app%%; }
}
EOF

my %token = map {
    my $sub = $_;
    $sub => mint(key => 'es256', bare => 1,
        claims => { exp => time + 3600, length $sub ? (sub => $sub) : (),
            $sub eq 'ann' ? (scope => 'a b') : () });
} '', 'ann', 'bob', 'caroline';

# A request, and the headers that the application must see of it.
sub make {
    my ($id) = @_;
    my $path = pick('/open', '/gated', '/gated', '/again');
    my @headers = map { ["X-$_-" . int rand 9, 'v' x rand 40] } 0 .. rand(pick(3, 25, 50));
    my $put = sub { splice @headers, rand(@headers + 1), 0, [@_] };
    my $spoof = qr/\Ax[-_.](?:user|scopes|groups)\z/i;
    $put->(pick(qw(X-User x-user X_User X.User X-SCOPES X_Scopes X-Groups)), 'admin')
        for 1 .. rand 4;
    my $who = pick(sort keys %token);
    my $cookies = '';
    if ($path ne '/open') {
        my $way = pick(qw(header plain cookie));
        $put->('Authorization', "Bearer $token{$who}") if $way eq 'header';
        $put->('X-Token', $token{$who}) if $way eq 'plain';
        if ($way eq 'cookie') {
            $cookies = join '; ', map {"c$_=1"} 1 .. rand 3;
            $put->('Cookie', join '; ', grep {length} "token=$token{$who}", $cookies);
        }
    }
    $put->('X-Id', $id);
    my $text = join '', "GET $path HTTP/1.1\r\nHost: localhost\r\n",
        map({"$_->[0]: $_->[1]\r\n"} @headers), "\r\n";
    my @expected = map { $_->[0] eq 'Cookie' ? length $cookies ? ['Cookie', $cookies] : () : $_ }
        grep { $_->[0] !~ $spoof && $_->[0] !~ /\A(?:Authorization|X-Token)\z/ } @headers;
    if ($path ne '/open') {
        push @expected, ['X-User', $who] if length $who;
        push @expected, ['X-Scopes', 'a b'] if $who eq 'ann';
    }
    return ($text, [map { "$_->[0]: $_->[1]" } @expected]);
}

my (@requests, @expected);
for my $id (0 .. $count - 1) {
    ($requests[$id], $expected[$id]) = make($id);
}
my @responses = keepalive_responses($t->port, @requests);
is scalar(grep { $_->status != 200 } @responses), 0, "$count requests are let in";
my %seen = map { (Gate::Upstream::values_of($_, 'X-Id'))[0] => $_ } $app->requests;
my @faults;
for my $id (0 .. $count - 1) {
    my $record = $seen{$id} or push(@faults, "$id: not seen"), next;
    my @got = map {"$_->[0]: $_->[1]"} grep { $_->[0] !~ /\A(?:Host|Connection)\z/ }
        @{ $record->{headers} };
    next if "@got" eq "@{ $expected[$id] }";
    push @faults, "$requests[$id]got:\n" . join("\n", @got) . "\nexpected:\n"
        . join("\n", @{ $expected[$id] });
}
is scalar @faults, 0, "and the application sees the headers that it should (seed $seed)"
    or diag $faults[0] =~ s/eyJ[\w.-]+/TOKEN/gr;

done_testing;
