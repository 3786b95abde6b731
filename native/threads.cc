#include "threads.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>

#include "addon.h"

namespace {

constexpr int kMainThread = 0;  // its worker_threads.threadId

// The process's threads that run JavaScript, by environment.
struct Registry {
  struct Entry {
    int threadId;           // worker_threads.threadId
    pid_t tid;              // gettid(2)
    uintptr_t joinAddress;  // where who waits for its end waits
    bool ending;
  };
  std::mutex mutex;
  std::map<Environment*, Entry> entries;
  std::condition_variable changed;
  bool watching = false;  // a thread looks after the workers
  bool exiting = false;   // the process is: a worker that only now begins shall end as well
};

// Never destroyed: a worker's cleanup may come after static destructors ran.
Registry& Threads() {
  static Registry* registry = new Registry();
  return *registry;
}

void Signal(const Registry::Entry& entry) { syscall(SYS_tgkill, getpid(), entry.tid, InterruptSignal()); }

// Where pthread_join(3) waits for the calling thread: at its number, which is in the descriptor that its
// pthread_t points at (musl: a few bytes behind). 0 if it is not found.
uintptr_t JoinAddress(pid_t tid) {
  constexpr uintptr_t kDescriptor = 2048;  // less than its size in glibc
  auto start = reinterpret_cast<uintptr_t>(pthread_self());
  for (uintptr_t at = start; at < start + kDescriptor; at += sizeof tid) {
    if (*reinterpret_cast<pid_t*>(at) == tid) return at;
  }
  return 0;
}

// Whether some thread waits in pthread_join(3) for this one, which in the kernel is a futex(2) at its join
// address: Node ends a worker's own workers so, and all workers of a process that exits, also where nobody of
// this package is asked first.
bool IsJoined(const Registry::Entry& entry) {
  DIR* tasks = opendir("/proc/self/task");
  if (!tasks) return false;
  bool joined = false;
  while (dirent* task = joined || entry.joinAddress == 0 ? nullptr : readdir(tasks)) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%.20s/syscall", task->d_name);
    FILE* file = fopen(path, "re");
    if (!file) continue;
    char line[128] = "";  // "202 0x7f…": the call's number and its first argument; or "running"
    if (!fgets(line, sizeof line, file)) line[0] = 0;
    fclose(file);
    const char* end = line + strlen(line);
    long number = 0;
    uintptr_t address = 0;
    const char* rest = std::from_chars(line, end, number).ptr;
    if (end - rest > 3) std::from_chars(rest + 3, end, address, 16);
    joined = number == SYS_futex && address - entry.joinAddress < 4 * sizeof(int);
  }
  closedir(tasks);
  return joined;
}

// Runs for as long as there are workers. One signal can arrive just before the call that it should end, so it
// is repeated until the worker is gone.
void* WatchWorkers(void*) {
  // What it opens is its own: nobody who counts the process's descriptors shall see it. Before Linux 5.9 they
  // do.
  constexpr long kCloseRange = 436;  // everywhere; not in every header
  constexpr unsigned kUnshare = 2;   // CLOSE_RANGE_UNSHARE
  syscall(kCloseRange, 0u, ~0u, kUnshare);
  std::unique_lock<std::mutex> lock(Threads().mutex);
  for (;;) {
    bool workers = false, ending = false;
    for (auto& [environment, entry] : Threads().entries) {
      if (entry.threadId == kMainThread) continue;
      workers = true;
      if (!entry.ending && !IsJoined(entry)) continue;
      ending = true;
      Signal(entry);
    }
    if (!workers) {
      Threads().watching = false;
      return nullptr;
    }
    Threads().changed.wait_for(lock, std::chrono::milliseconds(ending ? 10 : 200));
  }
}

// Starts WatchWorkers in a thread that handles no signals itself. False when the system has no thread left.
bool StartWatching() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  bool started = pthread_create(&thread, nullptr, WatchWorkers, nullptr) == 0;
  if (started) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

// To be called when a worker has come, is to end, or is gone.
void Watch() {
  if (!Threads().watching) Threads().watching = StartWatching();
  Threads().changed.notify_one();
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
  if (ending > 0) Watch();
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
  auto tid = static_cast<pid_t>(syscall(SYS_gettid));
  Threads().entries[environment] = {threadId, tid, JoinAddress(tid), ending};
  if (threadId != kMainThread) Watch();
}

void ForgetThread(Environment* environment) {
  std::lock_guard<std::mutex> lock(Threads().mutex);
  Threads().entries.erase(environment);
  Threads().changed.notify_one();
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
static napi_value Interrupt(Call& call) {
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
static napi_value InterruptUntilGone(Call& call) {
  int threadId = call.integer("threadId");
  if (!call.ok()) return nullptr;
  return call.number(
      End([&](Environment*, const Registry::Entry& entry) { return entry.threadId == threadId; }));
}

// The same for every worker, and for those that begin from now on: for a process that exits.
static napi_value InterruptWorkersUntilGone(Call& call) {
  {
    std::lock_guard<std::mutex> lock(Threads().mutex);
    Threads().exiting = true;
  }
  return call.number(End([](Environment*, const Registry::Entry&) { return true; }));
}

// pid_t gettid(void);
static napi_value Gettid(Call& call) { return call.answer(syscall(SYS_gettid)); }

// int pthread_sigmask(int how, const sigset_t *_Nullable set, sigset_t *_Nullable oldset);
static napi_value PthreadSigmask(Call& call) {
  int how = call.integer("how");
  SignalMask set(call, "set", true);
  sigset_t* old = call.structureOrNull<sigset_t>("oldset");
  if (!call.ok()) return nullptr;
  sigset_t before;
  int error = pthread_sigmask(how, set.pointer(), &before);
  if (error == 0 && old) memcpy(old, &before, sizeof before);
  return call.number(-error);
}

void DefineThreads(Calls& calls) {
  calls.define({
      {"interrupt", Entry<Interrupt>},
      {"interruptUntilGone", Entry<InterruptUntilGone>},
      {"interruptWorkersUntilGone", Entry<InterruptWorkersUntilGone>},
      {"gettid", Entry<Gettid>},
      {"pthread_sigmask", Entry<PthreadSigmask>},
  });
}
