#include <sys/socket.h>

#include <cstring>

#include "addon.h"
#include "call.h"
#include "control.h"

static msghdr Header(Bytes name, const iovec* buffers, size_t count, Bytes control) {
  msghdr header{};
  header.msg_name = name.data;
  header.msg_namelen = Call::length(name);
  header.msg_iov = const_cast<iovec*>(buffers);
  header.msg_iovlen = count;
  header.msg_control = control.data;
  header.msg_controllen = control.length;
  return header;
}

static void RefusePointers(Call& call, Bytes control) {
  if (HoldsPointer(control.data, control.length))
    call.refuseRange("control", "without messages of SOL_RDS, which hold pointers");
}

// ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags);
static napi_value Sendmsg(Call& call) {
  int fd = call.fd();
  IoVector buffers(call, "iov");  // first, because reading an array may run JavaScript
  Bytes name = call.bytesOrNull("name");
  Bytes control = call.bytesOrNull("control");
  uint32_t flags = call.flags("flags");
  RefusePointers(call, control);
  if (!call.ok()) return nullptr;
  msghdr header = Header(name, buffers.data(), buffers.count(), control);
  return call.answer(sendmsg(fd, &header, static_cast<int>(flags)));
}

// ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags);  out: msg_namelen, msg_controllen, msg_flags
static napi_value Recvmsg(Call& call) {
  int fd = call.fd();
  IoVector buffers(call, "iov");
  Bytes name = call.bytesOrNull("name");
  Bytes control = call.bytesOrNull("control");
  uint32_t flags = call.flags("flags");
  if (!call.ok()) return nullptr;
  msghdr header = Header(name, buffers.data(), buffers.count(), control);
  napi_value answer = call.answer(recvmsg(fd, &header, static_cast<int>(flags)));
  call.out()[0] = static_cast<int32_t>(header.msg_namelen);
  call.out()[1] = static_cast<int32_t>(header.msg_controllen);
  call.out()[2] = header.msg_flags;
  return answer;
}

// The slots of a MessageBatch as the kernel wants them. Slot i has the i-th stretch of each of three buffers
// and the i-th entry of each of the table's columns, so a call reads no JavaScript object per message.
class Batch {
 public:
  // The table's columns, each as long as there are slots.
  enum Column { kLength, kNameLength, kControlLength, kFlags, kSent, kColumns };

  static constexpr size_t kMaxMessages = 1024;  // UIO_MAXIOV: the kernel takes no more in one call

  explicit Batch(Call& call) {
    Bytes payload = call.bytes("payload");
    Bytes names = call.bytesOrNull("names");
    Bytes controls = call.bytesOrNull("controls");
    Bytes table = call.bytes("table");
    first_ = call.size("first");
    size_t count = call.size("count");
    if (!call.ok()) return;
    table_ = table.data;
    slots_ = table.length / (kColumns * sizeof(int32_t));
    if (slots_ == 0) call.refuseRange("table", "five columns of at least one int32");
    if (first_ > slots_) call.refuseRange("first", "within the batch's slots");
    if (call.ok() && count > slots_ - first_) call.refuseRange("count", "within the batch's slots");
    if (!call.ok()) return;
    count_ = count > kMaxMessages ? kMaxMessages : count;
    payload_ = {payload.data, payload.length / slots_};
    names_ = {names.data, names.length / slots_};
    controls_ = {controls.data, controls.length / slots_};
  }

  unsigned int count() const { return static_cast<unsigned int>(count_); }

  // Headers to send what the table says is in each slot, or as much of it as a slot holds.
  mmsghdr* filled(Call& call) {
    for (size_t i = 0; i < count_; i++) {
      Bytes control = used(controls_, i, kControlLength);
      RefusePointers(call, control);
      setHeader(i, used(payload_, i, kLength), used(names_, i, kNameLength), control);
    }
    return headers_;
  }

  // Headers to receive into the whole of each slot.
  mmsghdr* empty() {
    for (size_t i = 0; i < count_; i++) setHeader(i, room(payload_, i), room(names_, i), room(controls_, i));
    return headers_;
  }

  // Write what the kernel answered into the table.
  void sent(int messages) {
    for (int i = 0; i < messages; i++) set(i, kSent, headers_[i].msg_len);
  }
  void received(int messages) {
    for (int i = 0; i < messages; i++) {
      const msghdr& header = headers_[i].msg_hdr;
      set(i, kLength, headers_[i].msg_len);
      set(i, kNameLength, header.msg_namelen);
      set(i, kControlLength, static_cast<uint32_t>(header.msg_controllen));
      set(i, kFlags, static_cast<uint32_t>(header.msg_flags));
    }
  }

 private:
  // One of the three buffers: each slot has `length` bytes of it.
  Bytes room(Bytes each, size_t i) const { return {each.data + each.length * (first_ + i), each.length}; }

  Bytes used(Bytes each, size_t i, Column column) const {
    int32_t length;
    memcpy(&length, cell(i, column), sizeof length);
    Bytes slot = room(each, i);
    if (length < 0) length = 0;
    if (static_cast<size_t>(length) < slot.length) slot.length = length;
    return slot;
  }

  void setHeader(size_t i, Bytes payload, Bytes name, Bytes control) {
    buffers_[i] = {payload.data, payload.length};
    headers_[i] = {Header(name, &buffers_[i], 1, control), 0};
  }

  uint8_t* cell(size_t i, Column column) const {
    return table_ + (column * slots_ + first_ + i) * sizeof(int32_t);
  }
  void set(size_t i, Column column, uint32_t value) { memcpy(cell(i, column), &value, sizeof value); }

  Bytes payload_, names_, controls_;
  uint8_t* table_ = nullptr;
  size_t slots_ = 0, first_ = 0, count_ = 0;
  // 80 KiB of stack, of which a call touches what it needs.
  mmsghdr headers_[kMaxMessages];
  iovec buffers_[kMaxMessages];
};

// int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags);
static napi_value Sendmmsg(Call& call) {
  int fd = call.fd();
  Batch batch(call);
  uint32_t flags = call.flags("flags");
  mmsghdr* headers = batch.filled(call);
  if (!call.ok()) return nullptr;
  int sent = sendmmsg(fd, headers, batch.count(), static_cast<int>(flags));
  napi_value answer = call.answer(sent);
  batch.sent(sent);
  return answer;
}

// int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, struct timespec *timeout);
static napi_value Recvmmsg(Call& call) {
  int fd = call.fd();
  Batch batch(call);
  uint32_t flags = call.flags("flags");
  timespec* timeout = call.structureOrNull<timespec>("timeout");
  if (!call.ok()) return nullptr;
  int received = recvmmsg(fd, batch.empty(), batch.count(), static_cast<int>(flags), timeout);
  napi_value answer = call.answer(received);
  batch.received(received);
  return answer;
}

void DefineMessages(Calls& calls) {
  calls.define({
      {"sendmsg", Entry<Sendmsg>},
      {"recvmsg", Entry<Recvmsg>},
      {"sendmmsg", Entry<Sendmmsg>},
      {"recvmmsg", Entry<Recvmmsg>},
  });
}
