# Inheritance against a model of its own: every combination of {unset, A, B, off} at {http, server,
# location, nested location, limit_except} for the directives of all five, and at the first four for
# the others, whose limit_except and if blocks inherit.

use lib 't/lib';
use Gate::Test;

my @VALUES = ('', 'A', 'B', 'off');
my $token_a = mint(key => 'rs', claims => { iss => 'a' });
my $token_b = mint(key => 'rs', claims => { iss => 'b' });
my %scoped = map { $_ => mint(key => 'rs', claims => { iss => 'a', scope => $_ }) } 'x', 'a', 'b', 'a b';

sub bearer { return [Authorization => "Bearer $_[0]"]; }
sub status { return $_[0]->status; }
sub body { return $_[0]->body =~ s/\s+\z//r; }
sub type { return ($_[0]->header('Content-Type') // '') =~ s/;.*//r; }

# The last value that a level wrote.
sub replaced {
    my (@levels) = @_;
    my ($last) = grep {length} reverse @levels;
    return $last // '';
}

# What requirements add up to, sorted.
sub added {
    my (@levels) = @_;
    my %all;
    for (@levels) {
        %all = () if $_ eq 'off';
        $all{$_} = 1 if /[AB]/;
    }
    return join '', sort keys %all;
}

# One directive each. lines: what A, B and off write; server: what else its servers say, once the http
# level's other directives are out of the way; probes: requests; see: what an answer shows;
# expect: effective value => what all probes show; five: a directive of limit_except too; only_get: it
# concerns GET and HEAD alone, so the limit_except block is made to meet these.
my %SECTIONS = (
    gate => {
        five => 1, lines => { A => 'gate jwt=a;', B => 'gate jwt=b;', off => 'gate off;' },
        probes => [[bearer($token_a)], [bearer($token_b)], [[]]], see => \&status,
        expect => { '' => '200 200 200', A => '200 401 401', B => '401 200 401', off => '200 200 200' },
    },
    require => {
        five => 1, model => \&added, lines => { A => 'gate_require_scope a;',
            B => 'gate_require_scope b;', off => 'gate_require off;' },
        probes => [map { [bearer($scoped{$_})] } 'x', 'a', 'b', 'a b'], see => \&status,
        expect => { '' => '200 200 200 200', A => '403 200 403 200', B => '403 403 200 200',
            AB => '403 403 403 200' },
    },
    source => {
        lines => { A => 'gate_source jwt header=X-A;', B => 'gate_source jwt header=X-B;',
            off => 'gate_source jwt header=Authorization;' },
        probes => [[['X-A', $token_a]], [['X-B', $token_a]], [bearer($token_a)]], see => \&status,
        expect => { '' => '401 401 200', A => '200 401 401', B => '401 200 401', off => '401 401 200' },
    },
    source_conflict => {
        lines => { A => 'gate_source_conflict first;', B => 'gate_source_conflict refuse;' },
        server => 'gate_source jwt header=X-A; gate_source jwt header=X-B;',
        probes => [[['X-A', $token_a, 'X-B', $scoped{a}]]], see => \&status,
        expect => { '' => '400', A => '200', B => '400' },
    },
    strip => {
        lines => { A => 'gate_strip on;', B => 'gate_strip off;' },
        probes => [[bearer($token_a)]], see => sub { return body($_[0]) =~ /auth=;/ ? 'none' : 'kept' },
        expect => { '' => 'none', A => 'none', B => 'kept' },
    },
    preflight => {
        lines => { A => 'gate_preflight pass;', B => 'gate_preflight check;',
            off => 'gate_preflight answer;' },
        method => 'OPTIONS', see => \&status,
        probes => [[[Origin => 'http://x.example', 'Access-Control-Request-Method' => 'PUT']]],
        expect => { '' => '204', A => '200', B => '401', off => '204' },
    },
    max_token_size => {
        lines => { A => 'gate_max_token_size 10;', B => 'gate_max_token_size 9k;' },
        probes => [[bearer($token_a)]], see => \&status,
        expect => { '' => '200', A => '401', B => '200' },
    },
    identity => {
        lines => { A => 'gate_identity X-Id A;', B => 'gate_identity X-Other B;' },
        probes => [[[@{ bearer($token_a) }, 'X-Id', 'forged', 'X-Other', 'forged']]],
        see => sub { return body($_[0]) =~ /(id=.*)/ ? $1 : '' },
        expect => { '' => 'id=;other=', A => 'id=A;other=', B => 'id=;other=B' },
    },
    error_format => {
        lines => { A => 'gate_error_format json;', B => 'gate_error_format text;',
            off => 'gate_error_format off;' },
        probes => [[[]]], see => \&type,
        expect => { '' => 'application/problem+json', A => 'application/json', B => 'text/plain',
            off => 'text/html' },
    },
    reply => {
        lines => { A => q(gate_reply 401 '{"r":"A"}';), B => q(gate_reply 401 '{"r":"B"}';) },
        probes => [[[]]], see => sub { return body($_[0]) =~ /"r":\s*"(.)"/ ? $1 : 'default' },
        expect => { '' => 'default', A => 'A', B => 'B' },
    },
    login_url => {
        lines => { A => 'gate_login_url /a;', B => 'gate_login_url /b;', off => 'gate_login_url off;' },
        only_get => 1, probes => [[['Sec-Fetch-Mode', 'navigate']]],
        see => sub { return ($_[0]->header('Location') // 'none') =~ s{\Ahttp://[^/]*|\?.*}{}gr },
        expect => { '' => 'none', A => '/a', B => '/b', off => 'none' },
    },
    dry_run => {
        lines => { A => 'gate_dry_run on;', B => 'gate_dry_run off;' },
        probes => [[[]]], see => \&status, expect => { '' => '401', A => '200', B => '401' },
    },
    log_level => {
        lines => { A => 'gate_log_level warn;', B => 'gate_log_level notice;',
            off => 'gate_log_level info;' },
        logged => 1, probes => [[[]]], see => \&status, expect => { '' => '401' },
        levels => { '' => 'error', A => 'warn', B => 'notice', off => 'info' },
    },
);

# What stands in the way of the http level's values in the servers of the other sections.
my %NEUTRAL = (
    require => 'gate_require off;', source => 'gate_source jwt header=Authorization;',
    source_conflict => 'gate_source_conflict refuse;', strip => 'gate_strip on;',
    preflight => 'gate_preflight answer;', max_token_size => 'gate_max_token_size 8k;',
    identity => 'gate_identity X-None "";', error_format => 'gate_error_format auto;',
    reply => q(gate_reply 418 '{}';), login_url => 'gate_login_url off;', dry_run => 'gate_dry_run off;',
    log_level => 'gate_log_level error;',
);

# The paths of a value: directories named after it.
sub dir_of { return $_[0] || 'unset'; }

sub values_of {
    my ($section) = @_;
    return grep { $_ eq '' || $SECTIONS{$section}{lines}{$_} } @VALUES;
}

sub line_of { my ($section, $value) = @_; return $SECTIONS{$section}{lines}{$value} // ''; }

sub locations {
    my ($section) = @_;
    my $proxy = 'proxy_pass http://127.0.0.1:%%PORT_back%%;';
    my @fifth = $SECTIONS{$section}{five} ? values_of($section) : ('');
    my $text = '';
    for my $second (values_of($section)) {
        my $path = '/' . dir_of($second);
        $text .= "location $path/ { " . line_of($section, $second) . " $proxy\n";
        for my $third (values_of($section)) {
            for my $fifth (@fifth) {
                my $nested = "$path/" . dir_of($third) . '/' . dir_of($fifth);
                $text .= "location $nested/ { " . line_of($section, $third) . " $proxy\n"
                    . 'if ($arg_if) { set $unused 1; } limit_except '
                    . ($SECTIONS{$section}{only_get} ? 'POST' : 'GET') . ' { '
                    . line_of($section, $fifth) . " } }\n";
            }
        }
        $text .= "}\n";
    }
    return $text;
}

sub servers {
    my ($section, $gate) = @_;
    my $text = '';
    for my $value (values_of($section)) {
        my %neutral = %NEUTRAL;
        delete $neutral{$section};
        delete $neutral{source} if ($SECTIONS{$section}{server} // '') =~ /gate_source /;
        $text .= "server { listen 127.0.0.1:%%PORT%%; server_name " . dir_of($value) . ".$section;\n"
            . ($gate ? join(' ', map { $neutral{$_} } sort keys %neutral) : '')
            . ' ' . ($SECTIONS{$section}{server} // '') . ' ' . line_of($section, $value) . "\n"
            . locations($section) . "}\n";
    }
    return $text;
}

my $common = <<'EOF';
set_real_ip_from 127.0.0.1; real_ip_header X-Address; server_names_hash_bucket_size 128;
gate_issuer a { issuer a; jwks_file keys.jwks; audience orders; }
gate_issuer b { issuer b; jwks_file keys.jwks; audience orders; }
server { listen 127.0.0.1:%%PORT_back%%; gate_identity_clear off;
    return 200 "auth=$http_authorization;id=$http_x_id;other=$http_x_other"; }
EOF

my (%wanted_level, $addresses);

# One probe of one level: a request on a connection that it may have to itself.
sub request {
    my ($section, $server, $path, $method, $headers) = @_;
    my @headers = (Host => dir_of($server) . ".$section", @$headers);
    if ($SECTIONS{$section}{logged}) {
        ++$addresses;
        push @headers, 'X-Address', sprintf '10.%d.%d.%d', $addresses >> 16, $addresses >> 8 & 255,
            $addresses & 255;
    }
    return request_bytes($method, $path, headers => \@headers, keepalive => 1);
}

# The answers to requests: pipelined, and again from where a connection ended.
sub answers {
    my (@requests) = @_;
    my @answers;
    while (@answers < @requests) {
        my @left = @requests[@answers .. $#requests];
        my @got = http_raw(join('', @left), timeout => 20);
        return @answers if !grep { $_->status } @got;
        push @answers, @got;
    }
    return @answers;
}

# All probes of a section under one value of the http level: [what, expected, got] of each mismatch.
sub compare {
    my ($section, $http) = @_;
    my %of = %{ $SECTIONS{$section} };
    my $model = $of{model} || \&replaced;
    my (@leaves, @requests);
    my $leaf = sub {
        my ($method, $path, @levels) = @_;
        push @leaves, [$method, $path, @levels];
        push @requests, map { request($section, $levels[1], $path, $of{method} // $method, $_->[0]) }
            @{ $of{probes} };
        my $address = sprintf '10.%d.%d.%d', map { $addresses >> $_ & 255 } 16, 8, 0 if $of{logged};
        $wanted_level{$address} = $of{levels}{ $model->(@levels) } if $of{logged};
        return;
    };
    for my $first (values_of($section)) {
        for my $second (values_of($section)) {
            my $path = '/' . dir_of($second);
            $leaf->('GET', "$path/", $http, $first, $second);
            for my $third (values_of($section)) {
                my $nested = "$path/" . dir_of($third);
                my @levels = ($http, $first, $second, $third);
                $leaf->('GET', "$nested/unset/", @levels);
                $leaf->('GET', "$nested/unset/?if=1", @levels);
                $leaf->($of{only_get} ? 'HEAD' : 'POST', "$nested/" . dir_of($_) . '/', @levels, $_)
                    for $of{five} ? values_of($section) : '';
            }
        }
    }
    my @left = @requests;
    my @answers;
    push @answers, answers(splice @left, 0, 50) while @left;
    my $probes = @{ $of{probes} };
    my @wrong = @answers == @requests ? () : (['answers', scalar @requests, scalar @answers]);
    for my $i (0 .. $#leaves) {
        my ($method, $path, @levels) = @{ $leaves[$i] };
        my $got = join ' ', map { $of{see}->($answers[$_]) } $i * $probes .. ($i + 1) * $probes - 1;
        my $expected = $of{logged} ? '401' : $of{expect}{ $model->(@levels) };
        push @wrong, [join('>', map { $_ || '-' } @levels) . " $method $path", $expected, $got]
            if $got ne $expected;
    }
    return (scalar @leaves, @wrong);
}

sub matches {
    my ($section, $http) = @_;
    my ($count, @wrong) = compare($section, $http);
    my $name = "$section, http level " . ($http || 'unset') . ": $count levels as the model says";
    ok(!@wrong, $name) or diag(join "\n", map {"$_->[0]: expected $_->[1], got $_->[2]"} splice @wrong, 0, 10);
    return;
}

for my $http (@VALUES) {
    for my $with_gate (0, 1) {
        my @sections = grep { $with_gate == ($_ ne 'gate') && (!$http || line_of($_, $http)) }
            sort keys %SECTIONS;
        my $t = Gate::Test->new(workers => 2);
        $t->write_jwks('keys.jwks', 'rs');
        $t->start($common . ($with_gate ? 'gate jwt=a; ' : '')
            . join('', map { line_of($_, $http) . "\n" } @sections)
            . join '', map { servers($_, $with_gate) } @sections);
        matches($_, $http) for @sections;
        next if !$with_gate;
        my %level = map { /\[(\w+)\].* auth: deny .*client: (10\.[\d.]+)/ ? ($2 => $1) : () }
            split /\n/, $t->error_log;
        my @wrong = grep { ($level{$_} // 'none') ne $wanted_level{$_} } sort keys %wanted_level;
        ok(!@wrong && %wanted_level, 'log_level: ' . keys(%wanted_level) . ' refusals at their levels')
            or diag(join "\n", map {"$_: expected $wanted_level{$_}, got " . ($level{$_} // 'none')}
                splice @wrong, 0, 10);
        %wanted_level = ();
    }
}

done_testing;
