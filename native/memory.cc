#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "addon.h"
#include "call.h"
#include "uapi.h"

// int memfd_create(const char *name, unsigned int flags);
static napi_value MemfdCreate(Call& call) {
  Bytes name = call.bytes("name");
  uint32_t flags = call.flags("flags");
  if (!call.ok()) return nullptr;
  char text[257] = {};  // the kernel takes 249 bytes and refuses more with EINVAL
  if (name.length) memcpy(text, name.data, std::min(name.length, sizeof text - 1));
  return call.answer(memfd_create(text, flags));
}

// What an ArrayBuffer of mmap lies over. munmap takes the memory away from it; without munmap it goes with
// the ArrayBuffer.
struct Mapping {
  void* address;
  size_t length;
  bool made = false;  // the ArrayBuffer is there, and deletes this when it goes

  void unmap() {
    if (address) munmap(address, length);
    address = nullptr;
  }
};

static const napi_type_tag kMappingTag = {0x6d6d6170a3c94b11, 0x9d0f52e7708b6c3d};

// Pages that a file does not reach raise SIGBUS when touched.
static bool ReachesBeyond(const struct stat& file, int64_t offset, size_t length) {
  if (!S_ISREG(file.st_mode)) return false;
  uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t end = (static_cast<uint64_t>(file.st_size) + page - 1) / page * page;
  return length > end || static_cast<uint64_t>(offset) > end - length;
}

// Maps, with rights that fit an array: JavaScript cannot make one that is read only, and writing to such
// memory would end the process. A file is therefore mapped privately instead, where what is written stays in
// the array. A socket's ring cannot be private, so it is mapped writable if it lets itself.
static void* Map(size_t length, int protection, int flags, int fd, int64_t offset, bool isSocket) {
  constexpr int kAll = PROT_READ | PROT_WRITE;
  if (protection == kAll) return mmap(nullptr, length, kAll, flags, fd, offset);
  if (!isSocket) return mmap(nullptr, length, kAll, (flags & ~MAP_TYPE) | MAP_PRIVATE, fd, offset);
  void* address = mmap(nullptr, length, kAll, flags, fd, offset);
  return address == MAP_FAILED && errno == EPERM ? mmap(nullptr, length, PROT_READ, flags, fd, offset)
                                                 : address;
}

// The memory as a Uint8Array; null if the runtime refuses.
static napi_value ArrayOver(napi_env env, Mapping* mapping) {
  auto finalize = [](napi_env, void*, void* data) {
    auto* mapping = static_cast<Mapping*>(data);
    mapping->unmap();
    if (mapping->made) delete mapping;
  };
  napi_value buffer, array;
  napi_status status =
      napi_create_external_arraybuffer(env, mapping->address, mapping->length, finalize, mapping, &buffer);
  mapping->made = status == napi_ok;
  if (!mapping->made) {
    mapping->unmap();
    delete mapping;
    return nullptr;
  }
  if (napi_type_tag_object(env, buffer, &kMappingTag) != napi_ok ||
      napi_wrap(env, buffer, mapping, nullptr, nullptr, nullptr) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, mapping->length, buffer, 0, &array) != napi_ok) {
    return nullptr;
  }
  return array;
}

// The mapping that is behind the whole of an array, or null. A detached array has no memory, and perhaps no
// Mapping any more.
static Mapping* MappingOf(napi_env env, napi_value array, napi_value* buffer) {
  napi_typedarray_type type;
  size_t length = 0;
  void *data = nullptr, *mapping = nullptr;
  bool tagged = false;
  if (napi_get_typedarray_info(env, array, &type, &length, &data, buffer, nullptr) != napi_ok || !data ||
      napi_check_object_type_tag(env, *buffer, &kMappingTag, &tagged) != napi_ok || !tagged ||
      napi_unwrap(env, *buffer, &mapping) != napi_ok) {
    return nullptr;
  }
  auto* found = static_cast<Mapping*>(mapping);
  bool whole = type == napi_uint8_array && data == found->address && length == found->length;
  return whole ? found : nullptr;
}

// void *mmap(void addr[.length], size_t length, int prot, int flags, int fd, off_t offset);
static napi_value Mmap(Call& call) {
  napi_env env = call.env();
  size_t length = call.size("length");
  uint32_t protection = call.flags("prot");
  uint32_t flags = call.flags("flags");
  int fd = call.fd();
  int64_t offset = call.wide("offset");
  if (protection != PROT_READ && protection != (PROT_READ | PROT_WRITE))
    call.refuseRange("prot", "PROT_READ or PROT_READ | PROT_WRITE");
  constexpr uint32_t kFlags = MAP_TYPE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED;
  if (flags & ~kFlags)
    call.refuseRange("flags", "of MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS, MAP_POPULATE, MAP_LOCKED");
  struct stat file = {};
  if (call.ok() && !(flags & MAP_ANONYMOUS)) {
    if (fstat(fd, &file) < 0) return call.answer(-1);
    // What has no type of file may be an io_uring, whose entries hold addresses.
    if ((file.st_mode & S_IFMT) == 0) call.refuseRange("fd", "a file, a socket or a device");
    if (ReachesBeyond(file, offset, length)) call.refuseRange("length", "within the file");
  }
  if (!call.ok()) return nullptr;
  void* address =
      Map(length, static_cast<int>(protection), static_cast<int>(flags), fd, offset, S_ISSOCK(file.st_mode));
  if (address == MAP_FAILED) return call.answer(-1);
  napi_value array = ArrayOver(env, new Mapping{address, length});
  if (!array) {
    napi_throw_error(env, "ERR_NO_EXTERNAL_BUFFERS",
                     "mmap: this runtime makes no array over memory of others, or none so long");
  }
  return array;
}

// int munmap(void addr[.length], size_t length);
static napi_value Munmap(Call& call) {
  napi_env env = call.env();
  napi_value buffer = nullptr;
  Mapping* mapping = MappingOf(env, call.next(), &buffer);
  void* wrapped = nullptr;
  if (!mapping || napi_remove_wrap(env, buffer, &wrapped) != napi_ok ||
      napi_detach_arraybuffer(env, buffer) != napi_ok) {
    call.refuseType("addr", "the whole array that mmap made, and still mapped");
    return nullptr;
  }
  int answer = munmap(mapping->address, mapping->length);
  mapping->address = nullptr;
  return call.answer(answer);
}

void DefineMemory(Calls& calls) {
  calls.define({{"memfd_create", Entry<MemfdCreate>}, {"mmap", Entry<Mmap>}, {"munmap", Entry<Munmap>}});
}
