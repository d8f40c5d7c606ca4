# The binary upgrade (USR2, WINCH, QUIT) and the way back (HUP, QUIT) under load: no failed request,
# no wrong decision, memory flat. And new module files: the old code stays until a new process.

use lib 't/lib';
use File::Copy qw(copy);
use Gate::Crowd qw(hammer);
use Gate::Journal qw(journal_line append);
use Gate::Test;
use Time::HiRes qw(sleep time);

my $iss = 'https://idp.example.com';
my $http = <<"EOF2";
gate_zone %%ZONE%%;
gate_revocation file=%%DIR%%/revocations;
gate_issuer corp { issuer $iss; jwks_file %%DIR%%/corp.jwks; audience orders; }
server {
    @{[Gate::Crowd::lines() =~ s/ reuseport//r]}
    location = /open { return 204; }
    location / { gate jwt=corp; empty_gif; }
}
EOF2

# The upgraded nginx loads the module by its path again: each test has a copy of its own there.
my $t = Gate::Test->new(workers => 2, log_level => 'notice');
my $dir = $t->dir;
my $original = Gate::Test::module_path();
copy($original, "$dir/gate.so") or die $!;
my $journal = $t->write_file('revocations', '');
$t->write_jwks('corp.jwks', 'rs', 'es256');
sub config {
    my ($zone, $module) = @_;
    local $ENV{GATE_MODULE} = $module // "$dir/gate.so";
    return $t->write_config($http, main => Gate::Crowd::environment(), vars => { ZONE => $zone });
}
sub token { return (Authorization => 'Bearer ' . mint(claims => { jti => $_[0] })); }
sub status { return http_get('/', headers => [@_])->status; }
sub revoke { append($journal, journal_line('jti', $iss, $_[0])); return; }
sub oldbin { return slurp("$dir/nginx.pid.oldbin") =~ /(\d+)/ ? $1 : undef; }

# How many workers a master has; a master that it has started is none.
sub workers_of {
    my ($pid) = @_;
    my @children = map { split ' ', slurp($_) } glob "/proc/$pid/task/*/children";
    return scalar grep { slurp("/proc/$_/cmdline") =~ /worker process/ } @children;
}
sub memory { return slurp("/proc/$_[0]/status") =~ /^RssAnon:\s+(\d+)/m ? $1 : 0; }

# USR2: (old master, new master), both with workers.
sub upgrade {
    my $old = $t->pid;
    kill 'USR2', $old;
    ok wait_for(sub { ($t->pid // $old) != $old && oldbin() && workers_of($t->pid) == 2 }, 15), 'USR2: a second master with workers';
    return ($old, $t->pid);
}

my @cases = ([200, '/', token('good')], [401, '/', token('bad')], [401, '/'], [401, '/', Authorization => 'Bearer '
    . mint(key => 'rs_b', header => { kid => key('rs')->{kid} })], [200, '/', Authorization => 'Bearer ' . mint(key => 'es256')], [204, '/open']);

config('gate:1m');
revoke('bad');
$t->start;
is status(@{ $cases[1] }[2, 3]), 401, 'a revoked token';

subtest 'upgrade and back under load' => sub {
    my @hammers = map { hammer($t, \@cases, pause => 0.001) } 1 .. 2;
    my @memory;
    for my $round (1 .. 3) {
        my ($old, $new) = upgrade();
        revoke("both $round");
        sleep 1;
        is join(' ', map { status(token("both $round")) } 1 .. 20), join(' ', (401) x 20), 'a second later it is revoked in both generations';
        kill 'WINCH', $old;
        ok wait_for(sub { !workers_of($old) }, 15), 'WINCH: the old workers leave';
        is status(@{ $cases[0] }[2, 3]), 200, 'the new ones serve';
        if ($round == 2) {
            kill 'HUP', $old;
            ok wait_for(sub { workers_of($old) == 2 }, 15), 'back: HUP brings the old workers back';
            kill 'QUIT', $new;
            ok wait_for(sub { !Gate::Test::_alive($new) && $t->pid == $old }, 15), 'QUIT: the new master leaves';
            is status(token('both 2')), 401, 'what was revoked meanwhile is known';
        } else {
            kill 'QUIT', $old;
            ok wait_for(sub { !Gate::Test::_alive($old) && !oldbin() }, 15), 'QUIT: the old master leaves';
        }
        is status(token("both $round")), 401, 'revoked before the change';
        is status(@{ $cases[0] }[2, 3]), 200, 'a good token';
        push @memory, memory($t->pid);
    }
    for my $hammer (@hammers) {
        my $found = $hammer->stop;
        is_deeply $found->{wrong}, {}, 'no wrong answer';
        cmp_ok $found->{count}, '>', 100, "in $found->{count}";
        is $found->{unconnected} // 0, 0, 'the port was always open';
    }
    note "master: @memory kB";
    cmp_ok abs($memory[2] - $memory[0]), '<', 1024, 'memory is flat' if !$ENV{GATE_ASAN};
};

my $warning = qr{\[warn\] \d+#\d+: gate: "\Q$dir\E/gate.so" is another file than the one that nginx was started with; its code is not in use, after a reload neither: restart nginx, or upgrade it in place \(kill -USR2\)};
sub warnings { my @all = $t->log_since_mark =~ /$warning/g; return scalar @all; }

subtest 'a new module file' => sub {
    $t->mark;
    my @hammers = (hammer($t, \@cases, pause => 0.001));
    ok $t->reload, 'a reload with the same file';
    sleep 2.2;
    is warnings(), 0, 'nothing to say';
    # As make install does: a new file, renamed over the old one.
    copy($original, "$dir/gate.so.new") or die $!;
    rename "$dir/gate.so.new", "$dir/gate.so" or die $!;
    ok wait_for(sub { warnings() }, 5), 'replaced: a worker says so';
    sleep 2.2;
    is warnings(), 1, 'once';
    my $master = $t->pid;
    ok $t->reload, 'a reload works';
    ok wait_for(sub { !grep { slurp("/proc/$_/maps") !~ m{gate\.so \(deleted\)} } $t->pid, $t->workers }, 10), 'on the old code';
    ok wait_for(sub { warnings() == 2 }, 5), 'of which the new workers speak again';
    is status(token('both 1')), 401, 'revoked';
    my ($old) = upgrade();
    kill 'QUIT', $old;
    ok wait_for(sub { !Gate::Test::_alive($old) }, 15), 'upgraded';
    unlike slurp('/proc/' . $t->pid . '/maps'), qr{gate\.so \(deleted\)}, 'the new file is in use';
    is status(token('both 1')), 401, 'revoked';
    sleep 2.2;
    is warnings(), 2, 'nothing to say any more';
    is_deeply $_->stop->{wrong}, {}, 'no wrong answer in all that' for @hammers;
};

subtest 'the module at another path' => sub {
    my $hammer = hammer($t, \@cases, pause => 0.001);
    for my $name ('other', 'third') {
        copy($original, "$dir/$name.so") or die $!;
        config('gate:1m', "$dir/$name.so");
        ok $t->reload, "a reload with $name.so";
        ok wait_for(sub { !grep { slurp("/proc/$_/maps") !~ m{/$name\.so} } $t->workers }, 10), 'its code is in use';
        is status(token('both 1')), 401, 'revoked';
        revoke("by $name");
        ok wait_for(sub { status(token("by $name")) == 401 }, 1.5), 'revocations are followed';
        is status(@{ $cases[0] }[2, 3]), 200, 'a good token';
    }
    is_deeply $hammer->stop->{wrong}, {}, 'no wrong answer in all that';
};

done_testing;
