#include "addon.h"

#include "reactor.h"

static void Add(Napi::Object functions, const char* name, napi_callback call, const Function* function) {
  constexpr auto kOrdinary =
      static_cast<napi_property_attributes>(napi_writable | napi_enumerable | napi_configurable);
  napi_property_descriptor property{name,    nullptr, call,      nullptr,
                                    nullptr, nullptr, kOrdinary, const_cast<Function*>(function)};
  napi_define_properties(functions.Env(), functions, 1, &property);
}

void Calls::define(std::initializer_list<Method> methods) {
  for (const Method& method : methods) {
    const Function* function = &environment->functions.emplace_back(Function{environment, method.name});
    Add(raw, method.name, method.call, function);
    if (method.hot) Add(hot, method.name, method.hot, function);
  }
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Environment* environment = Environment::Create(env);
  Calls calls{Napi::Object::New(env), Napi::Object::New(env), environment};
  for (auto define :
       {DefineEndpoints, DefineTransfer, DefineMessages, DefineOptions, DefineDescriptors, DefineWaiting,
        DefineNames, DefineThreads, DefineProcesses, DefineMemory, DefineNamespaces, DefineRings}) {
    define(calls);
  }
  exports["raw"] = calls.raw;
  exports["hot"] = calls.hot;
  exports["constants"] = Constants(env);
  exports["layouts"] = Layouts(env);
  exports["Reactor"] = Reactor::Class(env, environment);
  exports["open"] = Environment::OpenFunction(env, environment);
  return exports;
}

NODE_API_MODULE(posix_sockets, Init)
