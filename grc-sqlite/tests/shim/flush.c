/* Preloaded into a test process: logs what is written and flushed, in one order, and can play a full disk.
 *
 * FLUSH_LOG     the log. One line a call, appended with raw system calls:
 *                 w <file> <offset> <length> <commit> <needles>   bytes were written; `commit` is 1 for the header of a
 *                                                                 WAL frame that ends a transaction; needles are the
 *                                                                 tags `needle-NNNNNNNNN` found in the bytes
 *                 b <file>, s <file>                              a flush begins, and has succeeded
 *                 t <file> <length>                               the file was cut to a length
 *                 a <text>                                        what the process itself writes to a file `*.said`
 * FLUSH_BUDGET  a file of eight bytes that is mapped: how many bytes may still be written, negative for any number.
 *               Past them the disk is full. -2: flushes fail. The process changes it by writing to the file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int log_fd = -1;
static int64_t *budget;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FLUSH_LOG");
    if (path != NULL)
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    path = getenv("FLUSH_BUDGET");
    if (path != NULL) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
        /* Shared, so that what the process writes to the file is seen; the budget itself is counted in `spent`. */
        void *map = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
        budget = map == MAP_FAILED ? NULL : map;
        if (fd >= 0)
            syscall(SYS_close, fd);
    }
}

static void put(const char *line, size_t length) {
    if (log_fd >= 0)
        syscall(SYS_write, log_fd, line, length);
}

/* The name of an open file, without its directories; empty for what is none. */
static const char *name_of(int fd, char *buffer, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, buffer, size - 1);
    if (length <= 0)
        return "";
    buffer[length] = 0;
    char *slash = strrchr(buffer, '/');
    return slash == NULL ? "" : slash + 1;
}

static int ends(const char *name, const char *end) {
    size_t a = strlen(name), b = strlen(end);
    return a >= b && strcmp(name + a - b, end) == 0;
}

static int is_ours(const char *name) {
    return ends(name, ".db") || ends(name, ".db-wal") || ends(name, ".db-shm") || ends(name, ".keys") ||
           ends(name, ".keys-journal") || ends(name, ".db-journal");
}

static void wrote(const char *name, const unsigned char *bytes, size_t length, int64_t offset) {
    char line[2048];
    if (ends(name, ".said")) {
        int n = snprintf(line, sizeof line, "a %.*s", (int)length, (const char *)bytes);
        put(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
        return;
    }
    if (!is_ours(name) || ends(name, "-shm"))
        return;
    /* The header of a frame has 24 bytes; bytes 4 to 7 are the size of the database after a commit, else 0. */
    int commit = ends(name, "-wal") && length == 24 && (bytes[4] | bytes[5] | bytes[6] | bytes[7]) != 0;
    int n = snprintf(line, sizeof line, "w %s %lld %zu %d ", name, (long long)offset, length, commit);
    const unsigned char *at = bytes, *end = bytes + length;
    while (at < end && (at = memmem(at, (size_t)(end - at), "needle-", 7)) != NULL) {
        if (end - at >= 16 && (size_t)n + 18 < sizeof line) {
            memcpy(line + n, at + 7, 9);
            n += 9;
            line[n++] = ',';
        }
        at += 7;
    }
    line[n++] = '\n';
    put(line, (size_t)n);
}

static int64_t spent, given = -1;
static char counting;

/* How many of so many bytes fit on the disk. */
static size_t fits(const char *name, size_t length) {
    if (budget == NULL || !is_ours(name))
        return length;
    while (__atomic_test_and_set(&counting, __ATOMIC_ACQUIRE))
        ;
    int64_t now = __atomic_load_n(budget, __ATOMIC_SEQ_CST);
    if (now != given) {
        given = now;
        spent = 0;
    }
    int64_t left = now - spent;
    size_t fit = now < 0 ? length : left <= 0 ? 0 : (size_t)left < length ? (size_t)left : length;
    spent += (int64_t)fit;
    __atomic_clear(&counting, __ATOMIC_RELEASE);
    return fit;
}

static ssize_t done(int fd, const void *bytes, size_t length, int64_t offset, int seek) {
    char buffer[4096];
    const char *name = name_of(fd, buffer, sizeof buffer);
    size_t fit = fits(name, length);
    if (fit == 0 && length > 0) {
        errno = ENOSPC;
        return -1;
    }
    /* An acknowledgement is logged before it is given; a write after it was made. */
    if (ends(name, ".said"))
        wrote(name, bytes, fit, offset);
    long out = seek ? syscall(SYS_pwrite64, fd, bytes, fit, offset) : syscall(SYS_write, fd, bytes, fit);
    if (out > 0 && !ends(name, ".said"))
        wrote(name, bytes, (size_t)out, offset);
    return out;
}

ssize_t write(int fd, const void *bytes, size_t length) { return done(fd, bytes, length, -1, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return done(fd, bytes, length, offset, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    return done(fd, bytes, length, offset, 1);
}

static int flush(int fd, long number) {
    char buffer[4096], line[4200];
    const char *name = name_of(fd, buffer, sizeof buffer);
    int known = is_ours(name);
    if (known)
        put(line, (size_t)snprintf(line, sizeof line, "b %s\n", name));
    if (known && budget != NULL && __atomic_load_n(budget, __ATOMIC_SEQ_CST) == -2) {
        errno = EIO;
        return -1;
    }
    int out = (int)syscall(number, fd);
    if (known && out == 0)
        put(line, (size_t)snprintf(line, sizeof line, "s %s\n", name));
    return out;
}

int fsync(int fd) { return flush(fd, SYS_fsync); }
int fdatasync(int fd) { return flush(fd, SYS_fdatasync); }

static int cut(int fd, int64_t length) {
    char buffer[4096], line[4200];
    const char *name = name_of(fd, buffer, sizeof buffer);
    int out = (int)syscall(SYS_ftruncate, fd, length);
    if (out == 0 && is_ours(name) && !ends(name, "-shm"))
        put(line, (size_t)snprintf(line, sizeof line, "t %s %lld\n", name, (long long)length));
    return out;
}

int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut(fd, length); }
