# Open-redirect payloads against gate_login_url: as the address asked for and as an argument of it,
# the answer leads to the configured login page and the way back to a path of this host.
use lib 't/lib';
use Gate::Test;
use Gate::Vectors qw(keepalive_responses ran);
use MIME::Base64 qw(decode_base64);

my $name = 'redirect/open_redirect_payloads.json';
my $file = vectors($name) or plan skip_all => 'skipped: no vectors';
my @payloads = map { decode_base64($_->{b64}) } @$file;

my $t = Gate::Test->new;
$t->write_jwks('corp.jwks', 'rs');
my $app = $t->upstream('app');
my %login = (relative => '/login/', absolute => 'https://login.gw.test/start?app=1');
my $servers = join '', map {
    "server { listen 127.0.0.1:%%PORT_$_%%; keepalive_requests 100000; gate jwt;\n"
        . "gate_login_url $login{$_} return_arg=rd; "
        . "location / { proxy_pass http://127.0.0.1:%%PORT_app%%; } }\n"
} sort keys %login;
$t->start(<<"EOF");
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/corp.jwks; audience orders; }
$servers
EOF

sub request {
    my ($uri, @headers) = @_;
    return join "\r\n", "GET $uri HTTP/1.1", 'Host: gw.test', 'Accept: text/html',
        'Sec-Fetch-Mode: navigate', @headers, '', '';
}

# The complaint about one answer, or nothing.
sub fault {
    my ($kind, $response) = @_;
    my $status = $response->status;
    # a path that nginx or gate_dot_segments refuses leads nowhere
    return if $status == 400 && !$response->header('Location');
    return "status $status" if $status != 302;
    my @locations = $response->header_all('Location');
    my $start = $kind eq 'absolute' ? qr{\Q$login{absolute}\E&rd=}
        : qr{(?:http://gw\.test(?::\d+)?)?/login/\?rd=};
    return "Location @locations"
        if @locations != 1 || $locations[0] !~ /\A$start((?:[\w.~-]|%[0-9A-F]{2})*)\z/;
    my $back = $1 =~ s/%([0-9A-F]{2})/chr hex $1/ger;
    return "way back $back" if $back !~ m{\A/(?![/\\])} || $back =~ /[\0-\x20\x7f]/;
    return 'a cookie' if $response->header('Set-Cookie');
    return;
}

my %shape = (
    'as the address' => sub { return $_[0] =~ m{\A/} ? $_[0] : "/$_[0]" },
    'below a path' => sub {"/app/$_[0]"},
    'as an argument' => sub {"/app?rd=$_[0]"},
);
for my $kind (sort keys %login) {
    for my $how (sort keys %shape) {
        my @uris = map { $shape{$how}->($_) } @payloads;
        my @responses = keepalive_responses($t->port($kind), map { request($_) } @uris);
        my @faults = map {
            my $fault = fault($kind, $responses[$_]);
            $fault ? "$uris[$_]: $fault" : ();
        } 0 .. $#uris;
        is_deeply \@faults, [], "$how, $kind login page";
        my $redirects = grep { $_->status == 302 } @responses;
        cmp_ok $redirects, '>', @uris / 2, 'most are answered 302';
    }
}
is $app->hits, 0, 'the application saw nothing';
ran($name, @payloads + 0, @payloads + 0, 'in 6 ways each');

for my $header ('X-Forwarded-Host: evil.test', 'X-Forwarded-Proto: https',
    'Forwarded: host=evil.test', 'X-Original-URL: //evil.test/',
    'X-Forwarded-Prefix: //evil.test', 'Origin: https://evil.test')
{
    my ($response) = keepalive_responses($t->port('absolute'), request('/app', $header));
    is fault('absolute', $response), undef, "$header changes nothing";
    unlike $response->header('Location') // '', qr/evil/, 'and is not in the answer';
}

done_testing;
