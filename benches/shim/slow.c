/* A disk whose flushes take longer, by GRC_FLUSH_MICROS: preloaded where a comparison is to be made as on such a disk. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static int flushed(const char *name, int file)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *micros = getenv("GRC_FLUSH_MICROS");
    long more = micros ? atol(micros) : 0;
    int result = real(file);
    int error = errno;
    struct timespec rest = {more / 1000000, more % 1000000 * 1000};
    while (nanosleep(&rest, &rest) == -1 && errno == EINTR)
        ;
    errno = error;
    return result;
}

int fsync(int file) { return flushed("fsync", file); }
int fdatasync(int file) { return flushed("fdatasync", file); }
