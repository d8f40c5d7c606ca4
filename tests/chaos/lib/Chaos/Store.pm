package Chaos::Store;

# The store as who writes to it sees it: at the master that sentinels or nodes of a cluster name at this
# moment. A change counts as acknowledged when a replica has it too (WAIT 1); anything else dies.

use strict;
use warnings;

use Gate::Redis::Client ();

my $kTimeout = 2;          # seconds for each step
my $kWait = 1000;          # milliseconds for the replica

# Options: sentinels => [ports] and master => what they call it; or cluster => [ports] and slot.
sub new { my ($class, %opt) = @_; return bless {%opt}, $class; }

sub _client {
    my ($self) = @_;
    delete $self->{client} if $self->{client} && !$self->{client}->usable;
    return $self->{client} if $self->{client};
    for my $asked (@{ $self->{sentinels} || $self->{cluster} }) {
        my $port = eval { $self->_master_port(Gate::Redis::Client->new(port => $asked, timeout => $kTimeout)) } // next;
        my $client = eval { Gate::Redis::Client->new(port => $port, timeout => $kTimeout) } or next;
        my $role = eval { $client->call('ROLE') };
        return $self->{client} = $client if ref($role // '') eq 'ARRAY' && $role->[0] eq 'master';
    }
    die "no master\n";
}

sub _master_port {
    my ($self, $client) = @_;
    return $client->call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', $self->{master})->[1] if $self->{sentinels};
    my ($range) = grep { $_->[0] <= $self->{slot} && $self->{slot} <= $_->[1] } @{ $client->call('CLUSTER', 'SLOTS') };
    return $range->[2][1];
}

# The replies to commands that are sent in one piece, of which none may be an error.
sub _calls {
    my ($self, @commands) = @_;
    my $client = $self->_client;
    my @replies = eval { $client->calls(@commands) };
    my ($error) = $@ ? $@ : grep { ref $_ eq 'Gate::RESP::Error' } map { ref $_ eq 'ARRAY' ? @$_ : $_ } @replies;
    return @replies if !defined $error;
    delete $self->{client};
    die "$error\n";
}

sub cmd { my ($self, @argv) = @_; return ($self->_calls([@argv]))[0]; }
sub look { my ($self, @commands) = @_; return $self->_calls(@commands); }

sub transaction {
    my ($self, @commands) = @_;
    my @replies = $self->_calls(['MULTI'], @commands, ['EXEC'], ['WAIT', 1, $kWait]);
    if ($replies[-1] < 1) {
        delete $self->{client};
        die "no replica has it\n";
    }
    return @{ $replies[-2] };
}

1;
