package Gate::Certs;

# Certificates for tests of TLS, made once for a test's directory:
#   ca         signs the others but stranger          server   localhost, 127.0.0.1, redis.test
#   client     of a client, signed like the server    wrong    good, but of elsewhere.test only
#   expired    as server, until yesterday             stranger as server, by another authority
# Elliptic keys: RSA ones take longer to make than the test that wants them.

use strict;
use warnings;

use IO::Socket::SSL::Utils qw(CERT_create CERT_free KEY_create_ec KEY_free PEM_cert2file PEM_key2file);

my %made;                  # directory => object
my $kDay = 86400;

my @names = ([DNS => 'localhost'], [IP => '127.0.0.1'], [DNS => 'redis.test']);
my %kind = (
    server => { names => \@names },
    client => { names => [[DNS => 'client.test']], purpose => 'client' },
    wrong => { names => [[DNS => 'elsewhere.test']] },
    expired => { names => \@names, until => -$kDay },
    stranger => { names => \@names, by => 'other' },
);

# Those of a Gate::Test.
sub of {
    my ($class, $test) = @_;
    return $made{ $test->dir } //= $class->_make($test->dir . '/certs');
}

sub ca { return "$_[0]{dir}/ca.crt"; }
# Paths by name.
sub cert { my ($self, $name) = @_; return $self->_file("$name.crt"); }
sub key { my ($self, $name) = @_; return $self->_file("$name.key"); }

sub _file {
    my ($self, $name) = @_;
    -e "$self->{dir}/$name" or die "no certificate '$name'";
    return "$self->{dir}/$name";
}

sub _make {
    my ($class, $dir) = @_;
    mkdir $dir or die "$dir: $!";
    my $self = bless { dir => $dir }, $class;
    my %authority = (ca => $self->_create('ca', CA => 1), other => $self->_create('other', CA => 1));
    for my $name (sort keys %kind) {
        my %of = %{ $kind{$name} };
        $self->_free($self->_create($name, subjectAltNames => $of{names},
            purpose => $of{purpose} // 'server', not_after => time + ($of{until} // $kDay),
            issuer => $authority{ $of{by} // 'ca' }));
    }
    $self->_free($_) for values %authority;
    return $self;
}

# [certificate, key], which stand in files too.
sub _create {
    my ($self, $name, %opt) = @_;
    my $key = KEY_create_ec('prime256v1');
    my ($cert) = CERT_create(subject => { commonName => "$name of a test" }, digest => 'sha256',
        not_before => time - 2 * $kDay, not_after => time + $kDay, key => $key, %opt);
    PEM_cert2file($cert, "$self->{dir}/$name.crt");
    PEM_key2file($key, "$self->{dir}/$name.key");
    return [$cert, $key];
}

sub _free {
    my ($self, $pair) = @_;
    CERT_free($pair->[0]);
    KEY_free($pair->[1]);
    return;
}

1;
