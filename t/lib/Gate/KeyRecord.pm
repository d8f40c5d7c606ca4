package Gate::KeyRecord;

# API keys and revocations in a Redis store, written by an implementation that is not the one under
# test. Each record changes together with the store's stream:
#
#   my $store = Gate::KeyRecord->new($redis)->set_up;
#   my $record = $store->put($key, scopes => ['orders:read'], expires => time + 60);
#   $store->change($record, status => 'suspended');
#   $store->revoke('jti', 'https://idp.example.com', 'id-1', forget => time + 3600);

use strict;
use warnings;

use POSIX qw(strftime);

use Gate::Journal ();
use Gate::Token ();

my %is_json = map { $_ => 1 } qw(scopes roles groups cidr labels);
my %is_instant = map { $_ => 1 } qw(created not_before expires);

# Where: a Gate::Redis, ::Sentinels or ::Cluster (the prefix then needs a hash tag). Options: prefix.
sub new {
    my ($class, $redis, %opt) = @_;
    return bless { prefix => 'gate:', redis => $redis, %opt }, $class;
}

sub name { my ($self, $key) = @_; return "$self->{prefix}$key"; }

# Writes the epoch, a new one if none is given: from now on missing keys are unknown keys.
sub set_up {
    my ($self, $epoch) = @_;
    $self->{epoch} = $epoch // _new_epoch();
    $self->{redis}->cmd('SET', $self->name('epoch'), $self->{epoch});
    return $self;
}

sub epoch { return $_[0]{epoch}; }
sub _new_epoch { return sprintf '%08x%08x%08x%08x', map { int rand 2**32 } 1 .. 4; }

# ---- keys

# put(key, members as of Gate::Token::key_record): stores the key's record and returns it.
sub put {
    my ($self, $key, %members) = @_;
    my $record = Gate::Token::key_record($key, %members);
    $self->{redis}->transaction($self->_commands_of($record));
    return $record;
}

# Other members of a record; undef removes one.
sub change {
    my ($self, $record, %members) = @_;
    %$record = (%$record, %members);
    delete @{$record}{ grep { !defined $record->{$_} } keys %$record };
    $self->{redis}->transaction(['DEL', $self->_key_of($record)], $self->_commands_of($record));
    return $record;
}

# The record is gone, as after gatectl removes a key.
sub remove {
    my ($self, $record) = @_;
    $self->{redis}->transaction(['DEL', $self->_key_of($record), $self->name("keyid:$record->{id}")],
        ['ZREM', $self->name('keys'), $record->{id}], $self->_entry_of($record));
    return;
}

sub _key_of { my ($self, $record) = @_; return $self->name("key:$record->{digest}"); }

sub _commands_of {
    my ($self, $record) = @_;
    return (
        ['HSET', $self->_key_of($record), fields($record)],
        ['SET', $self->name("keyid:$record->{id}"), $record->{digest}],
        ['ZADD', $self->name('keys'), $record->{created}, $record->{id}],
        $self->_entry_of($record),
    );
}

sub _entry_of {
    my ($self, $record) = @_;
    return ['XADD', $self->name('log'), '*', 'type', 'key', 'digest', $record->{digest},
        'id', $record->{id}];
}

# Name and value in turn, as the hash holds them: lists and labels as JSON, instants as RFC 3339,
# everything else as it is. Values that are texts already stay as the test wrote them.
sub fields {
    my ($record) = @_;
    return map { ($_ => _text($_, $record->{$_})) } sort keys %$record;
}

sub _text {
    my ($name, $value) = @_;
    return Gate::Token::json($value) if $is_json{$name} && ref $value;
    return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $value) if $is_instant{$name} && $value =~ /\A\d+\z/;
    return $value;
}

# A store that was emptied, with all it held and another epoch, at once: restore([records], [[what
# revoke() takes], ..]).
sub restore {
    my ($self, $records, $items) = @_;
    my @rev = map { my ($kind, $issuer, $value, %opt) = @$_;
        ($opt{forget} // '+inf', item($kind, $issuer, $value, until => $opt{until})) } @$items;
    $self->{epoch} = _new_epoch();
    $self->{redis}->transaction((map { $self->_commands_of($_) } @$records),
        (@rev ? ['ZADD', $self->name('rev'), @rev] : ()), ['SET', $self->name('epoch'), $self->{epoch}]);
    return $self;
}

# ---- revocations

# The word for what is revoked. until: only what was issued up to then.
sub item {
    my ($kind, $issuer, $value, %opt) = @_;
    return join ':', $kind, (map { Gate::Journal::field($_) } $issuer, $value), $opt{until} // ();
}

# revoke(kind, issuer, value, until => seconds, forget => seconds (default: never)); returns the id
# of the stream's entry.
sub revoke {
    my ($self, $kind, $issuer, $value, %opt) = @_;
    my $item = item($kind, $issuer, $value, until => $opt{until});
    return ($self->{redis}->transaction(
        ['ZADD', $self->name('rev'), $opt{forget} // '+inf', $item],
        ['XADD', $self->name('log'), '*', 'type', 'revoked', 'item', $item,
            'forget', $opt{forget} // 'never'],
    ))[1];
}

# Many at once, without the stream, as a store has them that is older than its followers:
# load([item, forget or undef], ..).
sub load {
    my ($self, @items) = @_;
    while (my @some = splice @items, 0, 1000) {
        $self->{redis}->cmd('ZADD', $self->name('rev'), map { ($_->[1] // '+inf', $_->[0]) } @some);
    }
    return;
}

1;
