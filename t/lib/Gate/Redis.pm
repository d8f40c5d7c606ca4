package Gate::Redis;

# A real redis-server of a test's own, below the test's directory and on a free port:
#
#   my $redis = Gate::Redis->new(test => $t, options => { maxmemory => '2mb' })->start;
#   $redis->cmd('SET', 'a', 1);
#
# It ends with the test. t/harness_redis.t shows all of it.

use strict;
use warnings;

use Time::HiRes ();

use Gate::Certs ();
use Gate::Guard ();
use Gate::Ports ();
use Gate::Process ();
use Gate::Redis::Client ();
use Gate::Redis::Monitor ();
use Gate::Test ();

# Options, besides test:
#   name        of its directory ('redis')
#   host        address it listens at (127.0.0.1)
#   port        default: a free one
#   within      [words] before its command: ip netns exec NAME
#   options     {name => value or [values..]} of redis.conf
#   acl         [lines of an ACL file]; see ACL LIST
#   user, password   for the test's own connections; a password without acl is requirepass too
#   tls         1: TLS only; 'mutual': it asks for a client's certificate
#   certs       Gate::Certs (default: those of the test's directory)
#   cert        which of them it shows ('server'; 'wrong', 'expired', 'stranger' are no good)
#   unixsocket  1: also listens at socket_path()
#   persist     1: every write is on disk before it is acknowledged
#   sentinel    lines of a sentinel's configuration: this is one
#   timeout     seconds that the test's own commands may take (5)
sub new {
    my ($class, %opt) = @_;
    my $self = bless { name => 'redis', host => '127.0.0.1', options => {}, cert => 'server', timeout => 5, %opt }, $class;
    $self->{dir} = $self->{test}->dir . "/$self->{name}";
    -e $self->{dir} and die "there is a $self->{name} already";
    mkdir $self->{dir} or die "$self->{dir}: $!";
    $self->{port} //= Gate::Ports::free_port();
    $self->{certs} //= Gate::Certs->of($self->{test}) if $self->{tls};
    return $self;
}

sub dir { return $_[0]{dir}; }
sub port { return $_[0]{port}; }
sub address { return "$_[0]{host}:$_[0]{port}"; }
sub socket_path { return "$_[0]{dir}/redis.sock"; }
sub pid { return $_[0]{process} && $_[0]{process}->pid; }
sub log { return Gate::Test::slurp("$_[0]{dir}/redis.log"); }

# ---- configuration

sub _listening {
    my ($self) = @_;
    my %all = (bind => $self->{host}, port => $self->{tls} ? 0 : $self->{port});
    @all{qw(unixsocket unixsocketperm)} = ($self->socket_path, 777) if $self->{unixsocket};
    return %all if !$self->{tls};
    my $certs = $self->{certs};
    return (%all, 'tls-port' => $self->{port}, 'tls-replication' => 'yes', 'tls-cluster' => 'yes',
        'tls-cert-file' => $certs->cert($self->{cert}), 'tls-key-file' => $certs->key($self->{cert}),
        'tls-client-cert-file' => $certs->cert('client'), 'tls-client-key-file' => $certs->key('client'),
        'tls-ca-cert-file' => $certs->ca,
        'tls-auth-clients' => $self->{tls} eq 'mutual' ? 'yes' : 'no');
}

# Without waits for replicas at the start of a copy and at the end: a test starts many.
sub _storing {
    my ($self) = @_;
    my %all = (save => '""', 'repl-diskless-sync-delay' => 0, 'shutdown-timeout' => 0,
        'enable-debug-command' => 'yes');
    @all{qw(appendonly appendfsync)} = ('yes', 'always') if $self->{persist};
    @all{qw(requirepass masterauth)} = (quoted($self->{password})) x 2
        if defined $self->{password} && !$self->{acl};
    $all{aclfile} = "$self->{dir}/users.acl" if $self->{acl};
    return %all;
}

# A word of redis.conf.
sub quoted {
    my ($text) = @_;
    return $text if $text =~ m{\A[\w./:-]+\z};
    return '"' . $text =~ s/(["\\])/\\$1/gr . '"';
}

# Values are texts of redis.conf, of one word or several ("normal 0 0 0").
sub _lines {
    my (%options) = @_;
    my @lines;
    for my $name (sort keys %options) {
        push @lines, "$name $_" for ref $options{$name} ? @{ $options{$name} } : $options{$name};
    }
    return @lines;
}

# A sentinel writes its own file anew: it is made once.
sub _write_config {
    my ($self, %more) = @_;
    my $path = "$self->{dir}/redis.conf";
    return $path if $self->{sentinel} && -e $path;
    my @own = $self->{sentinel} ? @{ $self->{sentinel} } : _lines($self->_storing);
    $self->_write('users.acl', @{ $self->{acl} }) if $self->{acl} && !-e "$self->{dir}/users.acl";
    return $self->_write('redis.conf', "dir $self->{dir}", "logfile $self->{dir}/redis.log",
        _lines($self->_listening), @own, _lines(%{ $self->{options} }, %more));
}

sub _write {
    my ($self, $name, @lines) = @_;
    return $self->{test}->write_file("$self->{name}/$name", join "\n", @lines, '');
}

# ---- life

# wait => 0: returns at once. options: of this start only.
sub start {
    my ($self, %opt) = @_;
    die "$self->{name} runs already" if $self->alive;
    my $config = $self->_write_config(%{ $opt{options} || {} });
    $self->{process} = Gate::Process->start(test => $self->{test}, output => "$self->{dir}/redis.log",
        command => [@{ $self->{within} || [] }, 'redis-server', $config, $self->{sentinel} ? '--sentinel' : ()]);
    return $self if defined $opt{wait} && !$opt{wait};
    return $self->wait_ready;
}

# Until it answers PING and has loaded its data; dies with its log.
sub wait_ready {
    my ($self, $seconds) = @_;
    Gate::Test::wait_for(sub {
        $self->alive or die "$self->{name} has ended:\n" . $self->_last_words;
        my $answer = eval { $self->_client->call('PING') } // $@;
        $answer eq 'PONG' || $answer =~ /\A(?:NOAUTH|NOPERM)/;
    }, $seconds // 10) or die "$self->{name} is not ready:\n" . $self->_last_words;
    return $self;
}

sub _last_words {
    my ($self) = @_;
    return $self->log =~ s/^.* # WARNING .*\n//mgr =~ /((?:.*\n){0,8})\z/ ? $1 : '';
}

sub alive { my ($self) = @_; return $self->{process} && $self->{process}->alive; }

# Alive and not halted by STOP: it can answer.
sub awake { my ($self) = @_; return $self->alive && Gate::Guard::state_of($self->pid) ne 'T'; }

# Ends as redis-server ends for its operator: with persist it has all its data afterwards.
sub stop {
    my ($self) = @_;
    delete $self->{client};
    $self->{process}->stop if $self->{process};
    return $self;
}

# A signal (KILL); after KILL it is gone, after STOP it stands still.
sub kill {
    my ($self, $name) = @_;
    $name //= 'KILL';
    $self->{process} && $self->{process}->signal($name) or die "$self->{name} does not run";
    delete $self->{client} if $name eq 'KILL';
    return $self;
}

# With the data it has, or empty => 1: with none. More options as for start().
sub restart {
    my ($self, %opt) = @_;
    if ($self->alive && !$opt{empty} && !$self->{persist} && !$self->{sentinel}) {
        $self->cmd('SAVE');
    }
    $self->stop;
    if ($opt{empty}) {
        unlink "$self->{dir}/dump.rdb", glob "$self->{dir}/appendonlydir/*";
    }
    return $self->start(%opt);
}

# ---- commands

# What IO::Socket::SSL needs to talk to it; without a look at a certificate that is no good anyway.
sub tls_options {
    my ($self) = @_;
    return undef if !$self->{tls};    # one value in every list of options
    my $certs = $self->{certs};
    return { SSL_ca_file => $certs->ca, SSL_verifycn_name => 'localhost', SSL_verifycn_scheme => 'default',
        SSL_verify_mode => $self->{cert} eq 'server' ? 1 : 0,
        SSL_cert_file => $certs->cert('client'), SSL_key_file => $certs->key('client') };
}

# A connection of its own: user, password, timeout; path for the unix socket.
sub client {
    my ($self, %opt) = @_;
    my $client = Gate::Redis::Client->new(host => $self->{host}, port => $self->{port}, tls => $self->tls_options,
        user => $self->{user}, password => $self->{password}, timeout => $self->{timeout}, %opt);
    $self->{own}{ $client->address } = 1;
    return $client;
}

sub _client {
    my ($self) = @_;
    delete $self->{client} if $self->{client} && !$self->{client}->usable;
    return $self->{client} //= $self->client;
}

# For connections from now on, after a change of requirepass or of the ACL.
sub credentials {
    my ($self, $user, $password) = @_;
    @{$self}{qw(user password)} = ($user, $password);
    delete $self->{client};
    return;
}

# cmd(command, arguments..): the reply. Dies for an error reply.
sub cmd {
    my ($self, @argv) = @_;
    my $reply = $self->_client->call(@argv);
    die "$self->{name}: @argv[0 .. ($#argv && 1)]: $reply\n" if _is_error($reply);
    return $reply;
}

# (reply, undef), or (undef, text of the error), which may be that of a failed connection.
sub try_cmd {
    my ($self, @argv) = @_;
    my $reply = eval { $self->_client->call(@argv) };
    return (undef, $@ =~ s/\n\z//r) if $@;
    return _is_error($reply) ? (undef, "$reply") : ($reply, undef);
}

# transaction([command, arguments..], ..): their replies, all or none of them done.
sub transaction {
    my ($self, @commands) = @_;
    my $done = ($self->_client->calls(['MULTI'], @commands, ['EXEC']))[-1];
    my ($error) = grep { _is_error($_) } $done, ref $done eq 'ARRAY' ? @$done : ();
    die "$self->{name}: transaction: $error\n" if defined $error;
    return @$done;
}

sub _is_error { return ref $_[0] eq 'Gate::RESP::Error'; }

# ---- what it knows

# {name => value} of a section of INFO.
sub info {
    my ($self, $section) = @_;
    return { $self->_look('INFO', $section) =~ /^([^#\s:][^:\r\n]*):([^\r\n]*)/mg };
}

# The reply to ROLE: master, slave or sentinel first, or nothing of one that does not answer.
sub role { my ($self) = @_; return eval { $self->_look('ROLE') } // ['']; }

# A command that may be sent twice: a server that changes its master closes all connections.
sub _look {
    my ($self, @argv) = @_;
    return eval { $self->cmd(@argv) } // $self->cmd(@argv);
}

# {command => {calls, usec, rejected_calls, failed_calls, ..}}, in lower case, since reset_stats.
sub commandstats {
    my ($self) = @_;
    my $info = $self->info('commandstats');
    return { map { s/\Acmdstat_//r => { map { split /=/ } split /,/, $info->{$_} } } keys %$info };
}

sub reset_stats { my ($self) = @_; $self->cmd('CONFIG', 'RESETSTAT'); return; }

# Polls until $ask, which asks nginx for keys, is true without a lookup. What is asked for in the second of a
# change is kept to the end of that second, which does not count.
sub wait_kept {
    my ($self, $ask) = @_;
    return Gate::Test::wait_for(sub {
        $ask->();
        Time::HiRes::sleep(1.05 - (Time::HiRes::time() - int Time::HiRes::time()));
        $self->reset_stats;
        return $ask->() && !$self->commandstats->{hgetall};
    }, 20);
}

# [{id, addr, name, cmd, ..}] of the connections that are not the test's own.
sub clients {
    my ($self) = @_;
    my @all = map { { map { split /=/, $_, 2 } split / / } } split /\n/, $self->cmd('CLIENT', 'LIST');
    return grep { !$self->{own}{ $_->{addr} } && $_->{flags} !~ /O/ } @all;    # O: MONITOR
}

# Until this replica has everything that the master has now.
sub wait_copy_of {
    my ($self, $master, $seconds) = @_;
    my $offset = $master->info('replication')->{master_repl_offset};
    return Gate::Test::wait_for(sub {
        my $copy = $self->info('replication');
        ($copy->{master_link_status} // '') eq 'up' && $copy->{slave_repl_offset} >= $offset;
    }, $seconds // 10) || die "$self->{name} does not follow:\n" . $self->_last_words;
}

# Records every command from now on, until it is stopped.
sub monitor {
    my ($self) = @_;
    return Gate::Redis::Monitor->start($self);
}

1;
