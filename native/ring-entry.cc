#include "ring-entry.h"

namespace {

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

constexpr uint8_t kAccept = 13, kSend = 26, kRecv = 27, kSendZc = 47;

// The flags of send and recv that go into ioprio, without IORING_SEND_VECTORIZED, which makes addr an iovec.
constexpr uint16_t kTransferFlags = 0x1f;

// Makes an offset the address of `length` bytes.
void Locate(Call& call, const char* field, Bytes memory, uint64_t* offset, uint64_t length) {
  if (*offset > memory.length || length > memory.length - *offset) {
    call.refuseRange(field, "an offset whose bytes lie within the ring's memory");
    return;
  }
  *offset += reinterpret_cast<uintptr_t>(memory.data);
}

}  // namespace

bool CheckEntry(Call& call, newer::io_uring_sqe* entry, Bytes memory) {
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
      Locate(call, "off", memory, &entry->off, length);
    else if (entry->off != 0)
      call.refuseRange("off", "0 where file_index gives no length of an address");
  } else if (entry->opcode == kRecv && entry->off != 0) {
    call.refuseRange("off", "0");
  }
  switch (kind) {
    case Address::kBytes:
      Locate(call, "addr", memory, &entry->addr, entry->len);
      break;
    case Address::kName:
      Locate(call, "addr", memory, &entry->addr, entry->off);
      break;
    case Address::kTime:
      Locate(call, "addr", memory, &entry->addr, 2 * sizeof(int64_t));
      break;
    case Address::kBuffers:
      Locate(call, "addr", memory, &entry->addr,
             static_cast<uint64_t>(entry->len) * static_cast<uint32_t>(entry->fd));
      break;
    default:
      break;
  }
  return call.ok();
}
