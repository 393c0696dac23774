#include <grp.h>
#include <linux/filter.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <malloc.h>
#include <spawn.h>
#include <stddef.h>
#include <unistd.h>

/* string.h declares it only with _GNU_SOURCE, which the Swift importer does not set. */
void *memmem(const void *haystack, size_t haystack_length, const void *needle, size_t needle_length);

/* The same holds for these. */
int pipe2(int ends[2], int flags);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
#ifndef POSIX_SPAWN_SETSID
#define POSIX_SPAWN_SETSID 0x80
#endif

/* Swift imports no variadic function. */
static inline int parley_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return prctl(option, a, b, c, d);
}
static inline long parley_syscall(long number, long a, long b, long c, long d) {
    return syscall(number, a, b, c, d);
}
