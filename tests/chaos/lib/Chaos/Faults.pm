package Chaos::Faults;

# What goes wrong, one thing at a time: faults of nginx, and those that the servers bring along
# (Chaos::Sentinels, Chaos::Cluster). Each is [who may answer 503 while it is on, "lost" where
# connections may end, code].

use strict;
use warnings;

my %of_nginx = (
    'kill-worker'  => ['', 'lost', sub { $_[0]->_node->kill_workers(1) }],
    'kill-workers' => ['', 'lost', sub { $_[0]->_node->kill_workers(2) }],
    'reload'       => ['', 'lost', sub { $_[0]->_node->reload }],
    'resize'       => ['', 'lost', sub { $_[0]->_node->resize }],
);

# Options of Gate::Redis for a server whose data survive its death, though not the machine's, and on which
# nginx is the user "gate".
sub server {
    my ($password) = @_;
    return { options => { appendonly => 'yes', appendfsync => 'no' },
        acl => ['user default on nopass ~* &* +@all', "user gate on >$password ~* &* +\@all"] };
}

# Options: servers, nodes => [Chaos::Node], only => [names].
sub new {
    my ($class, %opt) = @_;
    my $self = bless { %opt, order => [] }, $class;
    my %of_servers = $opt{servers}->faults;
    $self->{table} = { %of_nginx, %of_servers };
    $self->{names} = @{ $opt{only} } ? $opt{only} : [sort keys %{ $self->{table} }];
    for my $name (@{ $self->{names} }) {
        $self->{table}{$name} or die "no fault '$name'; there are: " . join(' ', sort keys %{ $self->{table} }) . "\n";
    }
    return $self;
}

sub _node { my ($self) = @_; return $self->{nodes}[rand @{ $self->{nodes} }]; }

# The next one, each before any comes again: (name, who may answer 503, what may be lost).
sub next_one {
    my ($self) = @_;
    if (!@{ $self->{order} }) {
        my @names = @{ $self->{names} };
        push @{ $self->{order} }, splice @names, rand @names, 1 while @names;
    }
    my $name = shift @{ $self->{order} };
    return ($name, @{ $self->{table}{$name} }[0, 1]);
}

sub happen {
    my ($self, $name) = @_;
    return $self->{table}{$name}[2]->($of_nginx{$name} ? $self : $self->{servers});
}

1;
