package Bench::Memory;

# What a worker holds: its own memory for each record of a key file, each token that it has verified
# and each revoked id; the pages of the zone that it has touched (entries lie scattered, so that few
# tokens touch nearly all of a part); and for how many items a zone has room.

use strict;
use warnings;

use Gate::HTTP qw(http_get);
use Gate::Test ();
use Gate::Token qw(api_key key_record key_file);

use Bench::Connection;
use Bench::Load qw(worker_of);
use Bench::Mix;
use Bench::Pairs;
use Bench::Subjects qw(subject request_of side_config write_gate_files knows);

# {own, zone}: octets of one worker. opt: gate, revoked, keys (more records), after => sub(nginx)
sub _worker {
    my (%opt) = @_;
    my $nginx = Gate::Test->new(module => $opt{gate}, log_level => 'notice');
    $nginx->{ports}{app} = $nginx->port;
    if ($opt{gate}) {
        write_gate_files($nginx, $opt{revoked});
        $nginx->write_file('keys.json',
            key_file(map { key_record(api_key('acme_live_')) } 1 .. $opt{keys})) if $opt{keys};
    }
    my $metrics = $opt{gate} && knows('gate_metrics');
    $nginx->start(side_config(gate => $opt{gate}, revoked => $opt{revoked},
        extra => $metrics ? 'location = /metrics { gate off; gate_metrics json; }' : ''));
    my $pid = worker_of($nginx);
    my $connection = Bench::Connection->new($nginx->port);
    my $request = request_of(subject($opt{keys} ? 'APIkey' : 'RS256'));
    $connection->repeat(1, $request, $opt{keys} ? 401 : 200);
    Bench::Pairs::journal_holds($nginx->port) if $opt{revoked};
    my $before = _octets($pid);
    $opt{after}->($connection) if $opt{after};
    my $after = _octets($pid);
    my $zone = $metrics ? _zone($nginx->port) : undef;
    $nginx->stop;
    return ($after, $before, $zone);
}

sub _octets {
    my ($pid) = @_;
    my $own = Gate::Test::slurp("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB/m ? 1024 * $1 : 0;
    my ($zone, $shared) = (0, 0);
    for (split /\n/, Gate::Test::slurp("/proc/$pid/smaps")) {
        $shared = $1 eq 's' if /\A[0-9a-f]+-[0-9a-f]+ ...([sp]) /;
        $zone += 1024 * $1 if $shared && /\ARss:\s+(\d+) kB/;
    }
    return { own => $own, zone => $zone };
}

# {bytes, segments => {name => {slots, used}}} as gate_metrics tells it.
sub _zone {
    my ($port) = @_;
    my $text = http_get('/metrics', port => $port)->{body};
    return JSON::PP->new->utf8->decode($text)->{zone};
}

# How many items a zone has room for.
sub _places {
    my ($zone) = @_;
    for my $name ($zone ? sort keys %{ $zone->{segments} } : ()) {
        my ($slots, $used) = @{ $zone->{segments}{$name} }{qw(slots used)};
        printf "  %-16s %8d of %8d places in use, one for every %.0f octets of a zone of %.0f MB\n",
            $name, $used, $slots, $slots ? $zone->{bytes} / $slots : 0, $zone->{bytes} / 2**20;
    }
    return;
}

sub _line {
    my ($name, $octets) = @_;
    printf "%-34s %12.0f %12.0f\n", $name, $octets->{own}, $octets->{zone};
    return;
}

sub _each {
    my ($name, $count, $after, $before) = @_;
    _line("after $count $name", $after);
    printf "%-34s %12.1f\n", '  for each', ($after->{own} - $before->{own}) / $count;
    return;
}

# The tokens of a pool, each once.
sub _send_tokens {
    my ($count) = @_;
    my $pool = Bench::Mix::pool($count);
    return sub {
        my ($connection) = @_;
        open my $file, '<', $pool or die "$pool: $!";
        for (1 .. $count) {
            chomp(my $token = <$file>);
            $connection->repeat(1,
                request_of(subject('RS256'), header => "Authorization: Bearer $token\r\n"), 200);
        }
    };
}

sub measure {
    my (%count) = @_;    # tokens, keys, revoked
    print "\nMemory of a worker, octets:\n\n";
    printf "%-34s %12s %12s\n", '', 'its own', 'zone touched';
    _line('without the gate', scalar((_worker(gate => 0))[0]));
    my ($idle) = _worker(gate => 1);
    _line('with the gate, 1,000 key records', $idle);
    my ($keys) = _worker(gate => 1, keys => 1000 + $count{keys});
    _each('key records more', $count{keys}, $keys, $idle);
    my ($after, $before, $zone) = _worker(gate => 1, after => _send_tokens($count{tokens}));
    _each('tokens verified', $count{tokens}, $after, $before);
    _places($zone);
    my ($revoked, undef, $large) = _worker(gate => 1, revoked => $count{revoked});
    _each('revoked ids loaded', $count{revoked}, $revoked, $idle);
    _places($large);
    return;
}

1;
