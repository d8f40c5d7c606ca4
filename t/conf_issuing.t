# What nginx -t says about each mistake in what logs users in: gate_users, gate_login, gate_field, sign and
# claim: the exact text, with the value, the remedy, file and line.
use lib 't/lib';
use Gate::Config;
use Gate::Test;

my $t = config_test();
chomp(my $hash = `openssl passwd -6 -salt saltsalt pencil`);
chomp(my $weak = `openssl passwd -apr1 -salt saltsalt pencil`);
my $user = sub { return sprintf '{"name":"%s","password":"%s"}', $_[0], $_[1] // $hash };
my %files = (
    'users.json' => '{"users":[' . $user->('ann') . ']}',
    'twice.json' => '{"users":[' . $user->('ann') . ',' . $user->('ann') . ']}',
    'plain.json' => '{"users":[' . $user->('ann', 'pencil') . ']}',
    'member.json' => '{"users":[{"name":"ann","pasword":"x"}]}',
    'cut.json' => '{"users":[',
    'good.htpasswd' => "ann:$hash\n",
    'weak.htpasswd' => "ann:$hash\ncarl:$weak\n",
    'weaker.htpasswd' => "ann:$hash\ncarl:$weak\ndora:$weak\n",
    'twice.htpasswd' => "ann:$hash\nann:$hash\n",
    'plain.htpasswd' => "ann:pencil\n",
    'line.htpasswd' => "# people\nann\n",
    'rs.pem' => pem('rs'),
    'sign.pem' => pem('rs', 'private'),
    'es.pem' => pem('es256', 'private'),
    'secret' => join('', map { chr 33 + $_ } 1 .. 64),
);
$t->write_file($_, $files{$_}) for sort keys %files;

# Blocks on line 1 that all others may name, and an issuer whose words stand on line 2.
my $users = 'gate_users staff { file users.json; }';
my $issuer = 'gate_issuer own { issuer i; audience a; key file=sign.pem; sign access=1h; }';
sub in_users { return in_server('', "gate_users x {\n$_[0] }"); }
sub in_signer { return in_issuer("issuer i; audience a; key file=sign.pem; $_[0]"); }
sub in_login { return in_server($_[0], "$users $issuer gate_issuer corp { issuer c; audience a; jwks_file corp.jwks; }"); }

subtest 'gate_users' => sub {
    warned('JSON', in_users('file users.json;'));
    warned('htpasswd, and all words', in_users('file good.htpasswd; hash_threads 64; hash_queue 0;'));
    refused('without file', in_users('hash_threads 2;'), 'gate_users "x" names no file; write "file PATH;" with what '
        . '"gatectl user" or htpasswd writes in nginx.conf:1');
    refused('an unknown word', in_users('redis main;'),
        'gate_users "x": "redis" is unknown here; expected file, hash_threads, hash_queue in nginx.conf:2');
    refused('a word twice', in_users('file users.json; file good.htpasswd;'),
        'gate_users "x": "file" directive is duplicate in nginx.conf:2');
    refused('declared twice', in_server('', "$users\n$users"),
        'gate_users "staff" is declared twice; the first stands in nginx.conf:1 in nginx.conf:2');
    refused('a bad name', in_server('', 'gate_users a/b { }'),
        '"gate_users" has the name "a/b"; expected letters, digits, "_", "-" and "." in nginx.conf:1');
    for my $count (0, 65, -1, '2x', '') {
        my $text = $count eq '' ? '""' : $count;
        refused("hash_threads $text", in_users("file users.json; hash_threads $text;"),
            qq{gate_users "x": "hash_threads" has an unknown value "$count"; expected 1 to 64 in nginx.conf:2});
    }
    refused('hash_queue', in_users('file users.json; hash_queue 100001;'),
        'gate_users "x": "hash_queue" has an unknown value "100001"; expected 0 to 100000 in nginx.conf:2');
};

subtest 'files of users' => sub {
    my $broken = sub {
        my ($name, $file, $why) = @_;
        refused($name, in_users("file $file;"), qq{gate_users "x": "DIR/$file" cannot be used: $why in nginx.conf:2});
    };
    $broken->('none there', 'none.json', 'No such file or directory');
    $broken->('no JSON', 'cut.json', 'not strict JSON (json_bad)');
    $broken->('two of one name', 'twice.json', 'user 2 ("ann"): another user has the same name');
    $broken->('two lines of one name', 'twice.htpasswd', 'line 2: another user has the name "ann"');
    my $plain = 'the hash is no hash but perhaps the password itself; set a new password with "gatectl user passwd"';
    $broken->('a password', 'plain.json', qq{user 1 ("ann"): member "password" is wrong: $plain});
    $broken->('a password in a line', 'plain.htpasswd', qq{line 1: user "ann": $plain});
    $broken->('a line without hash', 'line.htpasswd', 'line 2: is not name:hash');
    $broken->('a member mistyped', 'member.json', 'user 1 ("ann"): member "pasword" is unknown; known are v, name, '
        . 'password, roles, scopes, groups, email, status, created, labels');
    my $remedy = 'set new passwords with "gatectl user passwd" or "htpasswd -B" in nginx.conf:1';
    warned('a weak hash', in_users('file weak.htpasswd;'),
        qq{gate_users "x" has a weak hash (\$apr1\$) of user "carl"; $remedy});
    warned('weak hashes', in_users('file weaker.htpasswd;'),
        qq{gate_users "x" has weak hashes of 2 users, the first (\$apr1\$) of "carl"; $remedy});
};

subtest 'sign' => sub {
    warned('all of it', in_signer('sign access=15m refresh=7d kid=k; key file=es.pem kid=k; claim a b;'));
    my $word = sub {
        my ($name, $text, $said) = @_;
        refused($name, in_signer("$text;"), qq{gate_issuer "x": "sign" $said in nginx.conf:2});
    };
    $word->('without access', 'sign refresh=7d', 'says no lifetime; write access=1h or another');
    for my $time ('0s', '3651d', 'soon', '', '-1s') {
        $word->("access=$time", "sign access=$time",
            qq{has an unknown value "access=$time"; expected access= with a time such as 1h, at most 3650d});
        $word->("refresh=$time", "sign access=1h refresh=$time",
            qq{has an unknown value "refresh=$time"; expected refresh= with a time such as 1h, at most 3650d});
    }
    for my $refresh ('1h', '59m') {
        $word->("refresh=$refresh", "sign access=1h refresh=$refresh",
            'has a refresh= that is no longer than access=, so there would be nothing to refresh');
    }
    for my $value ('life=1h', 'kid=', '1h') {
        $word->($value, "sign access=1h $value", qq{has an unknown value "$value"; expected access=, refresh= or kid=});
    }
    $word->('twice', 'sign access=1h; sign access=2h', 'directive is duplicate');
};

subtest 'keys that sign' => sub {
    my $none = sub {
        my ($which) = @_;
        return qq{gate_issuer "x": no key of the issuer$which can sign; write "key file=" with a private key or }
            . '"key secret_file=" of an algorithm that the issuer allows in nginx.conf:2';
    };
    refused('a public key only', in_issuer('issuer i; audience a; key file=rs.pem; sign access=1h;'), $none->(''));
    refused('a JWK set only', in_issuer('issuer i; audience a; jwks_file corp.jwks; sign access=1h;'), $none->(''));
    refused('a kid that no key has', in_signer('sign access=1h kid=next;'), $none->(' with the kid "next"'));
    refused('a kid of a public key', in_signer('key file=rs.pem kid=next; sign access=1h kid=next;'),
        $none->(' with the kid "next"'));
    refused('a key of another algorithm', in_signer('algorithms ES256; sign access=1h;'),
        'gate_issuer "x": "DIR/sign.pem" cannot be used: its key serves RS256 RS384 RS512 PS256 PS384 PS512, none of which '
        . 'the issuer\'s algorithms (ES256) allow; name one by "algorithms" or alg= in nginx.conf:2');
    # Only root may read it, which is as it should be.
    chmod 0600, $t->dir . '/sign.pem';
    warned('a signing key that workers cannot read', in_signer('sign access=1h;'));
    chmod 0644, $t->dir . '/sign.pem';
    refused('a private key that nobody asks to sign', in_issuer('issuer i; audience a; key file=sign.pem;'),
        'gate_issuer "x": "DIR/sign.pem" cannot be used: a private key, where a public key or certificate belongs; write '
        . '"sign access=1h;" if it is to sign in nginx.conf:2');
    warned('a secret', in_issuer('issuer i; audience a; key secret_file=secret alg=HS256; sign access=1h;'));
    warned('a public key behind one that signs', in_signer('key file=rs.pem kid=old; sign access=1h;'));
};

subtest 'claim' => sub {
    my $word = sub {
        my ($name, $text, $said) = @_;
        refused($name, in_signer("sign access=1h; $text;"), qq{gate_issuer "x": "claim" $said in nginx.conf:2});
    };
    warned('texts and fields', in_signer('sign access=1h; claim a "b c"; claim d $user.label.any.thing; '
        . 'claim e "$user.name of $user.group"; claim f $user.created.unix; claim g $user.role?;'));
    refused('without sign', in_signer('claim role $user.role;'),
        'gate_issuer "x" has a "claim" but makes no tokens; write "sign access=1h;" too in nginx.conf:1');
    $word->('twice', 'claim a b; claim a c', 'sets "a" twice');
    $word->("$_, which is the issuer's", "claim $_ x", qq{sets "$_", which the issuer sets itself; leave the line out})
        for qw(iss sub aud exp nbf iat jti sid);
    for my $value ('$user', '$subject', 'Hi $user.name', '$gate_subject') {
        $word->("the value $value", qq{claim a "$value"},
            qq{has an unknown value "$value"; expected a field of the user such as \$user.role, or plain text});
    }
    my $known = 'known are $user.name, $user.email, $user.roles, $user.role, $user.scope, $user.scopes, $user.groups, $user.group, '
        . '$user.created, $user.created.unix, $user.label.NAME';
    for my $field ('user.nam', 'user.password', 'user.roles.first', 'user.label') {
        $word->($field, "claim a \$$field", qq{cannot be used: unknown field "\$$field"; $known});
    }
    $word->('a field behind another', 'claim a "$user.name of $group"', qq{cannot be used: unknown field "\$group"; $known});
    $word->('no value', 'claim a', 'has 1 arguments; expected 2');
    my $many = join ' ', map {"claim c$_ x;"} 1 .. 257;
    refused('too many', in_signer("sign access=1h; $many"),
        'gate_issuer "x" has "claim" lines that cannot be used: not a JSON object (json_limit) in nginx.conf:1');
};

subtest 'what an issuer makes it accepts' => sub {
    refused('no longer than it may live', in_signer('sign access=2h; max_lifetime 1h;'),
        'gate_issuer "x" signs tokens that live longer than its "max_lifetime" of 3600s; shorten access= or leave '
        . 'max_lifetime out in nginx.conf:1');
    refused('with the claims it requires', in_signer('sign access=1h; require_claim jti team; claim t $user.label.team;'),
        'gate_issuer "x" requires the claim "team", which its own tokens do not have; write "claim team $user...;" '
        . 'in nginx.conf:1');
    for my $type ('rt+jwt', 'application/RT+jwt') {
        my $said = qq{gate_issuer "x" accepts the type "$type", which is that of refresh tokens; leave it out of "type" in nginx.conf:1};
        refused("the type $type", in_signer("sign access=1h refresh=2h; type at+jwt $type;"), $said);
        refused("$type of others", in_issuer("issuer i; audience a; jwks_file corp.jwks; type $type;"), $said);
    }
    warned('claims of its own, and one that a line brings',
        in_signer('sign access=1h refresh=1d; require_claim jti sub exp team; claim team x; max_lifetime 1h; type at+jwt;'));
};

subtest 'gate_login' => sub {
    my $location = sub { return in_login("location /login { $_[0] }"); };
    my $login = 'gate_login issuer=own users=staff;';
    my $word = sub {
        my ($name, $text, $said) = @_;
        refused($name, $location->($text), qq{"gate_login" $said in nginx.conf:2});
    };
    warned('as it should be', $location->($login));
    warned('where a gate is switched off', in_login("gate jwt=own; location /login { gate off; $login }"));
    warned('with limits', in_login("location /login { $login gate_fail_limit rate=5r/m key=username; } ")
        =~ s/\A/gate_zone gate:1m; /r);
    $word->('without users', 'gate_login issuer=own issuer=own;', 'needs both issuer= and users=');
    $word->('an empty name', 'gate_login issuer=own users=;', 'needs both issuer= and users=');
    $word->('another word', 'gate_login issuer=own user=staff;',
        'has an unknown value "user=staff"; expected issuer= and users= with the names of blocks');
    $word->('an unknown issuer', 'gate_login issuer=ownn users=staff;', 'names unknown issuer "ownn"; declared issuers: own, corp');
    $word->('unknown users', 'gate_login issuer=own users=stuff;', 'names unknown users "stuff"; declared gate_users: staff');
    $word->('an issuer that makes no tokens', 'gate_login issuer=corp users=staff;', 'names issuer "corp", which makes no tokens; '
        . 'write "sign access=1h;" into its block (nginx.conf:1)');
    refused('where a gate is in force', in_login("gate jwt=own;\nlocation /login { $login }"), '"gate_login" decides for itself, '
        . 'but a gate is in force here (nginx.conf:2); write "gate off;" in this location in nginx.conf:3');
    $word->('twice', "$login $login", 'directive is duplicate');
    my $one = 'stands beside another directive that answers the requests of this location; give each one a location of its own';
    $word->('behind proxy_pass', "proxy_pass http://127.0.0.1:1; $login", $one);
    $word->('before proxy_pass', "$login proxy_pass http://127.0.0.1:1;", $one);
    refused('before gate_jwks', $location->("$login gate_jwks issuer=own;"), qq{"gate_jwks" $one in nginx.conf:2});
    refused('in a server', in_login($login), '"gate_login" directive is not allowed here in nginx.conf:2');
    refused('one word', $location->('gate_login issuer=own;'), 'invalid number of arguments in "gate_login" directive in nginx.conf:2');
    refused('failures that nobody counts', $location->('gate_fail_limit rate=5r/m key=username; gate_jwks issuer=own;'),
        '"gate_fail_limit" stands where no gate is in force, so nothing would be counted; write "gate jwt;" or "gate key;" there '
        . 'in nginx.conf:2');
};

subtest 'gate_field' => sub {
    my $word = sub {
        my ($name, $text, $said) = @_;
        refused($name, in_login($text), qq{"gate_field" $said in nginx.conf:2});
    };
    warned('names, units', in_login('gate_field username email; gate_field ttl days unit=d; location /a { gate_field username login; }'));
    $word->('an unknown field', 'gate_field user email;', 'has an unknown value "user"; expected username, password, '
        . 'refresh_token, token, name, label, scopes, roles, groups, expires, ttl, owner');
    $word->('twice', 'gate_field username a; gate_field username b;', 'has a name for username twice');
    $word->('one name for two', 'gate_field username a; gate_field password a;', 'has the name "a" for username and password');
    $word->('no name', 'gate_field username "";', 'has no usable name for username; expected text without control characters');
    $word->('a bad unit', 'gate_field ttl ttl unit=w;',
        'has an unknown value "unit=w"; expected unit=s, unit=m, unit=h, unit=d or unit=unix');
    $word->('another word', 'gate_field ttl ttl days;',
        'has an unknown value "days"; expected unit=s, unit=m, unit=h, unit=d or unit=unix');
    $word->('a unit of a text', 'gate_field username a unit=s;', 'has a unit for username; only expires and ttl have one');
};

done_testing;
