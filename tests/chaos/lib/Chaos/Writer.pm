package Chaos::Writer;

# Who makes keys and tokens and revokes, suspends and changes them, a process of its own: by
# transactions as docs/REDIS.md describes them, and by gatectl. It says so in the model's journal, and
# after each fault sees to it that the store holds all that it shall: settle().

use strict;
use warnings;

use IO::Handle;
use JSON::PP ();
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM);
use Time::HiRes qw(sleep);

use Chaos::Model ();
use Chaos::Store ();
use Gate::KeyRecord ();
use Gate::Process ();
use Gate::Test ();
use Gate::Token ();

my $kIssuer = 'https://idp.example.com';
my %kPool = (token => 120, key => 60);    # credentials in use
my $kOld = 20;                            # seconds that a refused one is asked for

# ---- in the run

# Options: test, journal, seed, pause (seconds between two changes), prefix, find (options of Chaos::Store),
# gatectl => [options].
sub start {
    my ($class, %opt) = @_;
    my $self = bless { %opt, number => 0, known => {}, made => {}, changes => {} }, $class;
    socketpair $self->{here}, $self->{there}, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!";
    $self->{model} = Chaos::Model->new($opt{journal});
    $self->{process} = Gate::Process->start(test => $opt{test}, keep => [$self->{there}, $self->{model}{out}],
        code => sub { $self->_work });
    close delete $self->{there};
    return $self->ask('begin');
}

# Tells it what to do and returns what it says: {..}. begin: makes the first ones; settle; end.
sub ask {
    my ($self, $what) = @_;
    local $SIG{PIPE} = 'IGNORE';
    syswrite $self->{here}, "$what\n";
    my $line = readline $self->{here};
    die "the writer has ended\n" if !defined $line;
    my $answer = JSON::PP::decode_json($line);
    die "writer: $answer->{error}" if defined $answer->{error};
    return $what eq 'begin' ? $self : $answer;
}

# ---- in the child

sub _work {
    my ($self) = @_;
    srand $self->{seed};
    $self->{store} = Chaos::Store->new(%{ $self->{find} });
    $self->{keys} = Gate::KeyRecord->new($self->{store}, prefix => $self->{prefix});
    $self->{there}->autoflush;
    my $ready = '';
    vec($ready, fileno $self->{there}, 1) = 1;
    my $working = 0;
    while (1) {
        if (select my $in = $ready, undef, undef, $working ? $self->{pause} * 2 * rand : undef) {
            my $what = readline $self->{there};
            return if !defined $what;
            chomp $what;
            my $answer = eval { $self->can("_do_$what")->($self) } || { error => $@ || 'nothing' };
            print { $self->{there} } JSON::PP::encode_json($answer) . "\n";
            return if $what eq 'end';
            $working = 1;
        }
        eval { $self->_change_something; 1 } or print STDERR "writer: $@";
    }
    return;
}

sub _do_begin {
    my ($self) = @_;
    $self->{keys}->set_up;
    for my $kind (qw(token key)) {
        $self->can("_new_$kind")->($self) for 1 .. $kPool{$kind};
    }
    $self->_new_hopeless($_) for 1 .. 4;
    return {};
}

sub _do_end { my ($self) = @_; return $self->{changes}; }

# Those that never pass.
sub _new_hopeless {
    my ($self, $number) = @_;
    my $subject = "nobody-$number";
    my %by = (key => 'es256', claims => { sub => $subject, jti => $subject });
    my $now = time;
    $self->{model}->add("forged-$number", 'token', Gate::Token::mint(%by, key => Gate::Token::new_key('P-256', 'es256')), $subject, 'bad');
    $self->{model}->add("expired-$number", 'token', Gate::Token::mint(key => 'es256',
        claims => { sub => $subject, iat => $now - 7200, exp => $now - 3600 }), $subject, 'bad');
    $self->{model}->add("other-$number", 'token', Gate::Token::mint(key => 'es256',
        claims => { sub => $subject, aud => 'other' }), $subject, 'bad');
    $self->{model}->add("unknown-$number", 'key', Gate::Token::api_key('acme_'), $subject, 'bad');
    return;
}

sub _scopes { return rand() < 0.7 ? ['orders:read', 'a'] : ['a']; }
sub _good { my ($scopes) = @_; return 'good:' . join ',', @$scopes; }

# A token is good from the moment that it is signed.
sub _new_token {
    my ($self) = @_;
    my $id = 't' . ++$self->{number};
    my $scopes = _scopes();
    my $one = $self->{known}{$id} = { id => $id, kind => 'token', items => [],
        names => { sub => "user-$id", jti => "jti-$id", sid => "sid-$id", client => "client-$id" } };
    my $text = Gate::Token::mint(key => 'es256', claims => { sub => "user-$id", jti => "jti-$id",
        sid => "sid-$id", client_id => "client-$id", scope => join(' ', @$scopes), exp => time + 86400 });
    $one->{state} = _good($scopes);
    $self->{model}->add($id, 'token', $text, "user-$id", $one->{state});
    return $one;
}

sub _new_key {
    my ($self) = @_;
    my $id = 'k' . ++$self->{number};
    my $key = Gate::Token::api_key('acme_');
    my $one = $self->{known}{$id} = { id => $id, kind => 'key', items => [],
        record => Gate::Token::key_record($key, owner => "user-$id", scopes => _scopes()) };
    $self->{model}->add($id, 'key', $key, "user-$id", 'bad');
    return $self->_change($one, _good($one->{record}{scopes}));
}

# ---- changes

# One whose state changes by code, or by what write() writes. What was not acknowledged may or may not
# be in force, until settle().
sub _change {
    my ($self, $one, $state, $name, $code) = @_;
    $one->{state} = $state;
    $one->{changed} = Chaos::Model::now();
    $self->{model}->begin($one->{id}, $state);
    # gatectl changes what is there, which must be what was written last
    $code = undef, $name =~ s/ by gatectl// if $code && $one->{unsure};
    $self->{changes}{ $name // 'created' }++;
    if (eval { $code ? $code->() : $self->_write($one); 1 }) {
        $self->{model}->done($one->{id});
        delete $one->{unsure};
    } else {
        $one->{unsure} = 1;
        $self->{changes}{unsure}++;
    }
    return $one;
}

# All that the store shall hold of one, in a transaction.
sub _write {
    my ($self, $one) = @_;
    my $record = $one->{record};
    if ($record && $one->{removed}) { $self->{keys}->remove($record); }
    elsif ($record) { $self->{keys}->change($record); }
    $self->{keys}->revoke(@$_) for @{ $one->{items} };
    return;
}

sub _change_something {
    my ($self) = @_;
    $self->_retire_old;
    my @all = values %{ $self->{known} };
    for my $kind (qw(token key)) {
        my $good = grep { $_->{kind} eq $kind && !$_->{over} } @all;
        return $self->can("_new_$kind")->($self) if $good < $kPool{$kind};
    }
    my @open = grep { !$_->{over} } sort { $a->{id} cmp $b->{id} } @all;
    my $one = $open[rand @open];
    return $one->{kind} eq 'token' ? $self->_revoke($one) : $self->_change_key($one);
}

sub _retire_old {
    my ($self) = @_;
    my $now = Chaos::Model::now();
    for my $one (values %{ $self->{known} }) {
        next if !$one->{over} || $one->{unsure} || $one->{changed} > $now - $kOld;
        delete $self->{known}{ $one->{id} };
        $self->{model}->retire($one->{id});
    }
    return;
}

sub _revoke {
    my ($self, $one) = @_;
    my $kind = (qw(jti jti jti jti sub sid client))[rand 7];
    my $value = $one->{names}{$kind};
    my $item = [$kind, $kIssuer, $value];
    $one->{over} = 1;
    $one->{items} = [$item];
    return $self->_change($one, 'bad', "$kind revoked") if rand() < 0.8;
    return $self->_change($one, 'bad', "$kind revoked by gatectl", sub {
        $self->_gatectl('revoke', $kind, '--issuer', $kIssuer, ($kind ne 'jti' ? ('--issued-until', 'never') : ()), $value);
    });
}

sub _change_key {
    my ($self, $one) = @_;
    my $record = $one->{record};
    my $what = rand;
    my $suspended = $record->{status} eq 'suspended';
    if ($suspended || $what < 0.4) {
        my $word = $suspended ? 'resume' : 'suspend';
        $record->{status} = $suspended ? 'active' : 'suspended';
        my $state = $suspended ? _good($record->{scopes}) : 'bad';
        return $self->_change($one, $state, "key $word") if rand() < 0.7;
        return $self->_change($one, $state, "key $word by gatectl",
            sub { $self->_gatectl('key', $word, $record->{id}) });
    }
    if ($what < 0.7) {
        $record->{scopes} = "@{ $record->{scopes} }" eq 'a' ? ['orders:read', 'a'] : ['a'];
        return $self->_change($one, _good($record->{scopes}), 'scopes changed');
    }
    $one->{over} = 1;
    if ($what < 0.8) {
        $one->{removed} = 1;
        return $self->_change($one, 'bad', 'key removed');
    }
    if ($what < 0.9) {
        $record->{status} = 'revoked';
        return $self->_change($one, 'bad', 'key revoked by gatectl', sub { $self->_gatectl('key', 'revoke', $record->{id}) });
    }
    $one->{items} = [['key', 'partners', $record->{id}]];
    return $self->_change($one, 'bad', 'key revoked by item');
}

# Dies unless it says that a replica has it.
sub _gatectl {
    my ($self, @words) = @_;
    my ($status, undef, $error) = Gate::Test::gatectl(@words, '--wait', 1, '--timeout', '2s', @{ $self->{gatectl} });
    die "gatectl @words[0, 1]: $error" if $status;
    return;
}

# ---- after a fault

# Looks whether everything acknowledged is in the store, writes the rest, and all of it anew where the
# store is empty: {lost => [..], restored => 0 or 1, unsure => n}.
sub _do_settle {
    my ($self) = @_;
    my ($found, $error);
    my $done = Gate::Test::wait_for(sub { $found = eval { $self->_settle }; $error = $@; $found }, 30);
    return $done || { error => "the store cannot be settled: $error" };
}

sub _settle {
    my ($self) = @_;
    my $epoch = $self->{store}->cmd('GET', $self->{keys}->name('epoch'));
    my @unsure = grep { $_->{unsure} } values %{ $self->{known} };
    my %found = (lost => [], restored => 0, unsure => scalar @unsure);
    if (!defined $epoch) {
        $self->{keys}->restore([map { $_->{record} } grep { $_->{record} && !$_->{removed} } values %{ $self->{known} }],
            [map { @{ $_->{items} } } values %{ $self->{known} }]);
        $found{restored} = 1;
    } else {
        $found{lost} = [$self->_missing];
        $self->_write($_) for @unsure;
    }
    for my $one (@unsure) {
        $self->{model}->done($one->{id});
        delete $one->{unsure};
    }
    return \%found;
}

# What is acknowledged and not in the store.
sub _missing {
    my ($self) = @_;
    my $keys = $self->{keys};
    my @sure = grep { !$_->{unsure} } values %{ $self->{known} };
    my @questions = map {
        my $one = $_;
        ((map { [$one, ['ZSCORE', $keys->name('rev'), Gate::KeyRecord::item(@$_)], sub { defined $_[0] }] } @{ $one->{items} }),
            $one->{record} ? [$one, ['HMGET', $keys->name("key:$one->{record}{digest}"), qw(status scopes)],
                $self->_whole($one)] : ());
    } @sure;
    my @answers = @questions ? $self->{store}->look(map { $_->[1] } @questions) : ();
    return map { "$questions[$_][0]{id}: @{ $questions[$_][1] }[0, 1]" }
        grep { !$questions[$_][2]->($answers[$_]) } 0 .. $#questions;
}

sub _whole {
    my ($self, $one) = @_;
    my $record = $one->{record};
    return sub { !defined $_[0][0] } if $one->{removed};
    return sub {
        my ($status, $scopes) = @{ $_[0] };
        return defined $status && $status eq $record->{status}
            && join(' ', sort @{ JSON::PP::decode_json($scopes) }) eq join ' ', sort @{ $record->{scopes} };
    };
}

1;
