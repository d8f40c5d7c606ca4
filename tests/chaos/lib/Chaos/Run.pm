package Chaos::Run;

# The run as a whole: starts everything, lets things happen, and says what came of it.

use strict;
use warnings;

use IO::Handle ();
use Storable ();
use Time::HiRes qw(sleep);

use Chaos::Client ();
use Chaos::Cluster ();
use Chaos::Faults ();
use Chaos::Model ();
use Chaos::Node ();
use Chaos::Sentinels ();
use Chaos::Watch ();
use Chaos::Writer ();
use Gate::HTTP ();
use Gate::Process ();
use Gate::Test ();
use Gate::Token ();

my $kClients = 4;
my $kWorkers = 2;          # of each node
my $kShown = 20;           # of what is lost
my $kPassword = 'secret';
my %topology = (sentinels => 'Chaos::Sentinels', cluster => 'Chaos::Cluster');

sub new {
    my ($class, %env) = @_;
    my $self = bless {
        seconds => $env{SECONDS} || 600,
        seed => $env{SEED} // int rand 1e6,
        rate => $env{RATE} // 4000,
        kills => $env{KILLS} || 0,
        topology => $topology{ $env{TOPOLOGY} || 'sentinels' } || die("TOPOLOGY: sentinels or cluster\n"),
        first => $env{FIRST} || 0,
        faults => [split /[ ,]+/, $env{FAULTS} // ''],
        number => 0, done => {}, told => 0, lost => [], restored => 0, longest => 0,
    }, $class;
    STDOUT->autoflush;
    return $self;
}

sub go {
    my ($self) = @_;
    printf "chaos: SEED=%d, %s\n", $self->{seed}, $self->{kills} ? "$self->{kills} faults" : "$self->{seconds} s";
    $self->_start;
    $self->{begun} = Chaos::Model::now();
    $self->_let_happen;
    my @clients = $self->_end_clients;
    my $changes = $self->{writer}->ask('end');
    return $self->_say(\@clients, $changes);
}

# ---- what there is

sub _start {
    my ($self) = @_;
    my $plain = $self->{plain} = Gate::Test->new(module => 0);
    $plain->start('server { listen 127.0.0.1:%%PORT%%; access_log off; keepalive_requests 100000000; '
        . 'location / { return 200 "$http_x_user"; } }');
    my $servers = $self->{servers} = $self->{topology}->new(test => $plain, password => $kPassword);
    my $journal = $plain->dir . '/journal';
    $self->{model} = Chaos::Model->new($journal);
    $self->{writer} = Chaos::Writer->start(test => $plain, journal => $journal, seed => $self->{seed}, pause => 0.03,
        $servers->for_writer);
    my %find = $servers->for_writer;
    $self->{watch} = Chaos::Watch->start(test => $plain, journal => $journal, find => $find{find});
    $self->{nodes} = [map { Chaos::Node->start(name => $_, where => $servers->where($_), password => $kPassword,
        app => $plain->port, max_lag => $Chaos::Model::MAX_LAG, workers => $kWorkers) } qw(A B)];
    $servers->{nodes} = $self->{nodes};
    $self->_wait_served($_) for @{ $self->{nodes} };
    $self->{events} = Chaos::Faults->new(servers => $servers, nodes => $self->{nodes},
        only => [grep { $_ ne 'none' } @{ $self->{faults} }]);
    $self->_start_clients($journal);
    return;
}

# Until a node has read the store.
sub _wait_served {
    my ($self, $node) = @_;
    my $token = Gate::Token::mint(key => 'es256');
    Gate::Test::wait_for(sub {
        Gate::HTTP::http_get('/plain', port => $node->port, headers => [Authorization => "Bearer $token"])->status == 200;
    }, 10) or die "$node->{name} does not serve\n";
    return;
}

sub _start_clients {
    my ($self, $journal) = @_;
    my $plain = $self->{plain};
    $self->{told_path} = $plain->dir . '/wrong';
    open $self->{told_file}, '+>>', $self->{told_path} or die "$self->{told_path}: $!";
    for my $number (1 .. $kClients) {
        my %opt = (number => $number, seed => $self->{seed}, journal => $journal, connections => 3,
            nodes => { map { $_->{name} => $_->port } @{ $self->{nodes} } }, rate => $self->{rate} / $kClients,
            file => $plain->dir . "/client.$number", told => $self->{told_path}, first => $self->{first});
        push @{ $self->{clients} }, { file => $opt{file}, process => Gate::Process->start(test => $plain,
            code => sub { Chaos::Client->new(%opt)->run }) };
    }
    return;
}

# ---- what happens

sub _let_happen {
    my ($self) = @_;
    my $calm = grep { $_ eq 'none' } @{ $self->{faults} };
    srand $self->{seed};    # free ports were found by chance
    $self->_pause(5);
    until ($self->_is_over) {
        my $may = $calm ? '' : $self->_fault;
        # Long enough to see that all is well again, for a while.
        $self->_pause(($may ? 1 : $Chaos::Model::kRecovery) + 2 * rand);
    }
    $self->_pause($Chaos::Model::kRecovery);
    return;
}

sub _is_over {
    my ($self) = @_;
    return 1 if grep { !$_->{process}->alive } @{ $self->{clients} };
    return $self->{number} >= $self->{kills} if $self->{kills};
    return Chaos::Model::now() - $self->{begun} >= $self->{seconds};
}

sub _pause {
    my ($self, $seconds) = @_;
    my $until = Chaos::Model::now() + $seconds;
    while (1) {
        $_->sample for @{ $self->{nodes} };
        $self->_show_wrong;
        $self->_look_after_servers;
        my $left = $until - Chaos::Model::now();
        return if $left <= 0 || $self->{first} && $self->_is_over;
        sleep $left > 0.5 ? 0.5 : $left;
    }
}

# Sentinels may name another master whenever they like, and whoever has to be led to it is.
sub _look_after_servers {
    my ($self) = @_;
    my $now = Chaos::Model::now();
    if ($self->{servers}->look_after) {
        $self->{model}->stall($self->{looked}, $now);
        printf "%6.1f s  another master, without a fault\n", $now - $self->{begun};
    }
    $self->{looked} = $now;
    return;
}

sub _fault {
    my ($self) = @_;
    my ($name, $who, $may) = $self->{events}->next_one;
    my $number = ++$self->{number};
    my $begin = Chaos::Model::now();
    $self->{done}{$name}++;
    $self->{model}->fault($number, $name, $who, $may);
    $self->{servers}{served} = sub { $self->{model}->served($number) };
    $self->{events}->happen($name);
    $self->{looked} = $begin;
    my $found = { lost => [], restored => 0, unsure => 0 };
    if ($may eq '') {
        $self->{servers}->repair;
        $found = $self->{writer}->ask('settle');
    }
    $self->{model}->repaired($number);
    push @{ $self->{lost} }, map {"fault $number ($name): $_"} @{ $found->{lost} };
    $self->{restored} += $found->{restored};
    printf "%6.1f s  fault %d: %s, %.1f s%s%s%s\n", $begin - $self->{begun}, $number, $name,
        Chaos::Model::now() - $begin, $found->{restored} ? ', the store was empty' : '',
        $found->{unsure} ? ", $found->{unsure} changes not acknowledged" : '',
        @{ $found->{lost} } ? ', LOST ' . @{ $found->{lost} } : '';
    return $may;
}

sub _show_wrong {
    my ($self) = @_;
    seek $self->{told_file}, $self->{told}, 0;
    while (defined(my $line = readline $self->{told_file})) {
        last if $line !~ /\n\z/;
        $self->{told} += length $line;
        $line =~ s/\A([\d.]+)/sprintf '%6.1f s ', $1 - $self->{begun}/e;
        print $line;
    }
    return;
}

# ---- what came of it

sub _end_clients {
    my ($self) = @_;
    my @found;
    for my $client (@{ $self->{clients} }) {
        $client->{process}->signal('TERM');
        $client->{process}->wait_end(15);
        push @found, eval { Storable::retrieve($client->{file}) }
            || { count => 0, status => {}, wrong => { died => 1 }, refused => {}, slowest => 0, lateness => {} };
    }
    $self->_show_wrong;
    return @found;
}

sub _say {
    my ($self, $clients, $changes) = @_;
    my $seconds = Chaos::Model::now() - $self->{begun};
    my (%status, %wrong, %late, $count, $slowest, $excused);
    for my $found (@$clients) {
        $count += $found->{count};
        $excused += $found->{excused} // 0;
        $status{$_} += $found->{status}{$_} for keys %{ $found->{status} };
        $wrong{$_} += $found->{wrong}{$_} for keys %{ $found->{wrong} };
        _raise(\$late{$_}, $found->{lateness}{$_}) for keys %{ $found->{lateness} || {} };
        $slowest = $found->{slowest} if $found->{slowest} > ($slowest // 0);
    }
    printf "\n%d answers in %.0f s (%.0f/s): %s; slowest %.2f s; %d excused\n", $count, $seconds, $count / $seconds,
        join(', ', map { ($_ || 'lost') . " $status{$_}" } sort keys %status), $slowest, $excused;
    printf "changes: %s\n", join ', ', map {"$_ $changes->{$_}"} sort keys %$changes;
    printf "faults: %s; the store was restored %d times\n",
        join(', ', map {"$_ $self->{done}{$_}"} sort keys %{ $self->{done} }) || 'none', $self->{restored};
    printf "longest until a change counted (s): %s\n", _listed(\%late);
    $self->_say_windows($clients);
    my $problems = $self->_say_nodes;
    printf "wrong decisions %d, lost acknowledged changes %d, identity mix-ups %d\n", $wrong{decision} // 0,
        scalar @{ $self->{lost} }, $wrong{identity} // 0;
    my @lost = @{ $self->{lost} };
    print "lost: $_\n" for @lost > $kShown ? @lost[0 .. $kShown - 1] : @lost;
    print "a client died\n" if $wrong{died};
    my $bad = $problems || %wrong || @{ $self->{lost} } || !$count;
    printf "chaos: %s (SEED=%d)\n", $bad ? 'FAILED' : 'ok', $self->{seed};
    return $bad ? 1 : 0;
}

# How long nodes answered 503, by fault, and how long they still did so when there was a master, and when
# all was repaired.
sub _say_windows {
    my ($self, $clients) = @_;
    my %span;
    for my $refused (map { $_->{refused} } @$clients) {
        for my $where (keys %$refused) {
            my ($first, $last) = @{ $refused->{$where} };
            my $span = $span{$where} //= [$first, $last];
            $span->[0] = $first if $first < $span->[0];
            $span->[1] = $last if $last > $span->[1];
        }
    }
    $self->{model}->read_on;
    my %fault = map { $_->{number} => $_ } @{ $self->{model}{all_faults} };
    my (%longest, %served, %after);
    for my $where (keys %span) {
        my ($number, $node) = split / /, $where;
        my $fault = $fault{$number};
        _raise(\$longest{"$fault->{name} $node"}, $span{$where}[1] - $span{$where}[0]);
        _raise(\$served{"$fault->{name} $node"}, $span{$where}[1] - $fault->{served}) if $fault->{served};
        _raise(\$after{"$fault->{name} $node"}, $span{$where}[1] - ($fault->{to} // $span{$where}[1]));
    }
    printf "longest 503 window (s): %s\n", _listed(\%longest);
    printf "longest 503 after there was a master again (s): %s\n", _listed(\%served);
    printf "longest 503 after the repair (s): %s\n", _listed(\%after);
    return;
}

sub _raise {
    my ($most, $value) = @_;
    $$most //= 0;
    $$most = $value if $value > $$most;
    return;
}

sub _listed {
    my ($values) = @_;
    return join(', ', map { sprintf '%s %.2f', $_, $values->{$_} } sort keys %$values) || 'none';
}

sub _say_nodes {
    my ($self) = @_;
    my @problems;
    for my $node (@{ $self->{nodes} }) {
        $node->sample;
        my ($most, @words) = $node->growth;
        printf "%s: no process grew by more than %d KiB and %d descriptors\n", $node->{name},
            $most->{memory}, $most->{descriptors};
        push @problems, @words;
        $node->stop or push @problems, "$node->{name} does not stop";
        push @problems, map {"$node->{name}: $_"} $node->alarms;
    }
    print "problem: $_\n" for @problems;
    return scalar @problems;
}

1;
