#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "addon.h"
#include "call.h"
#include "kernel.h"
#include "threads.h"

// Three fd_sets, each null or long enough for `nfds` bits: the kernel trusts nfds and not the sets.
class FdSets {
 public:
  explicit FdSets(Call& call) : nfds(call.integer("nfds")) {
    read = set(call, "readfds");
    write = set(call, "writefds");
    except = set(call, "exceptfds");
  }
  int nfds;
  fd_set *read, *write, *except;

 private:
  fd_set* set(Call& call, const char* argument) {
    Bytes bytes = call.bytesOrNull(argument);
    constexpr size_t kWordBits = 8 * sizeof(long);
    size_t needed = nfds > 0 ? (nfds + kWordBits - 1) / kWordBits * sizeof(long) : 0;
    if (bytes.data && bytes.length < needed) call.refuseRange(argument, "as long as nfds needs");
    return reinterpret_cast<fd_set*>(bytes.data);
  }
};

// int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout);
static napi_value Select(Call& call) {
  FdSets sets(call);
  auto* timeout = call.structureOrNull<timeval>("timeout");
  return call.ok() ? call.answer(select(sets.nfds, sets.read, sets.write, sets.except, timeout)) : nullptr;
}

// int pselect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, const struct timespec *timeout,
//             const sigset_t *sigmask);
static napi_value Pselect(Call& call) {
  FdSets sets(call);
  auto* timeout = call.structureOrNull<timespec>("timeout");
  SignalMask mask(call, "sigmask", true);
  if (!call.ok()) return nullptr;
  return call.answer(pselect(sets.nfds, sets.read, sets.write, sets.except, timeout, mask.pointer()));
}

// int poll(struct pollfd *fds, nfds_t nfds, int timeout);
static napi_value Poll(Call& call) {
  Bytes fds = call.bytes("fds");
  int timeout = call.integer("timeout");
  return call.ok()
             ? call.answer(poll(reinterpret_cast<pollfd*>(fds.data), fds.length / sizeof(pollfd), timeout))
             : nullptr;
}

// int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *_Nullable tmo_p,
//           const sigset_t *_Nullable sigmask);
static napi_value Ppoll(Call& call) {
  Bytes fds = call.bytes("fds");
  auto* timeout = call.structureOrNull<timespec>("timeout");
  SignalMask mask(call, "sigmask", true);
  if (!call.ok()) return nullptr;
  return call.answer(
      ppoll(reinterpret_cast<pollfd*>(fds.data), fds.length / sizeof(pollfd), timeout, mask.pointer()));
}

// int epoll_create(int size);
static napi_value EpollCreate(Call& call) {
  int size = call.integer("size");
  return call.ok() ? call.answer(epoll_create(size)) : nullptr;
}

// int epoll_create1(int flags);
static napi_value EpollCreate1(Call& call) {
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.answer(epoll_create1(static_cast<int>(flags))) : nullptr;
}

// int epoll_ctl(int epfd, int op, int fd, struct epoll_event *_Nullable event);
static napi_value EpollCtl(Call& call) {
  int epfd = call.integer("epfd");
  int operation = call.integer("op");
  int fd = call.fd();
  auto* event = call.structureOrNull<epoll_event>("event");
  return call.ok() ? call.answer(epoll_ctl(epfd, operation, fd, event)) : nullptr;
}

// As many as there is room for, which may be more than the kernel takes.
static int MaxEvents(Bytes events) {
  size_t count = events.length / sizeof(epoll_event);
  return count > INT_MAX ? INT_MAX : static_cast<int>(count);
}

// int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout);
template <class AnyCall>
static napi_value EpollWait(AnyCall& call) {
  int epfd = call.integer("epfd");
  Bytes events = call.bytes("events");
  int timeout = call.integer("timeout");
  if (!call.ok()) return nullptr;
  return call.number(kernel::epoll_wait(epfd, events.data, MaxEvents(events), timeout));
}

// int epoll_pwait(int epfd, struct epoll_event *events, int maxevents, int timeout,
//                 const sigset_t *_Nullable sigmask);
static napi_value EpollPwait(Call& call) {
  int epfd = call.integer("epfd");
  Bytes events = call.bytes("events");
  int timeout = call.integer("timeout");
  SignalMask mask(call, "sigmask", true);
  if (!call.ok()) return nullptr;
  return call.answer(epoll_pwait(epfd, reinterpret_cast<epoll_event*>(events.data), MaxEvents(events),
                                 timeout, mask.pointer()));
}

// int epoll_pwait2(int epfd, struct epoll_event *events, int maxevents,
//                  const struct timespec *_Nullable timeout, const sigset_t *_Nullable sigmask);
static napi_value EpollPwait2(Call& call) {
  int epfd = call.integer("epfd");
  Bytes events = call.bytes("events");
  auto* timeout = call.structureOrNull<timespec>("timeout");
  SignalMask mask(call, "sigmask", true);
  if (!call.ok()) return nullptr;
  constexpr int kSysEpollPwait2 = 441;  // glibc has the function since 2.35, the kernel since 5.11
  return call.answer(syscall(kSysEpollPwait2, epfd, events.data, MaxEvents(events), timeout, mask.pointer(),
                             kKernelSigsetSize));
}

void DefineWaiting(Calls& calls) {
  calls.define({
      {"select", Entry<Select>},
      {"pselect", Entry<Pselect>},
      {"poll", Entry<Poll>},
      {"ppoll", Entry<Ppoll>},
      {"epoll_create", Entry<EpollCreate>},
      {"epoll_create1", Entry<EpollCreate1>},
      {"epoll_ctl", Entry<EpollCtl>},
      {"epoll_wait", Entry<EpollWait<Call>, 3>, HotEntry<EpollWait<HotCall>, 1>},
      {"epoll_pwait", Entry<EpollPwait>},
      {"epoll_pwait2", Entry<EpollPwait2>},
  });
}
