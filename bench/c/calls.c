// The calls of bench/ours/calls.ts, made by C. Usage: calls [threaded] PORT
#include <fcntl.h>

#include "bench.h"

static int pair[2], listener;

static void fcntl_getfd(long count, int unused) {
  (void)unused;
  for (long i = 0; i < count; i++) MUST(fcntl(pair[0], F_GETFD));
}

static void send_recv(long count, int size) {
  char out[size], in[size];
  memset(out, 'x', size);
  for (long i = 0; i < count; i++) {
    MUST(send(pair[0], out, size, 0));
    MUST(recv(pair[1], in, size, 0));
  }
}

static void accept_close(long count, int unused) {
  (void)unused;
  for (long i = 0; i < count; i++) MUST(close(MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC))));
}

int main(int argc, char** argv) {
  if (argc < 2) return fprintf(stderr, "usage: calls [threaded] PORT\n"), 2;
  maybe_thread(argc, argv);
  MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
  listener = listen_on(atoi(argv[argc - 1]), 0);
  const struct job jobs[] = {
      {"fcntl", NULL, fcntl_getfd}, {"sendRecv", NULL, send_recv}, {"acceptClose", NULL, accept_close}};
  return stopwatch(jobs, sizeof jobs / sizeof *jobs);
}
