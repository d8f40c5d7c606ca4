# gatectl key: what it makes nginx accepts, concurrent writers lose nothing, a killed one leaves a
# whole file; help, exit status and --json of every command.
use lib 't/lib';
use Gate::Test;

use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep);

my $t = Gate::Test->new;
my $file = $t->dir . '/keys.json';

sub decoded { return JSON::PP->new->utf8->decode($_[0]); }

# gatectl --json: its status and what it said, decoded.
sub gatectl_json {
    my ($status, $out) = gatectl(@_);
    return ($status, scalar eval { decoded($out) });
}

sub start_gatectl {
    my @arguments = @_;
    defined(my $pid = fork) or die "fork: $!";
    return $pid if $pid;
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    my $program = $ENV{GATE_CTL} || root_dir() . '/build/release/gatectl';
    exec { $program } $program, @arguments or POSIX::_exit(127);
}

# ---- help and exit status

my ($status, $help) = gatectl('--help');
is $status, 0, 'gatectl --help is done';
my @commands = $help =~ /^  (\S+(?: [a-z]+)?)  +[A-Z]/mg;
is_deeply [sort @commands], [sort
    map({ "key $_" } qw(create list show rotate suspend resume revoke verify import)), 'secret new',
    map({ "user $_" } qw(add passwd disable enable remove list show import)),
    map({ "store $_" } qw(init check)),
    map({ "revoke $_" } qw(jti sub sid client key all token list compact check)),
    map({ "token $_" } qw(sign inspect verify)), 'jwks show', qw(explain routes jws-check)],
    'and lists every command';
for my $command (@commands) {
    my ($code, $text) = gatectl(split(/ /, $command), '--help');
    is $code, 0, "$command --help is done";
    like $text, qr/\Ausage: gatectl \Q$command\E\b.*^Options:$/ms, 'and tells usage and options';
}
is((gatectl())[0], 2, 'no command is a usage error');
is((gatectl('key', 'crate', $file))[0], 2, 'an unknown one too');
is((gatectl('key', 'create', $file, '--nonsense'))[0], 2, 'and an unknown option');
is((gatectl('key', 'list', $file))[0], 1, 'a missing file is refused');

# ---- a key of gatectl's opens nginx

($status, my $new) = gatectl_json('key', 'create', $file, '--json', '--prefix', 'acme_', '--name',
    'partner one', '--owner', 'alice', '--scope', 'orders:*', '--expires', '90d', '--label', 'tier=gold');
is $status, 0, 'key create is done';
like $new->{key}, qr/\Aacme_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}\z/, 'and prints the key';
unlike slurp($file), qr/\Q$new->{key}\E/, 'which the file does not hold';
is sprintf('%o', (stat $file)[2] & 07777), '600', 'a new file is private';
chmod 0644, $file or die;

if (has_module()) {
    my $app = $t->upstream('app');
    $t->start(<<'CONF');
gate_keys partner { file %%DIR%%/keys.json; prefix acme_; }
server {
    listen 127.0.0.1:%%PORT%%;
    gate key=partner;
    location / {
        gate_require_scope orders:read;
        gate_identity X-Key-Name $gate_key_name;
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
}
CONF
    my $ask = sub { return http_get('/', headers => ['X-API-Key', $_[0]])->status };
    is $ask->($new->{key}), 200, 'nginx lets the key in';
    is join(',', Gate::Upstream::values_of($app->last_request, 'X-Key-Name')), 'partner one', 'and knows its name';
    is $ask->(api_key('acme_')), 401, 'and no other';
    is((gatectl('key', 'revoke', $file, $new->{id}))[0], 0, 'key revoke is done');
    ok wait_for(sub { $ask->($new->{key}) == 401 }, 5), 'and nginx refuses the key soon';
}

is sprintf('%o', (stat $file)[2] & 07777), '644', 'a change keeps the mode';

# ---- the key is read from standard input

($status, my $verdict) = gatectl_json('key', 'verify', $file, '--json', { stdin => "$new->{key}\n" });
is $status, has_module() ? 1 : 0, 'key verify tells the status';
is $verdict->{record}{id}, $new->{id}, 'and whose key it is';
is((gatectl('key', 'verify', $file, $new->{key}))[0], 2, 'a key as an argument is refused');

# ---- keys made elsewhere

my $foreign = api_key('acme_');
my $records = $t->write_file('foreign.json', key_file(key_record($foreign, name => 'theirs')));
is((gatectl('key', 'verify', $records, { stdin => $foreign }))[0], 0, 'takes a key made elsewhere');
my $pepper = 'p' x 40;
my $peppers = $t->write_file('pepper', "$pepper\n");
$records = $t->write_file('foreign.json', key_file(key_record($foreign, pepper => $pepper)));
is((gatectl('key', 'verify', $records, '--pepper-file', $peppers, { stdin => $foreign }))[0], 0,
    'and one under a pepper');

# ---- --json of the others

my ($listed, $list) = gatectl_json('key', 'list', $file, '--json');
is scalar(@{ $list->{keys} }), 1, 'key list --json lists the key';
is $list->{keys}[0]{owner}, 'alice', 'with its owner';
ok !exists $list->{keys}[0]{digest}, 'without its digest';
is((gatectl_json('key', 'show', $file, $new->{id}, '--json'))[1]{labels}{tier}, 'gold',
    'key show --json shows labels');

# ---- two writers at a time

my $shared = $t->dir . '/shared.json';
my @writers;
for my $writer (1 .. 2) {
    defined(my $pid = fork) or die "fork: $!";
    if (!$pid) {
        for (1 .. 15) {
            my $child = start_gatectl('key', 'create', $shared, '--name', "writer $writer");
            waitpid $child, 0;
            POSIX::_exit(1) if $?;
        }
        POSIX::_exit(0);
    }
    push @writers, $pid;
}
my $failures = 0;
for (@writers) { waitpid $_, 0; $failures++ if $? }
is $failures, 0, 'two writers both succeed';
is scalar(@{ decoded(slurp($shared))->{keys} }), 30, 'and none of their 30 keys is lost';

# ---- kill -9 at any moment

my $large = $t->write_file('large.json',
    key_file(map { key_record("key $_", name => "n$_") } 1 .. 1500));
my ($count, $broken, $killed) = (1500, 0, 0);
for my $round (1 .. 30) {
    my $pid = start_gatectl('key', 'create', $large);
    sleep 0.0015 * $round;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    $killed++ if $? == 9;
    my $file_now = eval { decoded(slurp($large)) };
    my $now = $file_now ? @{ $file_now->{keys} } : -1;
    $broken++ if $now != $count && $now != $count + 1;
    $count = $now;
}
ok $killed, "killed $killed of 30 writers at work";
is $broken, 0, 'the file was whole after each';
is((gatectl('key', 'create', $large))[0], 0, 'and the next writer is not held up');
is scalar(grep { /gatectl/ } glob($t->dir . '/.*')), 0, 'nor is anything left behind';

done_testing();
