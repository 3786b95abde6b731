#include "environment.h"

#include "ring.h"
#include "threads.h"

Environment* Environment::Create(Napi::Env env) {
  auto* environment = new Environment();
  env.AddCleanupHook(
      [](Environment* gone) {
        CloseRings(gone);
        ForgetThread(gone);
        delete gone;
      },
      environment);
  return environment;
}

Napi::Function Environment::OpenFunction(Napi::Env env, Environment* environment) {
  return Napi::Function::New(
      env,
      [environment](const Napi::CallbackInfo& info) {
        void* data = nullptr;
        size_t length = 0;
        napi_typedarray_type type;
        if (napi_get_typedarray_info(info.Env(), info[0], &type, &length, &data, nullptr, nullptr) !=
                napi_ok ||
            type != napi_int32_array || length * sizeof(int32_t) < sizeof(Shared) || !info[1].IsNumber() ||
            !info[2].IsFunction()) {
          Napi::TypeError::New(info.Env(), "open takes an Int32Array, a thread's number and a function")
              .ThrowAsJavaScriptException();
          return;
        }
        environment->keepShared_ = Napi::Reference<Napi::Value>::New(info[0], 1);
        environment->watcher = Napi::Persistent(info[2].As<Napi::Function>());
        environment->shared = static_cast<Shared*>(data);
        RememberThread(environment, info[1].As<Napi::Number>().Int32Value());
      },
      "open");
}
