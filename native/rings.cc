// io_uring_setup and io_uring_enter, and what a ring takes beyond.
#include <algorithm>
#include <cstring>

#include "addon.h"
#include "call.h"
#include "ring.h"
#include "threads.h"

namespace {

// What can be done here with a ring: entries and completions of the common size, submitted by calls alone.
constexpr uint32_t kSetupFlags = 8          // IORING_SETUP_CQSIZE
                                 | 16       // CLAMP
                                 | 32       // ATTACH_WQ
                                 | 128      // SUBMIT_ALL
                                 | 0x100    // COOP_TASKRUN
                                 | 0x200    // TASKRUN_FLAG
                                 | 0x1000   // SINGLE_ISSUER
                                 | 0x2000;  // DEFER_TASKRUN

constexpr uint32_t kEnterFlags = 1       // IORING_ENTER_GETEVENTS
                                 | 32    // ABS_TIMER
                                 | 128;  // NO_IOWAIT

void Remove(Environment* environment, Ring* ring) {
  auto& rings = environment->rings;
  rings.erase(std::remove(rings.begin(), rings.end(), ring), rings.end());
  delete ring;
}

// The kernel's answer for a descriptor that is no ring, of this thread.
int NoRing() {
  errno = EOPNOTSUPP;
  return -1;
}

}  // namespace

// int io_uring_setup(u32 entries, struct io_uring_params *p);
static napi_value Setup(Call& call) {
  uint32_t entries = call.flags("entries");
  auto* given = call.structure<newer::io_uring_params>("params");
  if (!call.ok()) return nullptr;
  newer::io_uring_params params;
  memcpy(&params, given, sizeof params);  // which need not be aligned
  if (params.flags & ~kSetupFlags) {
    call.refuseRange("flags",
                     "of IORING_SETUP_CQSIZE, _CLAMP, _ATTACH_WQ, _SUBMIT_ALL, _COOP_TASKRUN, "
                     "_TASKRUN_FLAG, _SINGLE_ISSUER, _DEFER_TASKRUN");
    return nullptr;
  }
  Ring* ring = Ring::Open(entries, &params);
  if (!ring) return call.answer(-1);
  memcpy(given, &params, sizeof params);
  if (Ring* gone = Ring::Find(call.environment(), ring->fd())) {
    gone->abandon();
    Remove(call.environment(), gone);
  }
  call.environment()->rings.push_back(ring);
  return call.number(ring->fd());
}

// Makes the memory of a ring, once: room for its entries, then for its completions, then `length` bytes.
static napi_value Memory(Call& call) {
  napi_env env = call.env();
  int fd = call.fd();
  size_t length = call.size("length");
  if (!call.ok()) return nullptr;
  Ring* ring = Ring::Find(call.environment(), fd);
  RingMemory* memory = nullptr;
  if (!ring) return call.answer(NoRing());
  if (!(memory = ring->share(length))) return call.answer(-1);
  memory->owners++;
  auto finalize = [](napi_env, void*, void* data) { static_cast<RingMemory*>(data)->release(); };
  napi_value buffer, array;
  if (napi_create_external_arraybuffer(env, memory->start, memory->length, finalize, memory, &buffer) !=
      napi_ok) {
    memory->release();
    ring->unshare();
    napi_throw_error(env, "ERR_NO_EXTERNAL_BUFFERS",
                     "io_uring_memory: this runtime makes no array over memory of others, or none so long");
    return nullptr;
  }
  napi_create_typedarray(env, napi_uint8_array, memory->length, buffer, 0, &array);
  return array;
}

// int io_uring_enter(unsigned int fd, unsigned int to_submit, unsigned int min_complete, unsigned int flags,
//                    sigset_t *sig);
// int io_uring_enter2(unsigned int fd, unsigned int to_submit, unsigned int min_complete, unsigned int flags,
//                     struct io_uring_getevents_arg *arg, size_t sz);
static napi_value Enter(Call& call) {
  int fd = call.fd();
  uint32_t count = call.flags("to_submit");
  uint32_t least = call.flags("min_complete");
  uint32_t flags = call.flags("flags");
  auto* timeout = call.structureOrNull<timespec>("timeout");
  SignalMask mask(call, "sigmask", true);
  if (flags & ~kEnterFlags)
    call.refuseRange("flags", "of IORING_ENTER_GETEVENTS, _ABS_TIMER, _NO_IOWAIT: a timeout brings _EXT_ARG");
  if (!call.ok()) return nullptr;
  // For what is no ring of this thread the kernel answers, and finds nothing to submit.
  Ring* ring = Ring::Find(call.environment(), fd);
  if (ring && count > ring->room())
    call.refuseRange("to_submit", "no more than the ring's memory has entries");
  if (!call.ok() || (ring && !ring->prepare(call, count))) return nullptr;
  long taken = EnterRing(fd, count, least, flags, timeout, mask.pointer());
  int error = errno;
  if (ring) ring->takeBack();
  call.out()[0] = ring ? static_cast<int32_t>(ring->complete()) : 0;
  errno = error;
  return call.answer(taken);
}

// Cancels what is under way, and closes the ring.
static napi_value Close(Call& call) {
  int fd = call.fd();
  if (!call.ok()) return nullptr;
  Ring* ring = Ring::Find(call.environment(), fd);
  if (!ring) return call.answer(NoRing());
  int answer = ring->close(), error = errno;
  Remove(call.environment(), ring);
  errno = error;
  return call.answer(answer);
}

void DefineRings(Calls& calls) {
  calls.define({{"io_uring_setup", Entry<Setup>},
                {"io_uring_memory", Entry<Memory>},
                {"io_uring_enter", Entry<Enter, 6>},
                {"io_uring_close", Entry<Close>}});
}
