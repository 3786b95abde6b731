#include <algorithm>
#include <cstring>

#include "addon.h"
#include "call.h"
#include "guarded.h"
#include "newer.h"
#include "uapi.h"

// Some options take a struct that holds a pointer. Its bytes would let a caller make the kernel read or write
// anywhere, so for a filter program the caller gives the instructions themselves, and the others are refused.
static bool TakesProgram(int level, int name) {
  return (level == SOL_SOCKET && (name == SO_ATTACH_FILTER || name == SO_ATTACH_REUSEPORT_CBPF)) ||
         (level == SOL_PACKET && name == PACKET_FANOUT_DATA);
}

static bool HoldsPointer(int level, int name) {
  // The control numbers of iptables, arptables and ebtables: IPT_BASE_CTL and its kin.
  constexpr int kXtables = 64, kArptables = 96, kEbtables = 128, kEach = 8;
  // Not in every header:
  constexpr int kMptcp = 284, kMptcpFullInfo = 4, kXdp = 283, kSctpConnectx3 = 111;
  constexpr int kRds = 276, kRdsGetMr = 2, kRdsGetMrForDest = 7;
  auto within = [name](int base) { return name >= base && name < base + kEach; };
  switch (level) {
    case SOL_IP:
      return within(kXtables) || within(kArptables) || within(kEbtables);
    case SOL_IPV6:
      return name == kXtables;  // only the one that replaces a table; 66 and on are ordinary options here
    case IPPROTO_TCP:
      return name == TCP_ZEROCOPY_RECEIVE;
    case kMptcp:
      return name == kMptcpFullInfo;
    case IPPROTO_SCTP:
      return name == kSctpConnectx3;
    case kRds:
      return name == kRdsGetMr || name == kRdsGetMrForDest;
    case kXdp:
      return name == XDP_UMEM_REG;
    default:
      return false;
  }
}

// The one option whose length is that of an entry, and no array's: how many there are the kernel writes into
// the first, which also says how many there is room for.
static bool ListsKeys(int level, int name) {
  constexpr int kTcpAoGetKeys = 41;  // not in every header
  return level == IPPROTO_TCP && name == kTcpAoGetKeys;
}

// Options of which the kernel writes as many entries as a count inside the struct allows, whatever optlen
// says.
static bool CountsEntries(int level, int name) {
  switch (level) {
    case SOL_IP:
      return name == IP_MSFILTER || name == MCAST_MSFILTER;
    case SOL_IPV6:
      return name == MCAST_MSFILTER;
    default:
      return ListsKeys(level, name);
  }
}

// How many bytes of an answer are keys: as many as there are, or as there is room for.
static size_t LengthOfKeys(const uint8_t* keys, size_t room) {
  newer::tcp_ao_getsockopt first;
  memcpy(&first, keys, sizeof first);
  return std::min<size_t>(first.nkeys, room / sizeof first) * sizeof first;
}

static void RefusePointers(Call& call, int level, int name) {
  if (HoldsPointer(level, name)) call.refuseRange("optname", "an option whose struct holds no pointer");
}

// int getsockopt(int sockfd, int level, int optname, void optval[.*optlen], socklen_t *optlen);
// out[0]: optlen
static napi_value Getsockopt(Call& call) {
  int fd = call.fd();
  int level = call.integer("level");
  int name = call.integer("optname");
  Bytes value = call.bytes("value");
  RefusePointers(call, level, name);
  if (!call.ok()) return nullptr;
  socklen_t length = call.length(value);
  // The one option whose length counts instructions and not bytes: see net/core/filter.c, for socket(7) is
  // silent.
  bool countsInstructions = level == SOL_SOCKET && name == SO_GET_FILTER;
  if (countsInstructions) length /= sizeof(sock_filter);
  if (CountsEntries(level, name)) {
    Guarded guarded(call, "value", value);
    if (!call.ok()) return nullptr;
    bool listsKeys = ListsKeys(level, name) && length >= sizeof(newer::tcp_ao_getsockopt);
    if (listsKeys) length = sizeof(newer::tcp_ao_getsockopt);
    int result = getsockopt(fd, level, name, guarded.data(), &length);
    napi_value answer = call.answer(result);
    guarded.copyBack();
    if (listsKeys && result == 0) length = LengthOfKeys(guarded.data(), value.length);
    call.out()[0] = static_cast<int32_t>(length);
    return answer;
  }
  napi_value answer = call.answer(getsockopt(fd, level, name, value.data, &length));
  call.out()[0] = static_cast<int32_t>(countsInstructions ? length * sizeof(sock_filter) : length);
  return answer;
}

// int setsockopt(int sockfd, int level, int optname, const void optval[.optlen], socklen_t optlen);
static napi_value Setsockopt(Call& call) {
  int fd = call.fd();
  int level = call.integer("level");
  int name = call.integer("optname");
  RefusePointers(call, level, name);
  if (call.nextIsNumber()) {
    int value = static_cast<int>(call.flags("value"));
    return call.ok() ? call.answer(setsockopt(fd, level, name, &value, sizeof value)) : nullptr;
  }
  Bytes value = call.bytes("value", "an integer, a Uint8Array, another view of bytes or an ArrayBuffer");
  if (!call.ok()) return nullptr;
  if (TakesProgram(level, name)) {
    size_t count = value.length / sizeof(sock_filter);
    sock_fprog program{static_cast<unsigned short>(count > USHRT_MAX ? USHRT_MAX : count),
                       reinterpret_cast<sock_filter*>(value.data)};
    return call.answer(setsockopt(fd, level, name, &program, sizeof program));
  }
  return call.answer(setsockopt(fd, level, name, value.data, call.length(value)));
}

// getsockopt(sockfd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &request, &length), whose struct holds pointers: they
// are those of `mapping` and `copy` and no others. The kernel maps pages only where mmap(2) of a TCP socket
// has reserved them.
static napi_value TcpZerocopyReceive(Call& call) {
  int fd = call.fd();
  Bytes mapping = call.bytes("mapping");
  Bytes copy = call.bytesOrNull("copy");
  auto* request = call.structure<newer::tcp_zerocopy_receive>("request");
  if (!call.ok()) return nullptr;
  newer::tcp_zerocopy_receive given, ask{};
  memcpy(&given, request, sizeof given);  // which need not be aligned
  ask.flags = given.flags;
  ask.address = reinterpret_cast<uintptr_t>(mapping.data);
  ask.length = call.length(mapping);
  ask.copybuf_address = reinterpret_cast<uintptr_t>(copy.data);
  ask.copybuf_len = static_cast<int32_t>(call.length(copy));
  socklen_t length = sizeof ask;
  napi_value answer = call.answer(getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &ask, &length));
  ask.address = ask.copybuf_address = 0;
  memcpy(request, &ask, sizeof ask);
  return answer;
}

void DefineOptions(Calls& calls) {
  calls.define({
      {"getsockopt", Entry<Getsockopt>},
      {"setsockopt", Entry<Setsockopt>},
      {"tcpZerocopyReceive", Entry<TcpZerocopyReceive>},
  });
}
