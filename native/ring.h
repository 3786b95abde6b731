// An io_uring. Its queues are mapped here and not in JavaScript, because their entries hold addresses: a
// program writes entries into memory of its own, and the kernel gets copies that were checked.
#pragma once

#include <sys/mman.h>

#include <atomic>

#include "call.h"
#include "newer.h"

// What a program and its ring share: entries, completions, and the bytes that entries may name. The kernel
// may write there until the ring is closed, whatever becomes of the ArrayBuffer over it.
struct RingMemory {
  uint8_t* start;
  size_t length;
  std::atomic<int> owners{1};

  void release() {
    if (--owners > 0) return;
    munmap(start, length);
    delete this;
  }
};

class Ring {
 public:
  // Null, with errno, if the kernel refuses.
  static Ring* Open(uint32_t entries, newer::io_uring_params* params);

  // The ring of this thread that has the descriptor, or null.
  static Ring* Find(Environment* environment, int fd);

  int fd() const { return fd_; }

  // Makes the memory that is shared with the program, once. Null, with errno, if that fails.
  RingMemory* share(size_t length);
  void unshare();

  // How many entries the program can have prepared.
  uint32_t room() const { return memory_ ? params_.sq_entries : 0; }

  // Writes the first `count` entries where the kernel reads them. False, with an error pending, if one is
  // refused.
  bool prepare(Call& call, uint32_t count);

  // What the kernel did not take stays the program's.
  void takeBack();

  // Moves what is complete to where the program reads it. Answers how much that is.
  uint32_t complete();

  // Cancels what is under way, and only then gives the memory back that it may write to. Answers as close(2).
  int close();

  // For a ring whose descriptor is closed already, and may be somebody else's by now. Its memory is kept for
  // ever.
  void abandon();

 private:
  Ring(int fd, const newer::io_uring_params& params) : fd_(fd), params_(params) {}

  bool map();
  bool cancel() const;
  uint32_t* at(uint32_t offset) const {
    return reinterpret_cast<uint32_t*>(static_cast<uint8_t*>(queues_) + offset);
  }
  size_t entriesLength() const { return params_.sq_entries * sizeof(newer::io_uring_sqe); }
  size_t completionsLength() const { return params_.cq_entries * sizeof(newer::io_uring_cqe); }

  int fd_;
  newer::io_uring_params params_;
  void* queues_ = MAP_FAILED;
  size_t queuesLength_ = 0;
  newer::io_uring_sqe* entries_ = static_cast<newer::io_uring_sqe*>(MAP_FAILED);
  uint32_t *head_ = nullptr, *tail_ = nullptr, mask_ = 0;
  newer::io_uring_cqe* completions_ = nullptr;
  uint32_t *completedHead_ = nullptr, *completedTail_ = nullptr, completedMask_ = 0;
  RingMemory* memory_ = nullptr;
};

// io_uring_enter(2) as the kernel has it: a timeout brings IORING_ENTER_EXT_ARG. Answers -1 with errno.
long EnterRing(int fd, uint32_t count, uint32_t least, uint32_t flags, const timespec* timeout,
               const sigset_t* mask);

// Closes the rings that are still open.
void CloseRings(Environment* environment);
