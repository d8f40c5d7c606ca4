package Gate::Redis::Sentinels;

# A master, its replicas and the sentinels that watch them:
#
#   my $fleet = Gate::Redis::Sentinels->new(test => $t)->start;
#   $fleet->kill_master;
#   $fleet->wait_failover;
#
# A failover takes about two seconds: half a second until the master counts as down, then the vote.

use strict;
use warnings;

use Gate::Redis ();
use Gate::Test ();

my $kPatience = 30;        # seconds for what takes two on a machine that is not busy

# Options, besides test:
#   name        of the directories: <name>-node1 .., <name>-sentinel1 .. ('fleet')
#   master      what the sentinels call it ('gate')
#   replicas    1
#   sentinels   3
#   down_after  500 ms without an answer, and a sentinel takes a server for dead: one that stood still
#               for that long on a busy machine as well
#   node        {options of Gate::Redis} for master and replicas
#   sentinel    {options of Gate::Redis} for the sentinels, a password among them
sub new {
    my ($class, %opt) = @_;
    my $self = bless { name => 'fleet', master => 'gate', replicas => 1, sentinels => 3,
        down_after => 500, node => {}, sentinel => {}, %opt }, $class;
    $self->{nodes} = [map { $self->_node($_) } 1 .. 1 + $self->{replicas}];
    my $first = $self->{nodes}[0];
    $_->{options}{replicaof} = '127.0.0.1 ' . $first->port for @{ $self->{nodes} }[1 .. $self->{replicas}];
    $self->{watchers} = [map { $self->_sentinel($_, $first) } 1 .. $self->{sentinels}];
    return $self;
}

sub _node {
    my ($self, $number) = @_;
    my %node = %{ $self->{node} };
    return Gate::Redis->new(test => $self->{test}, %node, name => "$self->{name}-node$number",
        options => { 'repl-ping-replica-period' => 1, %{ $node{options} || {} } });
}

sub _sentinel {
    my ($self, $number, $master) = @_;
    my %sentinel = %{ $self->{sentinel} };
    my $name = $self->{master};
    my $quorum = int($self->{sentinels} / 2) + 1;
    my @lines = ("sentinel monitor $name 127.0.0.1 " . $master->port . " $quorum",
        "sentinel down-after-milliseconds $name $self->{down_after}", "sentinel failover-timeout $name 2000");
    my @secret = map { defined $_ ? Gate::Redis::quoted($_) : undef }
        $self->{node}{password}, $self->{node}{user}, $sentinel{password};
    push @lines, "sentinel auth-pass $name $secret[0]" if defined $secret[0];
    push @lines, "sentinel auth-user $name $secret[1]" if defined $secret[1];
    push @lines, "requirepass $secret[2]", "sentinel sentinel-pass $secret[2]" if defined $secret[2];
    return Gate::Redis->new(test => $self->{test}, %sentinel, name => "$self->{name}-sentinel$number",
        sentinel => \@lines);
}

# Until every sentinel knows the others and every replica follows. wait => 0: not yet.
sub start {
    my ($self, %opt) = @_;
    $_->start(wait => 0) for $self->nodes, $self->sentinels;
    $_->wait_ready for $self->nodes, $self->sentinels;
    # They tell each other about themselves every two seconds and look for replicas every ten; and
    # one that finds that its clock jumped (a machine that stood still) does nothing for thirty.
    $self->_debug(qw(publish-period 100 info-period 200 tilt-period 500));
    return defined $opt{wait} && !$opt{wait} ? $self : $self->wait_ready;
}

sub _debug { my ($self, @words) = @_; $_->cmd('SENTINEL', 'DEBUG', @words) for $self->sentinels; return; }

# Afterwards in less of a hurry: sentinels turn back what another one has promoted if they do not hear
# of it within four periods, and promote no replica of which they know nothing for three.
sub wait_ready {
    my ($self, $seconds) = @_;
    Gate::Test::wait_for(sub { !grep { !$self->_knows_all($_) } $self->sentinels }, $seconds // $kPatience)
        or die "$self->{name}: the sentinels do not find each other:\n" . $self->log;
    $self->_debug(qw(publish-period 500 info-period 500));
    return $self;
}

sub _knows_all {
    my ($self, $sentinel) = @_;
    my ($fields) = $sentinel->try_cmd('SENTINEL', 'MASTER', $self->{master});
    my %master = @{ $fields || return 0 };
    return 0 if $master{'num-slaves'} < $self->{replicas}
        || $master{'num-other-sentinels'} < $self->{sentinels} - 1 || $master{flags} ne 'master';
    return !grep { !/\bonline\b/ } map { $self->master->info('replication')->{"slave$_"} // '' }
        0 .. $self->{replicas} - 1;
}

sub nodes { return @{ $_[0]{nodes} }; }
sub sentinels { return @{ $_[0]{watchers} }; }
sub sentinel_ports { return map { $_->port } $_[0]->sentinels; }
sub log { return join '', map { "$_->{name}:\n" . $_->_last_words } $_[0]->sentinels; }

# What the first sentinel that answers says; or the one given.
sub master_port {
    my ($self, @sentinels) = @_;
    for my $sentinel (@sentinels ? @sentinels : grep { $_->awake } $self->sentinels) {
        my ($where) = $sentinel->try_cmd('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', $self->{master});
        return $where->[1] if $where;
    }
    return;
}

# The node at that port.
sub master {
    my ($self) = @_;
    my $port = $self->master_port // die "$self->{name}: no sentinel knows the master";
    return (grep { $_->port == $port } $self->nodes)[0];
}

sub replicas { my ($self) = @_; my $port = $self->master_port; return grep { $_->port != $port } $self->nodes; }

# The port of the one that is dead now.
sub kill_master {
    my ($self, $signal) = @_;
    my $master = $self->master;
    $self->{lost} = $master->port;
    $master->kill($signal);
    return $master->port;
}

# A failover for which nobody has to die. The order is repeated: a sentinel refuses while it knows of
# no good replica, and gives up when another one thinks at the same time that the master is down.
sub failover {
    my ($self) = @_;
    my ($sentinel) = grep { $_->awake } $self->sentinels;
    my $lost = $self->{lost} = $self->master_port($sentinel);
    Gate::Test::wait_for(sub {
        $sentinel->try_cmd('SENTINEL', 'FAILOVER', $self->{master});
        Gate::Test::wait_for(sub { $self->master_port($sentinel) != $lost }, 1);
    }, $kPatience) or die "$self->{name}: no failover by order:\n" . $self->log;
    return;
}

# Until every sentinel names another master than before, which says so itself: its port.
sub wait_failover {
    my ($self, $seconds) = @_;
    return Gate::Test::wait_for(sub {
        my %named = map { ($self->master_port($_) // 0) => 1 } grep { $_->awake } $self->sentinels;
        my ($port) = keys %named;
        return 0 if keys %named != 1 || !$port || $port == ($self->{lost} // 0);
        return $self->master->role->[0] eq 'master' && $port;
    }, $seconds // $kPatience) || die "$self->{name}: no failover:\n" . $self->log;
}

# Until every replica that is awake has all that the master has now.
sub wait_replicated {
    my ($self) = @_;
    my $master = $self->master;
    $_->wait_copy_of($master) for grep { $_->awake } $self->replicas;
    return;
}

# At the master of the moment.
sub cmd { my ($self, @argv) = @_; return $self->master->cmd(@argv); }
sub transaction { my ($self, @commands) = @_; return $self->master->transaction(@commands); }

sub stop { my ($self) = @_; $_->stop for $self->sentinels, $self->nodes; return; }

1;
