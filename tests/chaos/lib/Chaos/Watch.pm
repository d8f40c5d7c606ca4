package Chaos::Watch;

# Looks all the time whether the master answers, a process of its own: a machine that stands still, or
# sentinels that change their minds without an order, are no fault of the gate's. What it sees stands in
# the model's journal as well.

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Chaos::Model ();
use Chaos::Store ();
use Gate::Process ();

my $kPause = 0.05;         # seconds between two looks
my $kSlow = 0.25;          # of a look and the pause behind it: half of what the gate waits

# Options: test, journal, find (options of Chaos::Store).
sub start {
    my ($class, %opt) = @_;
    my $model = Chaos::Model->new($opt{journal});
    return Gate::Process->start(test => $opt{test}, keep => [$model->{out}], code => sub {
        my $store = Chaos::Store->new(%{ $opt{find} });
        my $parent = getppid;
        my $good = Chaos::Model::now();
        while (getppid == $parent) {
            my $answered = eval { $store->cmd('PING') };
            my $now = Chaos::Model::now();
            $model->stall($good, $now) if !$answered || $now - $good > $kSlow;
            $good = $now;
            sleep $kPause;
        }
    });
}

1;
