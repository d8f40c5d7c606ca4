# nginx -t warns, with file and line, about directives of other modules that undo what the gate
# does: each warning's text exactly, and nothing for configurations without the mistake.
use lib 't/lib';
use Gate::Test;


my $t = Gate::Test->new;
$t->write_jwks('corp.jwks', 'rs');
$t->write_file('public.txt', 'x');

# The http block; the server's text begins on line 3.
sub http_block {
    my ($server) = @_;
    return "gate_issuer corp { issuer https://a; jwks_file %%DIR%%/corp.jwks; audience a; }\n"
        . "proxy_cache_path %%DIR%%/cache keys_zone=pages:1m; server { listen 127.0.0.1:%%PORT%%;\n"
        . "$server\n}\n";
}

sub warnings_of {
    my ($server) = @_;
    my ($status, $output) = $t->nginx_t(http_block($server));
    is $status, 0, 'nginx -t passes' or diag $output;
    my $dir = $t->dir;
    return map {s/^nginx: \[warn\] //r =~ s/\Q$dir\E/DIR/gr} grep {/\[warn\]/} split /\n/,
        $output;
}

sub warns {
    my ($what, $server, @expected) = @_;
    is_deeply [warnings_of($server)], \@expected, $what;
    return;
}

warns 'a return with a body in a gated location', <<'EOF',
gate jwt;
location / {
    return 200 "the secret";
}
EOF
    '"return 200 the secret" in location / is answered before the gate decides: any credential, even '
    . 'a forged one, gets it; answer from a file or an upstream, or write "gate off;" there '
    . 'in nginx.conf:5';

warns 'a return of 2xx without a body', "location = /x { gate jwt; return 204; }",
    '"return 204" in location = /x is answered before the gate decides: any credential, even a forged '
    . 'one, gets it; answer from a file or an upstream, or write "gate off;" there in nginx.conf:3';

warns 'no word about redirects', <<'EOF';
gate jwt;
location / { return 301 https://$host$request_uri; }
location /gone { return 410; }
location /open { gate off; return 200 "for all"; }
EOF

warns 'an upstream without a gate in a server with gates', <<'EOF',
location / {
    proxy_pass http://127.0.0.1:9;
}
location /orders/ { gate jwt; proxy_pass http://127.0.0.1:9; }
EOF
    '"proxy_pass http://127.0.0.1:9" in location / is open to everyone, while other locations of the '
    . 'server have a gate; write "gate ..;" there, or "gate off;" if it is meant to be public '
    . 'in nginx.conf:4';

warns 'fastcgi, uwsgi, scgi and grpc alike', <<'EOF',
location /1 { fastcgi_pass 127.0.0.1:9; }
location /2 { uwsgi_pass 127.0.0.1:9; }
location /3 { scgi_pass 127.0.0.1:9; }
location /4 { grpc_pass 127.0.0.1:9; }
location /orders/ { gate jwt; root /; }
EOF
    map {
        my ($number, $module) = @$_;
        "\"${module}_pass 127.0.0.1:9\" in location /$number is open to everyone, while other "
            . 'locations of the server have a gate; write "gate ..;" there, or "gate off;" if it is '
            . 'meant to be public in nginx.conf:' . ($number + 2)
    } [1, 'fastcgi'], [2, 'uwsgi'], [3, 'scgi'], [4, 'grpc'];

warns 'gate off says that it is meant', <<'EOF';
location / { gate off; proxy_pass http://127.0.0.1:9; }
location /orders/ { gate jwt; proxy_pass http://127.0.0.1:9; }
EOF

warns 'a query source together with a cache', <<'EOF',
location / {
    gate jwt;
    gate_source jwt arg=token;
    proxy_cache pages;
    proxy_cache_key $uri$gate_subject;
    proxy_pass http://127.0.0.1:9;
}
EOF
    '"proxy_cache pages" is in force in location / together with "gate_source jwt arg=token": what '
    . 'differs only in the argument shares one entry of the cache; use a header or a cookie, or write '
    . '"proxy_cache off;" there in nginx.conf:6';

warns 'a cache whose key holds no identity', <<'EOF',
gate jwt;
location / {
    proxy_cache pages;
    proxy_pass http://127.0.0.1:9;
}
location /own {
    proxy_cache pages;
    proxy_cache_key $uri$arg_page;
    proxy_pass http://127.0.0.1:9;
}
EOF
    '"proxy_cache pages" is in force in location /, which has a gate, with the key '
    . '"$scheme$proxy_host$request_uri": one caller\'s answer is served to others; add $gate_subject '
    . 'or $gate_token_id to "proxy_cache_key", or write "proxy_cache off;" there in nginx.conf:5',
    '"proxy_cache pages" is in force in location /own, which has a gate, with the key '
    . '"$uri$arg_page": one caller\'s answer is served to others; add $gate_subject or $gate_token_id '
    . 'to "proxy_cache_key", or write "proxy_cache off;" there in nginx.conf:9';

warns 'a cache by caller', <<'EOF';
gate jwt;
location / { proxy_cache pages; proxy_cache_key $uri$gate_subject; proxy_pass http://127.0.0.1:9; }
location /off { gate off; proxy_cache pages; proxy_pass http://127.0.0.1:9; }
EOF

$t->write_file('part.conf', "location / {\n    gate jwt;\n    return 200;\n}\n");
warns 'an included file by its own name and line', 'include %%DIR%%/par*.conf;',
    '"return 200" in location / is answered before the gate decides: any credential, even a forged '
    . 'one, gets it; answer from a file or an upstream, or write "gate off;" there in DIR/part.conf:3';

# The reader never decides whether a configuration is good.
warns 'words that only nginx understands', <<'EOF';
location ~ "^/a{2}(?<rest>.*)$" { gate jwt; set $x "${rest};}"; alias /x/$x'y"z; }
EOF

done_testing;
