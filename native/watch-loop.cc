#include <uv.h>

#include <cerrno>

#include "watch.h"

// Weak, so that the addon loads in a runtime that has no libuv.
#pragma weak uv_poll_init
#pragma weak uv_poll_start
#pragma weak uv_poll_stop
#pragma weak uv_close
#pragma weak uv_ref
#pragma weak uv_unref
#pragma weak napi_get_uv_event_loop

namespace {

class LoopWatch final : public Watch {
 public:
  LoopWatch(Ring ring, void* data) : Watch(ring, data) { poll_.data = this; }

  bool begin(napi_env env, int fd) {
    uv_loop_t* loop;
    if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
      errno = ENOSYS;
      return false;
    }
    int error = uv_poll_init(loop, &poll_, fd);
    if (error != 0) {
      errno = -error;
      return false;
    }
    // The handle is closed by a callback of the loop, for which an environment that ends has to wait.
    napi_add_async_cleanup_hook(
        env, [](napi_async_cleanup_hook_handle, void*) {}, this, &ending_);
    uv_unref(handle());
    watchAgain();
    return true;
  }

  void hold(bool held) override { held ? uv_ref(handle()) : uv_unref(handle()); }

  void letGo() override { uv_poll_stop(&poll_); }

  void watchAgain() override {
    uv_poll_start(&poll_, UV_READABLE,
                  [](uv_poll_t* poll, int, int) { static_cast<LoopWatch*>(poll->data)->ring(); });
  }

  void end() override {
    uv_close(handle(), [](uv_handle_t* handle) {
      auto* watch = static_cast<LoopWatch*>(handle->data);
      napi_remove_async_cleanup_hook(watch->ending_);
      delete watch;
    });
  }

 private:
  uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&poll_); }

  uv_poll_t poll_;
  napi_async_cleanup_hook_handle ending_ = nullptr;
};

}  // namespace

Watch* Watch::InLoop(napi_env env, int fd, Ring ring, void* data) {
  auto* watch = new LoopWatch(ring, data);
  if (watch->begin(env, fd)) return watch;
  delete watch;
  return nullptr;
}
