#include <csignal>

#include "addon.h"
#include "call.h"
#include "uapi.h"

// libc has no function for these yet on the systems that we build on, and headers may lack their numbers,
// which are the same on every machine that has them.
namespace {
constexpr long kPidfdSendSignal = 424, kPidfdOpen = 434, kPidfdGetfd = 438;
}

// int pidfd_open(pid_t pid, unsigned int flags);
static napi_value PidfdOpen(Call& call) {
  int pid = call.integer("pid");
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.answer(syscall(kPidfdOpen, pid, flags)) : nullptr;
}

// int pidfd_getfd(int pidfd, int targetfd, unsigned int flags);
static napi_value PidfdGetfd(Call& call) {
  int pidfd = call.integer("pidfd");
  int targetFd = call.integer("targetfd");
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.answer(syscall(kPidfdGetfd, pidfd, targetFd, flags)) : nullptr;
}

// int pidfd_send_signal(int pidfd, int sig, siginfo_t *_Nullable info, unsigned int flags);
static napi_value PidfdSendSignal(Call& call) {
  int pidfd = call.integer("pidfd");
  int signal = call.integer("sig");
  auto* details = call.structureOrNull<siginfo_t>("info");
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.answer(syscall(kPidfdSendSignal, pidfd, signal, details, flags)) : nullptr;
}

void DefineProcesses(Calls& calls) {
  calls.define({
      {"pidfd_open", Entry<PidfdOpen>},
      {"pidfd_getfd", Entry<PidfdGetfd>},
      {"pidfd_send_signal", Entry<PidfdSendSignal>},
  });
}
