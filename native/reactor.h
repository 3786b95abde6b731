// The native half of a reactor: it is rung when its epoll instance has events, takes a batch of them, and
// calls lib/reactor.ts once for the whole batch.
#pragma once

#include <napi.h>
#include <sys/epoll.h>

#include <cstdint>

#include "environment.h"
#include "watch.h"

class Reactor : public Napi::ObjectWrap<Reactor> {
 public:
  // new Reactor(epfd, shared, deliver): `NativeReactor` in lib/native.ts says what each method does.
  static Napi::Function Class(Napi::Env env, Environment* environment);

  explicit Reactor(const Napi::CallbackInfo& info);
  ~Reactor() override;

  // The program closes a descriptor: events that were already taken for it reach nobody.
  void descriptorCloses(int fd) {
    if (static_cast<uint32_t>(fd) >= known_ || generations_[fd] == 0) return;
    generations_[fd] = 0;
    shared_->closed++;
    if (--shared_->watched == 0) hold();
  }

 private:
  // What both halves read and write: an Int32Array over a SharedArrayBuffer, as lib/reactor.ts lays it out.
  struct Shared {
    int32_t watched;      // how many descriptors are watched
    int32_t keepsAlive;   // 1 after ref(), 0 after unref()
    int32_t deadBatches;  // how many batches had events of registrations that nobody made
    int32_t closed;       // how many watched descriptors were closed without remove()
    int32_t ringing;      // 1 while handlers run, and what they leave to run; then comes hold()
    alignas(8) epoll_event batch[];
  };

  Napi::Value Begin(const Napi::CallbackInfo& info);
  void Table(const Napi::CallbackInfo& info);
  void Hold(const Napi::CallbackInfo& info);
  Napi::Value Take(const Napi::CallbackInfo& info);
  Napi::Value Replace(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  int take(int timeout);
  void ring();
  void deliverAll();
  bool deliver(napi_value function, int count);
  void hold();
  void shut();
  static void EnvironmentEnds(void* reactor) { static_cast<Reactor*>(reactor)->shut(); }

  Environment* environment_;
  Watch* watch_ = nullptr;  // null before begin and once it is closed
  int epfd_ = -1;
  bool oneBatchARing_ = false;
  bool alive_ = false;  // keeps the process running

  Shared* shared_ = nullptr;
  int room_ = 0;  // for so many events
  int32_t* generations_ = nullptr;
  uint32_t known_ = 0;  // how many descriptors the table has room for
  Napi::Reference<Napi::Value> keepShared_, keepTable_;

  // Strong while descriptors are watched: a reactor that nobody holds and that watches nothing is collected.
  Napi::FunctionReference deliver_;
  bool held_ = false;
  napi_async_context context_ = nullptr;
};
