// sizeof and offsetof of the structs in layouts.def, as { name: { size, fields: { name: [offset, size] } } }.
// A bit-field has [offset, size, first bit, bits].
#include <sys/select.h>

#include <csignal>
#include <cstddef>
#include <initializer_list>
#include <vector>

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

// Where a field lies. A bit-field has no address: `set` sets all its bits, to be looked for.
struct Place {
  const char* name;
  size_t offset, size;
  void (*set)(void* all);
};

struct Layout {
  const char* name;
  size_t size;
  const Place* places;  // up to one without a name
};

// In this namespace, so that a struct of newer.h comes before the headers' own.
namespace newer {
#define STRUCT(name) LAYOUT(struct name, name)
#define UNION(name) LAYOUT(union name, name)

// Tables and not statements: as code of one function, the compiler takes half a minute for it.
#define LAYOUT(type, name) \
  struct name##_places {   \
    using Struct = type;   \
    static constexpr Place all[] = {
#define FIELD(field) {#field, offsetof(Struct, field), sizeof(Struct::field), nullptr},
#define BITS(field) {#field, 0, 0, [](void* all) { static_cast<Struct*>(all)->field--; }},
// clang-format off
#define END {nullptr, 0, 0, nullptr}}; };
// clang-format on
#include "layouts.def"
#undef LAYOUT
#undef FIELD
#undef BITS
#undef END

#define LAYOUT(type, name) {#name, sizeof(type), name##_places::all},
#define FIELD(field)
#define BITS(field)
#define END
static constexpr Layout kLayouts[] = {
#include "layouts.def"
};
}  // namespace newer

static Napi::Array Numbers(Napi::Env env, std::initializer_list<size_t> values) {
  Napi::Array numbers = Napi::Array::New(env, values.size());
  uint32_t i = 0;
  for (size_t value : values) numbers[i++] = Napi::Number::New(env, static_cast<double>(value));
  return numbers;
}

static Napi::Array BitsOf(Napi::Env env, size_t size, const Place& place) {
  std::vector<uint8_t> all(size);
  place.set(all.data());
  size_t first = 0, bits = 0;
  for (size_t i = 0; i < size * 8; i++) {
    if (!(all[i / 8] >> i % 8 & 1)) continue;
    if (bits++ == 0) first = i;
  }
  return Numbers(env, {first / 8, 1, first % 8, bits});
}

Napi::Object Layouts(Napi::Env env) {
  Napi::Object layouts = Napi::Object::New(env);
  for (const Layout& each : newer::kLayouts) {
    Napi::Object fields = Napi::Object::New(env);
    for (const Place* place = each.places; place->name; place++) {
      fields[place->name] =
          place->set ? BitsOf(env, each.size, *place) : Numbers(env, {place->offset, place->size});
    }
    Napi::Object layout = Napi::Object::New(env);
    layout["size"] = Napi::Number::New(env, static_cast<double>(each.size));
    layout["fields"] = fields;
    layouts[each.name] = layout;
  }
  return layouts;
}
