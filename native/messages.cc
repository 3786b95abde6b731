#include <sys/socket.h>

#include <cstring>
#include <memory>

#include "addon.h"
#include "call.h"

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

// ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags);
static napi_value Sendmsg(napi_env env, napi_callback_info info) {
  Call call(env, info, "sendmsg");
  int fd = call.fd();
  IoVector buffers(call, "iov");  // first, because reading an array may run JavaScript
  Bytes name = call.bytesOrNull("name");
  Bytes control = call.bytesOrNull("control");
  uint32_t flags = call.flags("flags");
  if (!call.ok()) return nullptr;
  msghdr header = Header(name, buffers.data(), buffers.count(), control);
  return call.answer(sendmsg(fd, &header, static_cast<int>(flags)));
}

// ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags);  out: msg_namelen, msg_controllen, msg_flags
static napi_value Recvmsg(napi_env env, napi_callback_info info) {
  Call call(env, info, "recvmsg");
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

// The slots of a MessageBatch as the kernel wants them: slot i has its own stretch of each of three buffers,
// and its own row of the table, so that a call reads no JavaScript object per message.
class Batch {
 public:
  // What a row of the table holds, in int32s.
  enum Column { kLength, kNameLength, kControlLength, kFlags, kColumns };

  static constexpr size_t kMaxMessages = 1024;  // UIO_MAXIOV: the kernel takes no more in one call

  explicit Batch(Call& call) {
    payload_ = call.bytes("payload");
    names_ = call.bytesOrNull("names");
    controls_ = call.bytesOrNull("controls");
    table_ = call.bytes("table");
    slots_ = table_.length / (kColumns * sizeof(int32_t));
    first_ = call.size("first");
    count_ = call.size("count");
    if (!call.ok()) return;
    if (slots_ == 0) call.refuseRange("table", "at least one row of four int32 long");
    if (first_ > slots_ || count_ > slots_ - first_) call.refuseRange("count", "within the batch's slots");
    if (count_ > kMaxMessages) count_ = kMaxMessages;
  }

  // Fills in the headers; what a row says is longer than its slot is cut to it.
  mmsghdr* prepare() {
    headers_.reset(new mmsghdr[count_ ? count_ : 1]);
    buffers_.reset(new iovec[count_ ? count_ : 1]);
    for (size_t i = 0; i < count_; i++) {
      buffers_[i] = {slot(payload_, i).data, cut(i, kLength, payload_)};
      headers_[i].msg_len = 0;
      headers_[i].msg_hdr = Header({slot(names_, i).data, cut(i, kNameLength, names_)}, &buffers_[i], 1,
                                   {slot(controls_, i).data, cut(i, kControlLength, controls_)});
    }
    return headers_.get();
  }

  unsigned int count() const { return static_cast<unsigned int>(count_); }

  // Writes the kernel's results back into the table.
  void received(int messages) {
    for (int i = 0; i < messages; i++) {
      write(i, kLength, static_cast<int32_t>(headers_[i].msg_len));
      write(i, kNameLength, static_cast<int32_t>(headers_[i].msg_hdr.msg_namelen));
      write(i, kControlLength, static_cast<int32_t>(headers_[i].msg_hdr.msg_controllen));
      write(i, kFlags, headers_[i].msg_hdr.msg_flags);
    }
  }

 private:
  Bytes slot(Bytes all, size_t i) const {
    size_t stride = all.length / slots_;
    return all.data ? Bytes{all.data + stride * (first_ + i), stride} : Bytes{};
  }
  uint8_t* cell(size_t i, Column column) const {
    return table_.data + ((first_ + i) * kColumns + column) * sizeof(int32_t);
  }
  size_t cut(size_t i, Column column, Bytes all) const {
    int32_t wanted;
    memcpy(&wanted, cell(i, column), sizeof wanted);
    size_t stride = all.length / slots_;
    return wanted < 0 ? 0 : static_cast<size_t>(wanted) > stride ? stride : static_cast<size_t>(wanted);
  }
  void write(size_t i, Column column, int32_t value) { memcpy(cell(i, column), &value, sizeof value); }

  Bytes payload_, names_, controls_, table_;
  size_t slots_ = 0, first_ = 0, count_ = 0;
  std::unique_ptr<mmsghdr[]> headers_;
  std::unique_ptr<iovec[]> buffers_;
};

// int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags);
static napi_value Sendmmsg(napi_env env, napi_callback_info info) {
  Call call(env, info, "sendmmsg");
  int fd = call.fd();
  Batch batch(call);
  uint32_t flags = call.flags("flags");
  if (!call.ok()) return nullptr;
  return call.answer(sendmmsg(fd, batch.prepare(), batch.count(), static_cast<int>(flags)));
}

// int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, struct timespec *timeout);
static napi_value Recvmmsg(napi_env env, napi_callback_info info) {
  Call call(env, info, "recvmmsg");
  int fd = call.fd();
  Batch batch(call);
  uint32_t flags = call.flags("flags");
  timespec* timeout = call.structureOrNull<timespec>("timeout");
  if (!call.ok()) return nullptr;
  int received = recvmmsg(fd, batch.prepare(), batch.count(), static_cast<int>(flags), timeout);
  napi_value answer = call.answer(received);
  batch.received(received);
  return answer;
}

void DefineMessages(Napi::Object raw, Environment* environment) {
  Define(raw, environment,
         {
             {"sendmsg", Sendmsg},
             {"recvmsg", Recvmsg},
             {"sendmmsg", Sendmmsg},
             {"recvmmsg", Recvmmsg},
         });
}
