// Tells a JavaScript thread that a descriptor is readable: the one thing that a reactor needs of its runtime.
#pragma once

#include <node_api.h>

class Watch {
 public:
  // `ring(data)` runs on the JavaScript thread, again and again for as long as `fd` is readable.
  using Ring = void (*)(void* data);

  // By libuv, in Node's own event loop. Null if the loop refuses, with errno.
  static Watch* InLoop(napi_env env, int fd, Ring ring, void* data);

  // By a thread that waits and a thread-safe function, for runtimes whose uv_poll does not work. Each ring is
  // already inside a callback scope. Null if there can be no thread, with errno.
  static Watch* ByThread(napi_env env, int fd, Ring ring, void* data);

  // Whether it keeps the process alive. At first it does not.
  virtual void hold(bool held) = 0;

  // Around dup3(2) onto `fd`: what was behind it is let go, what is there now is watched.
  virtual void letGo() = 0;
  virtual void watchAgain() = 0;

  // Ends it: nothing rings any more, and `fd` may be closed. The object frees itself when it is free of the
  // loop. To be called before the environment is gone.
  virtual void end() = 0;

 protected:
  Watch(Ring ring, void* data) : ring_(ring), data_(data) {}
  virtual ~Watch() = default;
  void ring() { ring_(data_); }

 private:
  Ring ring_;
  void* data_;
};
