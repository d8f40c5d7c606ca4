# What nginx -t says about each mistake in the blocks that name keys, roles and their files, and what it
# warns of: the exact text, with the value, the remedy, file and line.

use lib 't/lib';
use Gate::Test;
use Gate::Config;

my $t = config_test();
my $dir = $t->dir;
$t->write_file('secret.txt', join '', map { chr 33 + $_ } 1 .. 64);
$t->write_file('rs.pem', pem('rs'));

my $corp = 'gate_issuer corp { issuer https://idp.example.com; jwks_file corp.jwks; audience a; }';
my $partner = 'gate_keys partner { file keys.json; prefix acme_; }';

# ---- gate_issuer
my $rest = 'issuer i; audience a;';
refused('issuer without audience', in_issuer('issuer i; jwks_file corp.jwks;'),
    'gate_issuer "x" names no audience; write "audience NAME;" with what its tokens carry in "aud", or '
    . '"audience off;" to accept tokens made for others too in nginx.conf:1');
refused('issuer without issuer', in_issuer('audience a; jwks_file corp.jwks;'),
    'gate_issuer "x" names no issuer; write "issuer URL;" with what its tokens carry in "iss", or '
    . '"issuer off;" for tokens without in nginx.conf:1');
refused('issuer without keys', in_issuer($rest),
    'gate_issuer "x" has no keys; write "jwks_file PATH;" or "key file=PATH;" in nginx.conf:1');
refused('issuer declared twice', "$corp\n$corp",
    'gate_issuer "corp" is declared twice; the first stands in nginx.conf:1 in nginx.conf:2');
refused('issuer with a bad name', 'gate_issuer a,b { }',
    '"gate_issuer" has the name "a,b"; expected letters, digits, "_", "-" and "." in nginx.conf:1');
refused('an unknown word', in_issuer('jwks_url x;'),
    'gate_issuer "x": "jwks_url" is unknown here; expected issuer, jwks_file, key, algorithms, audience, '
    . 'type, leeway, require_exp, max_lifetime, require_claim, subject_claim, client_claim, scope_claim, '
    . 'role_claim, group_claim, roles, sign, claim in nginx.conf:2');
refused('a word twice', in_issuer('issuer a; issuer b;'),
    'gate_issuer "x": "issuer" directive is duplicate in nginx.conf:2');
refused('a word without arguments', in_issuer('audience;'),
    'gate_issuer "x": "audience" has 0 arguments; expected 1 or more in nginx.conf:2');
refused('a word with too many arguments', in_issuer('issuer a b;'),
    'gate_issuer "x": "issuer" has 2 arguments; expected 1 in nginx.conf:2');
refused('an unknown algorithm', in_issuer('algorithms RS256 rs512;'),
    'gate_issuer "x": "algorithms" names the unknown algorithm "rs512"; known: HS256 HS384 HS512 RS256 '
    . 'RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA in nginx.conf:2');
refused('none is no algorithm', in_issuer('key file=rs.pem alg=none;'),
    'gate_issuer "x": "key" names the unknown algorithm "none"; known: HS256 HS384 HS512 RS256 '
    . 'RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA in nginx.conf:2');
refused('HS beside asymmetric algorithms', in_issuer("$rest algorithms HS256 RS256; jwks_file corp.jwks;"),
    'gate_issuer "x" accepts HS algorithms together with asymmetric ones (HS256 RS256); use one '
    . 'gate_issuer block for each sort in nginx.conf:1');
refused('HS and asymmetric keys by alg=',
    in_issuer("$rest key file=rs.pem alg=RS256; key secret_file=secret.txt alg=HS256;"),
    'gate_issuer "x" accepts HS algorithms together with asymmetric ones (HS256 RS256); use one '
    . 'gate_issuer block for each sort in nginx.conf:1');
refused('HS that nobody named', in_issuer("$rest key secret_file=secret.txt;"),
    'gate_issuer "x" has a secret but no algorithm that uses it; write alg=HS256 beside the secret, or '
    . '"algorithms HS256;" in nginx.conf:1');
refused('alg= outside of algorithms', in_issuer("$rest algorithms ES256; key file=rs.pem alg=RS256;"),
    'gate_issuer "x": "key" has alg=RS256, none of which "algorithms" (ES256) allows in nginx.conf:2');
refused('a key that no algorithm can use', in_issuer("$rest algorithms ES256; key file=rs.pem;"),
    'gate_issuer "x": "DIR/rs.pem" cannot be used: its key serves RS256 RS384 RS512 PS256 PS384 PS512, '
    . 'none of which the issuer\'s algorithms (ES256) allow; name one by "algorithms" or alg= '
    . 'in nginx.conf:2');
refused('a JWKS that no algorithm can use', in_issuer("$rest algorithms EdDSA; jwks_file other.jwks;"),
    'gate_issuer "x": "DIR/other.jwks" cannot be used: its keys serve ES256, none of which the issuer\'s '
    . 'algorithms (EdDSA) allow; name one by "algorithms" in nginx.conf:2');
refused('key without file', in_issuer('key kid=a;'),
    'gate_issuer "x": "key" names no file; write file= or secret_file= in nginx.conf:2');
refused('key with two files', in_issuer('key file=a file=b;'),
    'gate_issuer "x": "key" names two files; write a second line for "file=b" in nginx.conf:2');
refused('hex beside a PEM file', in_issuer('key file=rs.pem hex;'),
    'gate_issuer "x": "key" has hex, base64 or text beside file=; they belong to secret_file= '
    . 'in nginx.conf:2');
refused('RS beside a secret', in_issuer('key secret_file=secret.txt alg=RS256;'),
    'gate_issuer "x": "key" has alg=RS256 beside secret_file=; a secret serves HS256, HS384 and HS512 '
    . 'only in nginx.conf:2');
refused('HS beside a PEM file', in_issuer('key file=rs.pem alg=HS256;'),
    'gate_issuer "x": "key" has alg=HS256 beside file=; HS algorithms need secret_file= in nginx.conf:2');
refused('an unknown key option', in_issuer('key path=rs.pem;'),
    'gate_issuer "x": "key" has an unknown value "path=rs.pem"; expected file=, secret_file=, hex, '
    . 'base64, text, kid= or alg= in nginx.conf:2');
refused('an empty kid', in_issuer('key file=rs.pem kid=;'),
    'gate_issuer "x": "key" has an empty kid=; leave it out in nginx.conf:2');
refused('an empty issuer', in_issuer('issuer "";'),
    'gate_issuer "x": "issuer" is empty; write "issuer off;" for tokens without iss in nginx.conf:2');
refused('audience off beside others', in_issuer('audience a off;'),
    'gate_issuer "x": "audience" has "off" beside other values; "off" stands alone in nginx.conf:2');
refused('too much leeway', in_issuer('leeway 301s;'),
    'gate_issuer "x": "leeway" has an unknown value "301s"; expected a time of at most 300s, such as 10s '
    . 'in nginx.conf:2');
refused('two leeways', in_issuer('leeway 1s 2s;'),
    'gate_issuer "x": "leeway" has an unknown value "1s"; expected one time, or exp=, nbf= and iat= '
    . 'in nginx.conf:2');
refused('require_exp', in_issuer('require_exp maybe;'),
    'gate_issuer "x": "require_exp" has an unknown value "maybe"; expected on or off in nginx.conf:2');
refused('max_lifetime of nothing', in_issuer('max_lifetime 0;'),
    'gate_issuer "x": "max_lifetime" has an unknown value "0"; expected a time above 0s in nginx.conf:2');
refused('unknown roles of an issuer', in_issuer("$rest jwks_file corp.jwks; roles staff;"),
    'gate_issuer "x" names unknown roles "staff"; declared gate_roles: none in nginx.conf:1');

# ---- files of an issuer
refused('a missing file', in_issuer("$rest jwks_file none.jwks;"),
    'gate_issuer "x": "DIR/none.jwks" cannot be used: No such file or directory in nginx.conf:2');
refused('a directory', in_issuer("$rest jwks_file .;"),
    'gate_issuer "x": "DIR/." cannot be used: it is no regular file in nginx.conf:2');
$t->write_file('broken.jwks', '{"keys":[');
refused('a broken JWKS', in_issuer("$rest jwks_file broken.jwks;"),
    'gate_issuer "x": "DIR/broken.jwks" cannot be used: not strict JSON: json_bad in nginx.conf:2');
$t->write_file('empty.jwks', '{"keys":[]}');
refused('a JWKS without keys', in_issuer("$rest jwks_file empty.jwks;"),
    'gate_issuer "x": "DIR/empty.jwks" cannot be used: no key in it in nginx.conf:2');
$t->write_file('garbage.pem', 'hello');
refused('no PEM', in_issuer("$rest key file=garbage.pem;"),
    qr/\Agate_issuer "x": "DIR\/garbage.pem" cannot be used: .+ in nginx.conf:2\z/);
$t->write_file('short.txt', "short\n");
refused('a weak secret', in_issuer("$rest key secret_file=short.txt alg=HS256;"),
    qr/\Agate_issuer "x": "DIR\/short.txt" cannot be used: .*; make one with "gatectl secret new" in nginx.conf:2\z/);
$t->write_file('32.txt', join '', map { chr 40 + $_ } 1 .. 32);
refused('a secret too short for its algorithm', in_issuer("$rest key secret_file=32.txt alg=HS512;"),
    'gate_issuer "x": "DIR/32.txt" cannot be used: HMAC secret of 32 octets is shorter than HS512 needs; '
    . 'make one with "gatectl secret new" in nginx.conf:2');
$t->write_file('odd.hex', "abc\n");
refused('no hexadecimal', in_issuer("$rest key secret_file=odd.hex hex alg=HS256;"),
    'gate_issuer "x": "DIR/odd.hex" cannot be used: it is not hexadecimal in nginx.conf:2');
$t->write_file('odd.b64', "a!\n");
refused('no base64', in_issuer("$rest key secret_file=odd.b64 base64 alg=HS256;"),
    'gate_issuer "x": "DIR/odd.b64" cannot be used: it is not base64 in nginx.conf:2');
$t->write_jwks('twice.jwks', key('rs'), { %{ key('es256') }, kid => key('rs')->{kid} });
refused('two keys with one kid', in_issuer("$rest jwks_file twice.jwks;"),
    'gate_issuer "x": "DIR/twice.jwks" cannot be used: two keys with the kid "'
    . key('rs')->{kid} . '" in nginx.conf:2');
SKIP: {
    my $known = vectors('secrets/known_public_hmac_secrets_ge32.json') or skip('no vectors', 1);
    my ($first) = grep { length >= 32 && !/[^ -~]/ }
        map { ref $_ ? $_->{secret} // '' : $_ } @{ ref $known eq 'ARRAY' ? $known : $known->{secrets} };
    $t->write_file('known.txt', "$first\n");
    refused('a publicly known secret', in_issuer("$rest key secret_file=known.txt alg=HS256;"),
        'gate_issuer "x": "DIR/known.txt" cannot be used: HMAC secret is publicly known; '
        . 'make one with "gatectl secret new" in nginx.conf:2');
}

# ---- gate_keys
refused('store without file', in_keys('prefix a_;'),
    'gate_keys "x" names no file; write "file PATH;" or "redis NAME;" in nginx.conf:1');
refused('store declared twice', "$partner\n$partner",
    'gate_keys "partner" is declared twice; the first stands in nginx.conf:1 in nginx.conf:2');
refused('an unknown word of a store', in_keys('path keys.json;'),
    'gate_keys "x": "path" is unknown here; expected file, redis, valid, negative, prefix, checksum, digest, '
    . 'pepper_file, roles, role_field in nginx.conf:2');
refused('a bad prefix', in_keys('prefix a.b;'),
    qr/\Agate_keys "x": "prefix" has the value "a\.b": .+ in nginx.conf:2\z/);
refused('checksum', in_keys('checksum maybe;'),
    'gate_keys "x": "checksum" has an unknown value "maybe"; expected on or off in nginx.conf:2');
refused('an unknown digest', in_keys('digest md5;'),
    'gate_keys "x": "digest" has an unknown value "md5"; expected sha256 or hmac-sha256 in nginx.conf:2');
refused('an unknown role field', in_keys('role_field owner;'),
    'gate_keys "x": "role_field" has an unknown value "owner"; expected roles, scopes or groups '
    . 'in nginx.conf:2');
refused('hmac without pepper', in_keys('file keys.json; digest hmac-sha256;'),
    'gate_keys "x" has "digest hmac-sha256" but no pepper; write "pepper_file PATH;" in nginx.conf:1');
refused('pepper without hmac', in_keys('file keys.json; pepper_file 32.txt;'),
    'gate_keys "x" has a pepper that "digest sha256" does not use; write "digest hmac-sha256;" or leave '
    . 'pepper_file out in nginx.conf:1');
refused('too many peppers', in_keys('file keys.json; digest hmac-sha256;' . 'pepper_file 32.txt;' x 5),
    'gate_keys "x" has 5 peppers; at most 4, because each costs a lookup in nginx.conf:1');
refused('a short pepper', in_keys("file keys.json; digest hmac-sha256;\npepper_file short.txt;"),
    'gate_keys "x": "DIR/short.txt" cannot be used: a pepper of 5 octets is too short; at least 32 are '
    . 'needed: make one with "gatectl secret new" in nginx.conf:3');
refused('unknown roles of a store', in_keys('file keys.json; roles staff;'),
    'gate_keys "x" names unknown roles "staff"; declared gate_roles: none in nginx.conf:1');
$t->write_file('broken.json', '{"version":1,"keys":[{}]}');
refused('a broken key file', in_keys('file broken.json;'),
    qr/\Agate_keys "x": "DIR\/broken.json" cannot be used: .+ in nginx.conf:2\z/);

# ---- gate_roles
refused('no roles', "gate_roles r {\n}",
    'gate_roles "r" has no roles; write "ROLE ITEM ..;" or "file PATH;" in nginx.conf:1');
refused('roles declared twice', "gate_roles r { a b; }\ngate_roles r { a b; }",
    'gate_roles "r" is declared twice; the first stands in nginx.conf:1 in nginx.conf:2');
refused('roles beside a file', "gate_roles r {\na b; file roles.txt; }",
    'gate_roles "r" has roles of its own beside a file; write them in one place in nginx.conf:1');
refused('one role twice', "gate_roles r { a b;\na c; }",
    'gate_roles "r": "a" cannot be added: role "a" is declared twice in nginx.conf:2');
refused('a cycle of roles', "gate_roles r {\na b; b a; }",
    'gate_roles "r" cannot be used: roles include each other: a -> b -> a in nginx.conf:1');
refused('a role of nothing', "gate_roles r {\na; }",
    'gate_roles "r": "a" cannot be added: role "a" stands for nothing; name scopes or roles '
    . 'in nginx.conf:2');
$t->write_file('roles.txt', "viewer *:read;\neditor viewer");
refused('a half-written role file', "gate_roles r {\nfile roles.txt; }",
    'gate_roles "r": "DIR/roles.txt" cannot be used: line 2: "editor" is not ended by \';\' '
    . 'in nginx.conf:2');

# ---- include inside blocks
$t->write_file('audience.inc', "audience a;\nnonsense x;\n");
refused('an error in an included file', in_issuer("issuer i; include audience.inc;"),
    'gate_issuer "x": "nonsense" is unknown here; expected issuer, jwks_file, key, algorithms, audience, '
    . 'type, leeway, require_exp, max_lifetime, require_claim, subject_claim, client_claim, scope_claim, '
    . 'role_claim, group_claim, roles, sign, claim in DIR/audience.inc:2');
$t->write_file('audience.inc', "audience a;\n");
warned('an included file', in_issuer("issuer i; include audience.inc; jwks_file corp.jwks;"));

# ---- warnings
warned('audience off', in_issuer('issuer i; jwks_file corp.jwks; audience off;'),
    'gate_issuer "x" has "audience off": tokens that it issued for other services are accepted here; '
    . 'name this service by "audience NAME;" in nginx.conf:1');
$t->write_jwks('partly.jwks', key('rs'), { kty => 'XX', kid => 'odd' }, key('es384'));
warned('keys of a JWKS that are not used', in_issuer("$rest jwks_file partly.jwks;"),
    'gate_issuer "x" skips key "odd": unknown "kty" in nginx.conf:1',
    'gate_issuer "x" never uses key "' . key('es384')->{kid} . '", which serves ES384; the issuer\'s '
    . 'algorithms are RS256 PS256 ES256 EdDSA in nginx.conf:1');
for my $page ('/error.html', '@denied') {
    my $location = $page =~ /^@/ ? "location $page { root html; }" : '';
    my $place = $location ? qq{"location $page"} : '"location /"';
    warned("an error page behind the gate: $page", "$corp server { listen 127.0.0.1:%%PORT%%; gate jwt;\n"
            . "error_page 401 $page;\nlocation / { root html; } $location }",
        qq{"error_page" leads to "$page" behind the gate of $place, so a refused request is refused there }
        . 'again; give it a location with "gate off;" in nginx.conf:1');
}
warned('an error page in the open', "$corp server { listen 127.0.0.1:%%PORT%%; gate jwt;\n"
    . 'error_page 401 /error.html; location / { root html; } location = /error.html { gate off; root html; } }');
SKIP: {
    skip('not root', 2) if $>;
    chmod 0600, "$dir/rs.pem";
    warned('a key file that workers cannot read', in_issuer("$rest key file=rs.pem;"),
        '"DIR/rs.pem" cannot be read by the workers\' user "nobody" and keeps its start-up value when it '
        . 'changes; run: chgrp GROUP DIR/rs.pem && chmod g+r DIR/rs.pem, with a group of that user '
        . 'in nginx.conf:2');
    mkdir "$dir/closed";
    rename "$dir/rs.pem", "$dir/closed/rs.pem";
    chmod 0644, "$dir/closed/rs.pem";
    chmod 0700, "$dir/closed";
    warned('a directory that workers cannot search', in_issuer("$rest key file=closed/rs.pem;"),
        '"DIR/closed/rs.pem" cannot be read by the workers\' user "nobody" and keeps its start-up value '
        . 'when it changes; run: chgrp GROUP DIR/closed && chmod g+x DIR/closed, with a group of that user '
        . 'in nginx.conf:2');
}

done_testing;
