// A copy of a caller's bytes at the end of a page, before a page that is nobody's: for calls in which the
// kernel itself decides how much it writes. What does not fit answers EFAULT instead of reaching other
// memory.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "call.h"

class Guarded {
 public:
  Guarded(Call& call, const char* argument, Bytes bytes) : bytes_(bytes) {
    if (!call.ok()) return;
    if (bytes.length > kMax) {
      call.refuseRange(argument, "at most a megabyte long");
      return;
    }
    size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    size_t usable = (bytes.length + page - 1) / page * page;
    size_ = usable + page;
    memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) {
      call.refuseRange(argument, "small enough for the memory that is left");
      return;
    }
    uint8_t* end = static_cast<uint8_t*>(memory_) + usable;
    mprotect(end, page, PROT_NONE);
    data_ = end - bytes.length;
    if (bytes.length) memcpy(data_, bytes.data, bytes.length);
  }
  ~Guarded() {
    if (memory_ != MAP_FAILED) munmap(memory_, size_);
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  uint8_t* data() { return data_; }
  void copyBack() {
    if (bytes_.length) memcpy(bytes_.data, data_, bytes_.length);
  }

 private:
  static constexpr size_t kMax = 1 << 20;
  Bytes bytes_;
  void* memory_ = MAP_FAILED;
  size_t size_ = 0;
  uint8_t* data_ = nullptr;
};
