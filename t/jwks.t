# gate_jwks publishes what others need to verify an issuer's tokens, and nothing else.
use lib 't/lib';
use Gate::Config;
use Gate::Test;

subtest 'wrong lines' => sub {
    config_test()->write_file('app.secret', join '', map { chr(33 + 2 * $_) } 0 .. 39);
    my $secret = 'gate_issuer app { issuer off; key secret_file=app.secret; algorithms HS256; audience off; }';
    refused('no name', in_server('location /j { gate_jwks issuer=; }'),
        '"gate_jwks" names unknown issuer ""; declared issuers: corp in nginx.conf:2');
    refused('an unknown one', in_server('location /j { gate_jwks issuer=cor; }'),
        '"gate_jwks" names unknown issuer "cor"; declared issuers: corp in nginx.conf:2');
    refused('none declared', in_server('location /j { gate_jwks issuer=corp; }', ''),
        '"gate_jwks" names unknown issuer "corp"; declared issuers: none in nginx.conf:2');
    refused('another word', in_server('location /j { gate_jwks corp; }'),
        '"gate_jwks" has an unknown value "corp"; expected issuer= with the name of a gate_issuer block in nginx.conf:2');
    refused('secrets', in_server('location /j { gate_jwks issuer=app; }', $secret),
        '"gate_jwks" names issuer "app", whose algorithms (HS256) need secrets, which are not published; remove the line '
        . 'in nginx.conf:2');
    refused('twice', in_server('location /j { gate_jwks issuer=corp; gate_jwks issuer=corp; }'),
        '"gate_jwks" directive is duplicate in nginx.conf:2');
    refused('beside another answer', in_server('location /j { gate_jwks issuer=corp; empty_gif; }'),
        '"gate_jwks" stands beside another directive that answers the requests of this location; give each one a '
        . 'location of its own in nginx.conf:2');
    refused('in a server', in_server('gate_jwks issuer=corp;'), qr/"gate_jwks" directive is not allowed here/);
};

my $t = Gate::Test->new(workers => 2);
$t->write_file('set.jwks', jwks('rs', ['es256', alg => 'ES256'], 'ed25519'));
$t->write_file('rs.pem', pem('rs_b'));
$t->write_file('ec.pem', pem('es384'));
$t->start(<<'END');
gate_issuer corp { issuer https://idp.example.com; jwks_file set.jwks; audience orders; algorithms RS256 PS256 ES256 EdDSA; }
gate_issuer pem { issuer https://pem.example.com; key file=rs.pem alg=PS512 kid=old; key file=ec.pem; audience orders;
    algorithms PS512 ES384; }
server {
    listen 127.0.0.1:%%PORT%%;
    gate jwt=corp;
    add_header X-More yes;
    location = /.well-known/jwks.json { gate off; gate_jwks issuer=corp; }
    location = /pem { gate off; gate_jwks issuer=pem; limit_except GET { deny all; } }
    location = /guarded { gate_jwks issuer=corp; }
    location / { return 200 "in\n"; }
}
END

sub keys_of { return { map { $_->{kid} // $_->{crv} => $_ } @{ $_[0]->json->{keys} } }; }
# What is published of a key, made by another implementation; that one pads nothing and writes no "use".
sub expected {
    my ($name, %extra) = @_;
    my $jwk = jwk($name, use => 'sig', %extra);
    delete @$jwk{ grep { !defined $jwk->{$_} } keys %$jwk };
    return $jwk;
}

my $answer = http_get('/.well-known/jwks.json');
is $answer->status, 200, 'everybody gets the set';
is $answer->header('Content-Type'), 'application/jwk-set+json', 'as what it is';
is $answer->header('Cache-Control'), 'public, max-age=300', 'and may keep it for a while';
is $answer->header('X-More'), 'yes', 'with what nginx adds';
is_deeply keys_of($answer), {
    rs => expected('rs'),
    es256 => expected('es256', alg => 'ES256'),
    ed25519 => expected('ed25519', alg => 'EdDSA'),
    }, 'each key with its public members';
unlike $answer->body, qr/"(?:d|p|q|dp|dq|qi|k)":/, 'and no private one';

is_deeply keys_of(http_get('/pem')), {
    old => expected('rs_b', kid => 'old', alg => 'PS512'),
    'P-384' => expected('es384', kid => undef, alg => 'ES384'),
    }, 'keys of PEM files too';

# ---- conditional requests

my $tag = $answer->header('ETag');
like $tag, qr/\A"[\w-]{22}"\z/, 'a strong entity tag';
my $same = http_get('/.well-known/jwks.json', headers => ['If-None-Match' => $tag]);
is $same->status, 304, 'which spares the body';
is $same->body, '', 'none';
is http_get('/.well-known/jwks.json', headers => ['If-None-Match' => '"other"'])->status, 200, 'another tag does not';

# ---- methods and gates

my $head = http_request('HEAD', '/.well-known/jwks.json');
is $head->status, 200, 'HEAD';
is $head->header('Content-Length'), length $answer->body, 'of the same length';
is http_request('POST', '/.well-known/jwks.json', body => 'x')->status, 405, 'nothing else';
is http_request('POST', '/pem', body => 'x')->status, 403, 'limit_except limits';
is http_get('/guarded')->status, 401, 'a gate before it is one';
is http_get('/guarded', headers => [Authorization => 'Bearer ' . mint()])->status, 200, 'and lets in';

# ---- with what is published the tokens can be verified; what changes is followed

$t->write_file('published.jwks', $answer->body);
my @verify = ('token', 'verify', '--jwks', $t->dir . '/published.jwks', '--issuer', 'https://idp.example.com', '--audience', 'orders');
for my $name (qw(rs es256 ed25519)) {
    my ($status, undef, $err) = gatectl(@verify, { stdin => mint(key => $name) });
    is $status, 0, "a token of $name is verified by it" or diag $err;
}
$t->write_file('set.jwks.new', jwks('rs_b'));
rename $t->dir . '/set.jwks.new', $t->dir . '/set.jwks';
ok wait_for(sub { join(' ', keys %{ keys_of(http_get('/.well-known/jwks.json')) }) eq 'rs_b' }), 'a changed file is published';
isnt http_get('/.well-known/jwks.json', headers => ['If-None-Match' => $tag])->status, 304, 'under another tag';

done_testing;
