package Gate::Redis::Cluster;

# A Redis Cluster of masters with a replica each, put together by CLUSTER commands:
#
#   my $cluster = Gate::Redis::Cluster->new(test => $t)->start;
#   $cluster->migrate_slot(slot_of('{gate}:epoch'), $cluster->node(1));
#
# A node that does not answer counts as failed after cluster-node-timeout (1000 ms).

use strict;
use warnings;

use Exporter 'import';

use Gate::Ports ();
use Gate::Redis ();
use Gate::Test ();

our @EXPORT_OK = qw(slot_of);

my $kSlots = 16384;

# CRC-16/XMODEM (cluster specification, appendix A).
my @crc16 = map {
    my $crc = $_ << 8;
    $crc = $crc & 0x8000 ? ($crc << 1) ^ 0x1021 : $crc << 1 for 1 .. 8;
    $crc & 0xffff;
} 0 .. 255;

# The slot of a key: of what stands in its first braces, where that is not empty.
sub slot_of {
    my ($key) = @_;
    my $hashed = $key =~ /\A[^{]*\{([^}]+)\}/s ? $1 : $key;
    my $crc = 0;
    $crc = (($crc << 8) & 0xffff) ^ $crc16[($crc >> 8) ^ $_] for unpack 'C*', $hashed;
    return $crc % $kSlots;
}

# Options, besides test: name ('cluster'), masters (3), replicas of each (1), node => {options of
# Gate::Redis}.
sub new {
    my ($class, %opt) = @_;
    my $self = bless { name => 'cluster', masters => 3, replicas => 1, node => {}, %opt }, $class;
    my $count = $self->{masters} * (1 + $self->{replicas});
    $self->{nodes} = [map { $self->_node($_) } 1 .. $count];
    return $self;
}

# The bus would listen at port + 10000, which is another test's.
sub _node {
    my ($self, $number) = @_;
    my %node = %{ $self->{node} };
    my %options = ('cluster-enabled' => 'yes', 'cluster-config-file' => 'nodes.conf',
        'cluster-node-timeout' => 1000, 'cluster-port' => Gate::Ports::free_port(),
        'cluster-replica-validity-factor' => 0, 'repl-ping-replica-period' => 1);
    my $redis = Gate::Redis->new(test => $self->{test}, %node, name => "$self->{name}-node$number",
        options => { %options, %{ $node{options} || {} } });
    return $redis;
}

# ---- nodes

sub nodes { return @{ $_[0]{nodes} }; }
# By number: masters come first, from 0, then their replicas in the same order.
sub node { return $_[0]{nodes}[ $_[1] ]; }
sub ports { return map { $_->port } $_[0]->nodes; }
sub masters { my ($self) = @_; return grep { $_->awake && $_->role->[0] eq 'master' } $self->nodes; }

sub _id { return $_[0]{cluster_id} //= $_[0]->cmd('CLUSTER', 'MYID'); }

sub _state {
    my ($node) = @_;
    my ($text) = $node->try_cmd('CLUSTER', 'INFO');
    return { map { split /:/ } split /\r\n/, $text // '' };
}

# ---- start

sub start {
    my ($self) = @_;
    $_->start(wait => 0) for $self->nodes;
    $_->wait_ready for $self->nodes;
    $self->_hand_out_slots;
    $self->_introduce;
    $self->_follow;
    return $self->wait_ok;
}

sub _hand_out_slots {
    my ($self) = @_;
    for my $number (0 .. $self->{masters} - 1) {
        my ($first, $end) = map { int($_ * $kSlots / $self->{masters}) } $number, $number + 1;
        my $node = $self->node($number);
        $node->cmd('CLUSTER', 'SET-CONFIG-EPOCH', $number + 1);
        $node->cmd('CLUSTER', 'ADDSLOTSRANGE', $first, $end - 1);
    }
    return;
}

# Everybody meets everybody: gossip alone takes a second a step.
sub _introduce {
    my ($self) = @_;
    my @nodes = $self->nodes;
    for my $from (0 .. $#nodes) {
        for my $to (@nodes[$from + 1 .. $#nodes]) {
            $nodes[$from]->cmd('CLUSTER', 'MEET', '127.0.0.1', $to->port, $to->{options}{'cluster-port'});
        }
    }
    $self->_wait('they do not meet', sub {
        !grep { ($_->{cluster_known_nodes} // 0) != @nodes || $_->{cluster_size} != $self->{masters} }
            map { _state($_) } @nodes;
    });
    return;
}

sub _follow {
    my ($self) = @_;
    my @nodes = $self->nodes;
    for my $number ($self->{masters} .. $#nodes) {
        my $master = _id($nodes[$number % $self->{masters}]);
        $self->_wait('a replica does not know its master', sub {
            ($nodes[$number]->try_cmd('CLUSTER', 'REPLICATE', $master))[0];
        });
    }
    return;
}

# Until every living node says that all slots are served and every replica's copy is whole.
sub wait_ok {
    my ($self, $seconds) = @_;
    $self->_wait('not ok', sub {
        my @alive = grep { $_->awake } $self->nodes;
        return 0 if grep { (_state($_)->{cluster_state} // '') ne 'ok' } @alive;
        my @roles = map { $_->role } @alive;
        return !grep { $_->[0] eq 'slave' ? $_->[3] ne 'connected' : $_->[0] ne 'master' } @roles;
    }, $seconds);
    return $self;
}

# Until every replica has all that its master has now: a kill then loses no write.
sub wait_replicated {
    my ($self) = @_;
    for my $replica (grep { $_->awake } $self->nodes) {
        my ($role, undef, $port) = @{ $replica->role };
        next if $role ne 'slave';
        my ($master) = grep { $_->port == $port } $self->nodes;
        $replica->wait_copy_of($master) if $master->awake;
    }
    return $self;
}

sub _wait {
    my ($self, $what, $condition, $seconds) = @_;
    return Gate::Test::wait_for($condition, $seconds // 30)
        || die "$self->{name}: $what:\n" . join '', map { "$_->{name}:\n" . $_->_last_words } $self->nodes;
}

# ---- slots

# The master that serves a key, as the living nodes agree.
sub slot_owner { my ($self, $key) = @_; return $self->owner_of(slot_of($key)); }

sub owner_of {
    my ($self, $slot) = @_;
    my ($asked) = grep { $_->awake } $self->nodes;
    for my $range (@{ $asked->cmd('CLUSTER', 'SLOTS') }) {
        my ($first, $last, $master) = @$range;
        next if $slot < $first || $slot > $last;
        return (grep { $_->port == $master->[1] } $self->nodes)[0];
    }
    return;
}

# Moves a slot with its keys to another master; done when every node knows.
sub migrate_slot {
    my ($self, $slot, $to) = @_;
    $self->begin_migration($slot, $to);
    return $self->end_migration($slot, $to);
}

# From here on the old owner answers ASK for keys that it does not have, which may be moved one by
# one by move_keys().
sub begin_migration {
    my ($self, $slot, $to) = @_;
    my $from = $self->owner_of($slot);
    $self->{moving}{$slot} = $from;
    $to->cmd('CLUSTER', 'SETSLOT', $slot, 'IMPORTING', _id($from));
    $from->cmd('CLUSTER', 'SETSLOT', $slot, 'MIGRATING', _id($to));
    return $from;
}

# At most count (all) of its keys.
sub move_keys {
    my ($self, $slot, $to, $count) = @_;
    my $from = $self->{moving}{$slot};
    my @keys = @{ $from->cmd('CLUSTER', 'GETKEYSINSLOT', $slot, $count // 1_000_000) } or return;
    my @auth = defined $to->{password} ? ('AUTH2', $to->{user} // 'default', $to->{password}) : ();
    $from->cmd('MIGRATE', '127.0.0.1', $to->port, '', 0, 5000, @auth, 'KEYS', @keys);
    return;
}

sub end_migration {
    my ($self, $slot, $to) = @_;
    $self->move_keys($slot, $to);
    delete $self->{moving}{$slot};
    # the new owner first, or nobody would serve the slot for a moment
    $_->cmd('CLUSTER', 'SETSLOT', $slot, 'NODE', _id($to))
        for $to, grep { $_ != $to } $self->masters;
    $self->_wait("slot $slot was not moved", sub {
        !grep { !$self->_names($_, $slot, $to) } grep { $_->awake } $self->nodes;
    });
    return $self->wait_replicated;
}

sub _names {
    my ($self, $node, $slot, $owner) = @_;
    my ($ranges) = $node->try_cmd('CLUSTER', 'SLOTS');
    my ($range) = grep { $slot >= $_->[0] && $slot <= $_->[1] } @{ $ranges || [] };
    return $range && $range->[2][1] == $owner->port;
}

# ---- faults

# A node by KILL or another signal; of a master a replica takes over, see wait_takeover().
sub kill_node {
    my ($self, $node, $signal) = @_;
    $self->{lost} = [map { $_ == $node ? () : $_ } $self->masters];
    $node->kill($signal);
    return $node;
}

# Until as many masters as before the last kill_node() serve all slots; seconds to wait.
sub wait_takeover {
    my ($self, $seconds) = @_;
    $self->_wait('nobody took over', sub {
        my @alive = grep { $_->awake } $self->nodes;
        return 0 if @{ [$self->masters] } <= @{ $self->{lost} };
        return !grep { (_state($_)->{cluster_state} // '') ne 'ok' } @alive;
    }, $seconds);
    return $self;
}

# At whoever serves the first key.
sub cmd { my ($self, @argv) = @_; return $self->slot_owner($argv[1])->cmd(@argv); }

sub transaction {
    my ($self, @commands) = @_;
    return $self->slot_owner($commands[0][1])->transaction(@commands);
}

sub stop { my ($self) = @_; $_->stop for $self->nodes; return; }

1;
