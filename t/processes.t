# The ways of running nginx: one process, in the foreground, twice the same module or http block. It
# works as with a master and workers, or nginx -t says why not.

use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new(log_level => 'notice');
my $http = <<'EOF';
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
server {
    listen 127.0.0.1:%%PORT%%;
    root %%DIR%%;
    location /free/ { return 204; }
    location / { gate jwt=corp; }
}
EOF
$t->write_jwks('keys.jwks', 'rs');
$t->write_file('page', "page\n");

sub by { my ($key) = @_; return http_get('/page', headers => [Authorization => 'Bearer ' . mint(key => $key)])->status; }
sub decides {
    is http_get('/page')->status, 401, 'no token';
    is by('rs'), 200, 'a good token';
    is by('es256'), 401, 'a token of an unknown key';
    return;
}

subtest 'master_process off' => sub {
    $t->start($http, main => 'master_process off;');
    decides();
    $t->write_jwks('keys.jwks', 'rs', 'es256');
    ok wait_for(sub { by('es256') == 200 }, 3), 'a changed key set is taken over';
    ok $t->stop, 'it ends by itself';
    $t->write_jwks('keys.jwks', 'rs');
};

subtest 'daemon off' => sub {
    $t->write_config($http, main => 'daemon off;');
    defined(my $pid = fork) or die "fork: $!";
    if ($pid == 0) {
        my $status = $t->_run_nginx($t->dir . '/start.out', '-e', $t->dir . '/error.log', '-c', $t->dir . '/nginx.conf');
        POSIX::_exit($status);
    }
    ok wait_for(sub { $t->pid && http_get('/free/')->status == 204 }, 10), 'it serves';
    decides();
    ok $t->stop, 'it ends by itself';
    waitpid $pid, 0;
    is $? >> 8, 0, 'with status 0';
};

subtest 'what nginx refuses' => sub {
    my ($status, $said) = $t->nginx_t($http, main => 'load_module ' . Gate::Test::module_path() . ';');
    is $status, 1, 'the module twice';
    like $said, qr/\[emerg\] module "ngx_http_gate_module" is already loaded/, 'and nginx says so';
    ($status, $said) = $t->nginx_t("$http } http { server { listen 127.0.0.1:%%PORT%%; }");
    is $status, 1, 'two http blocks';
    like $said, qr/\[emerg\] "http" directive is duplicate/, 'and nginx says so';
};

done_testing;
