#include <algorithm>
#include <cstddef>
#include <cstring>

#include "addon.h"
#include "call.h"
#include "guarded.h"
#include "reactor.h"
#include "threads.h"
#include "uapi.h"

// Events that a reactor has already taken for a descriptor that is closed reach nobody.
static void TellReactors(const Call& call, int closed) {
  for (Reactor* reactor : call.environment()->reactors) reactor->descriptorCloses(closed);
}

// int close(int fd);
template <class AnyCall>
static napi_value Close(AnyCall& call) {
  int fd = call.fd();
  if (!call.ok()) return nullptr;
  TellReactors(call, fd);
  return call.answer(close(fd));
}

// int dup(int oldfd);
static napi_value Dup(Call& call) {
  int fd = call.fd();
  return call.ok() ? call.answer(dup(fd)) : nullptr;
}

// int dup2(int oldfd, int newfd);
static napi_value Dup2(Call& call) {
  int oldFd = call.integer("oldfd");
  int newFd = call.integer("newfd");
  if (!call.ok()) return nullptr;
  int copy = dup2(oldFd, newFd);
  if (copy >= 0 && oldFd != newFd) TellReactors(call, newFd);
  return call.answer(copy);
}

// int dup3(int oldfd, int newfd, int flags);
static napi_value Dup3(Call& call) {
  int oldFd = call.integer("oldfd");
  int newFd = call.integer("newfd");
  uint32_t flags = call.flags("flags");
  if (!call.ok()) return nullptr;
  int copy = dup3(oldFd, newFd, static_cast<int>(flags));
  if (copy >= 0) TellReactors(call, newFd);
  return call.answer(copy);
}

// int pipe2(int pipefd[2], int flags);  out: the two descriptors
static napi_value Pipe2(Call& call) {
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.answer(pipe2(call.out(), static_cast<int>(flags))) : nullptr;
}

// The struct behind the last argument of fcntl and ioctl, copied into room for the largest that there can be:
// a kernel that takes a larger struct than the caller gave cannot write past the end of it.
class Scratch {
 public:
  explicit Scratch(Bytes bytes) : bytes_{bytes.data, std::min(bytes.length, sizeof room_)} {
    if (bytes_.length) memcpy(room_, bytes_.data, bytes_.length);
  }
  uint8_t* data() { return room_; }
  void copyBack() {
    if (bytes_.length) memcpy(bytes_.data, room_, bytes_.length);
  }

 private:
  Bytes bytes_;
  alignas(std::max_align_t) uint8_t room_[1 << _IOC_SIZEBITS] = {};
};

// The commands whose argument is an int. Every other command gets a pointer to a struct, or the null pointer
// for a number, so that no number from JavaScript is ever taken for a pointer.
static bool TakesInt(int command) {
  constexpr int kDupfdQuery = 0x403, kCreatedQuery = 0x404;  // not in every header
  switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_GETFD:
    case F_SETFD:
    case F_GETFL:
    case F_SETFL:
    case F_GETOWN:
    case F_SETOWN:
    case F_GETSIG:
    case F_SETSIG:
    case F_GETLEASE:
    case F_SETLEASE:
    case F_NOTIFY:
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
    case F_GET_SEALS:
    case F_ADD_SEALS:
    case kDupfdQuery:
    case kCreatedQuery:
      return true;
    default:
      return false;
  }
}

// F_GETOWN answers a process group as a negative number, which out[0] tells from an error.
template <class AnyCall>
static napi_value Owner(const AnyCall& call, int fd) {
  errno = 0;
  int owner = fcntl(fd, F_GETOWN);
  bool failed = owner < 0 && errno != 0;
  call.out()[0] = failed ? 0 : owner;
  return call.number(failed ? -errno : owner);
}

// int fcntl(int fd, int op, ... /* arg */);  out[0]: the owner, for F_GETOWN
template <class AnyCall>
static napi_value Fcntl(AnyCall& call) {
  int fd = call.fd();
  int command = call.integer("cmd");
  if (call.nextIsNumber()) {
    int64_t argument = static_cast<int32_t>(call.flags("arg"));
    if (!call.ok()) return nullptr;
    if (command == F_GETOWN) return Owner(call, fd);
    return call.answer(fcntl(fd, command, TakesInt(command) ? argument : 0));
  }
  Bytes bytes = call.bytes("arg", "an integer, a Uint8Array, another view of bytes or an ArrayBuffer");
  if (TakesInt(command)) call.refuseType("arg", "a number for this command");
  if (!call.ok()) return nullptr;
  Scratch scratch(bytes);
  napi_value answer = call.answer(fcntl(fd, command, scratch.data()));
  scratch.copyBack();
  return answer;
}

// Requests whose ifreq points at more (ifr_data), which the caller gives as a fourth argument.
static bool TakesData(unsigned long request) {
  constexpr unsigned long kEthtool = 0x8946, kSetHwTstamp = 0x89b0, kGetHwTstamp = 0x89b1;
  return request == kEthtool || request == kSetHwTstamp || request == kGetHwTstamp;
}

// Other requests are let through only where no struct holds a pointer, which their first letter tells.
static bool HoldsNoPointer(unsigned long request) {
  auto within = [number = request & 0xffff](unsigned long first, unsigned long last) {
    return number >= first && number <= last;
  };
  constexpr unsigned long kVsockOwnCid = 0x7b9;
  switch (_IOC_TYPE(request)) {
    case 0x89:  // sockets and interfaces, but the old routing and bridge requests (netlink does better), WAN,
                // bonding and driver-private ones
      return !within(0x890b, 0x890c) && !within(0x8940, 0x8941) && !within(0x894a, 0x894a) &&
             !within(0x8990, 0x89a3) && !within(0x89f0, 0x89ff);
    case 'T':  // descriptors of any kind (FIONREAD, FIONBIO), terminals, timerfd and TUN, but its filter
               // program
      return request != TUNATTACHFILTER;
    case 0x8a:  // epoll: ioctl_eventpoll(2)
    case 0xb7:  // namespaces: ioctl_nsfs(2)
    case 0xff:  // pidfd: ioctl_pidfd(2)
      return true;
    default:
      return request == kVsockOwnCid;
  }
}

// int ioctl(int fd, unsigned long op, ...);  out[0]: the int, if the argument is one; ifc_len of SIOCGIFCONF
static napi_value Ioctl(Call& call) {
  int fd = call.fd();
  unsigned long request = call.flags("request");
  if (call.skipNull()) return call.ok() ? call.answer(ioctl(fd, request, nullptr)) : nullptr;
  if (!HoldsNoPointer(request)) call.refuseRange("request", "one whose struct is known to hold no pointer");
  if (call.nextIsNumber()) {
    int value = static_cast<int>(call.flags("arg"));
    if (TakesData(request) || request == SIOCGIFCONF)
      call.refuseType("arg", "a struct's bytes for this request");
    if (!call.ok()) return nullptr;
    Scratch scratch({reinterpret_cast<uint8_t*>(&value), sizeof value});
    napi_value answer = call.answer(ioctl(fd, request, scratch.data()));
    scratch.copyBack();
    call.out()[0] = value;
    return answer;
  }
  Bytes bytes = call.bytes("arg", "an integer, a Uint8Array, another view of bytes, an ArrayBuffer or null");
  if (request == SIOCGIFCONF) {
    if (!call.ok()) return nullptr;
    ifconf list{};
    list.ifc_len = static_cast<int>(Call::length(bytes));
    list.ifc_buf = reinterpret_cast<char*>(bytes.data);
    napi_value answer = call.answer(ioctl(fd, request, &list));
    call.out()[0] = list.ifc_len;
    return answer;
  }
  if (TakesData(request)) {
    Guarded data(call, "data", call.bytes("data"));  // how long it must be is for the driver to say
    if (bytes.length < sizeof(ifreq)) call.refuseRange("arg", "a whole struct ifreq");
    if (!call.ok()) return nullptr;
    ifreq interface;
    memcpy(&interface, bytes.data, sizeof interface);
    interface.ifr_data = reinterpret_cast<char*>(data.data());
    napi_value answer = call.answer(ioctl(fd, request, &interface));
    data.copyBack();
    return answer;
  }
  if (!call.ok()) return nullptr;
  Scratch scratch(bytes);
  napi_value answer = call.answer(ioctl(fd, request, scratch.data()));
  scratch.copyBack();
  return answer;
}

// int sockatmark(int sockfd);
static napi_value Sockatmark(Call& call) {
  int fd = call.fd();
  return call.ok() ? call.answer(sockatmark(fd)) : nullptr;
}

// int eventfd(unsigned int initval, int flags);
static napi_value Eventfd(Call& call) {
  uint32_t initial = call.flags("initval");
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.answer(eventfd(initial, static_cast<int>(flags))) : nullptr;
}

// int timerfd_create(int clockid, int flags);
static napi_value TimerfdCreate(Call& call) {
  int clock = call.integer("clockid");
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.answer(timerfd_create(clock, static_cast<int>(flags))) : nullptr;
}

// int timerfd_settime(int fd, int flags, const struct itimerspec *new_value,
//                     struct itimerspec *_Nullable old_value);
static napi_value TimerfdSettime(Call& call) {
  int fd = call.fd();
  uint32_t flags = call.flags("flags");
  auto* next = call.structure<itimerspec>("newValue");
  auto* old = call.structureOrNull<itimerspec>("oldValue");
  return call.ok() ? call.answer(timerfd_settime(fd, static_cast<int>(flags), next, old)) : nullptr;
}

// int timerfd_gettime(int fd, struct itimerspec *curr_value);
static napi_value TimerfdGettime(Call& call) {
  int fd = call.fd();
  auto* value = call.structure<itimerspec>("value");
  return call.ok() ? call.answer(timerfd_gettime(fd, value)) : nullptr;
}

// int signalfd(int fd, const sigset_t *mask, int flags);
static napi_value Signalfd(Call& call) {
  int fd = call.fd();
  SignalMask mask(call, "mask");
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.answer(signalfd(fd, mask.pointer(), static_cast<int>(flags))) : nullptr;
}

void DefineDescriptors(Calls& calls) {
  calls.define({
      {"close", Entry<Close<Call>, 1>, HotEntry<Close<HotCall>, 0>},
      {"dup", Entry<Dup>},
      {"dup2", Entry<Dup2>},
      {"dup3", Entry<Dup3>},
      {"pipe2", Entry<Pipe2>},
      {"fcntl", Entry<Fcntl<Call>, 3>, HotEntry<Fcntl<HotCall>, 0>},
      {"ioctl", Entry<Ioctl>},
      {"sockatmark", Entry<Sockatmark>},
      {"eventfd", Entry<Eventfd>},
      {"timerfd_create", Entry<TimerfdCreate>},
      {"timerfd_settime", Entry<TimerfdSettime>},
      {"timerfd_gettime", Entry<TimerfdGettime>},
      {"signalfd", Entry<Signalfd>},
  });
}
