package Gate::Ctl;

# gatectl with a store in Redis, and what the store holds afterwards as Redis says it:
#
#   my $ctl = Gate::Ctl->new($redis, '--redis', $redis->address);
#   my ($status, $new, $err) = $ctl->json('key', 'create', '--name', 'x');
#   $ctl->record($new->{id});

use strict;
use warnings;

use JSON::PP ();
use POSIX ();

use Gate::Test ();

# What the user of Redis must be allowed, as docs/gatectl.1.md says; more in a cluster.
sub rights {
    my ($text) = Gate::Test::slurp(Gate::Test::root_dir() . '/docs/gatectl.1.md') =~ /^( +user gatectl on .*?)\n\n/ms;
    return ($text // '') =~ /(\+\S+)/g;
}
sub cluster_rights { return (rights(), '+cluster|slots', '+asking'); }

# Where (Gate::Redis, ::Sentinels, ::Cluster), then options of every command.
sub new {
    my ($class, $redis, @options) = @_;
    my %opt = ref $options[-1] ? %{ pop @options } : ();
    return bless { redis => $redis, options => \@options, prefix => 'gate:', %opt }, $class;
}

# ---- the tool

# Exit status, standard output, standard error. The last argument may be {stdin => text}.
sub run {
    my ($self, @words) = @_;
    my @last = ref $words[-1] ? pop @words : ();
    return Gate::Test::gatectl(@words, @{ $self->{options} }, @last);
}

# The same with --json: the object that it printed, or undef.
sub json {
    my ($self, @words) = @_;
    my @last = ref $words[-1] ? pop @words : ();
    my ($status, $out, $err) = $self->run(@words, '--json', @last);
    return ($status, scalar eval { JSON::PP->new->utf8->decode($out) }, $err);
}

# In the background; its process. Output goes to that file.
sub start {
    my ($self, $output, @words) = @_;
    defined(my $pid = fork) or die "fork: $!";
    return $pid if $pid;
    open STDOUT, '>>', $output;
    open STDERR, '>>', $output;
    my $program = $ENV{GATE_CTL} || Gate::Test::root_dir() . '/build/release/gatectl';
    exec { $program } $program, @words, @{ $self->{options} } or POSIX::_exit(127);
}

# The statuses of those.
sub finish {
    my ($self, @pids) = @_;
    return map { waitpid $_, 0; $? >> 8 || $? & 127 } @pids;
}

# ---- the store

sub name { my ($self, $key) = @_; return "$self->{prefix}$key"; }

sub ask { my ($self, $command, $key, @rest) = @_; return $self->{redis}->cmd($command, $self->name($key), @rest); }

# The fields of the record of that id, or nothing.
sub record {
    my ($self, $id) = @_;
    my $digest = $self->ask('GET', "keyid:$id") // return;
    my %fields = @{ $self->ask('HGETALL', "key:$digest") };
    return \%fields;
}

sub ids { my ($self) = @_; return @{ $self->ask('ZRANGE', 'keys', 0, -1) }; }

# {item => score} of what is revoked.
sub revoked { my ($self) = @_; return { @{ $self->ask('ZRANGE', 'rev', 0, -1, 'WITHSCORES') } }; }

# The stream's entries: [{field => value}, ..].
sub log {
    my ($self) = @_;
    return map { { @{ $_->[1] } } } @{ $self->ask('XRANGE', 'log', '-', '+') };
}

# What is wrong with it as a whole: ids without record, records without id, entries without stream.
sub problems {
    my ($self) = @_;
    my (@problems, %known);
    my %told = map { ($_->{digest} // '') => 1 } $self->log;
    for my $id ($self->ids) {
        my $record = $self->record($id);
        if (!$record || !%$record) { push @problems, "no record of $id"; next }
        push @problems, "the record of $id is that of $record->{id}" if $record->{id} ne $id;
        push @problems, "nothing in the stream tells of $id" if !$told{ $record->{digest} };
        $known{ $record->{digest} } = 1;
    }
    for my $key (@{ $self->ask('KEYS', '*') }) {
        my ($digest) = $key =~ /\A\Q$self->{prefix}\Ekey:(.*)/ or next;
        push @problems, "no id of the record of $digest" if !$known{$digest};
    }
    return @problems;
}

1;
