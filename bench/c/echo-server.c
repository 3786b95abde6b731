// A TCP echo server on one level-triggered epoll: the yardstick. Prints its port, then serves until it is
// killed.
#include <sys/resource.h>

#include "bench.h"

#define EVENTS 512
#define CHUNK 65536

// What the peer has not taken yet. While there is any, nothing more is read from it.
struct unsent {
  char* bytes;
  size_t from, to;
};

static int epfd;
static char chunk[CHUNK];
static struct unsent* unsent;  // by descriptor

static void watch(int op, int fd, unsigned events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  MUST(epoll_ctl(epfd, op, fd, &event));
}

static void hang_up(int fd) {
  free(unsent[fd].bytes);
  unsent[fd] = (struct unsent){0};
  MUST(close(fd));
}

static void welcome(int listener) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    watch(EPOLL_CTL_ADD, fd, EPOLLIN);
  }
  if (errno != EAGAIN && errno != ECONNABORTED) MUST(-1);
}

static void echo(int fd) {
  ssize_t length = recv(fd, chunk, CHUNK, 0);
  if (length <= 0) {
    if (length == 0 || errno != EAGAIN) hang_up(fd);
    return;
  }
  ssize_t sent = send(fd, chunk, length, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return hang_up(fd);
  if (sent < 0) sent = 0;
  if (sent == length) return;
  struct unsent rest = {malloc(length - sent), 0, length - sent};
  if (!rest.bytes) exit(1);
  memcpy(rest.bytes, chunk + sent, rest.to);
  unsent[fd] = rest;
  watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void flush(int fd) {
  struct unsent* rest = &unsent[fd];
  ssize_t sent = send(fd, rest->bytes + rest->from, rest->to - rest->from, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN) hang_up(fd);
    return;
  }
  if ((rest->from += sent) < rest->to) return;
  free(rest->bytes);
  *rest = (struct unsent){0};
  watch(EPOLL_CTL_MOD, fd, EPOLLIN);
}

int main(void) {
  struct rlimit limit;
  MUST(getrlimit(RLIMIT_NOFILE, &limit));
  limit.rlim_cur = limit.rlim_max;
  MUST(setrlimit(RLIMIT_NOFILE, &limit));
  unsent = calloc(limit.rlim_max, sizeof *unsent);
  epfd = MUST(epoll_create1(EPOLL_CLOEXEC));
  int listener = listen_on(0, SOCK_NONBLOCK);
  watch(EPOLL_CTL_ADD, listener, EPOLLIN);
  printf("{\"port\":%d}\n", port_of(listener));
  fflush(stdout);
  struct epoll_event events[EVENTS];
  for (;;) {
    int ready = epoll_wait(epfd, events, EVENTS, -1);
    if (ready < 0 && errno != EINTR) MUST(-1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener)
        welcome(fd);
      else if (unsent[fd].bytes)
        flush(fd);
      else
        echo(fd);
    }
  }
}
