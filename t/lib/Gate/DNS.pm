package Gate::DNS;

# A name server on a UDP port of this machine that says what the test wants, and writes down who was
# asked for what:
#
#   my $dns = Gate::DNS->start(test => $t);                    # resolver 127.0.0.1:PORT ipv6=off;
#   $dns->say('redis.gate.test', addresses => ['127.0.0.1'], ttl => 0);
#   $dns->say('redis.gate.test', rcode => 'NXDOMAIN');         # or SERVFAIL, REFUSED
#   $dns->say('redis.gate.test', silent => 1);                 # never answers
#   $dns->questions('redis.gate.test');                        # when, in seconds
#
# What nobody spoke of does not exist. Other types than A have no records.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Socket qw(inet_aton);
use Time::HiRes qw(time);

use Gate::Ports ();
use Gate::Process ();
use Gate::Test ();

my %kCodes = (NOERROR => 0, SERVFAIL => 2, NXDOMAIN => 3, REFUSED => 5);
my $kA = 1;
my $kIn = 1;

sub start {
    my ($class, %opt) = @_;
    my $self = bless { name => 'dns', names => {}, %opt }, $class;
    $self->{port} //= Gate::Ports::free_port();
    @{$self}{qw(zone log)} = map { $self->{test}->dir . "/$self->{name}.$_" } qw(zone questions);
    $self->_publish;
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $self->{port}, Proto => 'udp')
        or die "no name server on $self->{port}: $!";
    $self->{process} = Gate::Process->start(test => $self->{test}, keep => [$socket],
        code => sub { $self->_serve($socket) });
    return $self;
}

sub port { return $_[0]{port}; }
sub stop { my ($self) = @_; $self->{process}->signal('KILL'); return; }

# From the next question on.
sub say {
    my ($self, $name, %answer) = @_;
    $self->{names}{$name} = { ttl => 0, addresses => [], rcode => 'NOERROR', %answer };
    $self->_publish;
    return;
}

sub _publish {
    my ($self) = @_;
    $self->{test}->write_file("$self->{name}.zone", JSON::PP->new->encode($self->{names}));
    return;
}

# Instants of the questions for a name's addresses.
sub questions {
    my ($self, $name) = @_;
    return map { /\A(\S+) \Q$name\E\z/ ? $1 : () } split /\n/, Gate::Test::slurp($self->{log});
}

# ---- in the child

sub _serve {
    my ($self, $socket) = @_;
    my $parent = getppid;
    open my $log, '>>', $self->{log} or die "$self->{log}: $!";
    $log->autoflush(1);
    my $select = IO::Select->new($socket);
    while (getppid == $parent) {
        $select->can_read(0.5) or next;
        my $from = recv($socket, my $question, 512, 0) or next;
        my $answer = $self->_answer($question, $log) // next;
        send $socket, $answer, 0, $from;
    }
    return;
}

sub _answer {
    my ($self, $question, $log) = @_;
    my ($id, $flags) = unpack 'nn', $question;
    my ($at, @labels) = 12;
    while (my $size = ord substr $question, $at, 1) {
        push @labels, lc substr $question, $at + 1, $size;
        $at += $size + 1;
    }
    my ($type) = unpack 'n', substr $question, $at + 1, 2;
    my $name = join '.', @labels;
    print {$log} time . " $name\n" if $type == $kA;
    my $known = JSON::PP->new->decode(Gate::Test::slurp($self->{zone}))->{$name} || { rcode => 'NXDOMAIN' };
    return if $known->{silent};
    my @records = map { pack 'nnnNn/a', 0xc00c, $kA, $kIn, $known->{ttl}, inet_aton($_) }
        $type == $kA ? @{ $known->{addresses} || [] } : ();
    # A response, recursion wanted and offered.
    return pack('nnnnnn', $id, 0x8180 | $kCodes{ $known->{rcode} }, 1, scalar @records, 0, 0)
        . substr($question, 12, $at + 5 - 12) . join '', @records;
}

1;
