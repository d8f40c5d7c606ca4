package Chaos::Cluster;

# Three masters with a replica each; the store lies in one slot. What can go wrong with the node that has
# it, and how all is well again.

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Chaos::Faults ();
use Gate::Redis ();
use Gate::Redis::Cluster qw(slot_of);
use Gate::Test ();

my $kPrefix = '{gate}:';
my $kSlot = slot_of($kPrefix);

# See Chaos::Faults.
my %table = (
    'kill-node'    => ['AB', '', \&_kill_node],
    'stop-node'    => ['AB', '', \&_stop_node],
    'migrate'      => ['AB', '', \&_migrate],
    'hand-over'    => ['AB', '', \&_hand_over],
    'kill-replica' => ['', '', sub { my ($c) = @_; $c->_replica->kill('KILL'); sleep 2 * rand }],
);

# Options: test, password (of the user gate).
sub new {
    my ($class, %opt) = @_;
    my $self = bless {%opt}, $class;
    $self->{cluster} = Gate::Redis::Cluster->new(test => $opt{test},
        node => Chaos::Faults::server($opt{password}))->start;
    return $self;
}

sub faults { return %table; }

sub _ports { my ($self) = @_; return map { $_->port } $self->{cluster}->nodes; }

# The words of gate_redis at a node: each knows others to begin with.
sub where {
    my ($self, $node) = @_;
    my @ports = $self->_ports;
    return 'cluster ' . join ' ', map {"127.0.0.1:$_"} $node eq 'A' ? @ports[0 .. 2] : @ports[3 .. 5];
}

# What Chaos::Writer takes.
sub for_writer {
    my ($self) = @_;
    my @ports = $self->_ports;
    return (prefix => $kPrefix, find => { cluster => \@ports, slot => $kSlot },
        gatectl => ['--cluster', map { ('--redis', "127.0.0.1:$_") } @ports]);
}

# ---- faults

sub _owner { my ($self) = @_; return $self->{cluster}->owner_of($kSlot); }

sub _replica {
    my ($self) = @_;
    my $port = $self->_owner->port;
    return (grep { my $role = $_->role; $role->[0] eq 'slave' && $role->[2] == $port } $self->{cluster}->nodes)[0];
}

sub _kill_node {
    my ($self) = @_;
    $self->{cluster}->kill_node($self->_owner);
    $self->{cluster}->wait_takeover;
    $self->{served}->();
    return;
}

# Shorter than the others wait, or longer: then its replica is the master when it goes on.
sub _stop_node {
    my ($self) = @_;
    my $owner = $self->_owner;
    $owner->kill('STOP');
    sleep 0.1 + 3 * rand;
    $owner->kill('CONT');
    sleep 1;
    return;
}

# Some keys here and some there, for a while.
sub _migrate {
    my ($self) = @_;
    my ($cluster, $owner) = ($self->{cluster}, $self->_owner);
    my @others = grep { $_ != $owner } $cluster->masters;
    my $to = $others[rand @others];
    $cluster->begin_migration($kSlot, $to);
    for (1 .. 3) {
        sleep 0.5 * rand;
        $cluster->move_keys($kSlot, $to, 1 + int rand 40);
    }
    $cluster->end_migration($kSlot, $to);
    return;
}

# The replica takes over by order.
sub _hand_over {
    my ($self) = @_;
    my $replica = $self->_replica;
    $replica->cmd('CLUSTER', 'FAILOVER');
    Gate::Test::wait_for(sub { $replica->role->[0] eq 'master' }, 10) or die "no failover by order\n";
    return;
}

# ---- afterwards

sub look_after { return 0; }

sub repair {
    my ($self) = @_;
    for my $node ($self->{cluster}->nodes) { $node->restart if !$node->alive; }
    $self->{cluster}->wait_ok;
    Gate::Test::wait_for(sub { $self->_agree && $self->_replica }, 30) or die "the nodes do not agree\n";
    $self->{cluster}->wait_replicated;
    return;
}

# On who has the slot.
sub _agree {
    my ($self) = @_;
    my %named;
    for my $node ($self->{cluster}->nodes) {
        my ($range) = grep { $_->[0] <= $kSlot && $kSlot <= $_->[1] } @{ $node->cmd('CLUSTER', 'SLOTS') };
        $named{ $range ? $range->[2][1] : 0 } = 1;
    }
    return keys %named == 1 && !$named{0};
}

1;
