#include "threads.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "addon.h"

namespace {

// The process's threads that run JavaScript, by environment.
struct Registry {
  struct Entry {
    int threadId;  // worker_threads.threadId
    pid_t tid;     // gettid(2)
    bool ending = false;
  };
  std::mutex mutex;
  std::map<Environment*, Entry> entries;
  bool repeating = false;  // a thread is sending signals to those that end
};

// Never destroyed: a worker's cleanup may come after static destructors ran.
Registry& Threads() {
  static Registry* registry = new Registry();
  return *registry;
}

void Signal(const Registry::Entry& entry) { syscall(SYS_tgkill, getpid(), entry.tid, InterruptSignal()); }

// One signal can arrive just before the call that it should end, so it is repeated until the threads are
// gone.
void RepeatSignals() {
  for (;;) {
    {
      std::lock_guard<std::mutex> lock(Threads().mutex);
      bool any = false;
      for (auto& [environment, entry] : Threads().entries) {
        if (!entry.ending) continue;
        any = true;
        Signal(entry);
      }
      if (!any) {
        Threads().repeating = false;
        return;
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

// Signals every thread that `matches` accepts until it is gone. Answers how many there are.
template <typename Matches>
int End(Matches matches) {
  std::lock_guard<std::mutex> lock(Threads().mutex);
  int ending = 0;
  for (auto& [environment, entry] : Threads().entries) {
    if (!matches(environment, entry)) continue;
    entry.ending = true;
    ending++;
  }
  if (ending > 0 && !Threads().repeating) {
    Threads().repeating = true;
    std::thread(RepeatSignals).detach();
  }
  return ending;
}

}  // namespace

int InterruptSignal() {
  static const int chosen = [] {
    // The first real-time signal from above that nobody handles.
    int signal = SIGRTMAX;
    struct sigaction old;
    while (signal > SIGRTMIN && sigaction(signal, nullptr, &old) == 0 && old.sa_handler != SIG_DFL) signal--;
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(signal, &action, nullptr);  // no SA_RESTART: the call shall end
    return signal;
  }();
  return chosen;
}

void RememberThread(Environment* environment, int threadId) {
  InterruptSignal();
  std::lock_guard<std::mutex> lock(Threads().mutex);
  Threads().entries[environment] = {threadId, static_cast<pid_t>(syscall(SYS_gettid))};
}

void ForgetThread(Environment* environment) {
  std::lock_guard<std::mutex> lock(Threads().mutex);
  Threads().entries.erase(environment);
}

SignalMask::SignalMask(Call& call, const char* argument, bool nullable) {
  if (nullable && call.skipNull()) return;
  auto* set = call.structure<sigset_t>(argument);
  if (!call.ok()) return;
  memcpy(&mask_, set, sizeof mask_);
  sigdelset(&mask_, InterruptSignal());
  given_ = true;
}

// Ends the call that a worker is blocked in, once: its thread gets one signal, and the call answers EINTR.
// Answers 1, or 0 when no such thread uses this package.
static napi_value Interrupt(napi_env env, napi_callback_info info) {
  Call call(env, info, "interrupt");
  int threadId = call.integer("threadId");
  if (!call.ok()) return nullptr;
  std::lock_guard<std::mutex> lock(Threads().mutex);
  for (auto& [environment, entry] : Threads().entries) {
    if (entry.threadId != threadId) continue;
    Signal(entry);
    return call.number(1);
  }
  return call.number(0);
}

// Interrupts a worker's calls again and again until it has ended. Answers as interrupt does.
static napi_value InterruptUntilGone(napi_env env, napi_callback_info info) {
  Call call(env, info, "interruptUntilGone");
  int threadId = call.integer("threadId");
  if (!call.ok()) return nullptr;
  return call.number(
      End([&](Environment*, const Registry::Entry& entry) { return entry.threadId == threadId; }));
}

// The same for every thread but this one: for a process that exits.
static napi_value InterruptOthersUntilGone(napi_env env, napi_callback_info info) {
  Call call(env, info, "interruptOthersUntilGone");
  return call.number(End(
      [&](Environment* environment, const Registry::Entry&) { return environment != call.environment(); }));
}

// int pthread_sigmask(int how, const sigset_t *_Nullable set, sigset_t *_Nullable oldset);
static napi_value PthreadSigmask(napi_env env, napi_callback_info info) {
  Call call(env, info, "pthread_sigmask");
  int how = call.integer("how");
  SignalMask set(call, "set", true);
  sigset_t* old = call.structureOrNull<sigset_t>("oldset");
  if (!call.ok()) return nullptr;
  sigset_t before;
  int error = pthread_sigmask(how, set.pointer(), &before);
  if (error == 0 && old) memcpy(old, &before, sizeof before);
  return call.number(-error);
}

void DefineThreads(Napi::Object raw, Environment* environment) {
  Define(raw, environment,
         {
             {"interrupt", Interrupt},
             {"interruptUntilGone", InterruptUntilGone},
             {"interruptOthersUntilGone", InterruptOthersUntilGone},
             {"pthread_sigmask", PthreadSigmask},
         });
}
