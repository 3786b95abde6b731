#include "reactor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "kernel.h"

namespace {

// For how long one ring may take batch after batch before the loop gets its turn.
constexpr int64_t kLongestTurnNs = 1'000'000;

int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

// An Int32Array's memory; null if `value` is no such array.
int32_t* Int32s(Napi::Value value, size_t* length) {
  napi_typedarray_type type;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_int32_array) {
    return nullptr;
  }
  return static_cast<int32_t*>(data);
}

}  // namespace

Napi::Function Reactor::Class(Napi::Env env, Environment* environment) {
  return DefineClass(env, "Reactor",
                     {
                         InstanceMethod<&Reactor::Begin>("begin"),
                         InstanceMethod<&Reactor::Table>("table"),
                         InstanceMethod<&Reactor::Hold>("hold"),
                         InstanceMethod<&Reactor::Take>("take"),
                         InstanceMethod<&Reactor::Replace>("replace"),
                         InstanceMethod<&Reactor::Close>("close"),
                     },
                     environment);
}

Reactor::Reactor(const Napi::CallbackInfo& info)
    : ObjectWrap(info), environment_(static_cast<Environment*>(info.Data())) {
  size_t length = 0;
  int32_t* shared = Int32s(info[1], &length);
  size_t bytes = length * sizeof(int32_t);
  if (!info[0].IsNumber() || !shared || bytes < sizeof(Shared) + sizeof(epoll_event) ||
      !info[2].IsFunction()) {
    Napi::TypeError::New(info.Env(), "Reactor takes an epoll descriptor, an Int32Array and a function")
        .ThrowAsJavaScriptException();
    return;
  }
  epfd_ = info[0].As<Napi::Number>();
  shared_ = reinterpret_cast<Shared*>(shared);
  room_ = static_cast<int>((bytes - sizeof(Shared)) / sizeof(epoll_event));
  keepShared_ = Napi::Reference<Napi::Value>::New(info[1], 1);
  deliver_ = Napi::Weak(info[2].As<Napi::Function>());
}

Reactor::~Reactor() {
  if (watch_) napi_remove_env_cleanup_hook(Env(), EnvironmentEnds, this);
  shut();
}

void Reactor::shut() {
  if (!watch_) return;
  watch_->end();
  watch_ = nullptr;
  close(epfd_);
  auto& open = environment_->reactors;
  open.erase(std::find(open.begin(), open.end(), this));
  napi_async_destroy(Env(), context_);
  deliver_.Reset();
  keepTable_.Reset();
  keepShared_.Reset();
}

Napi::Value Reactor::Begin(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  bool byThread = info[0].ToBoolean();
  auto ring = [](void* reactor) { static_cast<Reactor*>(reactor)->ring(); };
  if (!shared_ || watch_) return Napi::Number::New(env, -EINVAL);
  watch_ = byThread ? Watch::ByThread(env, epfd_, ring, this) : Watch::InLoop(env, epfd_, ring, this);
  if (!watch_) return Napi::Number::New(env, -errno);
  oneBatchARing_ = byThread;
  napi_async_init(env, nullptr, Napi::String::New(env, "Reactor"), &context_);
  environment_->reactors.push_back(this);
  // Hooks run in reverse order: this one before those of the watch and of the Environment.
  napi_add_env_cleanup_hook(env, EnvironmentEnds, this);
  return Napi::Number::New(env, 0);
}

void Reactor::Table(const Napi::CallbackInfo& info) {
  size_t length = 0;
  int32_t* generations = Int32s(info[0], &length);
  if (!generations) return;
  generations_ = generations;
  known_ = static_cast<uint32_t>(length);
  keepTable_.Reset(info[0], 1);
}

void Reactor::Hold(const Napi::CallbackInfo&) { hold(); }

Napi::Value Reactor::Take(const Napi::CallbackInfo& info) {
  int timeout = info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : 0;
  return Napi::Number::New(info.Env(), watch_ ? take(timeout) : -EBADF);
}

// After dup3(2) everything is as before, the number of the descriptor too.
Napi::Value Reactor::Replace(const Napi::CallbackInfo& info) {
  int fresh = info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : -1;
  if (!watch_) return Napi::Number::New(info.Env(), -EBADF);
  watch_->letGo();
  int answer = dup3(fresh, epfd_, O_CLOEXEC) < 0 ? -errno : 0;
  watch_->watchAgain();
  return Napi::Number::New(info.Env(), answer);
}

void Reactor::Close(const Napi::CallbackInfo& info) {
  if (!watch_) return;
  napi_remove_env_cleanup_hook(info.Env(), EnvironmentEnds, this);
  shut();
}

void Reactor::hold() {
  if (!watch_) return;
  bool alive = shared_->watched > 0 && shared_->keepsAlive;
  if (alive != alive_) watch_->hold(alive);
  alive_ = alive;
  uint32_t count;
  if (shared_->watched > 0 && !held_) napi_reference_ref(Env(), deliver_, &count);
  if (shared_->watched <= 0 && held_) napi_reference_unref(Env(), deliver_, &count);
  held_ = shared_->watched > 0;
}

// One epoll_wait. Answers how many events there are, or -errno.
int Reactor::take(int timeout) {
  int count = static_cast<int>(kernel::epoll_wait(epfd_, shared_->batch, room_, timeout));
  for (int i = 0; i < count; i++) {
    uint32_t fd = static_cast<uint32_t>(shared_->batch[i].data.u64);
    auto generation = static_cast<int32_t>(shared_->batch[i].data.u64 >> 32);
    if (fd < known_ && generations_[fd] == generation) continue;
    shared_->deadBatches++;
    break;
  }
  return count;
}

void Reactor::ring() {
  shared_->ringing = 1;
  deliverAll();
  if (!watch_) return;  // closed, and what is shared may be gone
  shared_->ringing = 0;
  hold();
}

void Reactor::deliverAll() {
  Napi::HandleScope scope(Env());
  Napi::Function deliver = deliver_.Value();
  if (deliver.IsEmpty()) return;
  int64_t end = Now() + kLongestTurnNs;
  int count;
  do {
    count = take(0);
    if (count <= 0 || !this->deliver(deliver, count)) return;
    // An event that came alone seldom has a successor by now, and to ask costs a call.
  } while (count > 1 && watch_ && !oneBatchARing_ && Now() < end);
}

// Calls lib/reactor.ts with a batch. Each time a handler throws, the error goes where uncaught errors go, and
// the rest of the batch is delivered. False when JavaScript can run no more.
bool Reactor::deliver(napi_value function, int count) {
  Napi::Env env = Env();
  Napi::HandleScope scope(env);
  napi_value argument = Napi::Number::New(env, count), result;  // Deno writes to `result` even if it is null
  while (napi_make_callback(env, context_, env.Global(), function, 1, &argument, &result) != napi_ok) {
    bool thrown = false;
    napi_value error;
    if (napi_is_exception_pending(env, &thrown) != napi_ok || !thrown ||
        napi_get_and_clear_last_exception(env, &error) != napi_ok ||
        napi_fatal_exception(env, error) != napi_ok || !watch_) {
      return false;
    }
    argument = Napi::Number::New(env, 0);
  }
  return true;
}
