// libFuzzer's half of test/fuzz.test.ts: the walk over control messages finds what the kernel's finds, and
// reads nothing behind their end.
#include "../../native/control.h"

#include <cstdlib>

// The kernel's walk in its own words: CMSG_FIRSTHDR, CMSG_OK and CMSG_NXTHDR of include/linux/socket.h, over
// offsets. True when it comes to a message of RDS before it ends or refuses the rest.
static bool kernelMeetsRds(const uint8_t* control, size_t length) {
  size_t at = 0;
  while (at <= length && length - at >= sizeof(cmsghdr)) {
    cmsghdr message;
    memcpy(&message, control + at, sizeof message);
    if (message.cmsg_level == SOL_RDS) return true;
    bool isOk = message.cmsg_len >= sizeof(cmsghdr) && message.cmsg_len <= length - at;
    if (!isOk) return false;
    at += (message.cmsg_len + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1);
  }
  return false;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* control, size_t length) {
  if (HoldsPointer(control, length) != kernelMeetsRds(control, length)) abort();
  return 0;
}
