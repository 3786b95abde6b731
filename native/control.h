// The one thing that the addon reads in control messages: whether they hold a pointer.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <cstring>

// Of all control messages only those of RDS hold pointers. Their bytes would let a caller make the kernel
// read or write anywhere. The walk ends where the kernel's own does.
inline bool HoldsPointer(const uint8_t* control, size_t length) {
  cmsghdr header;
  while (length >= sizeof header) {
    memcpy(&header, control, sizeof header);
    if (header.cmsg_level == SOL_RDS) return true;
    if (header.cmsg_len < sizeof header || header.cmsg_len > length) return false;
    size_t next = CMSG_ALIGN(header.cmsg_len);
    if (next >= length) return false;
    control += next;
    length -= next;
  }
  return false;
}
