// `constants`: every name of constants.def with its value, as one JavaScript object, made once per
// environment.
#include "addon.h"
#include "uapi.h"

namespace {

// Values are doubles, as JavaScript numbers are: EPOLLET is 2^31, EAI_AGAIN is negative, and both must come
// out so.
struct Constant {
  const char* name;
  double value;
};

// OPTION takes no parameters of its own: it would expand SO_REUSEADDR to 2 before CONSTANT could take its
// name.
const Constant kConstants[] = {
#define CONSTANT(name) {#name, static_cast<double>(name)},
#define NEWER_CONSTANT(name, value) {#name, static_cast<double>(value)},
#define OPTION CONSTANT
#define NEWER_OPTION NEWER_CONSTANT
#include "constants.def"
#undef CONSTANT
#undef NEWER_CONSTANT
#undef OPTION
#undef NEWER_OPTION
};

}  // namespace

Napi::Object Constants(Napi::Env env) {
  Napi::Object constants = Napi::Object::New(env);
  for (const Constant& constant : kConstants) constants.Set(constant.name, constant.value);
  return constants;
}
