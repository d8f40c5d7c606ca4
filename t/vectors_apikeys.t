# API keys and injection values that need no Redis: as keys of two stores, as jti and as kid.
use lib 't/lib';
use Gate::Test;
use Gate::Vectors qw(ran);
use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(decode_base64);

my $file = vectors('own/apikey_cases.json') or plan skip_all => 'skipped: no vectors';
my @cases = @{ $file->{tests} };

my $t = Gate::Test->new;
my $app = $t->upstream('app');
my $prefix = 'acme_live_';
my ($key, $expired) = (api_key($prefix), api_key($prefix));
my $other_tenant = api_key('other_live_');
my %placeholder = (KEY => $key, KEY_EXPIRED => $expired, KEY_OTHER_TENANT => $other_tenant,
    KEY_PREFIX => $prefix, KEY_SHA256_HEX_UPPER => uc sha256_hex($key));
$t->write_file('partner.json', key_file(key_record($key, id => 'k1'),
    key_record($expired, id => 'k2', expires => time - 10)));
$t->write_file('other.json', key_file(key_record($other_tenant, id => 'k3')));
$t->write_jwks('corp.jwks', 'rs');
$t->start(<<'EOF');
gate_keys partner { file %%DIR%%/partner.json; prefix acme_live_; }
gate_keys legacy { file %%DIR%%/partner.json; checksum off; }
gate_keys other { file %%DIR%%/other.json; prefix other_live_; }
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/corp.jwks; audience orders; }
server {
    listen 127.0.0.1:%%PORT%%;
    server_name gw.test;
    large_client_header_buffers 4 512k;
    add_header X-Reason $gate_reason always;
    gate_identity X-Key-Id $gate_key_id;
    gate_identity X-Subject $gate_subject;
    location /partner { gate key=partner; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /legacy { gate key=legacy; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /other { gate key=other; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /jwt { gate jwt; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /both {
        gate jwt key=partner,legacy;
        gate_source jwt header=Authorization scheme=Bearer;
        gate_source key header=Authorization scheme=Bearer;
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
}
EOF

my @secrets;

# The complaint about one request, or nothing.
sub fault {
    my ($case, $path, $header) = @_;
    $app->clear;
    my $response = scalar http_raw("GET $path HTTP/1.1\r\nHost: gw.test\r\n$header\r\n"
            . "Connection: close\r\n\r\n", methods => ['GET'], count => 1, timeout => 3);
    my ($status, @records) = ($response->status, $app->requests);
    return "$path: status $status" if !grep { $_ == $status } @{ $case->{status} };
    if ($status != 200) {
        return "$path: the application was reached" if @records;
        # nginx answers 400 to a header that is none
        return "$path: no challenge" if $status == 401 && !$response->header('WWW-Authenticate');
        return;
    }
    return "$path: " . @records . ' requests' if @records != 1;
    return "$path: the credential reached the application"
        if grep { index($records[0]{raw}, $_) >= 0 } @secrets;
    my @injected = grep { !/\A(?:host|connection|x-key-id|x-subject|accept)\z/i }
        map { $_->[0] } @{ $records[0]{headers} };
    return "$path: headers @injected" if @injected;
    return;
}

sub value_of {
    my ($case) = @_;
    return decode_base64($case->{key_b64}) =~ s/\{\{(\w+)\}\}/$placeholder{$1}/gr;
}

my @keys = grep { $_->{cls} eq 'apikey' } @cases;
@secrets = ($key, $expired, $other_tenant);
my @faults = map {
    my $case = $_;
    my $value = value_of($case);
    map { defined $_ ? "$case->{id} $_" : () }
        fault($case, '/partner', "X-API-Key: $value"), fault($case, '/legacy', "X-API-Key: $value"),
        fault($case, '/both', "Authorization: Bearer $value");
} @keys;
is_deeply \@faults, [], @keys . ' values as API keys of three locations';
is http_get('/other', headers => { 'X-API-Key' => $other_tenant })->status, 200,
    'the key of the other store is good in its place';
is http_get('/partner', headers => { 'X-API-Key' => $expired })->header('X-Reason'), 'key_expired',
    'the expired key is known';

# Bytes of the value as characters, where it is UTF-8.
sub characters { my ($bytes) = @_; utf8::decode($bytes); return $bytes; }

my %send = (
    'apikey-header' => sub {
        my ($case) = @_;
        my $value = value_of($case);
        return fault($case, '/partner', "X-API-Key: $value"),
            fault($case, '/legacy', "X-API-Key: $value"),
            fault($case, '/partner', "X-API-Key: $prefix$value");
    },
    'jwt-jti' => sub {
        my ($case) = @_;
        my $token = mint(claims => { jti => characters(value_of($case)) });
        push @secrets, $token;
        return fault($case, '/jwt', "Authorization: Bearer $token");
    },
    'jwt-kid' => sub {
        my ($case) = @_;
        my $token = mint(header => { kid => characters(value_of($case)) });
        push @secrets, $token;
        my $fault = fault($case, '/jwt', "Authorization: Bearer $token");
        return $fault // ($app->hits ? 'passed with an unknown kid' : undef);
    },
);
my $ran = @keys;
for my $where (sort keys %send) {
    my @here = grep { ($_->{where} // '') eq $where } @cases;
    @faults = map {
        my $case = $_;
        map { defined $_ ? "$case->{id} $_" : () } $send{$where}->($case);
    } @here;
    is_deeply \@faults, [], @here . " injection values as $where";
    $ran += @here;
}
ran('own/apikey_cases.json', $ran, @cases + 0,
    (@cases - $ran) . ' are for t/vectors_redis_inject.t');

my $logs = $t->error_log . $t->access_log;
is scalar(grep { index($logs, $_) >= 0 } @secrets), 0, 'no key and no token in the logs';
unlike $t->error_log, qr/FLUSHALL[^"\n]*\r|\0/, 'no raw control character in the logs';

done_testing;
