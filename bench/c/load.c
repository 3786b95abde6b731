// The load generator, the same for every server: it checks every byte that comes back.
//   load echo PORT PID CONNECTIONS SIZE SECONDS   each connection sends SIZE bytes, waits for all of them,
//   sends the next load churn PORT PID CONNECTIONS SECONDS       each slot connects, sends a byte, waits for
//   it, closes, connects again
// PID is the server's: its CPU time is read over the measured span, which starts after a tenth of SECONDS.
#include "bench.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

struct connection {
  int fd;
  size_t sent, received;
  long long began;
  unsigned message;  // picks the bytes of this message
};

static int epfd, port, count;
static size_t size;
static struct connection* connections;
static char *bytes, *scratch;

#define PATTERN 4096

// Latencies in buckets of a 32nd of an octave: a quantile is right within 3 %.
static unsigned long long buckets[64 * 32], finished;

static void record(long long ns) {
  int octave = 63 - __builtin_clzll(ns | 32);
  buckets[octave * 32 + (ns >> (octave - 5)) % 32]++;
  finished++;
}

static double quantile_us(double q) {
  unsigned long long wanted = finished * q, seen = 0;
  for (int i = 0; i < 64 * 32; i++)
    if ((seen += buckets[i]) > wanted) return (double)((32ULL + i % 32) << (i / 32)) / 32 / 1000;
  return 0;
}

static _Noreturn void fail(const char* why) {
  fprintf(stderr, "load: %s\n", why);
  exit(1);
}

// A client address of its own for each connection of a churn, so that ports in TIME_WAIT never run out.
static int dial(int source) {
  int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct sockaddr_in server = loopback(port), client = loopback(0);
  client.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);
  set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  MUST(bind(fd, (struct sockaddr*)&client, sizeof client));
  MUST(connect(fd, (struct sockaddr*)&server, sizeof server));
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

static const char* message_of(const struct connection* c) { return bytes + c->message * 61 % PATTERN; }

static void push(struct connection* c) {
  while (c->sent < size) {
    ssize_t n = send(c->fd, message_of(c) + c->sent, size - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;
    c->sent += MUST(n);
  }
}

static void next_message(struct connection* c, long long time) {
  c->message++;
  c->sent = c->received = 0;
  c->began = time;
  push(c);
}

// True when the whole message came back.
static int pull(struct connection* c) {
  while (c->received < size) {
    ssize_t n = recv(c->fd, scratch, size - c->received, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return 0;
    if (MUST(n) == 0) fail("the server hung up");
    if (memcmp(scratch, message_of(c) + c->received, n)) fail("the echo is not what was sent");
    c->received += n;
  }
  return 1;
}

static void join(struct connection* c, int source) {
  c->fd = dial(source);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  MUST(epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &event));
}

static int echo_is_back(struct connection* c, long long time) {
  push(c);
  if (!pull(c)) return 0;
  record(time - c->began);
  next_message(c, time);
  return 1;
}

static int churn_is_done(struct connection* c, long long time) {
  static int turn;
  if (!pull(c)) return 0;
  MUST(close(c->fd));
  record(time - c->began);
  join(c, turn++ % 10000);
  next_message(c, time);
  return 1;
}

static long long measure(long long until, int (*advance)(struct connection*, long long)) {
  struct epoll_event events[512];
  long long time, heard = now();
  while ((time = now()) < until) {
    int ready = MUST(epoll_wait(epfd, events, 512, 100));
    if (ready == 0 && now() - heard > 5000000000LL) fail("the server has been silent for 5 s");
    time = now();
    for (int i = 0; i < ready; i++)
      if (advance(events[i].data.ptr, time)) heard = time;
  }
  return time;
}

int main(int argc, char** argv) {
  int churn = argc == 6 && !strcmp(argv[1], "churn");
  if (!churn && (argc != 7 || strcmp(argv[1], "echo")))
    fail("usage: load echo|churn PORT PID CONNECTIONS [SIZE] SECONDS");
  port = atoi(argv[2]);
  count = atoi(argv[4]);
  size = churn ? 1 : atol(argv[5]);
  double seconds = atof(argv[argc - 1]);
  clockid_t server;
  if (clock_getcpuclockid(atoi(argv[3]), &server)) fail("no such server process");
  connections = calloc(count, sizeof *connections);
  scratch = malloc(size);
  bytes = malloc(PATTERN + size);
  if (!connections || !scratch || !bytes) fail("out of memory");
  srandom(1);
  for (size_t i = 0; i < PATTERN + size; i++) bytes[i] = random();
  epfd = MUST(epoll_create1(EPOLL_CLOEXEC));
  for (int i = 0; i < count; i++) {
    connections[i].message = i;
    join(&connections[i], churn ? i : 0);
    next_message(&connections[i], now());
  }
  int (*advance)(struct connection*, long long) = churn ? churn_is_done : echo_is_back;
  measure(now() + seconds * 1e8, advance);
  memset(buckets, 0, sizeof buckets);
  finished = 0;
  long long began = now(), server_cpu = on_clock(server), own_cpu = on_clock(CLOCK_PROCESS_CPUTIME_ID);
  double span = measure(began + seconds * 1e9, advance) - began;
  server_cpu = on_clock(server) - server_cpu;
  own_cpu = on_clock(CLOCK_PROCESS_CPUTIME_ID) - own_cpu;
  if (!finished) fail("nothing came back");
  printf(
      "{\"perSecond\":%.1f,\"serverNs\":%.1f,\"serverBusy\":%.4f,\"loadBusy\":%.4f,\"p50\":%.2f,\"p99\":%.2f}"
      "\n",
      finished / span * 1e9, (double)server_cpu / finished, server_cpu / span, own_cpu / span,
      quantile_us(0.5), quantile_us(0.99));
  for (int i = 0; i < count; i++) reset(connections[i].fd);
  return 0;
}
