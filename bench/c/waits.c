// What one wait costs while N descriptors are idle and one is ready, by select, poll and epoll.
// The idle ones are Unix stream sockets. A line `select COUNT N` (or poll, epoll) waits COUNT times. Usage:
// waits [threaded]
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>

#include "bench.h"

static int watched[20000], watching, epfd;
static struct pollfd* pollfds;

// One socket with a byte waiting, and N idle ones.
static void prepare(int idle) {
  if (watching == idle + 1) return;
  while (watching) MUST(close(watched[--watching]));
  if (epfd) MUST(close(epfd));
  int pair[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  MUST(send(pair[1], "x", 1, 0));
  watched[watching++] = pair[0];
  for (; watching <= idle; watching += 2) MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, watched + watching));
  watching = idle + 1;
  pollfds = realloc(pollfds, watching * sizeof *pollfds);
  epfd = MUST(epoll_create1(EPOLL_CLOEXEC));
  for (int i = 0; i < watching; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = watched[i]};
    MUST(epoll_ctl(epfd, EPOLL_CTL_ADD, watched[i], &event));
    pollfds[i] = (struct pollfd){.fd = watched[i], .events = POLLIN};
  }
}

static void expect_one(int ready) {
  if (MUST(ready) != 1) exit(fprintf(stderr, "waits: %d descriptors are ready, not one\n", ready));
}

// select overwrites its sets, so each wait begins with a copy, as every program that uses it must.
static void by_select(long count, int idle) {
  fd_set all, readable;
  FD_ZERO(&all);
  for (int i = 0; i <= idle; i++) FD_SET(watched[i], &all);
  while (count-- > 0) {
    readable = all;
    expect_one(select(watched[idle] + 1, &readable, NULL, NULL, NULL));
  }
}

static void by_poll(long count, int idle) {
  while (count-- > 0) expect_one(poll(pollfds, idle + 1, -1));
}

static void by_epoll(long count, int unused) {
  (void)unused;
  struct epoll_event events[64];
  while (count-- > 0) expect_one(epoll_wait(epfd, events, 64, -1));
}

int main(int argc, char** argv) {
  maybe_thread(argc, argv);
  struct rlimit limit;
  MUST(getrlimit(RLIMIT_NOFILE, &limit));
  limit.rlim_cur = limit.rlim_max;
  MUST(setrlimit(RLIMIT_NOFILE, &limit));
  const struct job jobs[] = {
      {"select", prepare, by_select}, {"poll", prepare, by_poll}, {"epoll", prepare, by_epoll}};
  return stopwatch(jobs, sizeof jobs / sizeof *jobs);
}
