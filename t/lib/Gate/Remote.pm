package Gate::Remote;

# What Gate::FakeRedis and Gate::ChaosProxy share: a server in a forked child, with many connections,
# that the test steers over a socket pair and that writes down what happens. A request of the test is
# done when ask() returns; an event is on disk before anybody can see what it leads to.
#
# In the child a derived class handles: accepted($socket), readable($socket), writable($socket),
# tick() (returns the seconds until it wants the next), and do_VERB(\%arguments) for each ask(VERB).

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Socket qw(AF_UNIX IPPROTO_TCP PF_UNSPEC SOCK_STREAM SOL_SOCKET SO_LINGER TCP_NODELAY);
use Time::HiRes qw(time);

use Gate::Ports ();
use Gate::Process ();
use Gate::Test ();

my $json = JSON::PP->new->ascii->canonical->allow_nonref;    # octets as code points
my $kIdle = 0.5;           # seconds between looks whether the test still lives
my $kLinger = 1;           # seconds for the other side to close after our FIN

# ---- in the test

# Options: test, name, port (default: a free one), and what the class takes.
sub start {
    my ($class, %opt) = @_;
    my $self = bless { %opt }, $class;
    $self->{port} //= Gate::Ports::free_port();
    $self->{log} = $self->{test}->dir . "/$self->{name}.events";
    -e $self->{log} and die "there is a $self->{name} already";
    $self->_listen;
    socketpair $self->{here}, $self->{there}, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!";
    open $self->{file}, '>>:raw', $self->{log} or die "$self->{log}: $!";
    $self->{process} = Gate::Process->start(test => $self->{test}, code => sub { $self->_serve },
        keep => [@{$self}{qw(there file listener)}]);
    delete @{$self}{qw(there file listener)};
    return $self;
}

sub port { return $_[0]{port}; }
sub address { return "127.0.0.1:$_[0]{port}"; }
sub stop { my ($self) = @_; $self->{process}->signal('KILL'); return; }

# Tells the child; dies with what it finds wrong.
sub ask {
    my ($self, $verb, %arguments) = @_;
    my $request = $json->encode({ verb => $verb, %arguments }) . "\n";
    local $SIG{PIPE} = 'IGNORE';
    syswrite($self->{here}, $request) == length $request or die "$self->{name}: $!";
    IO::Select->new($self->{here})->can_read(10) or die "$self->{name}: no answer to $verb";
    sysread $self->{here}, my $answer, 65536 or die "$self->{name} has ended";
    $answer = $json->decode($answer);
    die "$self->{name}: $answer->{error}" if defined $answer->{error};
    return $answer->{value};
}

# What was written down since the last clear, oldest first: {event, time, connection, ..}; of one
# kind where it is named.
sub events {
    my ($self, $kind) = @_;
    my $text = substr Gate::Test::slurp($self->{log}), $self->{from} // 0;
    my @all = map { $json->decode($_) } $text =~ /(.*)\n/g;
    return grep { !defined $kind || $_->{event} eq $kind } @all;
}

sub clear { my ($self) = @_; $self->{from} = -s $self->{log}; return; }

# Connections that were accepted since the last clear.
sub connections { my ($self) = @_; return scalar(my @all = $self->events('connect')); }

sub open_connections { my ($self) = @_; return $self->ask('count'); }

# Until there are that many events of a kind (1) for which condition->(event) is true: the last of
# them, or nothing.
sub wait_event {
    my ($self, $kind, %opt) = @_;
    my $condition = $opt{condition} // sub { 1 };
    my $count = $opt{count} // 1;
    return Gate::Test::wait_for(sub {
        my @found = grep { $condition->($_) } $self->events($kind);
        return @found >= $count && $found[-1];
    }, $opt{timeout});
}

# ---- in the child

sub _listen {
    my ($self) = @_;
    $self->{listener} = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $self->{port},
        Listen => 511, ReuseAddr => 1, Proto => 'tcp', Blocking => 0)
        or die "$self->{name} cannot listen on $self->{port}: $!";
    $self->{read}->add($self->{listener}) if $self->{read};
    return;
}

# Connections are refused from now on, by the kernel; who came before is let in.
sub close_listener {
    my ($self) = @_;
    $self->_accept;
    my $listener = delete $self->{listener} or return;
    $self->{read}->remove($listener);
    close $listener;
    return;
}

sub open_listener { my ($self) = @_; $self->_listen if !$self->{listener}; return; }

sub _serve {
    my ($self) = @_;
    my $parent = getppid;
    my $control = $self->{there};
    $self->{read} = IO::Select->new($control, $self->{listener});
    $self->{write} = IO::Select->new;
    while (getppid == $parent) {
        my $wait = $self->tick // $kIdle;
        $wait = $wait < 0 ? 0 : $wait > $kIdle ? $kIdle : $wait;
        $self->_linger_no_longer;
        my ($readable, $writable) = IO::Select->select($self->{read}, $self->{write}, undef, $wait);
        $self->writable($_) for grep { defined fileno $_ } @{ $writable || [] };
        for my $socket (@{ $readable || [] }) {
            next if !defined fileno $socket;    # closed by what was just done
            if ($socket == $control) { $self->_obey or return; }
            elsif ($socket == ($self->{listener} // 0)) { $self->_accept; }
            elsif ($self->{lingering}{ fileno $socket }) { $self->_linger($socket); }
            else { $self->readable($socket); }
        }
    }
    return;
}

sub _accept {
    my ($self) = @_;
    while (my $socket = $self->{listener} && $self->{listener}->accept) {
        $socket->blocking(0);
        setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
        $self->accepted($socket);
    }
    return;
}

sub _obey {
    my ($self) = @_;
    sysread $self->{there}, $self->{request}, 65536, length($self->{request} // '') or return 0;
    return 1 if $self->{request} !~ s/\A(.*)\n//;
    my $arguments = $json->decode($1);
    my $method = $self->can("do_$arguments->{verb}");
    my $value = eval { $method ? $method->($self, $arguments) : die "no $arguments->{verb} here\n" };
    syswrite $self->{there}, $json->encode($@ ? { error => $@ } : { value => $value }) . "\n";
    return 1;
}

sub note {
    my ($self, $event, %more) = @_;
    syswrite $self->{file}, $json->encode({ event => $event, time => time, %more }) . "\n";
    return;
}

# As much of the octets as the connection takes now, removed from them; false when it is gone.
sub send_some {
    my ($socket, $octets) = @_;
    while (length $$octets) {
        my $sent = syswrite $socket, $$octets, 65536;
        return $!{EAGAIN} ? 1 : 0 if !$sent;
        substr $$octets, 0, $sent, '';
    }
    return 1;
}

# Closes so that the other side gets FIN, not RST, even while it writes: what still comes is read.
sub close_socket {
    my ($self, $socket) = @_;
    shutdown $socket, 1;
    $self->{write}->remove($socket);
    $self->{read}->add($socket);
    $self->{lingering}{ fileno $socket } = { socket => $socket, until => time + $kLinger };
    return;
}

sub _linger {
    my ($self, $socket) = @_;
    my $got = sysread $socket, my $octets, 65536;
    $self->{lingering}{ fileno $socket }{until} = 0 if defined $got ? !$got : !$!{EAGAIN};
    return;
}

sub _linger_no_longer {
    my ($self) = @_;
    for my $item (grep { $_->{until} <= time } values %{ $self->{lingering} }) {
        delete $self->{lingering}{ fileno $item->{socket} };
        $self->{read}->remove($item->{socket});
        close $item->{socket};
    }
    return;
}

# Closes so that the other side gets RST, not FIN.
sub reset_socket {
    my ($socket) = @_;
    setsockopt $socket, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $socket;
    return;
}

1;
