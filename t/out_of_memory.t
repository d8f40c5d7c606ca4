# Every allocation that a worker makes for a request fails once: nobody is let in by it, the worker lives,
# and the next request is answered as ever. A small library before libc's malloc does it; the number of
# the allocation that fails is in a file that it shares with the test.

use lib 't/lib';
use Gate::Test;

plan skip_all => 'the address sanitizer has a malloc of its own' if $ENV{GATE_ASAN} || $ENV{GATE_VALGRIND};

my $t = Gate::Test->new(workers => 1, log_level => 'notice');
my $dir = $t->dir;
$t->write_file('fail.c', <<'EOF2');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

// fail_at: the allocation that fails, 0 for none; count: those made since it was set; failed.
static volatile uint64_t *shared;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAIL_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0) shared = mmap(NULL, 24, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static int fails(void) {
    if (!shared || !shared[0] || ++shared[1] != shared[0]) return 0;
    ++shared[2];
    errno = ENOMEM;
    return 1;
}

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);
void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return fails() ? NULL : __libc_realloc(old, size); }
void *memalign(size_t align, size_t size) { return fails() ? NULL : __libc_memalign(align, size); }
void *aligned_alloc(size_t align, size_t size) { return memalign(align, size); }
int posix_memalign(void **to, size_t align, size_t size) {
    void *memory = memalign(align, size);
    if (!memory) return ENOMEM;
    *to = memory;
    return 0;
}
EOF2
system("gcc -O1 -shared -fPIC -o $dir/fail.so $dir/fail.c -ldl") == 0 or BAIL_OUT('no compiler');
$t->write_file('fail', "\0" x 24);

my $key = api_key('k_');
$t->write_jwks('corp.jwks', 'rs', 'es256', 'ed25519');
$t->write_file('keys.json', key_file(key_record($key)));
{
    local $ENV{LD_PRELOAD} = "$dir/fail.so";
    local $ENV{FAIL_FILE} = "$dir/fail";
    $t->start(<<'EOF2', zone => '');
gate_issuer corp { issuer https://idp.example.com; jwks_file %%DIR%%/corp.jwks; audience orders; }
gate_keys k { file %%DIR%%/keys.json; prefix k_; }
server {
    listen 127.0.0.1:%%PORT%%;
    gate_identity X-User $gate_subject;
    location / { gate jwt=corp key=k; gate_require_claim roles any staff; empty_gif; }
    location /key { gate jwt=corp key=k; empty_gif; }
}
EOF2
}
my ($worker) = wait_for(sub { ($t->workers)[0] });

sub shared {
    my ($fail_at) = @_;
    open my $file, '+<:raw', "$dir/fail" or die $!;
    sysread $file, my ($bytes), 24;
    if (defined $fail_at) {
        sysseek $file, 0, 0;
        syswrite $file, pack 'Q3', $fail_at, 0, 0;
    }
    return unpack 'Q3', $bytes;
}

# What nginx and we say when there is no memory; who is refused for it is no alarm.
$t->allow(qr/\((?:12: Cannot allocate memory)\)/, qr/gate: internal error/, qr/malloc|memalign|alloc/i);

my %claims = (roles => ['staff'], sub => 'a "quoted" name');
my @cases = (
    ['RS256', 200, '/', Authorization => 'Bearer ' . mint(claims => \%claims)],
    ['ES256', 200, '/', Authorization => 'Bearer ' . mint(key => 'es256', claims => \%claims)],
    ['EdDSA', 200, '/', Authorization => 'Bearer ' . mint(key => 'ed25519', claims => \%claims)],
    ['an API key', 200, '/key', 'X-API-Key', $key],
    ['a forged token', 401, '/', Authorization => 'Bearer ' . mint(key => 'rs_b', claims => \%claims, header => { kid => key('rs')->{kid} })],
    ['an expired token', 401, '/', Authorization => 'Bearer ' . mint(claims => { %claims, exp => time - 5 })],
    ['without the role', 403, '/', Authorization => 'Bearer ' . mint(claims => { roles => ['x'] })],
    ['no credential', 401, '/'],
    ['an unknown key', 401, '/key', 'X-API-Key', api_key('k_')],
);

for my $case (@cases) {
    my ($name, $wanted, $uri, @headers) = @$case;
    my (%seen, $failures);
    is http_get($uri, headers => \@headers)->status, $wanted, "$name: $wanted with memory";
    for my $number (1 .. 5000) {
        shared($number);
        my $status = http_get($uri, headers => \@headers, timeout => 2)->status;
        my (undef, undef, $failed) = shared(0);
        last if !$failed;
        ++$failures;
        $seen{$status}++;
    }
    cmp_ok $failures // 0, '>', 5, "$name: " . ($failures // 0) . ' allocations failed';
    note "$name: ", join ', ', map {"$_ $seen{$_} times"} sort keys %seen;
    ok !$seen{200}, "$name: nobody is let in" if $wanted != 200;
    is http_get($uri, headers => \@headers)->status, $wanted, "$name: $wanted again";
}
is_deeply [$t->workers], [$worker], 'the worker lives';

done_testing;
