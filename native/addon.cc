#include "addon.h"

#include <vector>

#include "reactor.h"

void Define(Napi::Object raw, Environment* environment, std::initializer_list<Method> methods) {
  std::vector<napi_property_descriptor> properties;
  for (const Method& method : methods) {
    properties.push_back(
        {method.name, nullptr, method.call, nullptr, nullptr, nullptr,
         static_cast<napi_property_attributes>(napi_writable | napi_enumerable | napi_configurable),
         environment});
  }
  napi_define_properties(raw.Env(), raw, properties.size(), properties.data());
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Environment* environment = Environment::Create(env);
  Napi::Object raw = Napi::Object::New(env);
  for (auto define :
       {DefineEndpoints, DefineTransfer, DefineMessages, DefineOptions, DefineDescriptors, DefineWaiting,
        DefineNames, DefineThreads, DefineProcesses, DefineMemory, DefineNamespaces, DefineRings}) {
    define(raw, environment);
  }
  exports["raw"] = raw;
  exports["constants"] = Constants(env);
  exports["layouts"] = Layouts(env);
  exports["Reactor"] = Reactor::Class(env, environment);
  exports["open"] = Environment::OpenFunction(env, environment);
  return exports;
}

NODE_API_MODULE(posix_sockets, Init)
