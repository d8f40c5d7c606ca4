# What a key may do is changed in Redis: it counts at once in each worker, long before the time for which
# records are kept, whoever wrote it and whatever of the record it is.
use lib 't/lib';
use Gate::Test;

use Time::HiRes qw(sleep time);

use Gate::Crowd qw(crowd);
use Gate::Ctl;
use Gate::KeyRecord;
use Gate::Redis;

my $kWorkers = 4;
my $t = Gate::Test->new(workers => $kWorkers);
my $redis = Gate::Redis->new(test => $t)->start;
my $store = Gate::KeyRecord->new($redis)->set_up;
my $ctl = Gate::Ctl->new($redis, '--redis', $redis->address);

my $says = Gate::Crowd::lines();
$t->start(<<"END");
    gate_redis main { server @{[$redis->address]}; timeout 1s; }
    gate_roles staff { viewer orders:read; editor viewer orders:write; }
    gate_keys partners { redis main; prefix acme_; valid 1h; roles staff; }
    gate_revocation redis=main;
    server {
        $says
        gate key=partners;
        add_header X-Is "\$gate_status \$gate_reason \$gate_scopes \$gate_roles \$gate_cache" always;
        location / { empty_gif; }
        location = /read { gate_require_scope orders:read; empty_gif; }
        location = /write { gate_require_scope orders:write; empty_gif; }
        location = /open { gate off; return 204; }
    }
END
my $crowd = crowd($t, $kWorkers);

# What each worker says to it, '200 403' of /read and /write; one text where they agree.
sub says {
    my ($key) = @_;
    my %said = map {
        my $worker = $_;
        (join ' ', map { $crowd->ask($worker, $_, headers => ['X-API-Key' => $key])->status } '/read', '/write') => 1
    } $crowd->workers;
    return join ', ', sort keys %said;
}

sub soon {
    my ($key, $wanted, $name) = @_;
    my $said = '';
    return ok(wait_for(sub { ($said = says($key)) eq $wanted }, 1), $name) || diag "they say $said";
}

sub known_to_all {
    my ($key, $wanted) = @_;
    return $redis->wait_kept(sub { says($key) eq $wanted });
}

my $key = api_key('acme_');
my $record = $store->put($key, scopes => ['orders:read']);
ok known_to_all($key, '200 403'), 'a key that all workers know';

# ---- each part of the record, as docs/REDIS.md says it is written

# Of those with a 1 all workers have kept what was before.
my $before = '200 403';
for my $case (
    ['scopes, more', { scopes => ['orders:read', 'orders:write'] }, '200 200'],
    ['scopes, others', { scopes => ['orders:write'] }, '403 200', 1],
    ['scopes, none', { scopes => undef }, '403 403'],
    ['a role', { roles => ['editor'] }, '200 200'],
    ['a lesser role', { roles => ['viewer'] }, '200 403', 1],
    ['suspended', { status => 'suspended' }, '401 401', 1],
    ['active', { status => 'active' }, '200 403'],
    ['suspended with another role', { status => 'suspended', roles => ['editor'] }, '401 401'],
    ['active with it', { status => 'active' }, '200 200'],
    ['another network', { cidr => ['192.0.2.0/24'] }, '401 401', 1],
    ['ours', { cidr => ['127.0.0.0/8'] }, '200 200'],
    ['expired', { expires => int(time) - 10 }, '401 401'],
    ['prolonged', { expires => int(time) + 3600 }, '200 200'],
    ['of next year', { not_before => int(time) + 3600 }, '401 401'],
    ['of now', { not_before => undef }, '200 200'],
    ) {
    my ($what, $members, $wanted, $known) = @$case;
    ok known_to_all($key, $before), "known: $before" if $known;
    $store->change($record, %$members);
    soon($key, $wanted, "$what: $wanted");
    $before = $wanted;
}
my $said = $crowd->ask(($crowd->workers)[0], '/', headers => ['X-API-Key' => $key])->header('X-Is');
like $said, qr/\APASSED .*\beditor\b/, 'variables say what it is now';
ok known_to_all($key, '200 200'), 'and it is known again';

# ---- gatectl

sub import_with {
    my (@scopes) = @_;
    my %new = (%$record, scopes => [@scopes]);
    delete $new{roles};
    my ($status, undef, $err) = $ctl->run('key', 'import', '--replace', $t->write_file('keys.json', key_file(\%new)));
    is $status, 0, "gatectl gives it @scopes" or diag $err;
}
import_with('orders:read');
soon($key, '200 403', 'which is what it may');
ok known_to_all($key, '200 403'), 'known';
import_with('orders:write');
soon($key, '403 200', 'then that');
is(($ctl->run('key', 'suspend', $record->{id}))[0], 0, 'gatectl suspends it');
soon($key, '401 401', 'it is');
is(($ctl->run('key', 'resume', $record->{id}))[0], 0, 'and resumes it');
soon($key, '403 200', 'it may what it may');

# ---- one change behind another, while all workers ask: what was asked for before is not kept as what is

my @wrong;
for my $round (1 .. 40) {
    my ($scopes, $wanted) = $round % 2 ? ('orders:read', '200 403') : ('orders:write', '403 200');
    $store->change($record, scopes => [$scopes], roles => undef);
    push @wrong, $round if !wait_for(sub { says($key) eq $wanted }, 1);
}
is_deeply \@wrong, [], 'forty changes, each in force within a second';
ok known_to_all($key, '403 200'), 'the last one is what is kept';

# ---- of a key that was unknown until now, and of one that is unknown from now on

my $new = api_key('acme_');
ok known_to_all($new, '401 401'), 'that a key is unknown is known to all';
$record = $store->put($new, scopes => ['orders:read']);
soon($new, '200 403', 'made, it is let in');
$store->remove($record);
soon($new, '401 401', 'removed, it is unknown');

done_testing;
