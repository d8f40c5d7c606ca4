package Gate::Shortage;

# Memory that runs short when the test wants it: a small library before libc's malloc lets one allocation of
# nginx fail, or each n-th one. What fails is in a file that it shares with the test.
#
#   my $shortage = Gate::Shortage->new($t);
#   { local %ENV = (%ENV, $shortage->environment); $t->start(..); }
#   $shortage->fail_at(7);          # the seventh from now on
#   $shortage->fail_each(50);       # the fiftieth, the hundredth, ..
#   $shortage->end;                 # how many have failed

use strict;
use warnings;

my $source = <<'END';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

// at: the allocation that fails, 0 for none; count: those made since it was set; failed; again: whether
// each at-th one fails.
static volatile uint64_t *shared;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAIL_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0) shared = mmap(NULL, 32, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static int fails(void) {
    if (!shared || !shared[0] || ++shared[1] != shared[0]) return 0;
    if (shared[3]) shared[1] = 0;
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
END

# Of a test whose nginx has not been started. Also says what is no alarm where memory is short.
sub new {
    my ($class, $t) = @_;
    my $self = bless { library => $t->dir . '/shortage.so', file => $t->dir . '/shortage' }, $class;
    my $text = $t->write_file('shortage.c', $source);
    system("gcc -O1 -shared -fPIC -o $self->{library} $text -ldl") == 0 or die 'no compiler';
    $t->write_file('shortage', "\0" x 32);
    $t->allow(qr/\((?:12: Cannot allocate memory)\)/, qr/gate: internal error/, qr/malloc|memalign|alloc/i);
    return $self;
}

sub environment { my ($self) = @_; return (LD_PRELOAD => $self->{library}, FAIL_FILE => $self->{file}); }

sub fail_at { my ($self, $number) = @_; return $self->_write($number, 0); }
sub fail_each { my ($self, $number) = @_; return $self->_write($number, 1); }

sub end {
    my ($self) = @_;
    open my $file, '<:raw', $self->{file} or die "$self->{file}: $!";
    sysread $file, my ($octets), 32;
    $self->_write(0, 0);
    return (unpack 'Q4', $octets)[2];
}

# In place: nginx has the file in its memory.
sub _write {
    my ($self, $at, $again) = @_;
    open my $file, '+<:raw', $self->{file} or die "$self->{file}: $!";
    syswrite $file, pack 'Q4', $at, 0, 0, $again;
    return;
}

1;
