#include "addon.h"
#include "call.h"
#include "uapi.h"

// int unshare(int flags);
static napi_value Unshare(Call& call) {
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.answer(unshare(static_cast<int>(flags))) : nullptr;
}

// int setns(int fd, int nstype);
static napi_value Setns(Call& call) {
  int fd = call.fd();
  uint32_t type = call.flags("nstype");
  return call.ok() ? call.answer(setns(fd, static_cast<int>(type))) : nullptr;
}

void DefineNamespaces(Calls& calls) { calls.define({{"unshare", Entry<Unshare>}, {"setns", Entry<Setns>}}); }
