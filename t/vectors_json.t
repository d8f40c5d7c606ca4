# The JSON test suite as payload, as header and as one claim of signed tokens over HTTP: strict
# parsing refuses, nothing crashes.
use lib 't/lib';
use Gate::Test;
use Gate::Vectors qw(keepalive_responses ran);
use MIME::Base64 qw(decode_base64);

my $name = 'json/json_test_suite.json';
my $file = vectors($name) or plan skip_all => 'skipped: no vectors';
my @cases = @{ $file->{tests} };

my $t = Gate::Test->new;
my $app = $t->upstream('app');
$t->write_jwks('corp.jwks', 'es256');
$t->start(<<'EOF');
gate_issuer corp { issuer off; jwks_file %%DIR%%/corp.jwks; audience off; }
server {
    listen 127.0.0.1:%%PORT%%;
    large_client_header_buffers 4 512k;
    gate_max_token_size 512k;
    add_header X-Reason $gate_reason always;
    location / { gate jwt; proxy_pass http://127.0.0.1:%%PORT_app%%; }
}
EOF

sub request { my ($token) = @_;
    return "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token\r\n\r\n"; }

my %as = (
    payload => sub { mint(key => 'es256', raw_payload => $_[0]) },
    header => sub { mint(key => 'es256', raw_header => $_[0]) },
    claim => sub { mint(key => 'es256', raw_payload => qq({"exp":4102444800,"claim":$_[0]})) },
);
for my $how (sort keys %as) {
    my @tokens = map { $as{$how}->(decode_base64($_->{b64})) } @cases;
    my @responses = keepalive_responses($t->port, map { request($_) } @tokens);
    my @faults;
    for my $i (0 .. $#cases) {
        my ($case, $status) = ($cases[$i], $responses[$i]->status);
        # no text of the suite has exp or alg: alone it can never be a token's part
        my $duplicate = $case->{name} =~ /duplicated_key/;
        my @allowed = $how ne 'claim' || $duplicate || $case->{class} eq 'n' ? 401
            : $case->{class} eq 'y' ? 200 : (200, 401);
        push @faults, "$case->{name}: $status " . ($responses[$i]->header('X-Reason') // '')
            if !grep { $_ == $status } @allowed;
    }
    is join("\n", @faults), "", "as $how";
    ran("$name as $how", @cases + 0, @cases + 0);
}
is_deeply [grep { $_->{raw} =~ /eyJ/ } $app->requests], [], 'the application saw no token';

done_testing;
