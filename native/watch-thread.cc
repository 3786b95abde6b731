#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "watch.h"

namespace {

class ThreadWatch final : public Watch {
 public:
  ThreadWatch(int fd, Ring ring, void* data) : Watch(ring, data), fd_(fd) {}

  bool begin(napi_env env) {
    messages_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (messages_ < 0) return false;
    napi_value name;
    if (napi_create_string_utf8(env, "posix-sockets", NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, this, Finalize, this, Called,
                                        &function_) != napi_ok) {
      close(messages_);
      errno = ENOMEM;
      return false;
    }
    env_ = env;
    hold(false);
    int error = start();
    if (error == 0) return true;
    close(messages_);
    napi_release_threadsafe_function(function_, napi_tsfn_abort);
    errno = error;
    return false;
  }

  bool ownedByFunction() const { return function_ != nullptr; }

  void hold(bool held) override {
    held ? napi_ref_threadsafe_function(env_, function_) : napi_unref_threadsafe_function(env_, function_);
  }

  void letGo() override {}

  // The thread may be waiting for what was behind the descriptor before.
  void watchAgain() override { tell(); }

  void end() override {
    ended_ = true;
    tell();
    pthread_join(thread_, nullptr);
    close(messages_);
    napi_release_threadsafe_function(function_, napi_tsfn_abort);  // Finalize comes later
  }

 private:
  // The signals of the process are for the threads that were there before.
  int start() {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(
        &thread_, nullptr,
        [](void* watch) -> void* {
          pthread_setname_np(pthread_self(), "reactor");
          static_cast<ThreadWatch*>(watch)->wait();
          return nullptr;
        },
        this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return error;
  }

  // The thread: it rings once, and then waits to be told to watch again.
  void wait() {
    while (!ended_) {
      pollfd fds[] = {{messages_, POLLIN, 0}, {watching_ ? fd_ : -1, POLLIN, 0}};
      if (poll(fds, 2, -1) < 0) continue;
      uint64_t messages;
      if (fds[0].revents && read(messages_, &messages, sizeof messages) < 0) continue;
      if (!fds[1].revents || ended_) continue;
      watching_ = false;
      napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
    }
  }

  void tell() {
    uint64_t one = 1;
    if (write(messages_, &one, sizeof one) < 0) return;  // full: the thread was told, and has not yet looked
  }

  static void Called(napi_env env, napi_value, void* context, void*) {
    auto* watch = static_cast<ThreadWatch*>(context);
    if (!env || watch->ended_) return;
    watch->ring();
    if (watch->ended_) return;
    watch->watching_ = true;
    watch->tell();
  }

  static void Finalize(napi_env, void* watch, void*) { delete static_cast<ThreadWatch*>(watch); }

  int fd_;
  int messages_ = -1;
  napi_env env_ = nullptr;
  napi_threadsafe_function function_ = nullptr;
  pthread_t thread_;
  std::atomic<bool> watching_{true};
  std::atomic<bool> ended_{false};
};

}  // namespace

Watch* Watch::ByThread(napi_env env, int fd, Ring ring, void* data) {
  auto* watch = new ThreadWatch(fd, ring, data);
  if (watch->begin(env)) return watch;
  if (!watch->ownedByFunction()) delete watch;
  return nullptr;
}
