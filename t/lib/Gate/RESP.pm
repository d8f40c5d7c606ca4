package Gate::RESP;

# RESP2, read and written by an implementation that is not the one under test
# (https://redis.io/docs/reference/protocol-spec). A value is a text, an array, undef for nil, or a
# Gate::RESP::Error; what is written may be a Gate::RESP::Status or ::Integer too.

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(command reply ok status integer error);

sub status { return bless { text => $_[0] }, 'Gate::RESP::Status'; }
sub integer { return bless { text => $_[0] }, 'Gate::RESP::Integer'; }
sub error { return bless { text => $_[0] }, 'Gate::RESP::Error'; }
sub ok { return status('OK'); }

# The octets of a command.
sub command { return '*' . @_ . "\r\n" . join '', map { _bulk($_) } @_; }

sub _bulk {
    my ($text) = @_;
    utf8::downgrade($text);    # octets, or it dies
    return '$' . length($text) . "\r\n$text\r\n";
}

my %mark = ('Gate::RESP::Status' => '+', 'Gate::RESP::Integer' => ':', 'Gate::RESP::Error' => '-');

# The octets of a reply.
sub reply {
    my ($value) = @_;
    return "\$-1\r\n" if !defined $value;
    return '*' . @$value . "\r\n" . join '', map { reply($_) } @$value if ref $value eq 'ARRAY';
    return $mark{ ref $value } . "$value->{text}\r\n" if ref $value;
    return _bulk($value);
}

# ---- reading, as octets arrive

sub new { return bless { in => '', at => 0, open => [] }, $_[0]; }

sub feed {
    my ($self, $octets) = @_;
    substr $self->{in}, 0, $self->{at}, '';
    $self->{at} = 0;
    $self->{in} .= $octets;
    return;
}

# A reference to the next value, or nothing while it is not all there. Dies for what is not RESP2.
sub take {
    my ($self) = @_;
    while (my $node = $self->_node) {
        my $value = $$node;
        if (ref $value eq 'Gate::RESP::Open') {
            push @{ $self->{open} }, $value;
            next;
        }
        while (my $array = $self->{open}[-1]) {
            push @{ $array->{items} }, $value;
            last if @{ $array->{items} } < $array->{count};
            $value = (pop @{ $self->{open} })->{items};
        }
        return \$value if !@{ $self->{open} };
    }
    return;
}

# Octets that no value was made of yet.
sub pending { my ($self) = @_; return length($self->{in}) - $self->{at}; }

# A value, or the head of an array that has items.
sub _node {
    my ($self) = @_;
    my $end = index $self->{in}, "\r\n", $self->{at};
    if ($end < 0) {
        die 'not RESP: ' . $self->_shown if $self->pending > 65536;
        return;
    }
    my ($mark, $text) = substr($self->{in}, $self->{at}, $end - $self->{at}) =~ /\A([-+:\$*])(.*)\z/s
        or die 'not RESP: ' . $self->_shown;
    die 'not RESP: ' . $self->_shown if $mark =~ /[:\$*]/ && $text !~ /\A-?\d+\z/;
    my $next = $end + 2;
    if ($mark eq '$' && $text ne '-1') {
        return if length $self->{in} < $next + $text + 2;
        my $bulk = substr $self->{in}, $next, $text;
        die "not RESP: a text without an end\n" if substr($self->{in}, $next + $text, 2) ne "\r\n";
        $self->{at} = $next + $text + 2;
        return \$bulk;
    }
    $self->{at} = $next;
    return \undef if $text eq '-1' && ($mark eq '$' || $mark eq '*');
    return \error($text) if $mark eq '-';
    return \$text if $mark ne '*';
    return $text == 0 ? \[] : \bless { count => $text, items => [] }, 'Gate::RESP::Open';
}

sub _shown {
    my ($self) = @_;
    return substr($self->{in}, $self->{at}, 40) =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger . "\n";
}

package Gate::RESP::Error;

use strict;
use warnings;

use overload '""' => sub { return $_[0]{text} }, fallback => 1;

1;
