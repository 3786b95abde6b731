// Which thread runs which environment, and how a thread that is blocked in a system call is reached: by a
// real-time signal that interrupts the call and does nothing else.
#pragma once

#include <csignal>

#include "call.h"

void RememberThread(Environment* environment, int threadId);
void ForgetThread(Environment* environment);

// The signal that ends a blocked call. It is taken out of every mask that a call sets, or the call could not
// be ended.
int InterruptSignal();

// How long the kernel's sigset_t is, of which libc's has more.
constexpr size_t kKernelSigsetSize = 8;

// A sigset_t argument, or null; without the signal above.
class SignalMask {
 public:
  SignalMask(Call& call, const char* argument, bool nullable = false);
  const sigset_t* pointer() const { return given_ ? &mask_ : nullptr; }

 private:
  bool given_ = false;
  sigset_t mask_;
};
