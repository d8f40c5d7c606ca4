package Gate::Redis::Monitor;

# A MONITOR stream of a Gate::Redis, recorded by a child. Redis leaves out AUTH and administrative
# commands (CONFIG, ACL, SHUTDOWN, ..).

use strict;
use warnings;

use Gate::Process ();
use Gate::Test ();

my $started = 0;

# Returns once the server records. The connection is the child's: two processes cannot share TLS.
sub start {
    my ($class, $redis) = @_;
    my $path = $redis->dir . '/monitor.' . ++$started;
    my $process = Gate::Process->start(test => $redis->{test}, code => sub { _record($redis, $path) });
    Gate::Test::wait_for(sub { -e $path }) or die 'no recorder';
    return bless { redis => $redis, path => $path, process => $process, marks => 0 }, $class;
}

sub _record {
    my ($redis, $path) = @_;
    my $parent = getppid;
    my $client = $redis->client;
    $client->call('MONITOR') eq 'OK' or die 'MONITOR was refused';
    open my $file, '>>:raw', $path or die "$path: $!";
    $file->autoflush;
    while (getppid == $parent) {
        my $line = eval { $client->read(0.5) };
        print {$file} "$line\n" if defined $line;
        return if !defined $line && $@ !~ /in time/;
    }
    return;
}

# All lines so far, without the newline. What the server was sent before is among them, unless it
# is dead.
sub lines {
    my ($self) = @_;
    my $mark = "mark-$$-" . ++$self->{marks};
    my (undef, $error) = $self->{redis}->try_cmd('ECHO', $mark);
    if (!defined $error && $self->{process}->alive) {
        Gate::Test::wait_for(sub { index(Gate::Test::slurp($self->{path}), $mark) >= 0 })
            or die 'MONITOR shows nothing';
    }
    return grep { !/ "ECHO" "mark-$$-\d+"\z/ } split /\n/, Gate::Test::slurp($self->{path});
}

# The same as {time, db, client, argv}, without those of the test's own connections.
sub commands {
    my ($self) = @_;
    my @all = map { _parse($_) } $self->lines;
    return grep { !$self->{redis}{own}{ $_->{client} } } @all;
}

my %escape = (n => "\n", r => "\r", t => "\t", a => "\a", b => "\b");

sub _parse {
    my ($line) = @_;
    my ($time, $db, $client, $words) = $line =~ /\A([\d.]+) \[(\d+) (\S+)\] (.*)\z/ or return;
    my @argv = $words =~ /"((?:[^"\\]|\\.)*)"/g;
    s/\\(?:x([0-9a-f]{2})|(.))/defined $1 ? chr hex $1 : $escape{$2} || $2/ge for @argv;
    return { time => $time, db => $db, client => $client =~ s/\Aunix:(.*)\z/$1:0/r, argv => \@argv };
}

sub stop { my ($self) = @_; $self->{process}->signal('KILL'); return; }

1;
