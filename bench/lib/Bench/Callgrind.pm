package Bench::Callgrind;

# One nginx as a single process under callgrind, which counts only between start() and stop(), and
# what each function cost by itself in that time.

use strict;
use warnings;

use File::Copy ();
use Gate::Test ();
use IO::Socket::INET;
use POSIX ();

# new(gate => 0 or 1, http => text of the http block, files => sub that writes its files,
# upstream => the Gate::Test that %%PORT_app%% stands for)
sub new {
    my ($class, %opt) = @_;
    my $nginx = Gate::Test->new(module => $opt{gate}, log_level => 'warn');
    $nginx->{ports}{app} = $opt{upstream}->port if $opt{upstream};
    $opt{files}->($nginx) if $opt{files};
    $nginx->write_config($opt{http}, main => 'daemon off; master_process off;');
    my $self = bless { nginx => $nginx, dir => $nginx->dir, dumps => 0 }, $class;
    defined(my $pid = fork) or die "fork: $!";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$self->{dir}/callgrind.out";
        open STDERR, '>&', \*STDOUT;
        exec 'valgrind', '--tool=callgrind', '--instr-atstart=no', '--compress-strings=no',
            '--compress-pos=no', "--callgrind-out-file=$self->{dir}/cg", $nginx->{nginx}, '-p',
            "$self->{dir}/", '-c', "$self->{dir}/nginx.conf";
        die 'no valgrind';
    }
    $self->{pid} = $pid;
    my $up = Gate::Test::wait_for(sub {
        waitpid($pid, POSIX::WNOHANG()) == $pid and die 'nginx did not start under valgrind: '
            . Gate::Test::slurp("$self->{dir}/callgrind.out") . $nginx->error_log . "\n";
        return $nginx->pid && IO::Socket::INET->new("127.0.0.1:" . $nginx->port);
    }, 300);
    die "nginx does not answer under valgrind\n" if !$up;
    return $self;
}

sub port { return $_[0]{nginx}->port; }

sub _control {
    my ($self, @arguments) = @_;
    my $said = qx(callgrind_control @arguments $self->{pid} 2>&1);
    die "callgrind_control @arguments: $said\n" if $? || $said !~ /OK/;
    return;
}

# Translates all code anew: a few requests should pass before what counts.
sub start { my ($self) = @_; $self->_control('-i', 'on'); return; }

sub zero { my ($self) = @_; $self->_control('-z'); return; }

# Instructions since zero() or the last take(), by "object\tfunction": {by itself}, {with all that
# it calls}. The dump itself, for callgrind_annotate, goes to the file $keep if one is given.
sub take {
    my ($self, $keep) = @_;
    $self->_control('-d');
    my $dump = "$self->{dir}/cg." . ++$self->{dumps};
    File::Copy::copy($dump, $keep) || die "$keep: $!" if $keep;
    return _read_dump($dump);
}

sub _object {
    my $name = $_[0] =~ s{.*/}{}r;
    return $name =~ /gate_module/ ? 'gate' : $name =~ s/\.so.*//r;
}

# A library without symbols counts as one function.
sub _name {
    my ($object, $function) = @_;
    $function =~ s/'\d+\z//;    # a level of recursion
    return $function =~ /\A0x/ ? "(functions of $object without a name)" : $function;
}

# The format is described in valgrind's manual, "Callgrind Format Specification": a line behind
# "calls=" is what the callee cost, all others are the function's own.
sub _read_dump {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!";
    my (%own, %all, $function, $called);
    my $object = '';
    while (my $line = <$file>) {
        if ($line =~ /\Aob=(.*)/) { $object = _object($1); }
        elsif ($line =~ /\Afn=(.*)/) { $function = "$object\t" . _name($object, $1); }
        elsif ($line =~ /\Acalls=/) { $called = 1; }
        elsif ($line =~ /\A(?:0x[0-9a-f]+|\d+) (?:\d+ )?(\d+)\s*\z/) {
            $own{$function} += $1 if !$called;
            $all{$function} += $1;
            $called = 0;
        }
    }
    return (\%own, \%all);
}

sub stop {
    my ($self) = @_;
    kill 'TERM', $self->{pid};
    waitpid $self->{pid}, 0;
    unlink "$self->{dir}/nginx.pid";
    return;
}

1;
