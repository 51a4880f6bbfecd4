// A disk that fails on order, for one process: put in front of libc with LD_PRELOAD. Only files under FAILING_DISK_UNDER are touched. FAILING_DISK_ORDER names
// a file that holds one order and is read again at every call, so that a fault comes and goes while the program runs:
//   fsync EIO | fsync SLOW 300 | write EIO | write ENOSPC | write SHORT | (empty: whole)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum verdict { WHOLE, FAILED, SHORTER };

static int concerned(int fd)
{
    const char *under = getenv("FAILING_DISK_UNDER");
    char link[64], path[1024];
    if (!under) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strncmp(path, under, strlen(under)) == 0;
}

// What is ordered for this kind of call; errno is set when it fails.
static enum verdict ordered(const char *call, int fd)
{
    int before = errno, number = 0;
    char text[64] = "", what[16] = "", how[16] = "";
    const char *file = getenv("FAILING_DISK_ORDER");
    enum verdict verdict = WHOLE;
    if (file && concerned(fd)) {
        int order = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
        if (order >= 0) {
            if (syscall(SYS_read, order, text, sizeof text - 1) < 0) text[0] = 0;
            syscall(SYS_close, order);
        }

        if (sscanf(text, "%15s %15s %d", what, how, &number) >= 2 && strcmp(what, call) == 0) {
            if (strcmp(how, "SLOW") == 0) nanosleep(&(struct timespec){ number / 1000, number % 1000 * 1000000L }, NULL);
            else if (strcmp(how, "SHORT") == 0) verdict = SHORTER;
            else {
                before = strcmp(how, "ENOSPC") == 0 ? ENOSPC : EIO;
                verdict = FAILED;
            }
        }
    }

    errno = before;
    return verdict;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define WRITE(...) \
    enum verdict verdict = ordered("write", fd); \
    if (verdict == FAILED) return -1; \
    if (verdict == SHORTER && size > 1) size /= 2; \
    return real(__VA_ARGS__)
#define VECTOR(...) \
    enum verdict verdict = ordered("write", fd); \
    if (verdict == FAILED) return -1; \
    if (verdict == SHORTER && count > 1) count /= 2; \
    return real(__VA_ARGS__)

ssize_t write(int fd, const void *from, size_t size) { REAL(write); WRITE(fd, from, size); }
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) { REAL(pwrite); WRITE(fd, from, size, at); }
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) { REAL(pwrite64); WRITE(fd, from, size, at); }
ssize_t writev(int fd, const struct iovec *from, int count) { REAL(writev); VECTOR(fd, from, count); }
ssize_t pwritev(int fd, const struct iovec *from, int count, off_t at) { REAL(pwritev); VECTOR(fd, from, count, at); }
ssize_t pwritev64(int fd, const struct iovec *from, int count, off64_t at) { REAL(pwritev64); VECTOR(fd, from, count, at); }
int fsync(int fd) { REAL(fsync); return ordered("fsync", fd) == FAILED ? -1 : real(fd); }
int fdatasync(int fd) { REAL(fdatasync); return ordered("fsync", fd) == FAILED ? -1 : real(fd); }
