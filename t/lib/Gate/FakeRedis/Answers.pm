package Gate::FakeRedis::Answers;

# What a Gate::FakeRedis answers where no script says otherwise, in the words of Redis 7.0.

use strict;
use warnings;

use Gate::RESP qw(reply ok status integer error);

# Of the server: user, password, role, master, slots, prefix, epoch, data. Of the connection: authed.
my %answer = (
    AUTH => \&_auth,
    SELECT => sub { ok },
    CLIENT => \&_client,
    ROLE => \&_role,
    PING => sub { $_[2][1] // status('PONG') },
    ECHO => sub { $_[2][1] },
    GET => \&_get,
    HGETALL => sub { my $value = $_[0]{data}{ $_[2][1] }; ref $value ? $value : defined $value ? _wrong_type() : [] },
    EXISTS => sub { integer(scalar grep { defined $_[0]{data}{$_} } @{ $_[2] }[1 .. $#{ $_[2] }]) },
    SENTINEL => sub { $_[0]{master} },
    CLUSTER => sub { $_[0]{slots} // [[integer(0), integer(16383), ['127.0.0.1', integer($_[0]{port}), 'fake']]] },
    CONFIG => sub { ($_[2][2] // '') eq 'maxmemory-policy' ? ['maxmemory-policy', 'noeviction'] : [] },
    INFO => sub { "# Server\r\nredis_version:7.0.15\r\n# Replication\r\nrole:$_[0]{role}\r\n" },
    READONLY => sub { ok },
    ASKING => sub { ok },
    ZSCAN => sub { ['0', []] },
    XRANGE => sub { [] },
    XREVRANGE => sub { [] },
    XINFO => sub { ['length', integer(0), 'last-generated-id', '0-0', 'first-entry', undef, 'last-entry', undef] },
    XADD => sub { '1700000000000-' . ++$_[0]{entries} },
    XREAD => sub { undef },
    ZADD => sub { integer(1) },
    MULTI => sub { $_[1]{transaction} = []; ok },
    EXEC => \&_exec,
);

# The steps that answer a command on a connection.
sub steps {
    my ($server, $c, $argv) = @_;
    my $name = uc $argv->[0];
    if (defined $server->{password} && !$c->{authed} && $name ne 'AUTH') {
        return { send => reply(error('NOAUTH Authentication required.')) };
    }
    if ($c->{transaction} && $name ne 'EXEC') {
        push @{ $c->{transaction} }, $argv;
        return { send => reply(status('QUEUED')) };
    }
    my $code = $answer{$name}
        or return { send => reply(error("ERR unknown command '$argv->[0]', with args beginning with: ")) };
    my $send = { send => reply(scalar $code->($server, $c, $argv)) };
    my ($block) = $name eq 'XREAD' ? "@$argv" =~ /\bBLOCK (\d+)/i : ();
    return $block ? ({ delay_ms => $block }, $send) : $send;
}

sub _wrong_type { return error('WRONGTYPE Operation against a key holding the wrong kind of value'); }

sub _auth {
    my ($server, $c, $argv) = @_;
    my ($user, $password) = @$argv == 3 ? @$argv[1, 2] : ('default', $argv->[1]);
    if (!defined $server->{password}) {
        return ok if @$argv == 3 && $user eq 'default';
        return error('ERR AUTH <password> called without any password configured for the default user. '
            . 'Are you sure your configuration is correct?') if @$argv == 2;
    }
    $c->{authed} = defined $server->{password} && $user eq ($server->{user} // 'default')
        && $password eq $server->{password};
    return $c->{authed} ? ok : error('WRONGPASS invalid username-password pair or user is disabled.');
}

sub _client {
    my ($server, $c, $argv) = @_;
    return integer($c->{id}) if uc($argv->[1] // '') eq 'ID';
    return ok;
}

# ROLE of a master without replicas, of a replica whose link is up, of a sentinel.
sub _role {
    my ($server) = @_;
    my ($host, $port) = @{ $server->{master} || ['127.0.0.1', 1] };
    return ['slave', $host, integer($port), 'connected', integer(0)] if $server->{role} eq 'slave';
    return ['sentinel', ['gate']] if $server->{role} eq 'sentinel';
    return ['master', integer(0), []];
}

sub _exec {
    my ($server, $c) = @_;
    my $commands = delete $c->{transaction} or return error('ERR EXEC without MULTI');
    return [map { scalar $answer{ uc $_->[0] }->($server, $c, $_) } @$commands];
}

sub _get {
    my ($server, $c, $argv) = @_;
    return $server->{epoch} if $argv->[1] eq "$server->{prefix}epoch";
    my $value = $server->{data}{ $argv->[1] };
    return ref $value ? _wrong_type() : $value;
}

1;
