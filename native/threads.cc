#include "threads.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <mutex>

#include "addon.h"

namespace {

constexpr int kMainThread = 0;  // its worker_threads.threadId

// The process's threads that run JavaScript, by environment.
struct Registry {
  struct Entry {
    int threadId;  // worker_threads.threadId
    pid_t tid;     // gettid(2)
    bool ending;
  };
  std::mutex mutex;
  std::map<Environment*, Entry> entries;
  bool repeating = false;  // a thread is sending signals to those that end
  bool exiting = false;    // the process is: a worker that only now begins shall end as well
};

// Never destroyed: a worker's cleanup may come after static destructors ran.
Registry& Threads() {
  static Registry* registry = new Registry();
  return *registry;
}

void Signal(const Registry::Entry& entry) { syscall(SYS_tgkill, getpid(), entry.tid, InterruptSignal()); }

// One signal can arrive just before the call that it should end, so it is repeated until the threads are
// gone.
void* RepeatSignals(void*) {
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
        return nullptr;
      }
    }
    usleep(10'000);
  }
}

// Starts RepeatSignals in a thread that handles no signals itself. False when the system has no thread left.
bool StartRepeating() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  bool started = pthread_create(&thread, nullptr, RepeatSignals, nullptr) == 0;
  if (started) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void Repeat() {
  if (!Threads().repeating) Threads().repeating = StartRepeating();
}

// Signals every worker that `matches` accepts until it is gone. Answers how many there are. The main thread
// is never among them: it is gone only when the process is.
template <typename Matches>
int End(Matches matches) {
  std::lock_guard<std::mutex> lock(Threads().mutex);
  int ending = 0;
  for (auto& [environment, entry] : Threads().entries) {
    if (entry.threadId == kMainThread || !matches(environment, entry)) continue;
    entry.ending = true;
    ending++;
    Signal(entry);
  }
  if (ending > 0) Repeat();
  return ending;
}

}  // namespace

int InterruptSignal() {
  static const int chosen = [] {
    // The first real-time signal from above that nobody handles; qemu-user, which runs a program of another
    // architecture, cannot send the last two.
    int signal = SIGRTMAX - 2;
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
  bool ending = Threads().exiting && threadId != kMainThread;
  Threads().entries[environment] = {threadId, static_cast<pid_t>(syscall(SYS_gettid)), ending};
  if (ending) Repeat();
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

// The same for every worker, and for those that begin from now on: for a process that exits.
static napi_value InterruptWorkersUntilGone(napi_env env, napi_callback_info info) {
  Call call(env, info, "interruptWorkersUntilGone");
  {
    std::lock_guard<std::mutex> lock(Threads().mutex);
    Threads().exiting = true;
  }
  return call.number(End([](Environment*, const Registry::Entry&) { return true; }));
}

// pid_t gettid(void);
static napi_value Gettid(napi_env env, napi_callback_info info) {
  Call call(env, info, "gettid");
  return call.answer(syscall(SYS_gettid));
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
             {"interruptWorkersUntilGone", InterruptWorkersUntilGone},
             {"gettid", Gettid},
             {"pthread_sigmask", PthreadSigmask},
         });
}
