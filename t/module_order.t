# Hook 1 comes before the server-rewrite handlers of other modules, wherever they are loaded: nobody
# sees an identity that the client made up.

use lib 't/lib';
use Gate::Test;

my $t = Gate::Test->new(workers => 1);
my $modules = '/usr/lib/nginx/modules';
# Behind ours: such a module registers its handlers last, and nginx would run them first.
$t->start(<<'EOF', main => "load_module $modules/ndk_http_module.so; load_module $modules/ngx_http_lua_module.so;");
gate_identity_clear X-User;
server {
    listen 127.0.0.1:%%PORT%%;
    server_rewrite_by_lua_block { ngx.ctx.seen = ngx.var.http_x_user or "nobody" }
    location / { content_by_lua_block { ngx.say(ngx.ctx.seen, " ", ngx.var.http_x_user or "nobody", " ", ngx.var.http_x_other) } }
}
EOF

for (1 .. 3) {
    my $response = http_get('/', headers => ['X-User', 'admin', 'X-Other', 'kept']);
    is $response->body, "nobody nobody kept\n", 'no phase sees the forged identity';
}
is http_get('/a/../b', headers => ['X-User', 'admin'])->status, 400, 'a path that climbs is refused';

done_testing;
