package Chaos::Client;

# A client with several connections that it keeps, a process of its own. It asks many questions at
# once on each, judges every answer by the model, and leaves in a file what it found:
#   {count, status => {..}, wrong => {decision => n, identity => n}, refused => {"fault node" => [first, last]},
#   lateness, slowest, excused (503 while the servers stood still without a fault)}

use strict;
use warnings;

use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_RCVTIMEO);
use Storable ();
use Time::HiRes qw(sleep);

use Chaos::Model ();

my $kMostAtOnce = 24;      # questions on a connection
my $kPatience = 5;         # seconds without an answer: that hangs
my $kHeld = 5;             # seconds until nobody will tell any more that the servers stood still
my $kShown = 20;           # wrong answers of a client that are told in full

# Options: number, seed, journal, nodes => {name => port}, connections (to each), rate (answers a
# second; 0: as many as there are), file, told (file for what is wrong), first (stops at the first).
sub new {
    my ($class, %opt) = @_;
    my $self = bless { %opt, count => 0, status => {}, wrong => {}, refused => {}, slowest => 0, held => [],
        excused => 0 }, $class;
    $self->{model} = Chaos::Model->new($opt{journal});
    open $self->{told_file}, '>>', $opt{told} or die "$opt{told}: $!";
    return $self;
}

sub run {
    my ($self) = @_;
    srand $self->{seed} + $self->{number};
    my $stop = 0;
    local $SIG{TERM} = sub { $stop = 1 };
    local $SIG{PIPE} = 'IGNORE';
    my @lines = map { my $node = $_; map { { node => $node, port => $self->{nodes}{$node} } }
        1 .. $self->{connections} } sort keys %{ $self->{nodes} };
    my $next = Chaos::Model::now();
    until ($stop || getppid == 1 || $self->{first} && %{ $self->{wrong} }) {
        $self->{model}->read_on;
        my @open = grep { $self->_ask($_) } @lines;
        my @answers = map { $self->_collect($_) } @open;
        $self->{model}->read_on;
        $self->_judge($_) for @answers;
        $self->_judge_held(Chaos::Model::now() - $kHeld);
        sleep 0.01 if !@answers;
        next if !$self->{rate};
        my $now = Chaos::Model::now();
        $next += @answers / $self->{rate};
        $next > $now ? sleep $next - $now : $now - $next > 1 ? ($next = $now) : ();
    }
    $self->{model}->read_on;
    $self->_judge_held(9e99);
    my %found = map { $_ => $self->{$_} } qw(count status wrong refused slowest excused);
    Storable::store({ %found, lateness => $self->{model}{lateness} }, $self->{file});
    POSIX::_exit(0);
}

# Sends questions; false where nobody can be asked.
sub _ask {
    my ($self, $line) = @_;
    if (!$line->{socket}) {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $line->{port}, Proto => 'tcp')
            or return 0;
        setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
        setsockopt $socket, SOL_SOCKET, SO_RCVTIMEO, pack 'l!l!', $kPatience, 0;
        @{$line}{qw(socket in)} = ($socket, '');
    }
    my @questions = map { $self->_question } 1 .. 1 + rand $kMostAtOnce;
    $line->{asked} = Chaos::Model::now();
    $line->{questions} = \@questions;
    syswrite $line->{socket}, join '', map { $_->{text} } @questions;    # what fails is seen by reading
    return 1;
}

my %path = (open => '/open', plain => '/plain', scoped => '/scoped');

sub _question {
    my ($self) = @_;
    my $what = rand;
    return { location => 'open', text => "GET /open HTTP/1.1\r\nHost: a\r\n\r\n" } if $what < 0.05;
    return { location => 'plain', text => "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n" } if $what < 0.07;
    my $location = $what < 0.2 ? 'scoped' : 'plain';
    my $credential = $self->{model}->any;
    my $text = $credential->{"ask_$location"} //= "GET $path{$location} HTTP/1.1\r\nHost: a\r\n"
        . ($credential->{kind} eq 'key' ? 'X-API-Key: ' : 'Authorization: Bearer ')
        . "$credential->{text}\r\n\r\n";
    return { location => $location, credential => $credential, text => $text };
}

# The answers to what was asked on a connection. Where it ends before the last, the first that has none
# counts as lost, and nobody knows whether the others were read.
sub _collect {
    my ($self, $line) = @_;
    my ($questions, @answers) = ($line->{questions});
    my $got = Chaos::Model::now();
    while (@answers < @$questions) {
        if (my ($status, $subject, $last) = _take(\$line->{in})) {
            my $question = $questions->[@answers];
            push @answers, { %$question, node => $line->{node}, asked => $line->{asked}, got => $got,
                status => $status, subject => $subject };
            next if !$last || @answers == @$questions;
        } elsif (sysread $line->{socket}, $line->{in}, 65536, length $line->{in}) {
            $got = Chaos::Model::now();
            next;
        } elsif ($!{EINTR}) {
            next;
        }
        my $hangs = Chaos::Model::now() - $got >= $kPatience;
        push @answers, { %{ $questions->[@answers] }, node => $line->{node}, asked => $line->{asked},
            got => Chaos::Model::now(), status => $hangs ? 599 : 0, subject => '' };
        close delete $line->{socket};
        last;
    }
    my $took = Chaos::Model::now() - $line->{asked};
    $self->{slowest} = $took if $took > $self->{slowest};
    return @answers;
}

# One answer from the front of the octets: status, subject, whether the connection ends. The subject
# stands in a field, or in the body that the upstream wrote.
sub _take {
    my ($in) = @_;
    $$in =~ m{\AHTTP/1\.1 (\d{3})[^\n]*\n((?:[^\r\n]+\r\n)*)\r\n} or return;
    my ($status, $fields, $begin) = ($1, $2, $+[0]);
    my ($length) = $fields =~ /^Content-Length: (\d+)/mi;
    $length //= 0;
    return if length $$in < $begin + $length;
    my $subject = $fields =~ /^X-Subject: ([^\r]*)/m ? $1
        : $fields =~ m{^Content-Type: text/plain}m ? substr $$in, $begin, $length : '';
    my $last = $fields =~ /^Connection: close/mi;
    substr $$in, 0, $begin + $length, '';
    return ($status, $subject, $last);
}

sub _judge {
    my ($self, $answer) = @_;
    my $status = $answer->{status};
    $self->{count}++;
    $self->{status}{$status}++;
    $self->_note_refusal($answer) if $status == 503;
    my ($kind, $words) = $self->{model}->wrong($answer) or return;
    return $status == 503 ? push @{ $self->{held} }, $answer : $self->_tell($answer, $kind, $words);
}

# 503 that no fault explains.
sub _judge_held {
    my ($self, $before) = @_;
    my $held = $self->{held};
    while (@$held && $held->[0]{got} < $before) {
        my $answer = shift @$held;
        if ($self->{model}->stalled($answer)) { $self->{excused}++; }
        else { $self->_tell($answer, $self->{model}->wrong($answer)); }
    }
    return;
}

sub _tell {
    my ($self, $answer, $kind, $words) = @_;
    $self->{wrong}{$kind}++;
    return if ++$self->{shown} > $kShown;
    my $credential = $answer->{credential} || { id => '-', kind => 'nobody', states => [] };
    my $fault = $self->{model}->fault_at($answer->{got});
    my $about = $fault ? sprintf 'fault %d (%s) %.2f s ago%s', $fault->{number}, $fault->{name},
        $answer->{asked} - $fault->{from}, defined $fault->{to}
            ? sprintf ', repaired %.2f s ago', $answer->{asked} - $fault->{to} : '' : 'no fault yet';
    my @states = map { sprintf '%s (begun %.2f s ago, %s)', $_->[2], $answer->{asked} - $_->[0],
        defined $_->[1] ? sprintf 'acknowledged %.2f s ago', $answer->{asked} - $_->[1] : 'not acknowledged'
        } grep { $_->[0] } @{ $credential->{states} };
    syswrite $self->{told_file}, sprintf "%.3f wrong %s: %s /%s %s %s: %s; answered after %.3f s; %s; %s\n",
        $answer->{got}, $kind, $answer->{node}, $answer->{location}, $credential->{kind}, $credential->{id},
        $words, $answer->{got} - $answer->{asked}, $about, join(', ', @states) || 'never changed';
    return;
}

sub _note_refusal {
    my ($self, $answer) = @_;
    my $fault = $self->{model}->fault_at($answer->{got}) or return;
    my $span = $self->{refused}{"$fault->{number} $answer->{node}"} //= [$answer->{got}, 0];
    $span->[1] = $answer->{got};
    return;
}

1;
