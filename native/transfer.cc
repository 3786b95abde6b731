#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "addon.h"
#include "call.h"
#include "kernel.h"

// ssize_t read(int fd, void buf[.count], size_t count);
template <class AnyCall>
static napi_value Read(AnyCall& call) {
  int fd = call.fd();
  Bytes bytes = call.bytes("bytes");
  return call.ok() ? call.number(kernel::read(fd, bytes.data, bytes.length)) : nullptr;
}

// ssize_t write(int fd, const void buf[.count], size_t count);
template <class AnyCall>
static napi_value Write(AnyCall& call) {
  int fd = call.fd();
  Bytes bytes = call.bytes("bytes");
  return call.ok() ? call.number(kernel::write(fd, bytes.data, bytes.length)) : nullptr;
}

// ssize_t readv(int fd, const struct iovec *iov, int iovcnt);
static napi_value Readv(Call& call) {
  int fd = call.fd();
  IoVector buffers(call, "buffers");
  return call.ok() ? call.answer(readv(fd, buffers.data(), buffers.count())) : nullptr;
}

// ssize_t writev(int fd, const struct iovec *iov, int iovcnt);
static napi_value Writev(Call& call) {
  int fd = call.fd();
  IoVector buffers(call, "buffers");
  return call.ok() ? call.answer(writev(fd, buffers.data(), buffers.count())) : nullptr;
}

// ssize_t send(int sockfd, const void buf[.len], size_t len, int flags);
template <class AnyCall>
static napi_value Send(AnyCall& call) {
  int fd = call.fd();
  Bytes bytes = call.bytes("bytes");
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.number(kernel::send(fd, bytes.data, bytes.length, static_cast<int>(flags)))
                   : nullptr;
}

// ssize_t recv(int sockfd, void buf[.len], size_t len, int flags);
template <class AnyCall>
static napi_value Recv(AnyCall& call) {
  int fd = call.fd();
  Bytes bytes = call.bytes("bytes");
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.number(kernel::recv(fd, bytes.data, bytes.length, static_cast<int>(flags)))
                   : nullptr;
}

// ssize_t sendto(int sockfd, const void buf[.len], size_t len, int flags,
//                const struct sockaddr *dest_addr, socklen_t addrlen);
template <class AnyCall>
static napi_value Sendto(AnyCall& call) {
  int fd = call.fd();
  Bytes bytes = call.bytes("bytes");
  uint32_t flags = call.flags("flags");
  Bytes to = call.bytesOrNull("address");
  return call.ok() ? call.number(kernel::sendto(fd, bytes.data, bytes.length, static_cast<int>(flags),
                                                to.data, call.length(to)))
                   : nullptr;
}

// ssize_t recvfrom(int sockfd, void buf[.len], size_t len, int flags,
//                  struct sockaddr *src_addr, socklen_t *addrlen);
// out[0]: the address's length
template <class AnyCall>
static napi_value Recvfrom(AnyCall& call) {
  int fd = call.fd();
  Bytes bytes = call.bytes("bytes");
  uint32_t flags = call.flags("flags");
  Bytes from = call.bytesOrNull("from");
  if (!call.ok()) return nullptr;
  socklen_t length = call.length(from);
  napi_value answer = call.number(kernel::recvfrom(fd, bytes.data, bytes.length, static_cast<int>(flags),
                                                   from.data, from.data ? &length : nullptr));
  call.out()[0] = static_cast<int32_t>(length);
  return answer;
}

// A file offset, or null for the file's own position.
struct Offset {
  Offset(Call& call, const char* argument) {
    given = !call.skipNull();
    if (given) value = call.wide(argument);
  }
  off64_t* pointer() { return given ? &value : nullptr; }

 private:
  bool given;
  off64_t value = 0;
};

// ssize_t sendfile(int out_fd, int in_fd, off_t *_Nullable offset, size_t count);
static napi_value Sendfile(Call& call) {
  int to = call.integer("out");
  int from = call.integer("in");
  Offset offset(call, "offset");
  size_t count = call.size("count");
  return call.ok() ? call.answer(sendfile64(to, from, offset.pointer(), count)) : nullptr;
}

// ssize_t splice(int fd_in, off_t *_Nullable off_in, int fd_out, off_t *_Nullable off_out,
//                size_t len, unsigned int flags);
static napi_value Splice(Call& call) {
  int from = call.integer("in");
  Offset fromOffset(call, "inOffset");
  int to = call.integer("out");
  Offset toOffset(call, "outOffset");
  size_t count = call.size("count");
  uint32_t flags = call.flags("flags");
  return call.ok() ? call.answer(splice(from, fromOffset.pointer(), to, toOffset.pointer(), count, flags))
                   : nullptr;
}

void DefineTransfer(Calls& calls) {
  calls.define({
      {"read", Entry<Read<Call>, 2>, HotEntry<Read<HotCall>, 1>},
      {"write", Entry<Write<Call>, 2>, HotEntry<Write<HotCall>, 1>},
      {"readv", Entry<Readv>},
      {"writev", Entry<Writev>},
      {"send", Entry<Send<Call>, 3>, HotEntry<Send<HotCall>, 1>},
      {"recv", Entry<Recv<Call>, 3>, HotEntry<Recv<HotCall>, 1>},
      {"sendto", Entry<Sendto<Call>, 4>, HotEntry<Sendto<HotCall>, 2>},
      {"recvfrom", Entry<Recvfrom<Call>, 4>, HotEntry<Recvfrom<HotCall>, 2>},
      {"sendfile", Entry<Sendfile>},
      {"splice", Entry<Splice>},
  });
}
