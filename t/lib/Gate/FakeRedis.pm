package Gate::FakeRedis;

# A Redis server that does what a test's script says, and otherwise answers like a small store:
#
#   my $fake = Gate::FakeRedis->start(test => $t, epoch => 'e1', data => { 'gate:key:..' => [..] });
#   $fake->play([{ delay_ms => 50 }, { send => "-LOADING\r\n" }], match => qr/^HGETALL /, nth => 2);
#   $fake->play_wire($case);         # of own/redis_wire.json
#   $fake->commands(qr/^AUTH/);      # what it was sent
#
# Steps, in order, in place of the answer:
#   {send => octets} {send_b64 => text} {delay_ms => n} {reply => 1} (the usual answer)
#   {close => 1} (FIN) {rst => 1} {half_close => 1} (FIN, but reads on, answers no more)
#   {hold => 1} (until proceed()) {refuse => 1} (FIN, and nobody may connect until allow())
#   {swap_next_two_replies => 1} (the usual answers to this command and the next, exchanged)
# What is asked later on the same connection is answered behind them.

use strict;
use warnings;

use parent 'Gate::Remote';

use MIME::Base64 qw(decode_base64);
use Time::HiRes qw(time);

use Gate::FakeRedis::Answers ();
use Gate::RESP ();

# ---- in the test

# Options, besides test: name ('fake'), port, prefix ('gate:'), epoch, data => {key => text or [field,
# value..]}, user, password, role ('master', 'slave', 'sentinel'), master => [host, port] (as a
# sentinel or replica), slots (reply to CLUSTER SLOTS), scripts => [{steps, match, nth, times}, ..],
# where match may be code: it gets the command as an array.
sub start {
    my ($class, %opt) = @_;
    return $class->SUPER::start(name => 'fake', prefix => 'gate:', role => 'master', data => {},
        %opt, scripts => [map { { times => 1, nth => 1, seen => 0, %$_ } } @{ $opt{scripts} || [] }]);
}

# play([steps], match => qr/../ (on "COMMAND arguments.."; default: any), nth => 1 (of those from
# now on), times => 1 (0: for ever)); on => 'accept': the nth connection, before it says anything.
# exchange => 'first'|'second'|'both': the nth HGETALL and the GET behind it, of which the first or
# the second is answered by the steps, or both together are.
sub play {
    my ($self, $steps, %opt) = @_;
    ref($opt{match} // '') eq 'CODE' and die 'code is taken by start() only: the child has none of it';
    $opt{match} = "$opt{match}" if defined $opt{match};
    return $self->ask('play', script => { nth => 1, times => 1, seen => 0, %opt, steps => $steps });
}

# The script of a case in own/redis_wire.json, as the answer to the nth HGETALL and GET. False for
# one that no server plays (DNS). Options: nth, times, exchange ('first').
sub play_wire {
    my ($self, $case, %opt) = @_;
    return 0 if grep { defined $_->{dns} } @{ $case->{steps} };
    $self->play($case->{steps}, exchange => 'first', %opt);
    return 1;
}

# No script any more.
sub forget { my ($self) = @_; return $self->ask('forget'); }
# Connections at hold go on.
sub proceed { my ($self) = @_; return $self->ask('proceed'); }
# Nobody can connect; or everybody again.
sub refuse { my ($self) = @_; return $self->ask('refuse'); }
sub allow { my ($self) = @_; return $self->ask('allow'); }
# Ends all connections, by => 'close' or 'rst'.
sub drop { my ($self, %opt) = @_; return $self->ask('drop', %opt); }
# Other options from now on: be(role => 'slave', password => 'x').
sub be { my ($self, %state) = @_; return $self->ask('be', state => \%state); }
# A key's value: a text, [field, value, ..], or undef for none.
sub set { my ($self, $key, $value) = @_; return $self->ask('set', key => $key, value => $value); }

# The commands that came, each as an array; those alone that match as in play().
sub commands {
    my ($self, $match) = @_;
    return grep { !defined $match || join(' ', @$_) =~ $match } map { $_->{argv} } $self->events('command');
}

# Until count (1) of them have come.
sub wait_commands {
    my ($self, $match, $count, $seconds) = @_;
    return $self->wait_event('command', count => $count, timeout => $seconds,
        condition => sub { join(' ', @{ $_[0]{argv} }) =~ $match });
}

# How many scripts were played.
sub played { my ($self) = @_; return scalar(my @all = $self->events('play')); }

# ---- in the child: what it is told

sub do_play { my ($self, $arguments) = @_; push @{ $self->{scripts} }, $arguments->{script}; return; }
sub do_forget { my ($self) = @_; $self->{scripts} = []; return; }
sub do_refuse { my ($self) = @_; $self->close_listener; return; }
sub do_allow { my ($self) = @_; $self->open_listener; return; }
sub do_be { my ($self, $arguments) = @_; %$self = (%$self, %{ $arguments->{state} }); return; }
sub do_count { my ($self) = @_; return scalar keys %{ $self->{open} }; }

sub do_set {
    my ($self, $arguments) = @_;
    $self->{data}{ $arguments->{key} } = $arguments->{value};
    return;
}

sub do_proceed {
    my ($self) = @_;
    $_->{held} = 0 for values %{ $self->{open} };
    return;
}

sub do_drop {
    my ($self, $arguments) = @_;
    my @open = values %{ $self->{open} };
    $self->_end($_, $arguments->{by} // 'close') for @open;
    return;
}

# ---- in the child: connections

sub accepted {
    my ($self, $socket) = @_;
    my $c = { id => ++$self->{count}, socket => $socket, reader => Gate::RESP->new, out => '', wake => 0,
        queue => [] };
    $self->{open}{ fileno $socket } = $c;
    $self->{read}->add($socket);
    $self->note('connect', connection => $c->{id});
    my ($script) = $self->_fires(sub { ($_[0]{on} // '') eq 'accept' });
    push @{ $c->{queue} }, @{ $script->{steps} } if $script;
    return;
}

sub readable {
    my ($self, $socket) = @_;
    my $c = $self->{open}{ fileno $socket };
    my $got = sysread $socket, my $octets, 65536;
    return if !defined $got && $!{EAGAIN};
    if (!$got) {
        return $self->_end($c, defined $got ? 'eof' : 'reset');
    }
    $c->{reader}->feed($octets);
    while (my $argv = eval { $c->{reader}->take }) {
        $self->note('command', connection => $c->{id}, argv => $$argv);
        push @{ $c->{queue} }, $self->_steps($c, $$argv);
    }
    return if !$@;
    $self->note('broken', connection => $c->{id}, text => "$@");
    return $self->_end($c, 'close');
}

sub writable { return; }    # tick() writes

# Lets every connection go on as far as it can; the seconds until one wants to.
sub tick {
    my ($self) = @_;
    my $least;
    for my $c (my @all = values %{ $self->{open} }) {
        my $wait = $self->_go_on($c) // next;
        $least = $wait if !defined $least || $wait < $least;
    }
    return $least;
}

sub _go_on {
    my ($self, $c) = @_;
    my $socket = $c->{socket};
    while (1) {
        if (length $c->{out}) {
            return $self->_end($c, 'reset') if !Gate::Remote::send_some($socket, \$c->{out});
            if (length $c->{out}) {
                $self->{write}->add($socket);
                return undef;
            }
            $self->{write}->remove($socket);
        }
        my $left = $c->{wake} - time;
        return $left if $left > 0;
        return undef if $c->{held} || !@{ $c->{queue} };
        $self->_take_step($c, shift @{ $c->{queue} });
        return undef if $c->{gone};
    }
}

sub _take_step {
    my ($self, $c, $step) = @_;
    my $octets = $step->{send} // (defined $step->{send_b64} ? decode_base64($step->{send_b64}) : '');
    utf8::downgrade($octets);
    $c->{out} = $octets if !$c->{mute};
    my $delay = $step->{delay_ms} // $step->{sleep_ms};
    $c->{wake} = time + $delay / 1000 if $delay;
    $c->{held} = 1 if $step->{hold} || $step->{client_abort};
    $self->note('hold', connection => $c->{id}) if $c->{held};
    if ($step->{half_close}) {
        shutdown $c->{socket}, 1;
        $c->{mute} = 1;
    }
    $self->close_listener if $step->{refuse};
    $self->_end($c, $step->{rst} ? 'rst' : 'close') if $step->{rst} || $step->{close} || $step->{refuse};
    return;
}

# why: 'close' and 'rst' by us, 'eof' and 'reset' by the other side.
sub _end {
    my ($self, $c, $why) = @_;
    $self->note('end', connection => $c->{id}, why => $why);
    my $socket = $c->{socket};
    delete $self->{open}{ fileno $socket };
    $c->{gone} = 1;
    $self->{$_}->remove($socket) for qw(read write);
    $why eq 'rst' ? Gate::Remote::reset_socket($socket) : $self->close_socket($socket);
    return;
}

# ---- in the child: what a command is answered

sub _steps {
    my ($self, $c, $argv) = @_;
    my @usual = Gate::FakeRedis::Answers::steps($self, $c, $argv);
    my $second = uc $argv->[0] eq 'GET' ? delete $c->{second} : undef;
    if ($second) {
        return _with_usual($second->{steps}, @usual);
    }
    if (my $first = delete $c->{swapped}) {
        return (@usual, @$first);
    }
    my $text = join ' ', @$argv;
    my $script = $self->_fires(sub { _matches($_[0], $argv, $text) }) or return @usual;
    return $self->_by_script($c, $script, @usual);
}

sub _by_script {
    my ($self, $c, $script, @usual) = @_;
    if (grep { $_->{swap_next_two_replies} } @{ $script->{steps} }) {
        $c->{swapped} = \@usual;
        return;
    }
    my $part = $script->{exchange} // 'first';
    if ($part eq 'second') {
        $c->{second} = $script;
        return @usual;
    }
    $c->{second} = { steps => [] } if $part eq 'both';
    return _with_usual($script->{steps}, @usual);
}

sub _with_usual {
    my ($steps, @usual) = @_;
    return map { $_->{reply} ? @usual : $_ } @$steps;
}

sub _matches {
    my ($script, $argv, $text) = @_;
    return 0 if ($script->{on} // 'command') ne 'command';
    return uc $argv->[0] eq 'HGETALL' if $script->{exchange};
    my $match = $script->{match} // return 1;
    return ref $match eq 'CODE' ? $match->($argv) : $text =~ $match;
}

# The script whose turn it is; every one counts what concerns it.
sub _fires {
    my ($self, $concerns) = @_;
    my $found;
    for my $script (grep { $concerns->($_) } @{ $self->{scripts} }) {
        my $past = ++$script->{seen} - $script->{nth};
        next if $past < 0 || $script->{times} && $past >= $script->{times};
        $found //= $script;
    }
    $self->note('play') if $found;
    return $found;
}

1;
