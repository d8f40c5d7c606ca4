package Gate::Config;

# What nginx -t says about a configuration: helpers of the tests that compare it word for word.

use strict;
use warnings;

use Exporter 'import';
use Test::More ();

use Gate::Test ();
use Gate::Token qw(jwks key_file);

our @EXPORT = qw(config_test refused warned in_server in_issuer in_keys);

my $t;

# The instance whose directory holds the files that configurations name.
sub config_test {
    $t = Gate::Test->new(log_level => 'warn');
    $t->write_file('corp.jwks', jwks('rs'));
    $t->write_file('other.jwks', jwks('es256'));
    $t->write_file('keys.json', key_file());
    return $t;
}

# The status of nginx -t and its messages without prefix, the test's directory written as DIR.
sub messages {
    my ($http) = @_;
    my ($status, $out) = $t->nginx_t($http);
    my $dir = $t->dir;
    $out =~ s/\Q$dir\E/DIR/g;
    return ($status, map { /\Anginx: (\[\w+\] .*)\z/ ? $1 : () } split /\n/, $out);
}

# nginx -t refuses the text of an http block with exactly this message, or one like a qr//.
sub refused {
    my ($name, $http, $expected) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($status, @lines) = messages($http);
    my $said = join "\n", map { s/\A\[emerg\] //r } grep {/emerg/} @lines;
    $said = "accepted: $said" if !$status;
    return ref $expected ? Test::More::like($said, $expected, $name)
        : Test::More::is($said, $expected, $name);
}

# nginx -t accepts it with exactly these warnings.
sub warned {
    my ($name, $http, @expected) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($status, @lines) = messages($http);
    return Test::More::is(join("\n", $status ? 'refused' : 'accepted', @lines),
        join("\n", 'accepted', map {"[warn] $_"} @expected), $name);
}

# A configuration whose server holds the text on line 2, behind blocks on line 1 (default: an issuer
# corp and a store partner).
sub in_server {
    my ($text, $blocks) = @_;
    $blocks //= 'gate_issuer corp { issuer https://idp.example.com; jwks_file corp.jwks; audience a; } '
        . 'gate_keys partner { file keys.json; prefix acme_; }';
    return "$blocks server { listen 127.0.0.1:%%PORT%%; location / { root html; }\n$text }";
}

# A block called x whose words stand on line 2.
sub in_issuer { return in_server('', "gate_issuer x {\n$_[0] }"); }
sub in_keys { return in_server('', "gate_keys x {\n$_[0] }"); }

1;
