// io_uring: the ring's memory is mapped here and not in JavaScript, because its entries carry pointers. A
// program writes its entries into memory of its own, in the kernel's own format, but with offsets into that
// memory where C has addresses. io_uring_enter checks each and hands the kernel a copy.
#include "rings.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "addon.h"
#include "call.h"
#include "newer.h"
#include "threads.h"
#include "uapi.h"

namespace {

// What a program and its ring share: entries, completions, and the bytes that entries may name. The kernel
// may write there until the ring is closed, whatever becomes of the ArrayBuffer over it.
struct Shared {
  uint8_t* start;
  size_t length;
  std::atomic<int> owners{1};

  void release() {
    if (--owners > 0) return;
    munmap(start, length);
    delete this;
  }
};

// Which address an entry's `addr` is, and how far it reaches.
enum class Address : uint8_t {
  kRefused,  // an operation whose memory holds further addresses, or that is not a socket's
  kNone,     // addr is a number, or nothing
  kBytes,    // `len` bytes
  kName,     // a struct sockaddr of `off` bytes
  kTime,     // a struct timespec
  kBuffers,  // `fd` buffers of `len` bytes
};

// By opcode.
constexpr Address kAddresses[] = {
    Address::kNone,                                           //  0 NOP
    Address::kRefused, Address::kRefused, Address::kRefused,  //  1 READV, WRITEV, FSYNC
    Address::kRefused, Address::kRefused,                     //  4 READ_FIXED, WRITE_FIXED
    Address::kNone,    Address::kNone,                        //  6 POLL_ADD, POLL_REMOVE
    Address::kRefused, Address::kRefused, Address::kRefused,  //  8 SYNC_FILE_RANGE, SENDMSG, RECVMSG
    Address::kTime,    Address::kNone,                        // 11 TIMEOUT, TIMEOUT_REMOVE
    Address::kNone,    Address::kNone,    Address::kTime,     // 13 ACCEPT, ASYNC_CANCEL, LINK_TIMEOUT
    Address::kName,                                           // 16 CONNECT
    Address::kRefused, Address::kRefused, Address::kNone,     // 17 FALLOCATE, OPENAT, CLOSE
    Address::kRefused, Address::kRefused,                     // 20 FILES_UPDATE, STATX
    Address::kBytes,   Address::kBytes,                       // 22 READ, WRITE
    Address::kRefused, Address::kRefused,                     // 24 FADVISE, MADVISE
    Address::kBytes,   Address::kBytes,                       // 26 SEND, RECV
    Address::kRefused, Address::kRefused,                     // 28 OPENAT2, EPOLL_CTL
    Address::kNone,    Address::kBuffers, Address::kNone,     // 30 SPLICE, PROVIDE_BUFFERS, REMOVE_BUFFERS
    Address::kNone,    Address::kNone,                        // 33 TEE, SHUTDOWN
    Address::kRefused, Address::kRefused, Address::kRefused,  // 35 RENAMEAT, UNLINKAT, MKDIRAT
    Address::kRefused, Address::kRefused,                     // 38 SYMLINKAT, LINKAT
    Address::kNone,                                           // 40 MSG_RING
    Address::kRefused, Address::kRefused, Address::kRefused,  // 41 FSETXATTR, SETXATTR, FGETXATTR
    Address::kRefused,                                        // 44 GETXATTR
    Address::kNone,                                           // 45 SOCKET
    Address::kRefused,                                        // 46 URING_CMD
    Address::kBytes,                                          // 47 SEND_ZC
    Address::kRefused, Address::kRefused, Address::kRefused,  // 48 SENDMSG_ZC, READ_MULTISHOT, WAITID
    Address::kRefused, Address::kRefused, Address::kRefused,  // 51 FUTEX_WAIT, FUTEX_WAKE, FUTEX_WAITV
    Address::kRefused, Address::kRefused,                     // 54 FIXED_FD_INSTALL, FTRUNCATE
    Address::kName,    Address::kNone,                        // 56 BIND, LISTEN
};

constexpr uint8_t kPollRemove = 7, kAccept = 13, kSend = 26, kRecv = 27, kSendZc = 47;

// The flags of send and recv that go into ioprio, without IORING_SEND_VECTORIZED, which makes addr an iovec.
constexpr uint16_t kTransferFlags = 0x1f;

// What this file can do with a ring: entries and completions of the common size, submitted by calls alone.
constexpr uint32_t kSetupFlags = 8          // IORING_SETUP_CQSIZE
                                 | 16       // CLAMP
                                 | 32       // ATTACH_WQ
                                 | 128      // SUBMIT_ALL
                                 | 0x100    // COOP_TASKRUN
                                 | 0x200    // TASKRUN_FLAG
                                 | 0x1000   // SINGLE_ISSUER
                                 | 0x2000;  // DEFER_TASKRUN

constexpr uint32_t kEnterExtArg = 8;
constexpr uint32_t kEnterFlags = 1       // IORING_ENTER_GETEVENTS
                                 | 32    // ABS_TIMER
                                 | 128;  // NO_IOWAIT

struct getevents_arg {
  uint64_t sigmask;
  uint32_t sigmask_sz, min_wait_usec;
  uint64_t ts;
};

struct sync_cancel_reg {
  uint64_t addr;
  int32_t fd;
  uint32_t flags;
  int64_t timeout[2];
  uint8_t opcode, pad[7];
  uint64_t pad2[3];
};

// Numbers of system calls, the same on every architecture. Headers may be older.
constexpr long kSetupCall = 425, kEnterCall = 426, kRegisterCall = 427;

// The kernel's sigset_t, of which libc's has more.
constexpr size_t kSignalSetSize = 8;

// Entries end up where the kernel reads them only when it is entered, so these need no atomic instructions of
// their own beyond acquire and release.
uint32_t Load(const uint32_t* at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
void Store(uint32_t* at, uint32_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }

}  // namespace

class Ring {
 public:
  // Null, with errno, if the kernel refuses.
  static Ring* Open(uint32_t entries, newer::io_uring_params* params) {
    int fd = static_cast<int>(syscall(kSetupCall, entries, params));
    if (fd < 0) return nullptr;
    auto* ring = new Ring(fd, *params);
    if (ring->map()) return ring;
    int error = errno;
    ring->close();
    delete ring;
    errno = error;
    return nullptr;
  }

  int fd() const { return fd_; }

  // Makes the memory that is shared with the program, once.
  Shared* share(size_t length) {
    size_t before = entriesLength() + completionsLength();
    if (shared_ || length > SIZE_MAX / 2) {
      errno = shared_ ? EEXIST : ENOMEM;
      return nullptr;
    }
    void* start = mmap(nullptr, before + length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return nullptr;
    shared_ = new Shared{static_cast<uint8_t*>(start), before + length};
    return shared_;
  }
  void unshare() {
    if (shared_) shared_->release();
    shared_ = nullptr;
  }

  // How many entries the program can have prepared.
  uint32_t room() const { return shared_ ? params_.sq_entries : 0; }

  // Writes the first `count` entries where the kernel reads them. False, with an error pending, if one is
  // refused.
  bool prepare(Call& call, uint32_t count) {
    uint32_t tail = Load(tail_);
    for (uint32_t i = 0; i < count; i++) {
      newer::io_uring_sqe entry;
      memcpy(&entry, shared_->start + i * sizeof entry, sizeof entry);
      if (!check(call, &entry)) return false;
      entries_[(tail + i) & mask_] = entry;
    }
    Store(tail_, tail + count);
    return true;
  }

  // What the kernel did not take stays the program's.
  void takeBack() { Store(tail_, Load(head_)); }

  // Moves what is complete to where the program reads it.
  uint32_t complete() {
    if (!shared_) return 0;
    uint8_t* to = shared_->start + entriesLength();
    uint32_t head = *completedHead_, count = Load(completedTail_) - head;
    for (uint32_t i = 0; i < count; i++) {
      memcpy(to + i * sizeof(newer::io_uring_cqe), &completions_[(head + i) & completedMask_],
             sizeof(newer::io_uring_cqe));
    }
    Store(completedHead_, head + count);
    return count;
  }

  // Cancels what is under way, and only then gives the memory back that it may write to.
  int close() {
    bool quiet = !shared_ || cancel();
    abandon();
    if (quiet) unshare();
    return ::close(fd_);
  }

  // For a ring whose descriptor is closed already, and may be somebody else's by now. Its shared memory is
  // kept for ever.
  void abandon() {
    if (queues_ != MAP_FAILED) munmap(queues_, queuesLength_);
    if (entries_ != MAP_FAILED) munmap(entries_, entriesLength());
  }

 private:
  Ring(int fd, const newer::io_uring_params& params) : fd_(fd), params_(params) {}

  bool map() {
    constexpr uint32_t kSingleMap = 1;  // IORING_FEAT_SINGLE_MMAP
    if (!(params_.features & kSingleMap)) {
      errno = ENOSYS;
      return false;
    }
    constexpr int kAll = PROT_READ | PROT_WRITE;
    size_t submissions = params_.sq_off.array + params_.sq_entries * sizeof(uint32_t);
    size_t completions = params_.cq_off.cqes + completionsLength();
    queuesLength_ = submissions > completions ? submissions : completions;
    queues_ = mmap(nullptr, queuesLength_, kAll, MAP_SHARED | MAP_POPULATE, fd_, 0);
    if (queues_ == MAP_FAILED) return false;
    constexpr off_t kEntriesOffset = 0x10000000;  // IORING_OFF_SQES
    entries_ = static_cast<newer::io_uring_sqe*>(
        mmap(nullptr, entriesLength(), kAll, MAP_SHARED | MAP_POPULATE, fd_, kEntriesOffset));
    if (entries_ == MAP_FAILED) return false;
    head_ = at(params_.sq_off.head);
    tail_ = at(params_.sq_off.tail);
    mask_ = *at(params_.sq_off.ring_mask);
    completedHead_ = at(params_.cq_off.head);
    completedTail_ = at(params_.cq_off.tail);
    completedMask_ = *at(params_.cq_off.ring_mask);
    completions_ = reinterpret_cast<newer::io_uring_cqe*>(at(params_.cq_off.cqes));
    for (uint32_t i = 0; i < params_.sq_entries; i++) at(params_.sq_off.array)[i] = i;
    return true;
  }

  uint32_t* at(uint32_t offset) const {
    return reinterpret_cast<uint32_t*>(static_cast<uint8_t*>(queues_) + offset);
  }
  size_t entriesLength() const { return params_.sq_entries * sizeof(newer::io_uring_sqe); }
  size_t completionsLength() const { return params_.cq_entries * sizeof(newer::io_uring_cqe); }

  // False, with an error pending, if the entry names memory that is not the program's; otherwise with
  // addresses for offsets.
  bool check(Call& call, newer::io_uring_sqe* entry) const {
    Address kind = entry->opcode < sizeof kAddresses ? kAddresses[entry->opcode] : Address::kRefused;
    bool sends = entry->opcode == kSend || entry->opcode == kSendZc;
    if (kind == Address::kRefused) {
      call.refuseRange("opcode", "an operation on sockets whose memory holds no addresses");
    } else if (entry->addr3 != 0 || entry->pad != 0) {
      call.refuseRange("addr3", "0");
    } else if ((sends || entry->opcode == kRecv) && (entry->ioprio & ~kTransferFlags)) {
      call.refuseRange("ioprio", "flags of IORING_RECVSEND_*, and no others");
    } else if (entry->opcode == kAccept && (entry->addr != 0 || entry->off != 0)) {
      call.refuseRange("addr", "0: getpeername tells who was accepted");
    } else if (sends) {
      // Where to, if anywhere: the length lies in the low half of file_index.
      uint16_t length = static_cast<uint16_t>(entry->file_index);
      if (length > 0)
        locate(call, "off", &entry->off, length);
      else if (entry->off != 0)
        call.refuseRange("off", "0 where file_index gives no length of an address");
    } else if (entry->opcode == kRecv && entry->off != 0) {
      call.refuseRange("off", "0");
    }
    switch (kind) {
      case Address::kBytes:
        locate(call, "addr", &entry->addr, entry->len);
        break;
      case Address::kName:
        locate(call, "addr", &entry->addr, entry->off);
        break;
      case Address::kTime:
        locate(call, "addr", &entry->addr, 2 * sizeof(int64_t));
        break;
      case Address::kBuffers:
        locate(call, "addr", &entry->addr,
               static_cast<uint64_t>(entry->len) * static_cast<uint32_t>(entry->fd));
        break;
      default:
        break;
    }
    return call.ok();
  }

  void locate(Call& call, const char* field, uint64_t* offset, uint64_t length) const {
    size_t before = entriesLength() + completionsLength(), size = shared_->length - before;
    if (*offset > size || length > size - *offset) {
      call.refuseRange(field,
                       "an offset from where as many bytes as the entry names are within the ring's memory");
      return;
    }
    *offset += reinterpret_cast<uintptr_t>(shared_->start + before);
  }

  // Whether nothing is under way any more.
  bool cancel() const {
    constexpr unsigned kSyncCancel = 24;     // IORING_REGISTER_SYNC_CANCEL, since Linux 6.0
    constexpr uint32_t kEverything = 1 | 4;  // IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY
    sync_cancel_reg request = {};
    request.fd = -1;
    request.flags = kEverything;
    request.timeout[0] = 1;  // a second; then the memory is kept for ever
    long answer;
    do {
      answer = syscall(kRegisterCall, fd_, kSyncCancel, &request, 1);
    } while (answer < 0 && errno == EINTR);
    return answer >= 0 || errno == ENOENT;
  }

  int fd_;
  newer::io_uring_params params_;
  void* queues_ = MAP_FAILED;
  size_t queuesLength_ = 0;
  newer::io_uring_sqe* entries_ = static_cast<newer::io_uring_sqe*>(MAP_FAILED);
  uint32_t *head_ = nullptr, *tail_ = nullptr, mask_ = 0;
  newer::io_uring_cqe* completions_ = nullptr;
  uint32_t *completedHead_ = nullptr, *completedTail_ = nullptr, completedMask_ = 0;
  Shared* shared_ = nullptr;
};

namespace {

Ring* Find(Environment* environment, int fd) {
  for (Ring* ring : environment->rings) {
    if (ring->fd() == fd) return ring;
  }
  return nullptr;
}

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

void CloseRings(Environment* environment) {
  while (!environment->rings.empty()) {
    environment->rings.back()->close();
    Remove(environment, environment->rings.back());
  }
}

// int io_uring_setup(u32 entries, struct io_uring_params *p);
static napi_value Setup(napi_env env, napi_callback_info info) {
  Call call(env, info, "io_uring_setup");
  uint32_t entries = call.flags("entries");
  auto* given = call.structure<newer::io_uring_params>("params");
  if (!call.ok()) return nullptr;
  newer::io_uring_params params = *given;
  if (params.flags & ~kSetupFlags) {
    call.refuseRange("flags",
                     "of IORING_SETUP_CQSIZE, _CLAMP, _ATTACH_WQ, _SUBMIT_ALL, _COOP_TASKRUN, "
                     "_TASKRUN_FLAG, _SINGLE_ISSUER, _DEFER_TASKRUN");
    return nullptr;
  }
  Ring* ring = Ring::Open(entries, &params);
  if (!ring) return call.answer(-1);
  *given = params;
  if (Ring* gone = Find(call.environment(), ring->fd())) {
    gone->abandon();
    Remove(call.environment(), gone);
  }
  call.environment()->rings.push_back(ring);
  return call.number(ring->fd());
}

// Makes the memory of a ring, once: room for its entries, then for its completions, then `length` bytes.
static napi_value Memory(napi_env env, napi_callback_info info) {
  Call call(env, info, "io_uring_memory");
  int fd = call.fd();
  size_t length = call.size("length");
  if (!call.ok()) return nullptr;
  Ring* ring = Find(call.environment(), fd);
  Shared* shared = nullptr;
  if (!ring) return call.answer(NoRing());
  if (!(shared = ring->share(length))) return call.answer(-1);
  shared->owners++;
  auto finalize = [](napi_env, void*, void* data) { static_cast<Shared*>(data)->release(); };
  napi_value buffer, array;
  if (napi_create_external_arraybuffer(env, shared->start, shared->length, finalize, shared, &buffer) !=
      napi_ok) {
    shared->release();
    ring->unshare();
    napi_throw_error(env, "ERR_NO_EXTERNAL_BUFFERS",
                     "io_uring_memory: this runtime makes no array over memory of others, or none so long");
    return nullptr;
  }
  napi_create_typedarray(env, napi_uint8_array, shared->length, buffer, 0, &array);
  return array;
}

// int io_uring_enter(unsigned int fd, unsigned int to_submit, unsigned int min_complete, unsigned int flags,
//                    sigset_t *sig);
// int io_uring_enter2(unsigned int fd, unsigned int to_submit, unsigned int min_complete, unsigned int flags,
//                     struct io_uring_getevents_arg *arg, size_t sz);
static napi_value Enter(napi_env env, napi_callback_info info) {
  Call call(env, info, "io_uring_enter", 6);
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
  Ring* ring = Find(call.environment(), fd);
  if (ring && count > ring->room())
    call.refuseRange("to_submit", "no more than the ring's memory has entries");
  if (!call.ok() || (ring && !ring->prepare(call, count))) return nullptr;
  getevents_arg extended = {};
  extended.sigmask = reinterpret_cast<uintptr_t>(mask.pointer());
  extended.sigmask_sz = kSignalSetSize;
  extended.ts = reinterpret_cast<uintptr_t>(timeout);
  long taken = timeout
                   ? syscall(kEnterCall, fd, count, least, flags | kEnterExtArg, &extended, sizeof extended)
                   : syscall(kEnterCall, fd, count, least, flags, mask.pointer(), kSignalSetSize);
  int error = errno;
  if (ring) ring->takeBack();
  call.out()[0] = ring ? static_cast<int32_t>(ring->complete()) : 0;
  errno = error;
  return call.answer(taken);
}

// Cancels what is under way, and closes the ring.
static napi_value Close(napi_env env, napi_callback_info info) {
  Call call(env, info, "io_uring_close");
  int fd = call.fd();
  if (!call.ok()) return nullptr;
  Ring* ring = Find(call.environment(), fd);
  if (!ring) return call.answer(NoRing());
  int answer = ring->close(), error = errno;
  Remove(call.environment(), ring);
  errno = error;
  return call.answer(answer);
}

void DefineRings(Napi::Object raw, Environment* environment) {
  Define(raw, environment,
         {{"io_uring_setup", Setup},
          {"io_uring_memory", Memory},
          {"io_uring_enter", Enter},
          {"io_uring_close", Close}});
}
