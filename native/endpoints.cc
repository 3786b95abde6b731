#include <sys/socket.h>

#include "addon.h"
#include "call.h"

static const sockaddr* Address(Bytes bytes) { return reinterpret_cast<const sockaddr*>(bytes.data); }

// int socket(int domain, int type, int protocol);
static napi_value Socket(Call& call) {
  int domain = call.integer("domain");
  int type = call.integer("type");
  int protocol = call.integer("protocol");
  return call.ok() ? call.answer(socket(domain, type, protocol)) : nullptr;
}

// int socketpair(int domain, int type, int protocol, int sv[2]);  out: the two descriptors
static napi_value Socketpair(Call& call) {
  int domain = call.integer("domain");
  int type = call.integer("type");
  int protocol = call.integer("protocol");
  return call.ok() ? call.answer(socketpair(domain, type, protocol, call.out())) : nullptr;
}

// int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
static napi_value Bind(Call& call) {
  int fd = call.fd();
  Bytes address = call.bytes("address");
  return call.ok() ? call.answer(bind(fd, Address(address), call.length(address))) : nullptr;
}

// int listen(int sockfd, int backlog);
static napi_value Listen(Call& call) {
  int fd = call.fd();
  int backlog = call.integer("backlog");
  return call.ok() ? call.answer(listen(fd, backlog)) : nullptr;
}

// int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
static napi_value Connect(Call& call) {
  int fd = call.fd();
  Bytes address = call.bytes("address");
  return call.ok() ? call.answer(connect(fd, Address(address), call.length(address))) : nullptr;
}

// int shutdown(int sockfd, int how);
static napi_value Shutdown(Call& call) {
  int fd = call.fd();
  int how = call.integer("how");
  return call.ok() ? call.answer(shutdown(fd, how)) : nullptr;
}

// The calls that write an address: its real length, which may be more than fitted, lands in out[0].
template <class AnyCall, typename Function>
static napi_value Answer(AnyCall& call, Bytes address, Function function) {
  if (!call.ok()) return nullptr;
  socklen_t length = call.length(address);
  napi_value answer = call.answer(function(reinterpret_cast<sockaddr*>(address.data), &length));
  call.out()[0] = static_cast<int32_t>(length);
  return answer;
}

// int accept(int sockfd, struct sockaddr *addr, socklen_t *addrlen);
static napi_value Accept(Call& call) {
  int fd = call.fd();
  Bytes peer = call.bytesOrNull("peer");
  return Answer(call, peer, [&](sockaddr* address, socklen_t* length) {
    return accept(fd, address, address ? length : nullptr);
  });
}

// int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags);
template <class AnyCall>
static napi_value Accept4(AnyCall& call) {
  int fd = call.fd();
  Bytes peer = call.bytesOrNull("peer");
  uint32_t flags = call.flags("flags");
  return Answer(call, peer, [&](sockaddr* address, socklen_t* length) {
    return accept4(fd, address, address ? length : nullptr, static_cast<int>(flags));
  });
}

// int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen);
static napi_value Getsockname(Call& call) {
  int fd = call.fd();
  Bytes address = call.bytes("address");
  return Answer(call, address,
                [&](sockaddr* name, socklen_t* length) { return getsockname(fd, name, length); });
}

// int getpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen);
static napi_value Getpeername(Call& call) {
  int fd = call.fd();
  Bytes address = call.bytes("address");
  return Answer(call, address,
                [&](sockaddr* name, socklen_t* length) { return getpeername(fd, name, length); });
}

void DefineEndpoints(Calls& calls) {
  calls.define({
      {"socket", Entry<Socket>},
      {"socketpair", Entry<Socketpair>},
      {"bind", Entry<Bind>},
      {"listen", Entry<Listen>},
      {"connect", Entry<Connect>},
      {"shutdown", Entry<Shutdown>},
      {"accept", Entry<Accept>},
      {"accept4", Entry<Accept4<Call>, 3>, HotEntry<Accept4<HotCall>, 1>},
      {"getsockname", Entry<Getsockname>},
      {"getpeername", Entry<Getpeername>},
  });
}
