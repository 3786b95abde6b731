// What the C programs of the bench share: a clock, a way to give up, TCP on loopback, and the stopwatch
// protocol.
#ifndef BENCH_H
#define BENCH_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// The result of a call that has no reason to fail here.
#define MUST(call) must(call, #call)

static inline long must(long result, const char* call) {
  if (result >= 0) return result;
  perror(call);
  exit(1);
}

static inline long long on_clock(clockid_t clock) {
  struct timespec time;
  MUST(clock_gettime(clock, &time));
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static inline long long now(void) { return on_clock(CLOCK_MONOTONIC); }

static inline struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline void set_option(int fd, int level, int name, int value) {
  MUST(setsockopt(fd, level, name, &value, sizeof value));
}

static inline int listen_on(int port, int flags) {
  int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  struct sockaddr_in address = loopback(port);
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  MUST(bind(fd, (struct sockaddr*)&address, sizeof address));
  MUST(listen(fd, SOMAXCONN));
  return fd;
}

static inline int port_of(int fd) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  MUST(getsockname(fd, (struct sockaddr*)&address, &length));
  return ntohs(address.sin_port);
}

// Close by reset: both ends are gone at once, and no TIME_WAIT keeps the port.
static inline void reset(int fd) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
  MUST(close(fd));
}

static inline void* sleep_for_ever(void* unused) {
  for (;;) pause();
  return unused;
}

// In a process of several threads, as Node is, the kernel counts a reference on each descriptor that a call
// names; one of a single thread is spared that. With the word `threaded` first, a program has a second,
// sleeping thread.
static inline void maybe_thread(int argc, char** argv) {
  pthread_t thread;
  if (argc > 1 && !strcmp(argv[1], "threaded") && pthread_create(&thread, NULL, sleep_for_ever, NULL))
    exit(1);
}

// The stopwatch protocol: a line `JOB COUNT ARGUMENT` in, the job done COUNT times, a line with the
// nanoseconds of one out.
struct job {
  const char* name;
  void (*prepare)(int argument);  // not timed; may be null
  void (*run)(long count, int argument);
};

static inline int stopwatch(const struct job* jobs, size_t length) {
  char line[128], name[32];
  while (fgets(line, sizeof line, stdin)) {
    long count = 0;
    int argument = 0;
    if (sscanf(line, "%31s %ld %d", name, &count, &argument) < 2) return 1;
    const struct job* job = jobs;
    while (job < jobs + length && strcmp(job->name, name)) job++;
    if (job == jobs + length) return fprintf(stderr, "no job %s\n", name), 1;
    if (job->prepare) job->prepare(argument);
    long long began = now();
    job->run(count, argument);
    printf("{\"ns\":%.3f}\n", (double)(now() - began) / count);
    fflush(stdout);
  }
  return 0;
}

#endif
