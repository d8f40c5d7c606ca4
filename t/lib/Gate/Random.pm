package Gate::Random;

# Chance that can be repeated: GATE_SEED is the number that a run printed.

use strict;
use warnings;

use Exporter 'import';
use Test::More ();

our @EXPORT = qw(seed pick);

# The number of this run, which is printed.
sub seed {
    my $seed = $ENV{GATE_SEED} // time ^ $$ << 8;
    srand $seed;
    Test::More::diag("GATE_SEED=$seed");
    return $seed;
}

# One of them.
sub pick { return $_[rand @_]; }

1;
