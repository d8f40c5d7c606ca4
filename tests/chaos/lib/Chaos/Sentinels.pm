package Chaos::Sentinels;

# A master and a replica under three sentinels, which node A asks; node B has a proxy before it that is
# led to the master: what can go wrong with them, and how all is well again.

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Chaos::Faults ();
use Gate::ChaosProxy ();
use Gate::Redis ();
use Gate::Redis::Sentinels ();
use Gate::Test ();

# See Chaos::Faults.
my %table = (
    'kill-master'   => ['AB', '', \&_kill_master],
    'stop-master'   => ['AB', '', \&_stop_master],
    'empty-restart' => ['AB', '', \&_empty_restart],
    'failover'      => ['AB', '', sub { my ($c) = @_; $c->{fleet}->failover; $c->_lead_to_new_master }],
    'flush'         => ['AB', '', sub { my ($c) = @_; $c->{fleet}->cmd('FLUSHALL'); sleep 5 * rand }],
    'readonly'      => ['AB', '', \&_readonly],
    'password'      => ['AB', '', \&_password],
    'no-rights'     => ['AB', '', \&_no_rights],
    'garbage'       => ['B', '', sub { $_[0]->_spoil('garble') }],
    'partial'       => ['B', '', sub { $_[0]->_spoil('cut', octets => int rand 400, by => (qw(rst fin))[rand 2]) }],
    'drip'          => ['B', '', sub { $_[0]->_spoil('drip', ms => 20) }],
    'late'          => ['B', '', sub { $_[0]->_spoil('delay', ms => 100 + rand 600) }],
    'stall'         => ['B', '', sub { $_[0]->_spoil('stall') }],
    'refuse'        => ['B', '', sub { $_[0]->_spoil('refuse') }],
    'kill-replica'  => ['', '', sub { my ($c) = @_; my ($one) = $c->{fleet}->replicas; $one->kill('KILL'); sleep 2 * rand }],
    'kill-sentinel' => ['', '', sub { my ($c) = @_; (($c->{fleet}->sentinels)[rand 3])->kill('KILL'); sleep 2 * rand }],
);

# Options: test, password (of the user gate), down_after (milliseconds). nodes, which it tells a new
# password, are set later.
sub new {
    my ($class, %opt) = @_;
    my $self = bless { nodes => [], down_after => 1000, %opt }, $class;
    $self->{fleet} = Gate::Redis::Sentinels->new(test => $opt{test}, down_after => $self->{down_after},
        node => Chaos::Faults::server($opt{password}))->start;
    $self->{led} = $self->{fleet}->master_port;
    $self->{proxy} = Gate::ChaosProxy->start(test => $opt{test}, to => $self->{led});
    return $self;
}

sub faults { return %table; }

# The words of gate_redis at a node.
sub where {
    my ($self, $node) = @_;
    return 'server ' . $self->{proxy}->address if $node eq 'B';
    return 'sentinel master=gate ' . join ' ', map {"127.0.0.1:$_"} $self->{fleet}->sentinel_ports;
}

# What Chaos::Writer takes.
sub for_writer {
    my ($self) = @_;
    my @ports = $self->{fleet}->sentinel_ports;
    return (prefix => 'gate:', find => { sentinels => \@ports, master => 'gate' },
        gatectl => ['--sentinel', 'gate', map { ('--redis', "127.0.0.1:$_") } @ports]);
}

# ---- the servers

sub _lead_to_new_master {
    my ($self) = @_;
    my $port = $self->{fleet}->wait_failover;
    $self->{served}->();
    return $self->_lead_to($port);
}

# Who was led elsewhere has to connect again.
sub _lead_to {
    my ($self, $port) = @_;
    return if $port == $self->{led};
    $self->{led} = $port;
    $self->{proxy}->to($port);
    $self->{proxy}->mode('rst');
    $self->{proxy}->mode('pass');
    return;
}

sub _kill_master {
    my ($self) = @_;
    $self->{fleet}->kill_master;
    return $self->_lead_to_new_master;
}

# Shorter than the sentinels wait, or longer: then another one is the master when it goes on.
sub _stop_master {
    my ($self) = @_;
    my $master = $self->{fleet}->master;
    my $old = $master->port;
    $master->kill('STOP');
    sleep 0.1 + 2.5 * rand;
    $master->kill('CONT');
    sleep 1;
    return;
}

# Dead and back before anybody votes: replicas copy the emptiness.
sub _empty_restart {
    my ($self) = @_;
    my $master = $self->{fleet}->master;
    $master->kill('KILL');
    $master->restart(empty => 1, options => { replicaof => [] });
    sleep 3 * rand;
    return;
}

# By hand, as somebody might by mistake: nobody is master until the sentinels vote.
sub _readonly {
    my ($self) = @_;
    my $master = $self->{fleet}->master;
    my ($replica) = $self->{fleet}->replicas;
    $master->cmd('REPLICAOF', '127.0.0.1', $replica->port);
    sleep 1 + 2 * rand;
    return;
}

sub _on_all {
    my ($self, @argv) = @_;
    $_->cmd(@argv) for $self->{fleet}->nodes;
    return;
}

# Another password, which the nodes are told after a while; or the old one again.
sub _password {
    my ($self) = @_;
    my $new = 'secret-' . int rand 1e9;
    $self->_on_all('ACL', 'SETUSER', 'gate', 'resetpass', ">$new");
    $self->_on_all('CLIENT', 'KILL', 'USER', 'gate');
    sleep 5 * rand;
    if (rand() < 0.5) {
        $_->password($new) for @{ $self->{nodes} };
        $self->{password} = $new;
    } else {
        $self->_on_all('ACL', 'SETUSER', 'gate', 'resetpass', ">$self->{password}");
    }
    return;
}

sub _no_rights {
    my ($self) = @_;
    $self->_on_all('ACL', 'SETUSER', 'gate', (qw(-@all off))[rand 2]);
    $self->_on_all('CLIENT', 'KILL', 'USER', 'gate') if rand() < 0.5;
    sleep 5 * rand;
    $self->_on_all('ACL', 'SETUSER', 'gate', 'on', '+@all');
    return;
}

sub _spoil {
    my ($self, $mode, %opt) = @_;
    $self->{proxy}->mode($mode, %opt);
    sleep 0.3 + 5 * rand;
    $self->{proxy}->mode('pass');
    return;
}

# ---- afterwards

# Between faults: true if B had to be led to another master.
sub look_after {
    my ($self) = @_;
    my $port = $self->{fleet}->master_port // return 0;
    return 0 if $port == $self->{led};
    $self->_lead_to($port);
    return 1;
}

# Every server lives, the sentinels agree, the replica has everything, and B is led to the master.
sub repair {
    my ($self) = @_;
    my $fleet = $self->{fleet};
    for my $server ($fleet->nodes, $fleet->sentinels) { $server->restart if !$server->alive; }
    my $whole = Gate::Test::wait_for(sub { $self->_is_whole }, 60);
    $whole or die "the servers do not come together:\n" . $fleet->log;
    $self->_lead_to($fleet->master_port);
    $self->{proxy}->mode('pass');
    # Whoever was started anew knows the password of its file only.
    $self->_on_all('ACL', 'SETUSER', 'gate', 'on', 'resetpass', ">$self->{password}", '+@all', '~*');
    return;
}

# What the sentinels call the master says so, and every other server follows it.
sub _is_whole {
    my ($self) = @_;
    my $fleet = $self->{fleet};
    my %named = map { ($fleet->master_port($_) // 0) => 1 } $fleet->sentinels;
    my ($port) = keys %named;
    return 0 if keys %named != 1 || !$port;
    for my $server ($fleet->nodes) {
        my $role = $server->role;
        next if $server->port == $port ? $role->[0] eq 'master'
            : $role->[0] eq 'slave' && $role->[2] == $port && $role->[3] eq 'connected';
        return 0;
    }
    return eval { $fleet->wait_ready(10); $fleet->wait_replicated; 1 };
}

1;
