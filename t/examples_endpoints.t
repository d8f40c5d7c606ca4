# As t/examples.t: the files of conf/examples in which the gate answers requests itself.
use lib 't/lib';
use Gate::Test;

use Gate::Example qw(example nginx allowed refused ask bearer values_in);

chomp(my $pencil = `openssl passwd -6 -salt saltsalt pencil`);

example 'login', {
    'sign.pem' => pem('es256', 'private'),
    'users.json' => qq({"users":[{"name":"ann","password":"$pencil","roles":["admin"]},{"name":"bob","password":"$pencil"}]}),
}, sub {
    my $login = sub {
        my ($name, $password) = @_;
        return (POST => '/login', body => qq({"username":"$name","password":"$password"}));
    };
    my $bearer = sub { return (headers => ['Authorization', 'Bearer ' . ask($login->(@_))->json->{access_token}]) };
    allowed('= /login', 'name and password', $login->('ann', 'pencil'));
    refused('= /login', 401, 'password_wrong', 'a wrong password', $login->('ann', 'pen'));
    refused('= /login', 401, 'user_unknown', 'nobody of that name', $login->('zoe', 'pencil'));
    refused('= /login', 405, 'method_not_allowed', 'GET', GET => '/login');
    my $seen = allowed('/', 'the token', GET => '/a', $bearer->('bob', 'pencil'));
    is values_in($seen, 'X-User'), 'bob', 'the application knows who it is';
    refused('/', 401, 'no_credential', 'no token', GET => '/a');
    refused('/', 401, 'sig_bad', 'a token of others', GET => '/a',
        bearer(key => 'es256_b', header => { kid => undef }, claims => { iss => 'https://shop.example.com', aud => 'shop' }));
    allowed('/admin/', 'with the role', GET => '/admin/', $bearer->('ann', 'pencil'));
    refused('/admin/', 403, 'role_missing', 'without it', GET => '/admin/', $bearer->('bob', 'pencil'));
    my $published = '= /.well-known/jwks.json';
    allowed($published, 'everybody', GET => '/.well-known/jwks.json');
    my ($key) = @{ http_get('/.well-known/jwks.json', port => nginx->port)->json->{keys} };
    is join(' ', sort keys %$key), 'alg crv kid kty use x y', 'sees the public half';
    refused($published, 405, '', 'another method', POST => '/.well-known/jwks.json', body => '');
    my @statuses = map { ask($login->('bob', 'no'))->status } 1 .. 6;
    is "@statuses", '401 401 401 401 401 429', 'five wrong passwords of one name';
    refused('= /login', 429, 'too_many_failures', 'then it has to wait', $login->('bob', 'pencil'));
    my @names = map { ask($login->("u$_", 'no'), from => '127.0.0.9')->status } 1 .. 21;
    is "@names[0, 19, 20]", '401 401 429', 'twenty of one address';
};

done_testing;
