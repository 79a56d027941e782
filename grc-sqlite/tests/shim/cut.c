/* Preloaded into a test process: records what is written, flushed and cut, so that the files can be made again as they
 * were after each of these calls; and lets the disk fail at any of them.
 *
 * CUT_LOG    the record, one entry a call, appended with raw system calls:
 *              kind (1) | length of the name (2) | offset (8) | length (8) | name | bytes
 *            kinds: w written, s flushed, t cut to a length, u taken away, a what the process itself writes to a file `*.said`
 *            (w and a are followed by their bytes). Numbers are of this machine.
 * CUT_STATE  a file of three numbers of eight bytes, mapped: how many calls there were; the first that fails; the first
 *            after it that does not. The process changes it by writing to the file. With it nothing is truly flushed:
 *            the disk is not cut off then, and hundreds of runs would wait for it.
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
#include <sys/uio.h>
#include <unistd.h>

static int log_fd = -1;
static int64_t *state;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CUT_LOG");
    if (path != NULL)
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    path = getenv("CUT_STATE");
    if (path != NULL) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
        void *map = fd < 0 ? MAP_FAILED : mmap(NULL, 24, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        state = map == MAP_FAILED ? NULL : map;
        if (fd >= 0)
            syscall(SYS_close, fd);
    }
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

/* The index of the log is not there after a cut: it is made again from the log. */
static int is_ours(const char *name) {
    return ends(name, ".db") || ends(name, ".db-wal") || ends(name, ".keys") || ends(name, ".keys-journal") ||
           ends(name, ".db-journal");
}

static void note(char kind, const char *name, int64_t offset, int64_t length, const void *bytes) {
    if (log_fd < 0)
        return;
    uint16_t named = (uint16_t)strlen(name);
    struct iovec parts[] = {
        {&kind, 1}, {&named, 2}, {&offset, 8}, {&length, 8}, {(void *)name, named},
        {(void *)bytes, bytes == NULL ? 0 : (size_t)length},
    };
    syscall(SYS_writev, log_fd, parts, 6);
}

/* Counts a call. Whether it is one of those that fail. */
static int fails(const char *name) {
    if (state == NULL || !is_ours(name))
        return 0;
    int64_t n = __atomic_add_fetch(&state[0], 1, __ATOMIC_SEQ_CST);
    return n >= __atomic_load_n(&state[1], __ATOMIC_SEQ_CST) && n < __atomic_load_n(&state[2], __ATOMIC_SEQ_CST);
}

static ssize_t done(int fd, const void *bytes, size_t length, int64_t offset, int seek) {
    char buffer[4096];
    const char *name = name_of(fd, buffer, sizeof buffer);
    if (fails(name)) {
        errno = EIO;
        return -1;
    }
    long out = seek ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
    if (out > 0 && is_ours(name))
        note('w', name, offset, out, bytes);
    if (out > 0 && ends(name, ".said"))
        note('a', name, 0, out, bytes);
    return out;
}

ssize_t write(int fd, const void *bytes, size_t length) { return done(fd, bytes, length, -1, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return done(fd, bytes, length, offset, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    return done(fd, bytes, length, offset, 1);
}

static int flush(int fd, long number) {
    char buffer[4096];
    const char *name = name_of(fd, buffer, sizeof buffer);
    if (fails(name)) {
        errno = EIO;
        return -1;
    }
    int out = state == NULL ? (int)syscall(number, fd) : 0;
    if (out == 0 && is_ours(name))
        note('s', name, 0, 0, NULL);
    return out;
}

int fsync(int fd) { return flush(fd, SYS_fsync); }
int fdatasync(int fd) { return flush(fd, SYS_fdatasync); }

static int cut(int fd, int64_t length) {
    char buffer[4096];
    const char *name = name_of(fd, buffer, sizeof buffer);
    if (fails(name)) {
        errno = EIO;
        return -1;
    }
    int out = (int)syscall(SYS_ftruncate, fd, length);
    if (out == 0 && is_ours(name))
        note('t', name, 0, length, NULL);
    return out;
}

int unlink(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    if (fails(name)) {
        errno = EIO;
        return -1;
    }
    int out = (int)syscall(SYS_unlink, path);
    if (out == 0 && is_ours(name))
        note('u', name, 0, 0, NULL);
    return out;
}

int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut(fd, length); }
