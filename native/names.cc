#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "addon.h"
#include "call.h"

// Lists come back as records in a caller's buffer: int32s and stretches of bytes, each padded to four. What
// does not fit is counted and not written, so the answer says how large a buffer would do.
class Records {
 public:
  explicit Records(Bytes bytes) : bytes_(bytes) {}
  void integer(int64_t value) {
    auto narrow = static_cast<int32_t>(value);
    append(&narrow, sizeof narrow);
  }
  void blob(const void* data, size_t length) {
    static const char padding[3] = {};
    append(data, length);
    append(padding, (4 - length % 4) % 4);
  }
  size_t size() const { return size_; }

 private:
  void append(const void* data, size_t length) {
    if (length && size_ + length <= bytes_.length) memcpy(bytes_.data + size_, data, length);
    size_ += length;
  }
  Bytes bytes_;
  size_t size_ = 0;
};

// Text arrives as UTF-8 bytes; C wants it to end with a NUL.
class Text {
 public:
  Text(Call& call, const char* argument, bool nullable = false) {
    if (nullable && call.skipNull()) return;
    given_ = true;
    Bytes bytes = call.bytes(argument);
    if (bytes.length > kMax) call.refuseRange(argument, "at most 65535 bytes long");
    if (!call.ok()) return;
    if (bytes.length) text_.assign(reinterpret_cast<char*>(bytes.data), bytes.length);
    if (text_.find('\0') != std::string::npos) call.refuseRange(argument, "text without a NUL byte");
  }
  const char* pointer() const { return given_ ? text_.c_str() : nullptr; }

 private:
  static constexpr size_t kMax = 65535;  // far more than any name, far less than there is memory
  bool given_ = false;
  std::string text_;
};

// Copies a C string without its NUL into the caller's buffer as far as it fits; answers its whole length.
static size_t CopyText(const char* text, Bytes into) {
  size_t length = strlen(text);
  size_t fits = length < into.length ? length : into.length;
  if (fits) memcpy(into.data, text, fits);
  return length;
}

// How long the C string is that libc wrote into a caller's buffer. Libc does not end it with a NUL when it
// cuts it, and another thread may have overwritten the NUL if the buffer is shared.
static size_t LengthOfText(Bytes bytes) {
  return bytes.length ? strnlen(reinterpret_cast<char*>(bytes.data), bytes.length) : 0;
}

struct AddressQuery {
  explicit AddressQuery(Call& call) : node(call, "node", true), service(call, "service", true) {
    hints.ai_flags = call.integer("flags");
    hints.ai_family = call.integer("family");
    hints.ai_socktype = call.integer("socktype");
    hints.ai_protocol = call.integer("protocol");
  }
  int ask(addrinfo** list) const { return getaddrinfo(node.pointer(), service.pointer(), &hints, list); }

  Text node, service;
  addrinfo hints{};
};

static void Pack(const addrinfo* list, Records& records) {
  for (const addrinfo* entry = list; entry; entry = entry->ai_next) {
    size_t nameLength = entry->ai_canonname ? strlen(entry->ai_canonname) : 0;
    for (int value : {entry->ai_flags, entry->ai_family, entry->ai_socktype, entry->ai_protocol,
                      static_cast<int>(entry->ai_addrlen), static_cast<int>(nameLength)}) {
      records.integer(value);
    }
    records.blob(entry->ai_addr, entry->ai_addrlen);
    records.blob(entry->ai_canonname, nameLength);
  }
}

// int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
//                 struct addrinfo **res);
// Answers the size of the records, or EAI_*; out[0]: errno of EAI_SYSTEM
static napi_value Getaddrinfo(Call& call) {
  AddressQuery query(call);
  Records records(call.bytes("result"));
  if (!call.ok()) return nullptr;
  addrinfo* list = nullptr;
  int error = query.ask(&list);
  if (error != 0) {
    call.out()[0] = errno;
    return call.number(error);
  }
  Pack(list, records);
  freeaddrinfo(list);
  return call.number(static_cast<int64_t>(records.size()));
}

// The same off the main thread: a promise of the records; or of EAI_*, which is below zero; or, for
// EAI_SYSTEM, of the errno.
class AddressWorker : public Napi::AsyncWorker {
 public:
  AddressWorker(Napi::Env env, AddressQuery query)
      : AsyncWorker(env, "getaddrinfo"),
        query_(std::move(query)),
        deferred_(Napi::Promise::Deferred::New(env)) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    addrinfo* list = nullptr;
    error_ = query_.ask(&list);
    if (error_ == EAI_SYSTEM) error_ = errno;
    if (error_ != 0) return;
    Records measured({});
    Pack(list, measured);
    packed_.resize(measured.size());
    Records records({packed_.data(), packed_.size()});
    Pack(list, records);
    freeaddrinfo(list);
  }
  void OnOK() override {
    if (error_ != 0) return deferred_.Resolve(Napi::Number::New(Env(), error_));
    auto bytes = Napi::Uint8Array::New(Env(), packed_.size());
    if (!packed_.empty()) memcpy(bytes.Data(), packed_.data(), packed_.size());
    deferred_.Resolve(bytes);
  }

 private:
  AddressQuery query_;
  Napi::Promise::Deferred deferred_;
  int error_ = 0;
  std::vector<uint8_t> packed_;
};

static napi_value GetaddrinfoAsync(Call& call) {
  AddressQuery query(call);
  if (!call.ok()) return nullptr;
  auto* worker = new AddressWorker(call.env(), std::move(query));
  Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
}

// int getnameinfo(const struct sockaddr *addr, socklen_t addrlen, char host[], socklen_t hostlen,
//                 char serv[], socklen_t servlen, int flags);
// Answers 0 or EAI_*; out: the lengths of host and service, and errno of EAI_SYSTEM
static napi_value Getnameinfo(Call& call) {
  Bytes address = call.bytes("address");
  Bytes host = call.bytesOrNull("host");
  Bytes service = call.bytesOrNull("service");
  uint32_t flags = call.flags("flags");
  if (!call.ok()) return nullptr;
  // Of a Unix address libc reads the path up to a NUL, which need not be there: the copy has one.
  alignas(sockaddr_storage) char copy[sizeof(sockaddr_storage) + 1] = {};
  size_t length = std::min(address.length, sizeof(sockaddr_storage));
  if (length) memcpy(copy, address.data, length);
  auto text = [](Bytes bytes) { return reinterpret_cast<char*>(bytes.data); };
  int error = getnameinfo(reinterpret_cast<sockaddr*>(copy), static_cast<socklen_t>(length), text(host),
                          Call::length(host), text(service), Call::length(service), static_cast<int>(flags));
  call.out()[2] = errno;
  call.out()[0] = error == 0 ? static_cast<int32_t>(LengthOfText(host)) : 0;
  call.out()[1] = error == 0 ? static_cast<int32_t>(LengthOfText(service)) : 0;
  return call.number(error);
}

// int inet_pton(int af, const char *src, void *dst);
static napi_value InetPton(Call& call) {
  int family = call.integer("af");
  Text text(call, "text");
  Bytes address = call.bytes("address");
  if (family == AF_INET && address.length < sizeof(in_addr)) call.refuseRange("address", "4 bytes long");
  if (family == AF_INET6 && address.length < sizeof(in6_addr)) call.refuseRange("address", "16 bytes long");
  return call.ok() ? call.answer(inet_pton(family, text.pointer(), address.data)) : nullptr;
}

// const char *inet_ntop(int af, const void *src, char dst[.size], socklen_t size);  Answers the text's length
static napi_value InetNtop(Call& call) {
  int family = call.integer("af");
  Bytes address = call.bytes("address");
  Bytes text = call.bytes("text");
  if (family == AF_INET && address.length < sizeof(in_addr)) call.refuseRange("address", "4 bytes long");
  if (family == AF_INET6 && address.length < sizeof(in6_addr)) call.refuseRange("address", "16 bytes long");
  if (!call.ok()) return nullptr;
  bool written = inet_ntop(family, address.data, reinterpret_cast<char*>(text.data), Call::length(text));
  return call.answer(written ? static_cast<int64_t>(LengthOfText(text)) : -1);
}

// unsigned int if_nametoindex(const char *ifname);
static napi_value IfNametoindex(Call& call) {
  Text name(call, "name");
  if (!call.ok()) return nullptr;
  int64_t index = if_nametoindex(name.pointer());
  return call.answer(index == 0 ? -1 : index);
}

// char *if_indextoname(unsigned int ifindex, char *ifname);  Answers the name's length
static napi_value IfIndextoname(Call& call) {
  uint32_t index = call.natural("index");
  Bytes into = call.bytes("name");
  if (!call.ok()) return nullptr;
  char name[IF_NAMESIZE];
  return call.answer(if_indextoname(index, name) ? static_cast<int64_t>(CopyText(name, into)) : -1);
}

// struct if_nameindex *if_nameindex(void);  Answers the size of the records
static napi_value IfNameindex(Call& call) {
  Records records(call.bytes("result"));
  if (!call.ok()) return nullptr;
  struct if_nameindex* list = if_nameindex();
  if (!list) return call.answer(-1);
  for (struct if_nameindex* entry = list; entry->if_index != 0; entry++) {
    records.integer(entry->if_index);
    records.integer(static_cast<int64_t>(strlen(entry->if_name)));
    records.blob(entry->if_name, strlen(entry->if_name));
  }
  if_freenameindex(list);
  return call.number(static_cast<int64_t>(records.size()));
}

static size_t SizeOf(const sockaddr* address) {
  if (!address) return 0;
  switch (address->sa_family) {
    case AF_INET:
      return sizeof(sockaddr_in);
    case AF_INET6:
      return sizeof(sockaddr_in6);
    case AF_PACKET: {
      // An interface's address may be longer than sockaddr_ll's eight bytes: InfiniBand's has 20.
      size_t hardware = reinterpret_cast<const sockaddr_ll*>(address)->sll_halen;
      return offsetof(sockaddr_ll, sll_addr) + (hardware > 8 ? hardware : 8);
    }
    default:
      return sizeof(sa_family_t);
  }
}

// int getifaddrs(struct ifaddrs **ifap);  Answers the size of the records
static napi_value Getifaddrs(Call& call) {
  Records records(call.bytes("result"));
  if (!call.ok()) return nullptr;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) < 0) return call.answer(-1);
  for (ifaddrs* entry = list; entry; entry = entry->ifa_next) {
    bool isLink = entry->ifa_addr && entry->ifa_addr->sa_family == AF_PACKET;
    std::pair<const void*, size_t> parts[] = {
        {entry->ifa_name, strlen(entry->ifa_name)},
        {entry->ifa_addr, SizeOf(entry->ifa_addr)},
        {entry->ifa_netmask, SizeOf(entry->ifa_netmask)},
        {entry->ifa_broadaddr, SizeOf(entry->ifa_broadaddr)},
        {entry->ifa_data, isLink && entry->ifa_data ? sizeof(rtnl_link_stats) : 0},
    };
    records.integer(entry->ifa_flags);
    for (auto& part : parts) records.integer(static_cast<int64_t>(part.second));
    for (auto& part : parts) records.blob(part.first, part.second);
  }
  freeifaddrs(list);
  return call.number(static_cast<int64_t>(records.size()));
}

// struct servent *getservbyname(const char *name, const char *proto);  Answers the port, or -ENOENT
static napi_value Getservbyname(Call& call) {
  Text name(call, "name");
  Text protocol(call, "protocol", true);
  if (!call.ok()) return nullptr;
  servent entry, *found = nullptr;
  char buffer[8192];
  int error = getservbyname_r(name.pointer(), protocol.pointer(), &entry, buffer, sizeof buffer, &found);
  return call.number(found ? ntohs(static_cast<uint16_t>(found->s_port)) : error ? -error : -ENOENT);
}

// struct protoent *getprotobyname(const char *name);  Answers the number, or -ENOENT
static napi_value Getprotobyname(Call& call) {
  Text name(call, "name");
  if (!call.ok()) return nullptr;
  protoent entry, *found = nullptr;
  char buffer[8192];
  int error = getprotobyname_r(name.pointer(), &entry, buffer, sizeof buffer, &found);
  return call.number(found ? found->p_proto : error ? -error : -ENOENT);
}

// char *strerror_r(int errnum, char buf[.size], size_t size);  Answers the text's length
static napi_value Strerror(Call& call) {
  int number = call.integer("errno");
  Bytes into = call.bytes("text");
  if (!call.ok()) return nullptr;
  char buffer[128];
  return call.number(static_cast<int64_t>(CopyText(strerror_r(number, buffer, sizeof buffer), into)));
}

// const char *gai_strerror(int errcode);  Answers the text's length
static napi_value GaiStrerror(Call& call) {
  int code = call.integer("errcode");
  Bytes into = call.bytes("text");
  return call.ok() ? call.number(static_cast<int64_t>(CopyText(gai_strerror(code), into))) : nullptr;
}

// uint16_t htons(uint16_t), uint32_t htonl(uint32_t) and back, which are the same exchange of bytes.
static napi_value Htons(Call& call) {
  auto value = static_cast<uint16_t>(call.natural("value", UINT16_MAX));
  return call.ok() ? call.number(htons(value)) : nullptr;
}

static napi_value Htonl(Call& call) {
  uint32_t value = call.flags("value");
  return call.ok() ? call.number(htonl(value)) : nullptr;
}

void DefineNames(Calls& calls) {
  calls.define({
      {"getaddrinfo", Entry<Getaddrinfo>},
      {"getaddrinfoAsync", Entry<GetaddrinfoAsync>},
      {"getnameinfo", Entry<Getnameinfo>},
      {"inet_pton", Entry<InetPton>},
      {"inet_ntop", Entry<InetNtop>},
      {"if_nametoindex", Entry<IfNametoindex>},
      {"if_indextoname", Entry<IfIndextoname>},
      {"if_nameindex", Entry<IfNameindex>},
      {"getifaddrs", Entry<Getifaddrs>},
      {"getservbyname", Entry<Getservbyname>},
      {"getprotobyname", Entry<Getprotobyname>},
      {"strerror", Entry<Strerror>},
      {"gai_strerror", Entry<GaiStrerror>},
      {"htons", Entry<Htons>},
      {"htonl", Entry<Htonl>},
      {"ntohs", Entry<Htons>},
      {"ntohl", Entry<Htonl>},
  });
}
