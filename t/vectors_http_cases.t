# The raw requests of the corpus against locations of every kind: status, what the application saw,
# what the answer says, and logs without a credential.
use lib 't/lib';
use Gate::Test;
use Gate::Vectors qw(ran);

my $file = vectors('own/http_cases.json') or plan skip_all => 'skipped: no vectors';
my @cases = @{ $file->{tests} };

sub flipped { my ($token) = @_; $token =~ s/(.)(?=.{20}\z)/$1 eq 'A' ? 'B' : 'A'/e; return $token; }

my %claims = (scope => 'read', roles => ['viewer']);
my %admin = (scope => 'read admin', roles => ['admin']);
sub token { return mint(key => 'rs', claims => {@_}); }
my %token = (
    VALID => token(%claims),
    VALID2 => token(%claims, sub => 'user-2'),
    EXPIRED => token(%claims, exp => time - 10),
    NONE => join('.', encode_base64url('{"alg":"none"}'),
        (split /\./, token(%claims))[1], ''),
    BADSIG => flipped(token(%claims)),
    ADMIN => token(%admin),
    SCOPE_SUPERSTRING => token(%admin, scope => 'administrator xadmin admin:x'),
    ROLE_CASE => token(%admin, roles => ['Admin', 'ADMIN']),
    ROLE_NESTED => token(%admin, roles => [['admin']]),
    ROLE_OBJECT_KEYS => token(%admin, roles => { admin => 1 }),
    AUD_OTHER => token(%claims, aud => 'orders2'),
    AUD_EMPTY_ARRAY => token(%claims, aud => []),
    AUD_MISSING => token(%claims, aud => undef),
    ISS_SUBSTRING => token(%claims, iss => 'https://idp.example.com.evil.test'),
    ISS_MISSING => token(%claims, iss => undef),
);

my $t = Gate::Test->new;
$t->write_jwks('corp.jwks', 'rs');
mkdir $t->dir . "/$_" for 'ssi', 'opened';
$t->write_file("$_/x.html", 'page<!--#include virtual="/admin/x" -->end') for 'ssi', 'opened';
# The application knows a few resources; nothing is lost if it hears of others.
my $app = $t->upstream('app', handler => sub {
    my ($record) = @_;
    return [200, ['Content-Type', 'text/plain', 'X-App', 'admin'], 'admin secret']
        if $record->{uri} =~ m{\A/+admin};
    return if $record->{uri} =~ m{\A/[a-z-]+(?:/pub)?/x(?:[?#].*)?\z};
    return [404, ['Content-Type', 'text/plain'], 'nothing here'];
});
my $proxy = 'proxy_pass http://127.0.0.1:%%PORT_app%%;';
$t->start(<<"EOF");
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/corp.jwks; audience orders; }
server {
    listen 127.0.0.1:%%PORT%%;
    server_name gw.test;
    gate jwt;
    gate_identity X-User-Id \$gate_subject;
    gate_identity X-User-Roles \$gate_roles;
    gate_identity_clear X-Forwarded-User;
    add_header X-Reason \$gate_reason always;

    location / { gate off; return 404; }
    location /public { gate off; $proxy }
    location /api/ { $proxy }
    location /write/ { gate_require_scope write; $proxy }
    location /admin/ { gate_require_scope admin; gate_require_role admin; $proxy }
    location /cookie/ { gate_source jwt cookie=jwt; $proxy }
    location /query/ { gate_source jwt arg=access_token; $proxy }
    location /multi/ {
        gate_source jwt arg=access_token;
        gate_source jwt header=Authorization;
        $proxy
    }
    location /return/ { return 200 "secret of return"; }
    location /err/ { error_page 401 = \@login; $proxy }
    location \@login { gate off; return 401 "log in first"; }
    location /internal/ { internal; $proxy }
    location /ssi/ { ssi on; root %%DIR%%; }
    location /opened/ { gate off; ssi on; root %%DIR%%; }
    location /any/ { satisfy any; deny all; $proxy }
    location /all/ { satisfy all; allow all; $proxy }
    location /limit/ { limit_except GET { deny all; } $proxy }
    location /xaccel/ { $proxy }
    location /add/ { add_before_body /admin/x; $proxy }
    location /try/ { root %%DIR%%; try_files /none \@app; }
    location \@app { $proxy }
    location /nested/ { $proxy location /nested/pub/ { gate off; $proxy } }
    location /login-required { gate_login_url /login/ return_arg=rd; $proxy }
}
EOF

# What must hold beyond the status, by class. Each returns a complaint or nothing.
sub identity_fault {
    my ($record, $user, $roles) = @_;
    my %expected = ('X-User-Id' => $user, 'X-User-Roles' => $roles);
    for my $name (sort keys %expected) {
        (my $alias = $name) =~ tr/-/./;
        my @names = ($name, $alias, $name =~ tr/-/_/r);
        my @values = map { Gate::Upstream::values_of($record, $_) } @names;
        my @wanted = grep {defined} $expected{$name};
        return "$name: @values" if "@values" ne "@wanted";
    }
    return 'X-Forwarded-User' if Gate::Upstream::values_of($record, 'X-Forwarded-User');
    return 'a credential' if $record->{raw} =~ /eyJ/;
    return;
}

sub login_fault {
    my ($response) = @_;
    return if $response->status < 300 || $response->status > 399;
    my @locations = $response->header_all('Location');
    return "Location @locations" if @locations != 1
        || $locations[0] !~ m{\A(?:http://gw\.test(?::\d+)?)?
            /login/\?rd=(?:[\w.~-]|%[0-9A-F]{2})*\z}x;
    return 'a cookie' if $response->header('Set-Cookie');
    return;
}

sub fault {
    my ($case, $response, @records) = @_;
    my $status = $response->status;
    return "status $status" if !grep { $_ == $status } @{ $case->{status} };
    my ($class, $raw) = @$case{qw(cls raw)};
    my $challenge = $response->header('WWW-Authenticate') // '';
    my $no_store = ($response->header('Cache-Control') // '') =~ /no-store/;
    # nginx hands error_page's own answers and 405 out without us
    if ($status == 401 && $raw !~ m{ /err/}) {
        return "challenge '$challenge'" if $challenge !~ /\ABearer realm="gw\.test"/;
        return "challenge '$challenge'" if ($case->{assert} // '') =~ /\Aerror="invalid_token"/
            && $challenge !~ /error="invalid_token"/;
        return 'may be stored' if !$no_store;
    }
    return "challenge '$challenge'" if $status == 403
        && $challenge !~ /error="insufficient_scope"/;
    return 'the application saw a refused request' if $status != 200 && $status != 404 && @records;
    return 'the application saw the admin page asked for'
        if $class eq 'path' && grep { $_->{uri} =~ /admin/ && $_->{uri} !~ m{\A/public} } @records;
    return 'the secret' if $status != 200 && $response->body =~ /secret/;
    return 'an interim answer' if @{ $response->{interim} };
    return login_fault($response) if $class eq 'redirect';
    return if $status != 200 || $class eq 'method';
    return 'the application saw ' . @records . ' requests' if @records != 1;
    return 'may be stored' if $class eq 'query' && !$no_store;
    my ($user, $roles) = $raw =~ m{\A\w+ /(?:public|nested/pub)/} ? () : $raw =~ /\{\{ADMIN/
        ? ('user-1', 'admin') : ('user-1', 'viewer');
    return identity_fault($records[0], $user, $roles);
}

sub run_case {
    my ($case, $extra) = @_;
    my $raw = $case->{raw};
    utf8::encode($raw);
    $raw =~ s/\{\{(\w+)\}\}/$token{$1} || die "no token $1"/ge;
    $raw =~ s/(?=\r\n\r\n)/\r\n$extra/ if $extra;
    $app->clear;
    my %opt = (timeout => 3, count => 1);
    $opt{methods} = [$raw =~ /\A(\S+)/];
    # what follows a refused body, and the second of two pipelined requests
    @opt{qw(count timeout)} = (2, 1) if $case->{id} eq 'proto-010';
    @opt{qw(count methods)} = (2, ['GET', 'GET']) if $case->{id} eq 'proto-012';
    my @responses = http_raw($raw, %opt);
    my @records = $app->requests;
    my @faults;
    if ($case->{id} eq 'proto-010') {
        push @faults, 'a second answer' if @responses > 1;
    } elsif ($case->{id} eq 'proto-012') {
        push @faults, 'second answer ' . ($responses[1] ? $responses[1]->status : 'missing')
            if !$responses[1] || $responses[1]->status != 403;
    }
    push @faults, grep {defined} fault($case, $responses[0], @records);
    my $line = substr $raw =~ s/eyJ[\w.-]*/TOKEN/gr =~ s/\r\n.*//sr, 0, 60;
    my $reason = $responses[0]->header('X-Reason') // '-';
    return map {"$case->{id} ($line): $_, reason $reason"} @faults;
}

my %seen;
push @{ $seen{ $_->{cls} } }, $_ for @cases;
for my $class (sort keys %seen) {
    my @faults = map { run_case($_) } @{ $seen{$class} };
    is_deeply \@faults, [], "$class: " . @{ $seen{$class} } . ' requests';
}
ran('own/http_cases.json', @cases + 0, @cases + 0);

my @navigations = map { run_case($_, "Sec-Fetch-Mode: navigate\r\nAccept: text/html") }
    @{ $seen{redirect} || [] };
is_deeply \@navigations, [], 'redirect: the same as navigations of a browser';

# phase-006 asks without a credential; with one, and from a page that needs none:
for my $path ('/ssi/x.html', '/opened/x.html', '/add/x') {
    $app->clear;
    my $response = http_get($path, headers => { Authorization => "Bearer $token{VALID}" });
    unlike $response->body, qr/secret/, "$path does not include what its caller may not see";
    is scalar(grep { $_->{uri} =~ /admin/ } $app->requests), 0, 'nor asks for it';
}
like http_get('/ssi/x.html', headers => { Authorization => "Bearer $token{ADMIN}" })->body,
    qr/pageadmin secretend/, 'an included page that the caller may see is there';

# nginx itself quotes a header line that it refuses, and an argument of another name than the
# source's is the application's own.
my $not_ours = qr/client sent (?:invalid|duplicate)|\?xaccess_token=|\?access_token%3d/;
my $logs = join "\n", grep { !/$not_ours/ } split /\n/, $t->error_log . $t->access_log;
my @leaked = grep { index($logs, (split /\./, $token{$_})[1]) >= 0 } sort keys %token;
is_deeply \@leaked, [], 'no token in the logs';

done_testing;
