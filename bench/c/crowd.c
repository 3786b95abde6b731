// Many quiet TCP connections to a server, opened and dropped on command:
//   open COUNT PORT    connects COUNT times
//   greet COUNT PORT   the same, and each connection sends a byte and waits for its echo: the server has
//   accepted it drop 0             resets them all
#include <sys/resource.h>

#include "bench.h"

static int* fds;
static size_t open_fds, room;

static int dial(int port) {
  int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct sockaddr_in address = loopback(port);
  MUST(connect(fd, (struct sockaddr*)&address, sizeof address));
  if (open_fds == room) fds = realloc(fds, (room = room * 2 + 1024) * sizeof *fds);
  return fds[open_fds++] = fd;
}

static void open_quietly(long count, int port) {
  while (count-- > 0) dial(port);
}

static void greet(long count, int port) {
  while (count-- > 0) {
    char byte = 'a' + count % 26, echo = 0;
    int fd = dial(port);
    MUST(send(fd, &byte, 1, 0));
    if (MUST(recv(fd, &echo, 1, 0)) != 1 || echo != byte)
      exit(fprintf(stderr, "the echo is not what was sent\n"));
  }
}

static void drop(long count, int unused) {
  (void)count, (void)unused;
  while (open_fds) reset(fds[--open_fds]);
}

int main(void) {
  struct rlimit limit;
  MUST(getrlimit(RLIMIT_NOFILE, &limit));
  limit.rlim_cur = limit.rlim_max;
  MUST(setrlimit(RLIMIT_NOFILE, &limit));
  const struct job jobs[] = {{"open", NULL, open_quietly}, {"greet", NULL, greet}, {"drop", NULL, drop}};
  return stopwatch(jobs, sizeof jobs / sizeof *jobs);
}
