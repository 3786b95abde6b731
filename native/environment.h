// What the addon keeps for each JavaScript environment (the main thread, or one worker). Nothing is static
// but the registry of threads in threads.cc.
#pragma once

#include <napi.h>

#include <cstdint>
#include <vector>

class Reactor;
class Ring;

struct Environment {
  static constexpr size_t kOutLength = 16;

  // Where values land that C returns through pointers. It starts as `unopened` and then is the memory of
  // raw.out, an Int32Array over a SharedArrayBuffer: the one kind of buffer that nobody can detach.
  int32_t* out = unopened;

  // The reactors that are open.
  std::vector<Reactor*> reactors;

  // The io_urings that are open.
  std::vector<Ring*> rings;

  static Environment* Create(Napi::Env env);

  // open(out, threadId): joins this environment with the Int32Array and the worker's number made in
  // lib/native.ts.
  static Napi::Function OpenFunction(Napi::Env env, Environment* environment);

 private:
  int32_t unopened[kOutLength] = {};
  Napi::Reference<Napi::Value> keepOut_;
};
