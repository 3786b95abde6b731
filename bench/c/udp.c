// 64-byte datagrams over loopback, sent and received in turn by one thread, 64 at a time, so that none is
// lost:
//   sendto COUNT   one call for each datagram
//   mmsg COUNT     sendmmsg and recvmmsg, 64 messages a call
//   gso COUNT      UDP_SEGMENT and UDP_GRO, 64 datagrams as one buffer
#include <netinet/udp.h>

#include "bench.h"

#define SIZE 64
#define BATCH 64

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif

static int sender, receiver, big_sender, big_receiver;
static struct sockaddr_in here, big_here;
static char out[BATCH][SIZE], in[BATCH][SIZE];

static int bound(struct sockaddr_in* address) {
  int fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  *address = loopback(0);
  MUST(bind(fd, (struct sockaddr*)address, sizeof *address));
  address->sin_port = htons(port_of(fd));
  return fd;
}

static void expect(long got, long wanted) {
  if (MUST(got) != wanted) exit(fprintf(stderr, "udp: %ld where %ld was due\n", got, wanted));
}

static void by_sendto(long count, int unused) {
  (void)unused;
  struct sockaddr_in from;
  for (; count > 0; count -= BATCH) {
    for (int i = 0; i < BATCH; i++)
      expect(sendto(sender, out[i], SIZE, 0, (struct sockaddr*)&here, sizeof here), SIZE);
    for (int i = 0; i < BATCH; i++) {
      socklen_t length = sizeof from;
      expect(recvfrom(receiver, in[i], SIZE, 0, (struct sockaddr*)&from, &length), SIZE);
    }
  }
}

static void by_mmsg(long count, int unused) {
  (void)unused;
  struct mmsghdr outgoing[BATCH] = {0}, incoming[BATCH] = {0};
  struct iovec out_iov[BATCH], in_iov[BATCH];
  struct sockaddr_in from[BATCH];
  for (int i = 0; i < BATCH; i++) {
    out_iov[i] = (struct iovec){out[i], SIZE};
    in_iov[i] = (struct iovec){in[i], SIZE};
    outgoing[i].msg_hdr = (struct msghdr){
        .msg_name = &here, .msg_namelen = sizeof here, .msg_iov = &out_iov[i], .msg_iovlen = 1};
    incoming[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_iov = &in_iov[i], .msg_iovlen = 1};
  }
  for (; count > 0; count -= BATCH) {
    expect(sendmmsg(sender, outgoing, BATCH, 0), BATCH);
    for (int i = 0; i < BATCH; i++) incoming[i].msg_hdr.msg_namelen = sizeof from[i];
    expect(recvmmsg(receiver, incoming, BATCH, 0, NULL), BATCH);
  }
}

static void by_gso(long count, int unused) {
  (void)unused;
  for (; count > 0; count -= BATCH) {
    expect(sendto(big_sender, out, sizeof out, 0, (struct sockaddr*)&big_here, sizeof big_here), sizeof out);
    expect(recv(big_receiver, in, sizeof in, 0), sizeof in);
  }
}

int main(void) {
  struct sockaddr_in unused;
  sender = bound(&unused);
  receiver = bound(&here);
  big_sender = bound(&unused);
  big_receiver = bound(&big_here);
  set_option(big_sender, IPPROTO_UDP, UDP_SEGMENT, SIZE);
  set_option(big_receiver, IPPROTO_UDP, UDP_GRO, 1);
  for (int i = 0; i < BATCH; i++) memset(out[i], 'a' + i % 26, SIZE);
  const struct job jobs[] = {{"sendto", NULL, by_sendto}, {"mmsg", NULL, by_mmsg}, {"gso", NULL, by_gso}};
  return stopwatch(jobs, sizeof jobs / sizeof *jobs);
}
