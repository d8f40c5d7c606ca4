package Chaos::Node;

# One nginx of the two: configuration, reload, a worker that is killed, and what its processes hold.

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Gate::Test ();

my $kWarm = 3;             # seconds that a worker lives before it is measured
my $kMemory = 6144;        # KiB that a process may grow by afterwards
my $kDescriptors = 40;     # and descriptors, those of the connections that come and go among them

my $http = <<'CONF';
    gate_zone gate:%%SIZE%%;
    gate_redis main { %%WHERE%%; user gate; password_file %%DIR%%/redis.pw; }
    gate_keys partners { redis main; prefix acme_; valid 2s; negative 1s; }
    gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/keys.jwks; audience orders; }
    gate_revocation redis=main max_lag=%%MAX_LAG%%s;
    upstream app { server 127.0.0.1:%%APP%%; keepalive 16; }
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        access_log off;
        keepalive_requests 100000000;
        keepalive_timeout 300s;
        gate jwt=corp key=partners;
        gate_identity X-User $gate_subject;
        location = /open { gate off; empty_gif; }
        location = /plain { add_header X-Subject $gate_subject always; empty_gif; }
        location = /scoped {
            gate_require_scope orders:read;
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
    }
CONF

# Options: name, where (the words of gate_redis), password, app (port), max_lag, workers.
sub start {
    my ($class, %opt) = @_;
    my $test = Gate::Test->new(workers => $opt{workers}, log_level => 'notice');
    my $self = bless { %opt, test => $test, size => '4m', seen => {}, grown => [0, 0] }, $class;
    $test->write_jwks('keys.jwks', 'es256');
    $self->password($opt{password});
    $self->_configure;
    $test->start;
    return $self;
}

sub port { return $_[0]{test}->port; }

sub password {
    my ($self, $password) = @_;
    $self->{test}->write_file('redis.pw', "$password\n");
    return;
}

sub _configure {
    my ($self) = @_;
    $self->{test}->write_config($http, vars => { SIZE => $self->{size}, WHERE => $self->{where},
        APP => $self->{app}, MAX_LAG => $self->{max_lag} });
    return;
}

# ---- processes

sub _title { return Gate::Test::slurp("/proc/$_[0]/cmdline") =~ tr/\0/ /r; }

sub _children {
    my ($self) = @_;
    my $master = $self->{test}->pid // return;
    return split ' ', Gate::Test::slurp("/proc/$master/task/$master/children");
}

# Those that accept connections.
sub workers {
    my ($self) = @_;
    return grep { _title($_) =~ /worker process(?! is shutting down)/ } $self->_children;
}

# Until new workers serve and the old ones have left.
sub reload {
    my ($self, %opt) = @_;
    $self->{size} = $opt{size} // $self->{size};
    $self->_configure;
    my %old = map { $_ => 1 } $self->workers;
    $self->{test}->signal('HUP');
    Gate::Test::wait_for(sub {
        my @now = $self->_children;
        return $self->workers == $self->{workers} && !grep { $old{$_} } @now;
    }, 20) or die "$self->{name}: no reload:\n" . ($self->{test}->error_log =~ /((?:.*\n){0,10})\z/)[0];
    return;
}

sub resize {
    my ($self) = @_;
    return $self->reload(size => (grep { $_ ne $self->{size} } qw(2m 4m 6m 8m))[rand 3]);
}

# So many workers die at once; until others stand in their place.
sub kill_workers {
    my ($self, $count) = @_;
    my @all = sort { rand() <=> 0.5 } $self->workers;
    kill 'KILL', @all[0 .. $count - 1];
    Gate::Test::wait_for(sub { $self->workers == $self->{workers} && !grep { kill 0, $_ } @all[0 .. $count - 1] }, 10)
        or die "$self->{name}: no worker in place of one that died\n";
    return;
}

# ---- what they hold

sub _measure {
    my ($pid) = @_;
    my ($anonymous) = Gate::Test::slurp("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m or return;
    opendir my $dir, "/proc/$pid/fd" or return;
    return ($anonymous, scalar grep { /\d/ } readdir $dir);
}

# Looks at master and workers; to be called every second or so.
sub sample {
    my ($self) = @_;
    for my $pid ($self->{test}->pid // (), $self->workers) {
        my @now = _measure($pid) or next;
        my $seen = $self->{seen}{$pid} //= { since => time };
        next if time - $seen->{since} < $kWarm;
        $seen->{first} //= \@now;
        $seen->{last} = \@now;
    }
    return;
}

# The most that a process grew by: {memory (KiB), descriptors}; and what is too much of it, in words.
sub growth {
    my ($self) = @_;
    my %most = (memory => 0, descriptors => 0);
    my @words;
    for my $pid (sort keys %{ $self->{seen} }) {
        my ($first, $last) = @{ $self->{seen}{$pid} }{qw(first last)};
        next if !$first;
        my ($memory, $descriptors) = map { $last->[$_] - $first->[$_] } 0, 1;
        $most{memory} = $memory if $memory > $most{memory};
        $most{descriptors} = $descriptors if $descriptors > $most{descriptors};
        push @words, "$self->{name}: process $pid grew by $memory KiB, from $first->[0]" if $memory > $kMemory;
        push @words, "$self->{name}: process $pid has $descriptors more descriptors than $first->[1]"
            if $descriptors > $kDescriptors;
    }
    return (\%most, @words);
}

# Alerts that nothing we do explains.
sub alarms {
    my ($self) = @_;
    $self->{test}->allow(qr/exited on signal 9/);
    return $self->{test}->problems;
}

sub stop { my ($self) = @_; return $self->{test}->stop; }

1;
