#include "ring.h"

#include <unistd.h>

#include <cstring>

#include "ring-entry.h"
#include "threads.h"

namespace {

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

constexpr uint32_t kEnterExtArg = 8;  // IORING_ENTER_EXT_ARG

// Entries end up where the kernel reads them only when it is entered, so these need no atomic instructions of
// their own beyond acquire and release.
uint32_t Load(const uint32_t* at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
void Store(uint32_t* at, uint32_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }

}  // namespace

Ring* Ring::Open(uint32_t entries, newer::io_uring_params* params) {
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

Ring* Ring::Find(Environment* environment, int fd) {
  for (Ring* ring : environment->rings) {
    if (ring->fd() == fd) return ring;
  }
  return nullptr;
}

bool Ring::map() {
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

RingMemory* Ring::share(size_t length) {
  size_t before = entriesLength() + completionsLength();
  if (memory_ || length > SIZE_MAX / 2) {
    errno = memory_ ? EEXIST : ENOMEM;
    return nullptr;
  }
  void* start = mmap(nullptr, before + length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return nullptr;
  memory_ = new RingMemory{static_cast<uint8_t*>(start), before + length};
  return memory_;
}

void Ring::unshare() {
  if (memory_) memory_->release();
  memory_ = nullptr;
}

bool Ring::prepare(Call& call, uint32_t count) {
  if (count == 0) return true;
  size_t before = entriesLength() + completionsLength();
  Bytes named = {memory_->start + before, memory_->length - before};
  uint32_t tail = Load(tail_);
  for (uint32_t i = 0; i < count; i++) {
    newer::io_uring_sqe entry;
    memcpy(&entry, memory_->start + i * sizeof entry, sizeof entry);
    if (!CheckEntry(call, &entry, named)) return false;
    entries_[(tail + i) & mask_] = entry;
  }
  Store(tail_, tail + count);
  return true;
}

void Ring::takeBack() { Store(tail_, Load(head_)); }

uint32_t Ring::complete() {
  if (!memory_) return 0;
  uint8_t* to = memory_->start + entriesLength();
  uint32_t head = *completedHead_, count = Load(completedTail_) - head;
  for (uint32_t i = 0; i < count; i++) {
    memcpy(to + i * sizeof(newer::io_uring_cqe), &completions_[(head + i) & completedMask_],
           sizeof(newer::io_uring_cqe));
  }
  Store(completedHead_, head + count);
  return count;
}

// Whether nothing is under way any more.
bool Ring::cancel() const {
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

int Ring::close() {
  bool quiet = !memory_ || cancel();
  abandon();
  if (quiet) unshare();
  return ::close(fd_);
}

void Ring::abandon() {
  if (queues_ != MAP_FAILED) munmap(queues_, queuesLength_);
  if (entries_ != MAP_FAILED) munmap(entries_, entriesLength());
}

long EnterRing(int fd, uint32_t count, uint32_t least, uint32_t flags, const timespec* timeout,
               const sigset_t* mask) {
  if (!timeout) return syscall(kEnterCall, fd, count, least, flags, mask, kKernelSigsetSize);
  getevents_arg argument = {};
  argument.sigmask = reinterpret_cast<uintptr_t>(mask);
  argument.sigmask_sz = kKernelSigsetSize;
  argument.ts = reinterpret_cast<uintptr_t>(timeout);
  return syscall(kEnterCall, fd, count, least, flags | kEnterExtArg, &argument, sizeof argument);
}

void CloseRings(Environment* environment) {
  for (Ring* ring : environment->rings) {
    ring->close();
    delete ring;
  }
  environment->rings.clear();
}
