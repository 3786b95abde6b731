// sizeof and offsetof of the structs in layouts.def, as { name: { size, fields: { name: [offset, size] } } }.
// A bit-field has [offset, size, first bit, bits].
#include <sys/select.h>

#include <csignal>
#include <cstddef>
#include <cstring>

#include "addon.h"
#include "newer.h"
#include "uapi.h"

// Types of C that have no struct tag.
struct sigset {
  sigset_t set;
};
struct fdset {
  fd_set set;
};

// Where the compiler put a bit-field, found by setting all its bits.
static Napi::Array BitsOf(Napi::Env env, const uint8_t* bytes, size_t size) {
  size_t first = 0, bits = 0;
  for (size_t i = 0; i < size * 8; i++) {
    if (!(bytes[i / 8] >> i % 8 & 1)) continue;
    if (bits++ == 0) first = i;
  }
  Napi::Array place = Napi::Array::New(env);
  size_t values[] = {first / 8, 1, first % 8, bits};
  for (uint32_t i = 0; i < 4; i++) place[i] = Napi::Number::New(env, static_cast<double>(values[i]));
  return place;
}

static Napi::Array PlaceOf(Napi::Env env, size_t offset, size_t size) {
  Napi::Array place = Napi::Array::New(env);
  place[uint32_t{0}] = Napi::Number::New(env, static_cast<double>(offset));
  place[uint32_t{1}] = Napi::Number::New(env, static_cast<double>(size));
  return place;
}

// In this namespace, so that a struct of newer.h comes before the headers' own.
namespace newer {
static Napi::Object AllLayouts(Napi::Env env) {
  Napi::Object layouts = Napi::Object::New(env);
#define STRUCT(name) LAYOUT(struct name, name)
#define UNION(name) LAYOUT(union name, name)
#define LAYOUT(type, name)                                   \
  {                                                          \
    using Struct = type;                                     \
    Napi::Object layout = Napi::Object::New(env);            \
    Napi::Object fields = Napi::Object::New(env);            \
    layout["size"] = Napi::Number::New(env, sizeof(Struct)); \
    layout["fields"] = fields;                               \
    layouts[#name] = layout;
#define FIELD(field) fields[#field] = PlaceOf(env, offsetof(Struct, field), sizeof(Struct::field));
#define BITS(field)                                                                   \
  {                                                                                   \
    Struct all;                                                                       \
    memset(&all, 0, sizeof all);                                                      \
    all.field--;                                                                      \
    fields[#field] = BitsOf(env, reinterpret_cast<const uint8_t*>(&all), sizeof all); \
  }
#define END }
#include "layouts.def"
  return layouts;
}
}  // namespace newer

Napi::Object Layouts(Napi::Env env) { return newer::AllLayouts(env); }
