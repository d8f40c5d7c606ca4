package Gate::ChaosProxy;

# A TCP proxy before a server on this machine that spoils what a test wants spoiled:
#
#   my $proxy = Gate::ChaosProxy->start(test => $t, to => $redis->port);
#   $proxy->mode('delay', ms => 50);        # all connections, those that are open too
#
# Modes: pass
#   delay   ms; every piece arrives that much later
#   drip    octets (1) every ms (10)
#   stall   nothing is read any more, the windows fill
#   cut     lets octets (0) pass on each connection, then ends it by => 'rst' or 'fin'; once => 1:
#           only the first, then pass
#   garble  as many octets as came, but others, which are no protocol's
#   rst fin ends what is open, and what is accepted from now on at once
#   refuse  ends what is open (keep => 1: not), and nobody may connect
# direction => 'down' (to the client), 'up', or 'both' for delay, drip, stall, cut and garble; the last two
# mean 'down' where nothing is said.

use strict;
use warnings;

use parent 'Gate::Remote';

use IO::Socket::INET;
use Socket qw(AF_INET IPPROTO_TCP SOCK_RAW TCP_NODELAY);
use Time::HiRes qw(time);

use Gate::Remote ();

# ---- in the test

# Options, besides test: to (the server's port), name ('proxy'), port.
sub start {
    my ($class, %opt) = @_;
    return $class->SUPER::start(name => 'proxy', flows => {}, mode => { mode => 'pass' }, %opt);
}

sub mode {
    my ($self, $mode, %opt) = @_;
    return $self->ask('mode', mode => { mode => $mode, %opt });
}

# Another server for the connections from now on.
sub to { my ($self, $port) = @_; return $self->ask('to', port => $port); }

# When clients tried to connect, with or without success. What the kernel refuses is seen by a raw
# socket, which only root has; see sees_refused().
sub attempts {
    my ($self) = @_;
    return map { $_->{time} } grep { $_->{event} =~ /\A(?:connect|refused)\z/ } $self->events;
}

sub sees_refused { return $> == 0; }

# ---- in the child: what it is told

sub do_to { my ($self, $arguments) = @_; $self->{to} = $arguments->{port}; return; }

sub do_mode {
    my ($self, $arguments) = @_;
    my %mode = %{ $arguments->{mode} };
    my $name = $mode{mode};
    $name =~ /\A(?:pass|delay|drip|stall|cut|garble|rst|fin|refuse)\z/ or die "no mode '$name'\n";
    $self->{mode} = \%mode;
    $self->_watch_refused($name eq 'refuse');
    if ($name eq 'refuse') { $self->close_listener; }
    else { $self->open_listener; }
    $_->{left} = $mode{octets} // 0 for values %{ $self->{flows} };
    if ($name eq 'rst' || $name eq 'fin' || $name eq 'refuse' && !$mode{keep}) {
        my @open = values %{ $self->{flows} };
        $self->_end($_->{pair}, $name eq 'fin' ? 'fin' : 'rst') for @open;
    }
    return;
}

sub do_count { my ($self) = @_; return keys(%{ $self->{flows} }) / 2; }

# ---- in the child: connections. A pair has two flows, each known by the socket that it reads.

sub accepted {
    my ($self, $client) = @_;
    my $id = ++$self->{count};
    $self->note('connect', connection => $id);
    my $name = $self->{mode}{mode};
    my $server = $name =~ /\A(?:rst|fin)\z/ ? undef : IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $self->{to}, Proto => 'tcp', Timeout => 1);
    if (!$server) {
        $self->note('end', connection => $id, why => $name =~ /\A(?:rst|fin)\z/ ? $name : 'no server');
        $name eq 'fin' ? $self->close_socket($client) : Gate::Remote::reset_socket($client);
        return;
    }
    $server->blocking(0);
    setsockopt $server, IPPROTO_TCP, TCP_NODELAY, 1;
    my $pair = { id => $id, client => $client, server => $server };
    $self->_add_flow($pair, 'up', $client, $server);
    $self->_add_flow($pair, 'down', $server, $client);
    return;
}

sub _add_flow {
    my ($self, $pair, $direction, $from, $to) = @_;
    $self->{flows}{ fileno $from } = { pair => $pair, direction => $direction, from => $from,
        to => $to, queue => [], out => '', passed => 0, next => 0, left => $self->{mode}{octets} // 0 };
    return;
}

# The mode, as far as it concerns a flow.
sub _mode_of {
    my ($self, $flow) = @_;
    my $mode = $self->{mode};
    my $direction = $mode->{direction} // ($mode->{mode} =~ /\A(?:cut|garble)\z/ ? 'down' : 'both');
    return $direction eq 'both' || $direction eq $flow->{direction} ? $mode : { mode => 'pass' };
}

sub readable {
    my ($self, $socket) = @_;
    return $self->_see_refused if $socket == ($self->{raw} // 0);
    my $flow = $self->{flows}{ fileno $socket };
    my $got = sysread $socket, my $octets, 65536;
    return if !defined $got && $!{EAGAIN};
    return $self->_end($flow->{pair}, 'rst', 'reset') if !defined $got;
    my $mode = $self->_mode_of($flow);
    my $due = time + ($mode->{mode} eq 'delay' ? $mode->{ms} / 1000 : 0);
    $flow->{eof} = 1 if !$got;
    push @{ $flow->{queue} }, { due => $due, octets => $got ? $octets : '', eof => !$got };
    return;
}

sub writable { return; }    # tick() writes

# Moves what may move; the seconds until something may again.
sub tick {
    my ($self) = @_;
    my $least;
    for my $flow (my @all = values %{ $self->{flows} }) {
        my $wait = $self->_move($flow) // next;
        $least = $wait if !defined $least || $wait < $least;
    }
    return $least;
}

sub _move {
    my ($self, $flow) = @_;
    return undef if !defined fileno $flow->{from};    # ended by the other flow of its pair
    my $mode = $self->_mode_of($flow);
    my $reads = $mode->{mode} ne 'stall' && !$flow->{eof} && @{ $flow->{queue} } < 64;
    $reads ? $self->{read}->add($flow->{from}) : $self->{read}->remove($flow->{from});
    return undef if $mode->{mode} eq 'stall';
    while (1) {
        my $wait = $self->_release($flow, $mode);
        my $before = length $flow->{out};
        Gate::Remote::send_some($flow->{to}, \$flow->{out})
            or return $self->_end($flow->{pair}, 'rst', 'reset');
        $flow->{passed} += $before - length $flow->{out};
        length $flow->{out} ? $self->{write}->add($flow->{to}) : $self->{write}->remove($flow->{to});
        return undef if length $flow->{out};
        return $self->_cut($flow->{pair}) if $flow->{cut};
        return $self->_finish($flow) if $flow->{done};
        return $wait if defined $wait || !@{ $flow->{queue} };
    }
}

# From the queue to what is written: all that is due, by the mode.
sub _release {
    my ($self, $flow, $mode) = @_;
    my $queue = $flow->{queue};
    while (@$queue && !length $flow->{out} && !$flow->{cut} && !$flow->{done}) {
        my $left = ($mode->{mode} eq 'drip' && $flow->{next} > $queue->[0]{due} ? $flow->{next}
            : $queue->[0]{due}) - time;
        return $left if $left > 0;
        my $take = $mode->{mode} eq 'drip' ? $mode->{octets} // 1 : length $queue->[0]{octets};
        $flow->{next} = time + ($mode->{ms} // 10) / 1000 if $mode->{mode} eq 'drip';
        if ($mode->{mode} eq 'cut' && !$queue->[0]{eof} && $take >= $flow->{left}) {
            ($take, $flow->{cut}) = ($flow->{left}, 1);
        }
        my $some = substr $queue->[0]{octets}, 0, $take, '';
        # 0x80 begins no reply and no character of UTF-8
        $flow->{out} .= $mode->{mode} eq 'garble' ? join '', map { chr 0x80 + rand 64 } 1 .. length $some : $some;
        $flow->{left} -= $take if $mode->{mode} eq 'cut';
        next if length $queue->[0]{octets};
        $flow->{done} = (shift @$queue)->{eof};
    }
    return undef;
}

sub _cut {
    my ($self, $pair) = @_;
    my $mode = $self->{mode};
    $self->_end($pair, $mode->{by} // 'rst', 'cut');
    $self->{mode} = { mode => 'pass' } if $mode->{once};
    return;
}

# FIN has come and everything before it has left: passed on, and both ends closed after the second.
sub _finish {
    my ($self, $flow) = @_;
    return if $flow->{finished}++;
    shutdown $flow->{to}, 1;
    my $other = $self->{flows}{ fileno $flow->{to} };
    $self->_end($flow->{pair}, 'fin', 'eof') if !$other || $other->{finished};
    return;
}

# how: the client gets 'rst' or 'fin'. The server's side is always closed. why: for the log.
sub _end {
    my ($self, $pair, $how, $why) = @_;
    return if $pair->{ended}++;
    my ($client, $server) = @{$pair}{qw(client server)};
    my ($up, $down) = map { $self->{flows}{ fileno $_ }{passed} } $client, $server;
    $self->note('end', connection => $pair->{id}, why => $why // $how, up => $up, down => $down);
    for my $socket ($client, $server) {
        delete $self->{flows}{ fileno $socket };
        $self->{$_}->remove($socket) for qw(read write);
    }
    $how eq 'rst' ? Gate::Remote::reset_socket($client) : $self->close_socket($client);
    close $server;
    return;
}

# ---- attempts that the kernel refuses: SYN to our port

sub _watch_refused {
    my ($self, $on) = @_;
    if ($self->{raw}) {
        $self->_see_refused;
        $self->{read}->remove($self->{raw});
        close delete $self->{raw};
    }
    return if !$on || !socket my $raw, AF_INET, SOCK_RAW, IPPROTO_TCP;
    $raw = IO::Socket->new_from_fd(fileno($raw), '<') && bless $raw, 'IO::Socket';
    $raw->blocking(0);
    $self->{raw} = $raw;
    $self->{read}->add($raw);
    return;
}

# IPv4 header (RFC 791: length in words in the low half of the first octet), then TCP's.
sub _see_refused {
    my ($self) = @_;
    while (sysread $self->{raw}, my $packet, 65536) {
        my $at = (ord($packet) & 15) * 4;
        my ($port, $flags) = unpack 'x2 n x9 C', substr $packet, $at;
        $self->note('refused') if defined $flags && $port == $self->{port} && ($flags & 0x12) == 0x02;
    }
    return;
}

1;
