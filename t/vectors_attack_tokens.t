# Every hostile token of the corpus over HTTP through every source: status, challenge, reason, and
# an application that is not reached.
use lib 't/lib';
use Gate::Test;
use Gate::Vectors qw(keepalive_responses ran token_of issuer_blocks);

my $file = vectors('own/attack_tokens.json') or plan skip_all => 'skipped: no vectors';
my @cases = @{ $file->{tests} };

# What SECURITY.md sections 1.2 to 1.4 name for each class.
my @mismatch = qw(alg_key_mismatch alg_not_allowed sig_bad);
my %reasons = (
    'alg-bad' => [qw(alg_unknown)],
    'alg-none' => [qw(alg_none tok_malformed)],
    'b64-false' => [qw(b64_unsupported crit_unsupported tok_malformed tok_b64)],
    'b64-noncanon' => [qw(tok_b64)],
    'b64-struct' => [qw(tok_b64 tok_malformed sig_bad json_bad)],
    'claim-inject' => [qw(claim_unsafe iss_mismatch claim_type)],
    'claim-type' => [qw(claim_type claim_range iss_mismatch claim_unsafe json_bad)],
    'confusion-alg' => \@mismatch,
    'confusion-hmac' => [qw(alg_key_mismatch alg_not_allowed)],
    'crit' => [qw(crit_unsupported)],
    'hdr-inject' => [qw(sig_bad kid_unknown)],
    'json-bad' => [qw(json_bad)],
    'json-deep' => [qw(json_limit)],
    'json-dup' => [qw(json_dup)],
    'json-utf8' => [qw(json_bad)],
    'kid' => [qw(kid_type kid_unknown)],
    'sig' => [qw(sig_bad)],
    'sig-ecdsa' => [qw(sig_bad)],
    'time' => [qw(claim_type claim_range exp_past nbf_future exp_missing iat_future)],
    'typ' => [qw(typ_bad tok_malformed json_bad)],
);

# What the corpus leaves open: '' passes.
my %policy = (
    'b64-false-012' => '', 'typ-003' => '', 'size-003' => '', 'size-005' => 'json_limit',
    'time-047' => 'claim_range', 'time-064' => 'claim_range', 'time-071' => 'exp_missing',
);

# How each source carries a token, and what it can carry.
my %source = (
    header => {
        carries => sub { $_[0] =~ /\A[^\0\r\n]+\z/ && $_[0] !~ /\A[ \t]|[ \t]\z/ },
        request => sub { ["/header/$_[0]", "Authorization: Bearer $_[1]\r\n"] },
    },
    cookie => {
        carries => sub { $_[0] =~ /\A[^\0\r\n;" \t]+\z/ },
        request => sub { ["/cookie/$_[0]", "Cookie: a=b; token=$_[1]; c=d\r\n"] },
    },
    arg => {
        carries => sub { $_[0] =~ /\A[^\0-\x20&#\x7f]+\z/ },
        request => sub { ["/arg/$_[0]?a=b&token=$_[1]&c=d", ''] },
    },
    variable => {
        carries => sub { $_[0] =~ /\A[^\0\r\n]+\z/ && $_[0] !~ /\A[ \t]|[ \t]\z/ },
        request => sub { ["/variable/$_[0]", "X-Token: $_[1]\r\n"] },
    },
);
my %directive = (header => 'header=Authorization scheme=Bearer', cookie => 'cookie=token',
    arg => 'arg=token', variable => '$http_x_token');

my $t = Gate::Test->new;
my $app = $t->upstream('app');
my @keysets = sort keys %{ $file->{keysets} };
my ($issuers, $locations) = ('', '');
for my $keyset (@keysets) {
    (my $name = $keyset) =~ tr/-/_/;
    my $path = $t->write_file("$name.jwks", json($file->{keysets}{$keyset}));
    $issuers .= issuer_blocks($name, $path, $file->{keysets}{$keyset}{keys});
    $locations .= "location /$_/$keyset { gate jwt=${name}_url,${name}_off; "
        . "gate_source jwt $directive{$_}; proxy_pass http://127.0.0.1:%%PORT_app%%; "
        # nothing can be stripped of a variable
        . ($_ eq 'variable' ? 'proxy_set_header X-Token ""; ' : '')
        # 900 roles are more than an identity header may hold
        . "location ~ /sized\$ { proxy_pass http://127.0.0.1:%%PORT_app%%; "
        . "gate_identity X-User \$gate_subject; } }\n"
        for sort keys %source;
}
$t->start(<<"EOF");
$issuers
log_format reason '\$status \$gate_reason \$request';
access_log %%DIR%%/reasons.log reason;
server {
    listen 127.0.0.1:%%PORT%%;
    large_client_header_buffers 4 512k;
    keepalive_requests 100000;
    gate_max_token_size 512k;
    gate_identity X-User \$gate_subject;
    gate_identity X-Scopes \$gate_scopes;
    gate_identity X-Roles \$gate_roles;
    gate_identity X-Issuer \$gate_issuer;
    add_header X-Reason \$gate_reason always;
    add_header X-Subject \$gate_subject always;
    $locations
}
EOF

sub passes { my ($case) = @_;
    return 1 if $case->{verdict} eq 'accept';
    return exists $policy{ $case->{id} } ? $policy{ $case->{id} } eq '' : 0;
}

sub request_of {
    my ($source, $case) = @_;
    my ($uri, $headers) = @{ $source{$source}{request}->($case->{keyset}, token_of($case)) };
    $uri =~ s{(?=\?|\z)}{/sized} if $case->{cls} eq 'size';
    return "GET $uri HTTP/1.1\r\nHost: gw.test\r\nX-Case: $case->{id}\r\n$headers\r\n";
}

# The complaint about a response to a token that must be refused, or nothing.
sub refusal_fault {
    my ($case, $response) = @_;
    return 'status ' . $response->status . ' reason ' . ($response->header('X-Reason') // '-')
        if $response->status != 401;
    my $challenge = $response->header('WWW-Authenticate') // '';
    return "challenge $challenge"
        if $challenge !~ /\ABearer realm="[^"]*", error="invalid_token"\z/;
    return 'no Cache-Control: no-store' if ($response->header('Cache-Control') // '') !~ /no-store/;
    my $reason = $response->header('X-Reason') // '';
    my @allowed = defined $policy{ $case->{id} } ? $policy{ $case->{id} }
        : @{ $reasons{ $case->{cls} } || [] };
    return "reason '$reason'" if !grep { $_ eq $reason } @allowed;
    return 'a subject' if length($response->header('X-Subject') // '');
    return;
}

# What may have reached application and answer of a token whose claims are odd but may pass.
sub injection_fault {
    my ($case, $response, $record) = @_;
    my $claims = JSON::PP->new->utf8->allow_nonref->decode(
        decode_base64url((split /\./, token_of($case))[1]));
    return 'an injected header' if grep { lc $_->[0] eq 'x-evil' } @{ $record->{headers} },
        @{ $response->{headers} };
    for my $name (qw(X-User X-Scopes X-Roles X-Issuer)) {
        my @values = Gate::Upstream::values_of($record, $name);
        return "$name @values" if @values > 1 || grep {/[\0-\x1f\x7f]/} @values;
    }
    my ($user) = Gate::Upstream::values_of($record, 'X-User');
    my $subject = $claims->{sub};
    utf8::encode($subject) if defined $subject && !ref $subject;
    return "X-User $user" if defined $user && $user ne ($subject // '');
    return 'X-User of a reference' if defined $user && ref $subject;
    my ($roles) = Gate::Upstream::values_of($record, 'X-Roles');
    my $expected = ref $claims->{roles} eq 'ARRAY' ? join ',', @{ $claims->{roles} }
        : $claims->{roles} // '';
    utf8::encode($expected);
    return "X-Roles $roles" if defined $roles && $roles ne $expected;
    return;
}

for my $source (sort keys %source) {
    subtest $source => sub {
        my @carried = grep { $source{$source}{carries}->(token_of($_)) } @cases;
        my @odd = grep { !$source{$source}{carries}->(token_of($_)) } @cases;

        my @refused = grep { !passes($_) && $_->{verdict} ne 'no-inject' } @carried;
        $app->clear;
        my @responses = keepalive_responses($t->port, map { request_of($source, $_) } @refused);
        my @faults = grep {defined} map {
            my $fault = refusal_fault($refused[$_], $responses[$_]);
            defined $fault ? "$refused[$_]{id} ($refused[$_]{why}): $fault" : undef
        } 0 .. $#refused;
        is_deeply \@faults, [], scalar(@refused) . ' tokens refused as they must be';
        is $app->hits, 0, 'the application saw none of them';

        my @passing = grep { passes($_) } @carried;
        $app->clear;
        @responses = keepalive_responses($t->port, map { request_of($source, $_) } @passing);
        @faults = map {"$passing[$_]{id} ($passing[$_]{why}): " . $responses[$_]->status . ' '
                . ($responses[$_]->header('X-Reason') // '')}
            grep { $responses[$_]->status != 200 } 0 .. $#passing;
        is_deeply \@faults, [], scalar(@passing) . ' tokens let in';
        my @records = $app->requests;
        is @records, @passing - @faults, 'the application saw each once';
        is scalar(grep { $_->{raw} =~ /eyJ/ } @records), 0, 'and no token';

        my @tricky = grep { $_->{verdict} eq 'no-inject' } @carried;
        $app->clear;
        @responses = keepalive_responses($t->port, map { request_of($source, $_) } @tricky);
        my %seen = map { (Gate::Upstream::values_of($_, 'X-Case'))[0] => $_ } $app->requests;
        @faults = grep {defined} map {
            my ($case, $response) = ($tricky[$_], $responses[$_]);
            my $record = $seen{ $case->{id} };
            my $fault = $response->status != 200 ? refusal_fault($case, $response)
                // ($record ? 'the application was reached' : undef)
                : $record ? injection_fault($case, $response, $record)
                : 'the application saw nothing';
            defined $fault ? "$case->{id} ($case->{why}): $fault" : undef;
        } 0 .. $#tricky;
        is_deeply \@faults, [], scalar(@tricky) . ' tokens with odd claims inject nothing';

        # A blank at the end, or what follows a line feed, is no part of the token that arrives.
        $app->clear;
        @faults = ();
        for my $case (@odd) {
            my $response = http_raw(request_of($source, $case), methods => ['GET'], count => 1,
                timeout => 2);
            my $status = $response->status;
            my ($arrives) = token_of($case) =~ /\A([^\r\n \t;&#"]*)/;
            next if grep { passes($_) && token_of($_) eq $arrives } @cases;
            next if $case->{id} eq 'b64-struct-024' && $status == 200;
            # a line feed after the URI makes an HTTP/0.9 request, whose answer has no status
            next if !$status && $response->body =~ /\A\{?[^{]*401/;
            push @faults, "$case->{id} ($case->{why}): $status" if $status < 400 || $status >= 500;
        }
        is_deeply \@faults, [], scalar(@odd) . ' tokens that this source cannot carry do no harm';
        ran("own/attack_tokens.json by $source", @carried + 0, @cases + 0,
            @odd . ' not transportable');
    };
}

subtest 'logs' => sub {
    my $text = $t->error_log . slurp($t->dir . '/reasons.log') . $t->access_log;
    # A request line or header line that is no HTTP is logged by nginx before anyone could scrub it.
    $text = join "\n", grep { !/client sent invalid (?:request|header line)|\A400 - GET|" 400 / }
        split /\n/, $text;
    my @carried = grep { length token_of($_) > 40 && token_of($_) =~ /\A[\w.=-]+\z/ } @cases;
    is_deeply [map { $_->{id} } grep { index($text, token_of($_)) >= 0 } @carried], [],
        'hold no token';
    my @signatures = grep { length > 40 } map { (split /\./, token_of($_))[2] // '' } @carried;
    is scalar(grep { index($text, $_) >= 0 } @signatures), 0, 'and no signature';
};

done_testing;
