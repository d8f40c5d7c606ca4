# Hostile key sets: nginx -t refuses the set, or a running nginx refuses the token under it.
use lib 't/lib';
use Gate::Test;
use Gate::Vectors qw(keepalive_responses ran issuer_blocks);

my $file = vectors('own/attack_jwks.json') or plan skip_all => 'skipped: no vectors';
my @cases = @{ $file->{tests} };

# What the corpus leaves open and DESIGN.md settles: whether the token passes.
my %policy = ('jwks-000' => 0, 'jwks-003' => 1, 'jwks-004' => 0, 'jwks-010' => 1);

my $t = Gate::Test->new;
my $app = $t->upstream('app');
my (@loaded, @refused);
my ($issuers, $locations) = ('', '');
for my $case (@cases) {
    (my $name = $case->{id}) =~ tr/-/_/;
    my $path = $t->write_file("$name.jwks", json($case->{jwks}));
    my $set = $case->{jwks};
    my $blocks = issuer_blocks($name, $path, ref $set->{keys} eq 'ARRAY' ? $set->{keys} : [$set]);
    my ($status, $output) = $t->nginx_t($blocks);
    if ($status) {
        push @refused, $case;
        like $output, qr/\[emerg\].*"\Q$path\E" cannot be used: \S/,
            "$case->{id} ($case->{why}): nginx -t names the file and a reason";
        next;
    }
    push @loaded, $case;
    $issuers .= $blocks;
    $locations .= "location /$case->{id} { gate jwt=${name}_url,${name}_off; "
        . "proxy_pass http://127.0.0.1:%%PORT_app%%; }\n";
}

sub expected { my ($case) = @_; return $policy{ $case->{id} } // $case->{verdict} eq 'accept'; }

is_deeply [map { $_->{id} } grep { expected($_) } @refused], [], 'no good set is refused';
$t->start(<<"EOF");
$issuers
server {
    listen 127.0.0.1:%%PORT%%;
    add_header X-Reason \$gate_reason always;
    $locations
}
EOF
my @responses = keepalive_responses($t->port,
    map {"GET /$_->{id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $_->{token}\r\n\r\n"} @loaded);
for my $i (0 .. $#loaded) {
    my ($case, $response) = ($loaded[$i], $responses[$i]);
    my $name = "$case->{id} ($case->{why})";
    is $response->status, expected($case) ? 200 : 401, $name;
    next if expected($case);
    like $response->header('WWW-Authenticate') // '', qr/error="invalid_token"\z/, 'challenge';
    like $response->header('X-Reason') // '',
        qr/\A(?:jwk_\w+|jwks_bad|alg_key_mismatch|kid_unknown)\z/, 'reason';
}
is $app->hits, scalar(grep { expected($_) } @loaded), 'the application saw the accepted ones only';
ran('own/attack_jwks.json', @cases + 0, @cases + 0, @refused . ' refused by nginx -t');

done_testing;
