// What the addon keeps for each JavaScript environment (the main thread, or one worker). Nothing is static
// but the registry of threads in threads.cc.
#pragma once

#include <napi.h>

#include <cstdint>
#include <deque>
#include <vector>

class Reactor;
class Ring;

// Memory that both halves know, and lib/native.ts has the same picture of. It lies in a SharedArrayBuffer,
// the one kind of buffer that nobody can detach.
struct Shared {
  enum Watch { kNobody, kEvery, kEveryButNext };

  int32_t out[16];    // raw.out: where values land that C returns through pointers
  int32_t passed[8];  // the integers that a hot call is given, and its answer
  int32_t watch;      // which calls are told to somebody instead of being made
};

// What a function of `raw` finds in its callback data.
struct Function {
  struct Environment* environment;
  const char* name;  // the system call's, for the messages of errors
};

struct Environment {
  Shared* shared = &unopened;

  // Told of calls while `watch` says so: (name, ...arguments) => answer.
  Napi::FunctionReference watcher;

  std::deque<Function> functions;

  // The reactors that are open.
  std::vector<Reactor*> reactors;

  // The io_urings that are open.
  std::vector<Ring*> rings;

  static Environment* Create(Napi::Env env);

  // open(shared, threadId, watcher): joins this environment with what lib/native.ts has made for it.
  static Napi::Function OpenFunction(Napi::Env env, Environment* environment);

 private:
  Shared unopened = {};
  Napi::Reference<Napi::Value> keepShared_;
};
