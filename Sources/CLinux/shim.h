#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <spawn.h>
#include <stddef.h>

/* string.h declares it only with _GNU_SOURCE, which the Swift importer does not set. */
void *memmem(const void *haystack, size_t haystack_length, const void *needle, size_t needle_length);
