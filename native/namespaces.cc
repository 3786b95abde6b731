#include "addon.h"
#include "call.h"
#include "uapi.h"

// int unshare(int flags);
static napi_value Unshare(napi_env env, napi_callback_info info) {
  Call call(env, info, "unshare");
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.answer(unshare(static_cast<int>(flags))) : nullptr;
}

// int setns(int fd, int nstype);
static napi_value Setns(napi_env env, napi_callback_info info) {
  Call call(env, info, "setns");
  int fd = call.fd();
  uint32_t type = call.flags("nstype");
  return call.ok() ? call.answer(setns(fd, static_cast<int>(type))) : nullptr;
}

void DefineNamespaces(Napi::Object raw, Environment* environment) {
  Define(raw, environment, {{"unshare", Unshare}, {"setns", Setns}});
}
