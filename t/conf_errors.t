# What nginx -t says about each mistake in the directives of servers and locations: the exact text, with
# the directive, the value, the remedy, file and line.

use lib 't/lib';
use Gate::Test;
use Gate::Config;

config_test();
my $corp = 'gate_issuer corp { issuer https://idp.example.com; jwks_file corp.jwks; audience a; }';
my $partner = 'gate_keys partner { file keys.json; prefix acme_; }';

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
refused('claim in what no variable can be called', in_server('', 'gate_claim $my-tenant tenant;'),
    '"gate_claim" has the name "$my-tenant"; expected a variable such as $name in nginx.conf:1');
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
my $outcomes = 'login, refresh, logout, me, introspect, create, list, get, rotate, suspend, revoke';
refused('reply of a success', in_server(q(gate_reply 200 '{}';)),
    '"gate_reply" has an unknown value "200"; expected the status of a refusal, 400 to 599, or one of '
    . "the outcomes $outcomes in nginx.conf:2");
refused('reply of an unknown outcome', in_server(q(gate_reply resume 200 '{}';)),
    '"gate_reply" has an unknown value "resume"; expected the status of a refusal, 400 to 599, or one of '
    . "the outcomes $outcomes in nginx.conf:2");
refused('reply of an outcome that is a refusal', in_server(q(gate_reply login 401 '{}';)),
    '"gate_reply" has an unknown value "401"; expected the status of a success, 200 to 299 '
    . 'in nginx.conf:2');
refused('reply of an outcome without status', in_server(q(gate_reply login '{}';)),
    '"gate_reply" has 2 arguments; expected 3 to 4 in nginx.conf:2');
refused('reply with a word too many', in_server(q(gate_reply 401 '{}' type=a/b x;)),
    '"gate_reply" has 4 arguments; expected 2 to 3 in nginx.conf:2');
refused('reply of an outcome twice', in_server(q(gate_reply login 200 '{}'; gate_reply login 201 '{}';)),
    '"gate_reply" has a reply for login twice in nginx.conf:2');
refused('reply of an outcome that is no JSON', in_server(q(gate_reply login 200 '{';)),
    '"gate_reply" cannot use the body for login: not a JSON object (json_bad) in nginx.conf:2');
refused('reply with a field of another outcome', in_server(q(gate_reply suspend 200 '{"k": "$key"}';)),
    '"gate_reply" cannot use the body for suspend: unknown field "$key"; known are $id, $name, $status '
    . 'in nginx.conf:2');
refused('reply of a list without array', in_server(q(gate_reply list 200 '{"id": "$id"}';)),
    '"gate_reply" cannot use the body for list: field "$id" belongs to a record; it can only stand in '
    . 'an array of one element in nginx.conf:2');
refused('reply with a body for 204', in_server(q(gate_reply revoke 204 '{"a": 1}';)),
    '"gate_reply" has a body for 204, an answer without one; write {} or another status in nginx.conf:2');
refused('reply of an outcome and no media type', in_server(q(gate_reply login 200 '{}' json;)),
    '"gate_reply" has an unknown value "json"; expected type= with a media type such as '
    . 'type=application/json in nginx.conf:2');
warned('replies of refusals and outcomes', in_server(q(gate_reply 401 '{"e": "$error"}';
    gate_reply login 200 '{"token": "$access_token", "until": "$expires_at.unix", "team": "$user.label.team?"}'
        type=application/vnd.x+json;
    gate_reply me 200 '{"t": "$claim.tenant"}'; gate_reply logout 204 '{}';
    gate_reply create 201 '{"secret": "$key"}'; gate_reply list 200 '{"keys": [{"id": "$id"}]}';)));
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

# ---- a location has one handler

my $one = 'stands beside another directive that answers the requests of this location; give each one a location of its own';
refused('gate_health behind another handler', in_server('location /h { empty_gif; gate_health json; }'),
    qq{"gate_health" $one in nginx.conf:2});
refused('gate_health before another handler', in_server('location /h { gate_health json; proxy_pass http://127.0.0.1:1; }'),
    qq{"gate_health" $one in nginx.conf:2});
refused('gate_metrics behind another handler', in_server('location /m { empty_gif; gate_metrics; }'),
    qq{"gate_metrics" $one in nginx.conf:2});
refused('gate_metrics before another handler', in_server('location /m { gate_metrics; proxy_pass http://127.0.0.1:1; }'),
    qq{"gate_metrics" $one in nginx.conf:2});

done_testing;
