# gatectl user: passwords come from the terminal or standard input; on a store in Redis, what it
# holds after each command, and that no password goes there; two changes at a time both happen.
use lib 't/lib';
use Gate::Test;

use JSON::PP ();

use Gate::Ctl;
use Gate::Redis;

my $t = Gate::Test->new;
delete $ENV{GATE_REDIS};
my @may = Gate::Ctl::rights();
my $redis = Gate::Redis->new(test => $t, user => 'admin', password => 'admin',
    acl => ['user default off', 'user admin on >admin ~* &* +@all', "user gatectl on nopass ~gate:* @may"])->start;
my $empty = $t->write_file('password', "any\n");
my $ctl = Gate::Ctl->new($redis, '--redis', $redis->address, '--redis-user', 'gatectl', '--redis-password-file', $empty);
my $monitor = $redis->monitor;
my @cheap = ('--hash', 'sha512', '--cost', 5000);

sub user { my ($name) = @_; return { @{ $ctl->ask('HGETALL', "user:$name") } }; }

# Whether crypt(3) of perl makes that hash of the password.
sub is_password {
    my ($name, $password, $text) = @_;
    my $hash = user($name)->{password};
    return is crypt($password, $hash), $hash, $text;
}

# ---- a store without epoch

my ($status, $out, $err) = $ctl->run('user', 'add', 'bob', '--password-stdin', @cheap, { stdin => "one\n" });
is $status, 1, 'a store that was never set up takes no user';
like $err, qr/the key "gate:epoch" is missing/, 'and says why';
for (['user', 'list'], ['user', 'show', 'bob'], ['user', 'disable', 'bob']) {
    is(($ctl->run(@$_))[0], 1, "@$_ neither");
}
is_deeply $redis->cmd('KEYS', '*'), [], 'and nothing is in it';
is(($ctl->run('store', 'init'))[0], 0, 'store init');

# ---- one user

my $name = "J\xc3\xb6rg";
($status, my $made, $err) = $ctl->json('user', 'add', $name, '--password-stdin', @cheap, '--role', 'r', '--role', 's',
    '--scope', 'a:*', '--group', 'g', '--email', 'j@example.org', '--label', 'tier=gold', { stdin => "pass w\xc3\xb6rd\n" });
is $status, 0, 'user add is done' or diag $err;
my $user = user($name);
is_password($name, "pass w\xc3\xb6rd", 'the store has the hash of the password');
like $user->{created}, qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z/, 'and when it was';
is_deeply $user, { v => 1, name => $name, password => $user->{password}, roles => '["r","s"]', scopes => '["a:*"]',
    groups => '["g"]', email => 'j@example.org', status => 'active', created => $user->{created},
    labels => '{"tier":"gold"}' }, 'and all else, by the data model';
ok abs($ctl->ask('ZSCORE', 'users', $name) - time) < 60, 'the name is listed by its creation';
is_deeply [$ctl->log], [{ type => 'user', name => $name }], 'and the stream tells';

($status, undef, $err) = $ctl->run('user', 'add', $name, '--password-stdin', @cheap, { stdin => "two\n" });
is $status, 1, 'a second user of that name is refused';
is_deeply user($name), $user, 'and changes nothing';

$redis->cmd('HSET', 'gate:user:amy', 'v', 1, 'name', 'amy', 'password', $user->{password}, 'created', 5);
$redis->cmd('ZADD', 'gate:users', 5, 'amy');
($status, my $list) = $ctl->json('user', 'list');
is $status, 0, 'user list is done';
is_deeply [map { $_->{name} } @{ $list->{users} }], ['amy', "J\x{f6}rg"], 'oldest first, also of others';
ok !exists $list->{users}[1]{password}, 'without hashes';
is $list->{users}[1]{scheme}, '$6$', 'but their kind';
like +($ctl->run('user', 'show', $name))[1], qr/^roles +r s$/m, 'user show is for people';
unlike +($ctl->run('user', 'list'))[1], qr/\$6\$rounds/, 'a table has no hash either';

for (['disable', 'disabled'], ['disable', 'disabled'], ['enable', 'active']) {
    my ($command, $state) = @$_;
    is(($ctl->run('user', $command, $name))[0], 0, "user $command is done");
    is user($name)->{status}, $state, "and the user is $state";
}
is scalar($ctl->log), 3, 'the stream tells of each change, and of no other';

($status, $out) = $ctl->run('user', 'passwd', $name, '--generate', '--cost', 1);
is $status, 0, 'user passwd is done';
my ($generated) = $out =~ /^password  (\S{24})$/m;
is_password($name, $generated, 'with a password that was made');
is_deeply { %{ user($name) }, password => '' }, { %$user, password => '' }, 'all else is the same';

is(($ctl->run('user', 'remove', 'amy'))[0], 0, 'user remove is done');
is_deeply [$ctl->ask('EXISTS', 'user:amy'), $ctl->ask('ZSCORE', 'users', 'amy')], [0, undef], 'and nothing is left';
($status, undef, $err) = $ctl->run('user', 'show', 'amy');
is $status, 1, 'the user is unknown';
is $err, qq{gatectl: no user has the name "amy"\n}, 'by name';

# ---- import

my $sha = '{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=';
my $htpasswd = $t->write_file('htpasswd', "# people\n$name:$sha\n" . join '', map { "user$_:$user->{password}:rest\n" } 1 .. 250);
($status, $out, $err) = $ctl->run('user', 'import', $htpasswd);
is $status, 0, 'user import is done';
is $out, "250 added, 0 replaced, 1 unchanged\n", 'and keeps who is there';
like $err, qr/user "J\xc3\xb6rg" has a weak hash \(\{SHA\}\)/, 'a weak hash is named';
is $ctl->ask('ZCARD', 'users'), 251, 'all are listed';
is user('user250')->{password}, $user->{password}, 'with their hashes';
is(($ctl->run('user', 'import', '--replace', $htpasswd))[1], "0 added, 1 replaced, 250 unchanged\n", '--replace');
is_deeply user($name), { %$user, password => $sha }, 'replaces the password only';
is scalar(@{ ($ctl->json('user', 'list'))[1]{users} }), 251, 'list reads page by page';

# ---- what others break

$redis->cmd('HSET', 'gate:user:user1', 'status', 'sometimes');
$redis->cmd('DEL', 'gate:user:user2');
($status, $out, $err) = $ctl->run('user', 'list');
is $status, 1, 'broken users are no good list';
like $err, qr/^gatectl: user "user1": the record is broken: field "status" is wrong; expected active or disabled$/m,
    'one is named, without its value';
like $err, qr/^gatectl: user "user2": it is listed, and its record is missing$/m, 'so is one that is gone';
is scalar(() = $out =~ /^\S/mg), 250, 'the others are shown';
$redis->cmd('SET', 'gate:user:odd', 'x');
($status, undef, $err) = $ctl->run('user', 'add', 'odd', '--password-stdin', @cheap, { stdin => "one\n" });
is $status, 1, 'a key of another type takes no user';
like $err, qr/WRONGTYPE/, 'as Redis says';

# ---- many at a time

my @before = $ctl->log;
my @pids = map { $ctl->start($t->dir . '/many.out', 'user', 'add', "many$_", '--generate', '--cost', 1) } 1 .. 8;
is_deeply [$ctl->finish(@pids)], [(0) x 8], 'eight at a time are all done';
is scalar($ctl->log) - @before, 8, 'with an entry for each';
is scalar(grep { user("many$_")->{v} } 1 .. 8), 8, 'and a record';
@pids = map { $ctl->start($t->dir . '/same.out', 'user', 'add', 'same', '--generate', '--cost', 1) } 1 .. 4;
is_deeply [sort $ctl->finish(@pids)], [0, 1, 1, 1], 'of four of one name one is added';

# ---- the terminal

# What a person would see and type, by a pseudo-terminal of python's.
sub typed {
    my ($text, @arguments) = @_;
    my $program = $ENV{GATE_CTL} || root_dir() . '/build/release/gatectl';
    my $script = $t->write_file('typed.py', <<'EOF');
import os, pty, sys
typed = sys.argv[1].encode().decode("unicode_escape").encode().split(b"|")
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen = b""
while True:
    try:
        octets = os.read(fd, 4096)
    except OSError:
        break
    if not octets:
        break
    seen += octets
    if seen.endswith(b": ") and typed:
        os.write(fd, typed.pop(0))
        seen += b"<typed>"
sys.stdout.buffer.write(seen)
status = os.waitpid(pid, 0)[1]
sys.exit(os.waitstatus_to_exitcode(status) & 127)
EOF
    my $seen = qx(python3 $script '$text' $program @arguments);
    return ($? >> 8, $seen);
}
SKIP: {
    # A bare root directory may have none.
    skip 'no pseudo-terminal here', 9 if system('python3 -c "import pty; pty.openpty()" 2>/dev/null');
    my $file = $t->dir . '/users.json';
    my ($status, $seen) = typed('secret one\n|secret one\n', 'user', 'add', $file, 'eve', @cheap);
    is $status, 0, 'a password is typed twice';
    like $seen, qr/New password of eve: <typed>\r\nThe same password of eve again: <typed>\r\nuser eve is added/, 'when asked for';
    unlike $seen, qr/secret/, 'and not shown';
    my ($eve) = @{ JSON::PP->new->decode(slurp($file))->{users} };
    is crypt('secret one', $eve->{password}), $eve->{password}, 'it is the password';
    ($status, $seen) = typed('one\n|two\n', 'user', 'passwd', $file, 'eve', @cheap);
    is $status, 1, 'two that differ are refused';
    like $seen, qr/gatectl: the two are not the same/, 'as it says';
    my $whole = slurp($file);
    ($status, $seen) = typed('\x03', 'user', 'passwd', $file, 'eve', @cheap);
    isnt $status, 0, 'an interrupt ends it';
    is slurp($file), $whole, 'and nothing is changed';
}

# ---- nothing secret

my $wire = join "\n", $monitor->lines;
ok index($wire, $_) < 0, 'no password went to Redis' for "pass w\xc3\xb6rd", 'pass w', $generated;
ok index($wire, 'user:user250') > 0, 'while everything else was seen';

done_testing();
