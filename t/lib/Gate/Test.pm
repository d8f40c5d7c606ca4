package Gate::Test;

# One real nginx in a directory of its own, with what a test needs around it. `use Gate::Test;`
# brings strict, warnings, Test::More and the helpers; done_testing() stops every nginx and fails
# the test for any [alert], [crit], [emerg] or sanitizer text that it did not allow. See
# docs/TESTING.md; t/00-harness.t shows it all in use. Environment: GATE_MODULE (path of the .so),
# GATE_ASAN, GATE_VALGRIND, GATE_KEEP (keeps the directory), GATE_VECTORS.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp ();
use JSON::PP ();
use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep time);

use Gate::Ports ();
use Gate::Guard ();
use Gate::HTTP qw(http_raw http_request http_get http_post curl request_bytes);
use Gate::Token qw(key new_key mint sign jwk jwks pem api_key key_record key_file
    encode_base64url decode_base64url json);
use Gate::Upstream ();

my @EXPORT = qw(
    done_testing wait_for vectors slurp root_dir has_module gatectl
    http_raw http_request http_get http_post curl request_bytes
    key new_key mint sign jwk jwks pem api_key key_record key_file
    encode_base64url decode_base64url json
);

my $root = abs_path(dirname(abs_path(__FILE__)) . '/../../..');
my @instances;

sub import {
    strict->import;
    warnings->import;
    Test::More->export_to_level(1, undef, grep { $_ ne 'done_testing' } @Test::More::EXPORT);
    my $package = caller;
    no strict 'refs';
    *{"${package}::$_"} = \&{$_} for @EXPORT;
    return;
}

sub root_dir { return $root; }
sub module_path { return $ENV{GATE_MODULE} || "$root/build/release/ngx_http_gate_module.so"; }
sub has_module { return -f module_path(); }

# Options: module => 0 (nginx without the gate), workers => N (1), log_level (info).
sub new {
    my ($class, %opt) = @_;
    my $dir = File::Temp::tempdir('gate-test-XXXXXXXX', TMPDIR => 1, CLEANUP => !$ENV{GATE_KEEP});
    chmod 0755, $dir;
    my $self = bless { module => 1, workers => 1, log_level => 'info', %opt, dir => $dir, owner => $$,
        ports => {}, allowed => [], upstreams => [], mark => 0 }, $class;
    $self->{nginx} = $ENV{GATE_NGINX} || (grep { -x } map {"$_/nginx"} split(/:/, $ENV{PATH}),
        '/usr/sbin', '/usr/local/sbin')[0] || 'nginx';
    $self->{guard} = Gate::Guard::start($dir);
    push @instances, $self;
    return $self;
}

sub dir { return $_[0]{dir}; }

# ---- ports

# A port by name, the same for this test from then on; 'main' is %%PORT%%.
sub port {
    my ($self, $name) = @_;
    return $self->{ports}{ $name // 'main' } //= Gate::Ports::free_port();
}

# ---- files

# Writes a file of the test's directory (atomically, as operators should) and returns its path.
sub write_file {
    my ($self, $name, $text) = @_;
    my $path = "$self->{dir}/$name";
    open my $file, '>:raw', "$path.new" or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
    rename "$path.new", $path or die "$path: $!";
    return $path;
}

sub write_jwks { my ($self, $name, @keys) = @_; return $self->write_file($name, jwks(@keys)); }

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or return '';
    local $/;
    return scalar(<$file>) // '';
}

# ---- configuration

# %%PORT%%, %%PORT_name%%, %%DIR%%, %%ROOT%% and the test's own vars => {NAME => value}.
sub fill {
    my ($self, $text, $vars) = @_;
    my %vars = (DIR => $self->{dir}, ROOT => $root, %{ $self->{vars} || {} }, %{ $vars || {} });
    $text =~ s{%%(\w+)%%}{
        my $name = $1;
        defined $vars{$name} ? $vars{$name}
            : $name eq 'PORT' ? $self->port('main')
            : $name =~ /\APORT_(\w+)\z/ ? $self->port($1)
            : die "unknown placeholder %%$name%%\n";
    }ge;
    return $text;
}

# The text of the http block, wrapped. All that is put around it stands on its first line, so that
# line numbers in nginx's messages are those of the text. Options: main, events (without comments),
# vars, workers, log (name of the error log), zone (of a text without gate_zone; '' for none).
sub render {
    my ($self, $http, %opt) = @_;
    my $around = $self->_globals(%opt) . ($opt{main} // '')
        . " events { worker_connections 512; " . ($opt{events} // '') . ' } http { '
        . $self->_http_globals . $self->_zone($http, %opt);
    $around =~ s/\s*\n\s*/ /g;
    return $self->fill("$around $http\n}\n", $opt{vars});
}

sub _globals {
    my ($self, %opt) = @_;
    my $log = $opt{log} // 'error.log';
    my $text = '';
    $text .= 'load_module ' . module_path() . '; ' if $self->{module};
    $text .= 'user nobody nogroup; ' if $> == 0;
    return $text . 'worker_processes ' . ($opt{workers} // $self->{workers}) . '; '
        . "pid %%DIR%%/nginx.pid; error_log %%DIR%%/$log $self->{log_level}; "
        . 'worker_shutdown_timeout 10s; ';
}

sub _zone {
    my ($self, $http, %opt) = @_;
    my $zone = $opt{zone} // $self->{zone} // ($http =~ /\bgate_zone\b/ ? '' : 'gate:1m');
    return $self->{module} && $zone ? " gate_zone $zone;" : '';
}

sub _http_globals {
    return join ' ', (map {"${_}_temp_path %%DIR%%/$_;"} qw(client_body proxy fastcgi uwsgi scgi)),
        'access_log %%DIR%%/access.log;';
}

sub write_config {
    my ($self, $http, %opt) = @_;
    return $self->write_file('nginx.conf', $self->render($http, %opt));
}

# A whole nginx.conf as someone wrote it: only what belongs to this machine is replaced (modules,
# pid, user, logs, temporary paths); replace => [[qr/../, 'text'], ..] changes ports and paths.
sub write_raw_config {
    my ($self, $text, %opt) = @_;
    $text =~ s/$_->[0]/$_->[1]/g for @{ $opt{replace} || [] };
    $text =~ s/^(?:user|\s*(?:load_module|pid|error_log|worker_processes|daemon))\s[^;]*;//mg;    # gate_redis has a user, too
    $text =~ s/^(\s*http\s*\{)/"$1 " . $self->_http_globals/me;
    return $self->write_file('nginx.conf', $self->fill($self->_globals(%opt) . $text, $opt{vars}));
}

# ---- processes

sub _environment {
    my ($self) = @_;
    return () if !$ENV{GATE_ASAN} || !$self->{module};
    chomp(my $asan = `gcc -print-file-name=libasan.so`);
    return (
        LD_PRELOAD => $asan,
        ASAN_OPTIONS => "detect_leaks=0:detect_odr_violation=0:log_path=$self->{dir}/sanitizer",
        UBSAN_OPTIONS => 'print_stacktrace=1:halt_on_error=0',
    );
}

sub _run_nginx {
    my ($self, $output, @arguments) = @_;
    local %ENV = (%ENV, $self->_environment);
    my @command = ($self->{nginx}, '-p', "$self->{dir}/", @arguments);
    unshift @command, 'valgrind', '-q', '--vgdb=no', '--trace-children=yes',
        "--log-file=$self->{dir}/valgrind.%p" if $ENV{GATE_VALGRIND};
    defined(my $pid = fork) or die "fork: $!";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $output;
        open STDERR, '>&', \*STDOUT;
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return $? >> 8 || $? & 127;
}

# nginx -t on a text (or on the configuration as written): (exit status, what it printed, with
# the file called "nginx.conf"). Extra environment: env => {..}.
sub nginx_t {
    my ($self, $http, %opt) = @_;
    my $text = defined $http ? $self->render($http, %opt, log => 'nginx-t.log')
        : slurp("$self->{dir}/nginx.conf") =~ s{/error\.log }{/nginx-t.log }r;
    local @ENV{ keys %{ $opt{env} || {} } } = values %{ $opt{env} || {} };
    my $path = $self->write_file('nginx-t.conf', $text);
    my $status = $self->_run_nginx("$self->{dir}/nginx-t.out", '-t', '-c', $path);
    my $output = slurp("$self->{dir}/nginx-t.out");
    $output =~ s{\Q$self->{dir}\E/nginx-t\.conf}{nginx.conf}g;
    $output =~ s{^\S+ \S+ (\[\w+\]) \d+#\d+: }{nginx: $1 }mg;
    return ($status, $output);
}

# Starts nginx on the configuration written (or given: start($http, %opt)); dies with its words.
sub start {
    my ($self, $http, %opt) = @_;
    $self->write_config($http, %opt) if defined $http;
    my $out = "$self->{dir}/start.out";
    my $status = $self->_run_nginx($out, '-e', "$self->{dir}/error.log", '-c', "$self->{dir}/nginx.conf");
    die "nginx did not start ($status): " . slurp($out) . $self->error_log if $status;
    wait_for(sub { $self->pid }, 10) or die 'nginx wrote no pid file';
    $Gate::HTTP::DEFAULT_PORT = $self->port('main');
    return $self;
}

sub pid { my ($self) = @_; return slurp("$self->{dir}/nginx.pid") =~ /(\d+)/ ? $1 : undef; }

# Process ids of the workers that the log says were started and have not exited.
sub workers {
    my ($self) = @_;
    my %alive;
    for (split /\n/, $self->error_log) {
        $alive{$1} = 1 if /start worker process (\d+)/;
        delete $alive{$1} if /worker process (\d+) exited/;
    }
    return my @alive = sort { $a <=> $b } grep { kill 0, $_ } keys %alive;
}

sub signal { my ($self, $name) = @_; return kill $name, $self->pid // return 0; }

# SIGHUP; returns true when new workers serve and no old one accepts any more, false when nginx
# refused the configuration (its [emerg] lines are then allowed).
sub reload {
    my ($self, %opt) = @_;
    my %old = map { $_ => 1 } $self->workers;
    my $from = length $self->error_log;
    $self->signal('HUP') or return 0;
    my $refused = 0;
    my $done = wait_for(sub {
        my $log = substr $self->error_log, $from;
        my $new = grep { !$old{$_} } $log =~ /start worker process (\d+)/g;
        return $refused = 1 if !$new && $log =~ /\[emerg\]/;
        my %leaving = map { $_ => 1 } $log =~ /(\d+)#\d+: (?:gracefully shutting down|exiting)/g,
            $log =~ /worker process (\d+) exited/g;
        return $new && !grep { !$leaving{$_} && kill 0, $_ } keys %old;
    }, $opt{timeout} // 20);
    $refused and $self->allow(map {qr/\Q$_\E/} substr($self->error_log, $from) =~ /(\[emerg\].*)/g);
    return $done && !$refused;
}

# SIGQUIT and wait; true when nginx left by itself.
sub stop {
    my ($self, %opt) = @_;
    my $pid = $self->pid or return 1;
    kill 'QUIT', $pid;
    my $gone = wait_for(sub { !-e "$self->{dir}/nginx.pid" && !_alive($pid) }, $opt{timeout} // 15);
    $self->kill_all if !$gone;
    return $gone;
}

# A zombie that nobody reaps is gone too.
sub _alive {
    my ($pid) = @_;
    return kill(0, $pid) && slurp("/proc/$pid/stat") !~ /\A\d+ \(.*\) Z/s;
}

sub kill_all {
    my ($self) = @_;
    my @all = ($self->pid // (), $self->workers);
    kill 'KILL', @all;
    unlink "$self->{dir}/nginx.pid";
    return;
}

# ---- upstreams

# upstream('app', protocol => .., handler => sub ..) on %%PORT_app%%.
sub upstream {
    my ($self, $name, %opt) = @_;
    my $upstream = Gate::Upstream->start(port => $self->port($name),
        log => "$self->{dir}/$name.requests", %opt);
    push @{ $self->{upstreams} }, $upstream;
    return $upstream;
}

# The configuration of another, plain nginx (Gate::Test->new(module => 0)) that takes gRPC calls
# (HTTP/2 in clear) on its %%PORT%% and hands them to an HTTP upstream of this test, which records
# their headers.
sub grpc_server_config {
    my ($self, $upstream) = @_;
    my $port = $upstream->port;
    return "server { listen 127.0.0.1:%%PORT%% http2; underscores_in_headers on;\n"
        . "ignore_invalid_headers off; location / { proxy_pass http://127.0.0.1:$port;\n"
        . "proxy_set_header Host \$http_host; add_header grpc-status 0 always; } }";
}

# ---- logs

sub error_log { my ($self) = @_; return slurp("$self->{dir}/error.log"); }
sub access_log { my ($self) = @_; return slurp("$self->{dir}/access.log"); }
sub mark { $_[0]{mark} = length $_[0]->error_log; return; }
sub log_since_mark { my ($self) = @_; return substr $self->error_log, $self->{mark}; }

# A line that this test provokes and that is no fault.
sub allow { my ($self, @patterns) = @_; push @{ $self->{allowed} }, @patterns; return; }

# What must not be in the logs, as lines.
sub problems {
    my ($self) = @_;
    my @problems;
    for my $line (split /\n/, $self->error_log . slurp("$self->{dir}/start.out")) {
        next if $line !~ /\[(?:alert|crit|emerg)\]|AddressSanitizer|runtime error:|LeakSanitizer/;
        push @problems, $line if !grep { $line =~ $_ } @{ $self->{allowed} };
    }
    for my $file (glob "$self->{dir}/sanitizer.* $self->{dir}/valgrind.*") {
        my $text = slurp($file);
        push @problems, "$file: $text" if $text =~ /\S/ && !grep { $text =~ $_ } @{ $self->{allowed} };
    }
    return @problems;
}

# ---- helpers

# wait_for(sub { condition }, seconds): the condition's value once it is true, else false.
sub wait_for {
    my ($condition, $seconds) = @_;
    my $deadline = time + ($seconds // 5);
    while (1) {
        my $value = $condition->();
        return $value if $value;
        return '' if time > $deadline;
        sleep 0.01;
    }
}

# A file of the test vectors, decoded; undefined (and said so) where they are absent.
sub vectors {
    my ($name) = @_;
    my $path = ($ENV{GATE_VECTORS} || "$root/../shared/vectors") . "/$name";
    if (!-f $path) {
        Test::More::note('skipped: no vectors');
        return;
    }
    my $decoder = eval { require JSON::XS; JSON::XS->new } || JSON::PP->new;
    return $decoder->utf8->decode(slurp($path));
}

# gatectl(arguments.., {stdin => text}): (exit status, standard output, standard error).
sub gatectl {
    my @arguments = @_;
    my %opt = ref $arguments[-1] ? %{ pop @arguments } : ();
    my $program = $ENV{GATE_CTL} || "$root/build/release/gatectl";
    my ($in, $out, $err) = map { File::Temp->new } 1 .. 3;
    print {$in} $opt{stdin} // '';
    close $in;
    defined(my $pid = fork) or die "fork: $!";
    if ($pid == 0) {
        open STDIN, '<', "$in";
        open STDOUT, '>', "$out";
        open STDERR, '>', "$err";
        exec { $program } $program, @arguments or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return ($? >> 8 || $? & 127, slurp("$out"), slurp("$err"));
}

sub done_testing {
    my (@plan) = @_;
    for my $self (splice @instances) {
        my $started = -e "$self->{dir}/start.out";
        my $graceful = $self->stop;
        $_->stop for @{ $self->{upstreams} };
        Gate::Guard::stop($self->{guard});
        next if !$started;
        Test::More::ok($graceful, 'nginx stopped gracefully')
            or Test::More::diag($self->error_log =~ /((?:.*\n){0,10})\z/);
        Test::More::is(join("\n", $self->problems), '', 'no alerts, no sanitizer errors in the logs');
        print "# kept: $self->{dir}\n" if $ENV{GATE_KEEP};
    }
    Test::More->builder->done_testing(@plan);
    return;
}

# A test that died or was interrupted leaves no process behind.
$SIG{$_} = sub { exit 1 } for grep { !$SIG{$_} } qw(INT TERM HUP PIPE ALRM);

END {
    (my $status, $SIG{PIPE}) = ($?, 'IGNORE');    # what else ends here may write too
    for my $self (grep { $_->{owner} == $$ } @instances) {
        Test::More::diag("error.log: $_") for $self->problems;
        $self->kill_all if $self->pid;
        Gate::Guard::stop($self->{guard});
    }
    $? = $status;
}

1;
