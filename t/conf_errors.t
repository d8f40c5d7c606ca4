# What nginx -t says about each mistake that a configuration can show: the exact text, with the
# directive, the value, the remedy, file and line.
use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new(log_level => 'warn');
my $dir = $t->dir;

$t->write_jwks('corp.jwks', key('rs'));
$t->write_jwks('other.jwks', key('es256'));
$t->write_file('keys.json', key_file());
$t->write_file('secret.txt', encode_base64url('s' x 4 . join '', map { chr 33 + $_ } 1 .. 60));
$t->write_file('rs.pem', pem('rs'));

my $corp = 'gate_issuer corp { issuer https://idp.example.com; jwks_file corp.jwks; audience a; }';
my $partner = 'gate_keys partner { file keys.json; prefix acme_; }';

# The lines of nginx -t without prefix, and the file's own directory as DIR.
sub messages {
    my ($http) = @_;
    my ($status, $out) = $t->nginx_t($http);
    $out =~ s/\Q$dir\E/DIR/g;
    return ($status, map { /\Anginx: (\[\w+\] .*)\z/ ? $1 : () } split /\n/, $out);
}

sub refused {
    my ($name, $http, $expected) = @_;
    my ($status, @lines) = messages($http);
    my $said = join "\n", map { s/\A\[emerg\] //r } grep {/emerg/} @lines;
    return ref $expected ? like($said, $expected, $name) : is($said, $expected, $name);
}

sub warned {
    my ($name, $http, @expected) = @_;
    my ($status, @lines) = messages($http);
    is(join("\n", $status ? 'refused' : 'accepted', @lines),
        join("\n", 'accepted', map {"[warn] $_"} @expected), $name);
    return;
}

# A configuration whose server holds `$text` on line 2, behind the usual blocks on line 1.
sub in_server {
    my ($text, $blocks) = @_;
    $blocks //= "$corp $partner";
    return "$blocks server { listen 127.0.0.1:%%PORT%%; location / { root html; }\n$text }";
}

sub in_issuer { return in_server('', "gate_issuer x {\n$_[0] }"); }
sub in_keys { return in_server('', "gate_keys x {\n$_[0] }"); }

warned('a complete configuration has nothing to say', in_server('gate jwt=corp key;'));

# ---- gate
refused('unknown issuer', in_server('gate jwt=corpp;'),
    '"gate" names unknown issuer "corpp"; declared issuers: corp in nginx.conf:2');
refused('unknown key store', in_server('gate key=partners;'),
    '"gate" names unknown key store "partners"; declared key stores: partner in nginx.conf:2');
refused('jwt without any issuer', in_server('gate jwt;', ''),
    '"gate" asks for "jwt" but no gate_issuer block is declared; write one in nginx.conf:2');
refused('key without any store', in_server('gate key;', ''),
    '"gate" asks for "key" but no gate_keys block is declared; write one in nginx.conf:2');
refused('jwt without a name beside two issuers', in_server('gate jwt;',
        $corp . ' gate_issuer b { issuer b; jwks_file other.jwks; audience a; }'),
    '"gate" has "jwt" without a name, and several issuers are declared: corp, b; '
    . 'write jwt=corp or another in nginx.conf:2');
refused('key without a name beside two stores', in_server('gate key;',
        "$partner gate_keys b { file keys.json; }"),
    '"gate" has "key" without a name, and several key stores are declared: partner, b; '
    . 'write key=partner or another in nginx.conf:2');
refused('a name twice', in_server('gate jwt=corp,corp;'), '"gate" names "corp" twice in nginx.conf:2');
refused('an empty name', in_server('gate jwt=corp,;'),
    '"gate" has an empty name in "jwt=corp," in nginx.conf:2');
refused('a kind twice', in_server('gate jwt jwt=corp;'),
    '"gate" has "jwt" twice; join the names: jwt=a,b in nginx.conf:2');
refused('off beside others', in_server('gate jwt off;'),
    '"gate" has "off" beside other values; "off" stands alone in nginx.conf:2');
refused('nothing accepted', in_server('gate optional;'),
    '"gate" accepts nothing; name jwt, key or both, or write "gate off" in nginx.conf:2');
refused('basic comes later', in_server('gate jwt basic=staff;'),
    '"gate" with "basic=staff" is not supported by this version in nginx.conf:2');
refused('an unknown parameter', in_server('gate jwt maybe;'),
    '"gate" has an unknown value "maybe"; expected jwt[=issuer,..], key[=store,..], optional, '
    . 'realm=, challenge=on|off, or off alone in nginx.conf:2');
refused('challenge', in_server('gate jwt challenge=no;'),
    '"gate" has an unknown value "challenge=no"; expected challenge=on or challenge=off '
    . 'in nginx.conf:2');
refused('an empty realm', in_server('gate jwt realm=;'),
    '"gate" has an empty realm; leave realm= out in nginx.conf:2');
refused('gate twice on one level', in_server('gate jwt; gate off;'),
    '"gate" directive is duplicate in nginx.conf:2');
refused('two issuers with one iss', in_server('gate jwt=corp,b;',
        $corp . ' gate_issuer b { issuer https://idp.example.com; jwks_file other.jwks; audience a; }'),
    '"gate" accepts the issuers "corp" and "b", which both have "issuer https://idp.example.com"; '
    . 'their tokens could not be told apart: name one of them in nginx.conf:2');
refused('two issuers without iss', in_server('gate jwt=a,b;',
        join ' ', map {"gate_issuer $_ { issuer off; jwks_file corp.jwks; audience a; }"} qw(a b)),
    '"gate" accepts the issuers "a" and "b", which both have "issuer off"; '
    . 'their tokens could not be told apart: name one of them in nginx.conf:2');
refused('two stores with one prefix', in_server('gate key=partner,b;',
        "$partner gate_keys b { file keys.json; prefix acme_; }"),
    '"gate" accepts the key stores "partner" and "b", which both have the prefix "acme_"; '
    . 'their keys could not be told apart: give one another prefix in nginx.conf:2');
refused('two stores without prefix', in_server('gate key=a,b;',
        join ' ', map {"gate_keys $_ { file keys.json; }"} qw(a b)),
    '"gate" accepts the key stores "a" and "b", which both have no prefix; '
    . 'their keys could not be told apart: give one another prefix in nginx.conf:2');

# ---- gate_source and what belongs to it
refused('source of an unknown kind', in_server('gate_source saml header=X;'),
    '"gate_source" has an unknown value "saml"; expected jwt or key in nginx.conf:2');
refused('source for basic', in_server('gate_source basic header=X;'),
    '"gate_source" with "basic" is not supported by this version in nginx.conf:2');
refused('two kinds on one line', in_server('gate_source jwt key header=X;'),
    '"gate_source" takes one kind a line; write a second line for "key" in nginx.conf:2');
refused('an unknown place', in_server('gate_source jwt body=token;'),
    '"gate_source" has an unknown value "body=token"; expected header=, cookie=, arg= or a variable '
    . 'in nginx.conf:2');
refused('no header name', in_server('gate_source jwt "header=X Y";'),
    '"gate_source" has "X Y", which no header can be called in nginx.conf:2');
refused('a header that nginx needs', in_server('gate_source jwt header=Host;'),
    '"gate_source" cannot take a credential from the header "Host": nginx chooses the server by it '
    . 'in nginx.conf:2');
refused('no argument name', in_server('gate_source jwt arg=a&b;'),
    '"gate_source" has "arg=a&b": no plain name in nginx.conf:2');
refused('scheme beside a cookie', in_server('gate_source jwt cookie=c scheme=Bearer;'),
    '"gate_source" has scheme= beside cookie; only a header has a scheme in nginx.conf:2');
refused('no scheme', in_server('gate_source jwt header=X "scheme=A B";'),
    '"gate_source" has an unknown value "A B"; expected the name of a scheme, or off in nginx.conf:2');
refused('origin beside a header', in_server('gate_source jwt header=X origin=any;'),
    '"gate_source" has origin= beside header; only a cookie is sent without the page\'s doing '
    . 'in nginx.conf:2');
refused('an unknown origin', in_server('gate_source jwt cookie=c origin=none;'),
    '"gate_source" has an unknown value "none"; expected same, any or a variable in nginx.conf:2');
refused('an unknown option', in_server('gate_source jwt cookie=c secure;'),
    '"gate_source" has an unknown value "secure"; expected scheme= beside a header, origin= beside a '
    . 'cookie in nginx.conf:2');
refused('a source twice', in_server('gate_source jwt cookie=c; gate_source jwt cookie=c;'),
    '"gate_source" has the source "cookie=c" twice for jwt in nginx.conf:2');
refused('more than a variable', in_server('gate_source jwt $arg_a$arg_b;'),
    '"gate_source" has the value "$arg_a$arg_b"; expected one variable such as $name in nginx.conf:2');
refused('a numbered capture as source', in_server('gate_source jwt $1;'),
    '"gate_source" has the numbered capture "$1", which any later regular expression overwrites; '
    . 'use a named one: (?<name>..) in nginx.conf:2');

my %choices = (
    gate_source_conflict => 'refuse | first',
    gate_strip => 'on | off',
    gate_preflight => 'answer | pass | check',
    gate_dot_segments => 'refuse | pass',
    gate_error_format => 'problem | json | text | auto | off',
    gate_dry_run => 'on | off',
    gate_log_level => 'info | notice | warn | error',
);
for my $directive (sort keys %choices) {
    my ($first) = split / /, $choices{$directive};
    refused("$directive of an unknown value", in_server("$directive maybe;"),
        qq{"$directive" has an unknown value "maybe"; expected $choices{$directive} in nginx.conf:2});
    refused("$directive twice", in_server("$directive $first; $directive $first;"),
        qq{"$directive" directive is duplicate in nginx.conf:2});
}
for my $size (qw(0 x 2m)) {
    refused("token size $size", in_server("gate_max_token_size $size;"),
        qq{"gate_max_token_size" has an unknown value "$size"; expected a size from 1 to 1m, such as 8k }
        . 'in nginx.conf:2');
}
refused('token size twice', in_server('gate_max_token_size 1k; gate_max_token_size 2k;'),
    '"gate_max_token_size" directive is duplicate in nginx.conf:2');

# ---- requirements
refused('a requirement without a gate', in_server('gate_require_scope a;'),
    '"gate_require_scope" stands where no gate is in force, so nothing would check it; '
    . 'write "gate jwt;" or "gate key;" there in nginx.conf:2');
refused('a requirement at http level without a gate there',
    "gate_require_role r;\n" . in_server('gate jwt;'),
    '"gate_require_role" stands where no gate is in force, so nothing would check it; '
    . 'write "gate jwt;" or "gate key;" there in nginx.conf:1');
refused('a requirement beside gate off',
    in_server("gate jwt; location /x { gate off;\ngate_require_claim sub exists; }"),
    '"gate_require_claim" stands where "gate off" is in force, so nothing would check it; '
    . 'write "gate jwt;" or "gate key;" there in nginx.conf:3');
for my $kind (qw(scope role)) {
    refused("two ${kind}s without any or all", in_server("gate jwt; gate_require_$kind a b;"),
        qq{"gate_require_$kind" has 2 values; say before them whether any or all must be there }
        . 'in nginx.conf:2');
    refused("no $kind", in_server("gate jwt; gate_require_$kind all methods=GET;"),
        qq{"gate_require_$kind" names nothing to ask for in nginx.conf:2});
    refused("numbered capture as $kind", in_server(qq{gate jwt; gate_require_$kind "t\$1";}),
        qq{"gate_require_$kind" value "t\$1" has a numbered capture, which any later regular expression }
        . 'overwrites; use a named one: (?<name>..) in nginx.conf:2');
    refused("a $kind with a blank", in_server(qq{gate jwt; gate_require_$kind "a b";}),
        qq{"gate_require_$kind" has the value "a b" with a blank, which none can match; write the values }
        . 'apart, after any or all in nginx.conf:2');
}
refused('braced numbered capture', in_server('gate jwt; gate_require_scope "t${1}x";'),
    '"gate_require_scope" value "t${1}x" has a numbered capture, which any later regular expression '
    . 'overwrites; use a named one: (?<name>..) in nginx.conf:2');
refused('a dollar alone', in_server('gate jwt; gate_require_scope "a$-b";'),
    '"gate_require_scope" value "a$-b" has a "$" that no variable\'s name follows in nginx.conf:2');
refused('an unclosed variable', in_server(q(gate jwt; gate_require_scope "a${arg_b";)),
    '"gate_require_scope" value "a${arg_b" has a "$" that no variable\'s name follows in nginx.conf:2');
refused('an empty value', in_server('gate jwt; gate_require_scope "";'),
    '"gate_require_scope" has an empty value, which nothing meets in nginx.conf:2');
refused('lower-case methods', in_server('gate jwt; gate_require_scope a methods=get;'),
    '"gate_require_scope" has the method "get" in methods=; expected upper-case names joined by commas, '
    . 'such as methods=GET,POST in nginx.conf:2');
refused('methods twice', in_server('gate jwt; gate_require_scope a methods=GET methods=PUT;'),
    '"gate_require_scope" has methods= twice; join them by commas in nginx.conf:2');
refused('an unknown operator', in_server('gate jwt; gate_require_claim sub like x;'),
    '"gate_require_claim" has an unknown operator "like"; expected eq ne lt le gt ge in any all match '
    . 'exists, each also with "!" before it in nginx.conf:2');
refused('exists with a value', in_server('gate jwt; gate_require_claim sub exists x;'),
    '"gate_require_claim" has 1 values after "exists"; expected none in nginx.conf:2');
refused('eq with two values', in_server('gate jwt; gate_require_claim sub !eq x y;'),
    '"gate_require_claim" has 2 values after "!eq"; expected one in nginx.conf:2');
refused('in without a value', in_server('gate jwt; gate_require_claim sub in error=401;'),
    '"gate_require_claim" has 0 values after "in"; expected one or more in nginx.conf:2');
refused('a broken expression', in_server('gate jwt; gate_require_claim sub match "(";'),
    '"gate_require_claim" cannot compile the expression "(": missing closing parenthesis at offset 1 '
    . 'in nginx.conf:2');
refused('error of a claim', in_server('gate jwt; gate_require_claim sub eq x error=404;'),
    '"gate_require_claim" has an unknown value "error=404"; expected error=401 or error=403 '
    . 'in nginx.conf:2');
refused('error of a value', in_server('gate jwt; gate_require $arg_a error=500;'),
    '"gate_require" has an unknown value "error=500"; expected error=400 to error=499 in nginx.conf:2');
refused('a constant', in_server('gate jwt; gate_require orders:read;'),
    '"gate_require" has the constant "orders:read"; expected a variable such as $name, or off alone. '
    . 'Scopes and roles have gate_require_scope and gate_require_role in nginx.conf:2');
refused('no variable', in_server('gate jwt; gate_require error=404;'),
    '"gate_require" names no variable in nginx.conf:2');
refused('gate_require off twice', in_server('gate jwt; gate_require off; gate_require off;'),
    '"gate_require" directive is duplicate in nginx.conf:2');

# ---- identity
my %forbidden = (
    Host => 'nginx chooses the server by it',
    map({ $_ => 'nginx needs it for the connection or the message itself' }
        qw(Connection Content-Length Transfer-Encoding TE Upgrade Expect Keep-Alive Trailer)),
    Cookie => 'it holds other cookies too; a cookie has its own form',
);
for my $name (sort keys %forbidden) {
    refused("identity header $name", in_server("gate_identity $name \$gate_subject;"),
        qq{"gate_identity" cannot have the header "$name": $forbidden{$name} in nginx.conf:2});
}
refused('an alias of a forbidden header', in_server('gate_identity_clear keep_alive;'),
    '"gate_identity_clear" cannot have the header "keep_alive": nginx needs it for the connection or the '
    . 'message itself in nginx.conf:2');
refused('no header name', in_server('gate_identity "X:Y" $gate_subject;'),
    '"gate_identity" has "X:Y", which no header can be called in nginx.conf:2');
refused('one header twice', in_server('gate_identity X-User a; gate_identity X_USER b;'),
    '"gate_identity" sets the header "X_USER" twice, as "X-User" before in nginx.conf:2');
refused('a default source as identity header', in_server('gate jwt; gate_identity Authorization x;'),
    '"gate_identity" removes the header "Authorization" from every request, but "gate_source jwt '
    . 'header=authorization" (the default) takes a credential from it; choose another name for one of '
    . 'them in nginx.conf:2');
refused('a source as cleared header, by an alias',
    in_server("gate key; gate_source key header=X-Token;\ngate_identity_clear X_Token;"),
    '"gate_identity_clear" removes the header "X_Token" from every request, but "gate_source key '
    . 'header=x-token" (nginx.conf:2) takes a credential from it; choose another name for one of them '
    . 'in nginx.conf:3');
refused('off beside names', in_server('gate_identity_clear X-User off;'),
    '"gate_identity_clear" has "off" beside names; "off" stands alone in nginx.conf:2');
refused('off in a location', in_server('location /x { gate_identity_clear off; }'),
    '"gate_identity_clear" with "off" is allowed in server only in nginx.conf:2');
refused('off twice', in_server('gate_identity_clear off; gate_identity_clear off;'),
    '"gate_identity_clear" directive is duplicate in nginx.conf:2');

# ---- gate_claim
refused('claim without variable', in_server('', 'gate_claim tenant tenant;'),
    '"gate_claim" has the name "tenant"; expected a variable such as $name in nginx.conf:1');
refused('claim in our own name space', in_server('', 'gate_claim $gate_x x;'),
    '"gate_claim" cannot set "$gate_x"; names that begin with gate_ are the module\'s own '
    . 'in nginx.conf:1');
refused('claim over a map', in_server('', 'map $uri $tenant { default x; } gate_claim $tenant x;'),
    '"gate_claim" cannot set the variable "$tenant", which is defined already; choose another name '
    . 'in nginx.conf:1');
refused('claim over a set variable', in_server('set $tenant x;', $corp) . ' gate_claim $tenant x;',
    '"gate_claim" cannot set the variable "$tenant", which is defined already; choose another name '
    . 'in nginx.conf:2');
refused('claim twice', in_server('', 'gate_claim $tenant x; gate_claim $tenant y;'),
    '"gate_claim" cannot set the variable "$tenant", which is defined already; choose another name '
    . 'in nginx.conf:1');
refused('claim in an unknown form', in_server('', 'gate_claim $tenant x as=xml;'),
    '"gate_claim" has an unknown value "as=xml"; expected as=text, as=json or as=base64url '
    . 'in nginx.conf:1');
refused('claim without path', in_server('', 'gate_claim $tenant "";'),
    '"gate_claim" has an empty path in nginx.conf:1');

# ---- answers
refused('reply of a login', in_server(q(gate_reply login 200 '{}';)),
    '"gate_reply" with "login" is not supported by this version in nginx.conf:2');
refused('reply of a success', in_server(q(gate_reply 200 '{}';)),
    '"gate_reply" has an unknown value "200"; expected the status of a refusal, 400 to 599 '
    . 'in nginx.conf:2');
refused('reply twice', in_server(q(gate_reply 401 '{}'; gate_reply 401 '{}';)),
    '"gate_reply" has a reply for 401 twice in nginx.conf:2');
refused('reply of no media type', in_server(q(gate_reply 401 '{}' type=json;)),
    '"gate_reply" has an unknown value "type=json"; expected type= with a media type such as '
    . 'type=application/json in nginx.conf:2');
refused('a relative login page', in_server('gate_login_url login;'),
    '"gate_login_url" has an unknown value "login"; expected a path, an http:// or https:// URL, a '
    . 'variable, or off in nginx.conf:2');
refused('a login page on another host', in_server('gate_login_url //login.example.com/;'),
    '"gate_login_url" has "//login.example.com/", which leads to another host; write its scheme too '
    . 'in nginx.conf:2');
refused('a bad return argument', in_server('gate_login_url /login rd=x;'),
    '"gate_login_url" has an unknown value "rd=x"; expected return_arg= with the name of an argument '
    . 'in nginx.conf:2');
refused('login page twice', in_server('gate_login_url /a; gate_login_url off;'),
    '"gate_login_url" directive is duplicate in nginx.conf:2');

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
    . 'role_claim, group_claim, roles in nginx.conf:2');
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
    'gate_keys "x" names no file; write "file PATH;" in nginx.conf:1');
refused('store declared twice', "$partner\n$partner",
    'gate_keys "partner" is declared twice; the first stands in nginx.conf:1 in nginx.conf:2');
refused('redis comes later', in_keys('redis main;'),
    'gate_keys "x": "redis" is unknown here; expected file, prefix, checksum, digest, pepper_file, roles, '
    . 'role_field in nginx.conf:2');
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
    . 'role_claim, group_claim, roles in DIR/audience.inc:2');
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
