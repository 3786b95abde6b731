// One call from JavaScript: its arguments are read in order, then the kernel is asked, then its number is the
// answer. `Entry<Body>` makes of a body that does so a function for Node-API.
//
// Nothing is coerced, so no JavaScript runs between taking a buffer's pointer and using it. The plain
// Node-API functions are used here because they cost a third less than the wrapper classes.
#pragma once

#include <node_api.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <climits>
#include <cstdint>

#include "environment.h"

struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

class Call {
 public:
  static constexpr size_t kMaxArguments = 12;

  // Reads at most `room` arguments. Node-API fills up with undefined what was not passed, and counts also
  // what there was no room for.
  Call(napi_env env, napi_callback_info info, size_t room) : env_(env), passed_(room) {
    void* data = nullptr;
    napi_get_cb_info(env, info, &passed_, arguments_, nullptr, &data);
    if (passed_ > room) passed_ = room;
    function_ = static_cast<const Function*>(data);
  }

  // A C int.
  int integer(const char* argument) { return static_cast<int>(number(argument, INT_MIN, INT_MAX)); }
  int fd() { return integer("fd"); }

  // A set of bits: the sign bit may be written as -2^31 or as 2^31.
  uint32_t flags(const char* argument) {
    return static_cast<uint32_t>(static_cast<int64_t>(number(argument, INT_MIN, UINT_MAX)));
  }

  // A C unsigned int, or a smaller one.
  uint32_t natural(const char* argument, uint32_t most = UINT_MAX) {
    return static_cast<uint32_t>(number(argument, 0, most));
  }

  // An off_t, size_t or other integer of 64 bits, as far as a JavaScript number is exact.
  int64_t wide(const char* argument) { return static_cast<int64_t>(number(argument, -kMaxSafe, kMaxSafe)); }
  size_t size(const char* argument) { return static_cast<size_t>(number(argument, 0, kMaxSafe)); }

  // Any typed array, DataView or ArrayBuffer. A detached one has length 0. `wanted` is for the error.
  Bytes bytes(const char* argument, const char* wanted = kBytes) {
    Bytes found;
    return takeUint8Array(&found) ? found : otherBytes(argument, wanted);
  }

  // The same, or null for a null pointer, which an empty buffer is not.
  Bytes bytesOrNull(const char* argument) {
    Bytes found;
    if (!takeUint8Array(&found)) {
      if (skipNull()) return found;
      found = otherBytes(argument, kBytesOrNull);
    }
    if (!found.data) found.data = nothing_;
    return found;
  }

  // The same, of at least `size` bytes, for the kernel (or libc) to use as a struct. It need not be aligned,
  // so the addon itself copies it before it looks at a field.
  template <typename Struct>
  Struct* structure(const char* argument, const char* wanted = kBytes) {
    return reinterpret_cast<Struct*>(sized(argument, bytes(argument, wanted), sizeof(Struct)));
  }
  template <typename Struct>
  Struct* structureOrNull(const char* argument) {
    return skipNull() ? nullptr : structure<Struct>(argument, kBytesOrNull);
  }

  // A buffer's length as a C length of 32 bits (socklen_t, int): at most INT_MAX, more than any such object
  // has.
  static socklen_t length(Bytes bytes) {
    return bytes.length > INT_MAX ? INT_MAX : static_cast<socklen_t>(bytes.length);
  }

  // True when the next argument is null, which is then read. Undefined is no null pointer: it is what a
  // property reads as that an object of another kind does not have.
  bool skipNull();

  // True when the next argument is a number, which is not yet read.
  bool nextIsNumber() { return nextIs(napi_number); }

  napi_value next() { return arguments_[next_++]; }

  // False once an argument was refused; the JavaScript error is then pending.
  bool ok() const { return !refused_; }

  // Refuses the call with a TypeError or RangeError that names the argument.
  void refuseType(const char* argument, const char* wanted);
  void refuseRange(const char* argument, const char* wanted);

  // The kernel's answer: its number, or -errno.
  napi_value answer(int64_t result) const { return number(result < 0 ? -errno : result); }

  // A number as it is.
  napi_value number(int64_t value) const {
    napi_value result = nullptr;
    if (value >= INT_MIN && value <= INT_MAX) {
      napi_create_int32(env_, static_cast<int32_t>(value), &result);
    } else {
      napi_create_double(env_, static_cast<double>(value), &result);
    }
    return result;
  }

  int32_t* out() const { return shared()->out; }
  Environment* environment() const { return function_->environment; }
  napi_env env() const { return env_; }

  // True when the call is not to be made but to be told, because somebody watches (watchCalls in
  // lib/native.ts).
  bool watched() const {
    int32_t& watch = shared()->watch;
    if (watch == Shared::kNobody) return false;
    if (watch == Shared::kEvery) return true;
    watch = Shared::kEvery;  // kEveryButNext: it is the watcher that makes this call
    return false;
  }

  // Tells the watcher, whose answer is the call's.
  napi_value tell() const;

 protected:
  Shared* shared() const { return function_->environment->shared; }

 private:
  static constexpr const char* kBytes = "a Uint8Array, another view of bytes or an ArrayBuffer";
  static constexpr const char* kBytesOrNull = "a Uint8Array, another view of bytes, an ArrayBuffer or null";
  static constexpr double kMaxSafe = 9007199254740991.0;
  inline static uint8_t nothing_[1] = {};  // where an empty buffer points
  // Node-API leaves the type untouched for kinds of array that it does not know.
  static constexpr napi_typedarray_type kNoType = static_cast<napi_typedarray_type>(-1);

  double number(const char* argument, double least, double most) {
    double value = 0;
    if (napi_get_value_double(env_, arguments_[next_++], &value) != napi_ok) {
      refuseType(argument, "an integer");
      return 0;
    }
    if (!(value >= least && value <= most) || value != static_cast<double>(static_cast<int64_t>(value))) {
      refuseInteger(argument, least, most);
      return 0;
    }
    return value;
  }

  // The common case of bytes(), inlined. False, and nothing read, when the next argument is something else.
  bool takeUint8Array(Bytes* found) {
    napi_typedarray_type type = kNoType;
    if (napi_get_typedarray_info(env_, arguments_[next_], &type, &found->length,
                                 reinterpret_cast<void**>(&found->data), nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array) {
      *found = {};
      return false;
    }
    next_++;
    return true;
  }

  bool nextIs(napi_valuetype wanted);
  Bytes otherBytes(const char* argument, const char* wanted);
  uint8_t* sized(const char* argument, Bytes found, size_t size);
  void refuseInteger(const char* argument, double least, double most);

  napi_env env_;
  const Function* function_ = nullptr;
  size_t passed_;
  size_t next_ = 0;
  bool refused_ = false;
  napi_value arguments_[kMaxArguments];
};

// A function of `raw`: `body` reads at most `room` arguments, which a hot call says exactly.
template <auto body, size_t room = Call::kMaxArguments>
napi_value Entry(napi_env env, napi_callback_info info) {
  Call call(env, info, room);
  return call.watched() ? call.tell() : body(call);
}

// The same call by the short way of lib/hot-calls.ts: its integers and its answer pass through memory, which
// saves a call of Node-API for each.
class HotCall : public Call {
 public:
  using Call::Call;

  int integer(const char*) { return shared()->passed[next_++]; }
  int fd() { return integer("fd"); }
  uint32_t flags(const char* argument) { return static_cast<uint32_t>(integer(argument)); }
  static constexpr bool nextIsNumber() { return true; }

  napi_value answer(int64_t result) const { return number(result < 0 ? -errno : result); }
  napi_value number(int64_t value) const {
    shared()->passed[0] = static_cast<int32_t>(value);
    return nullptr;
  }

 private:
  size_t next_ = 0;
};

template <auto body, size_t room>
napi_value HotEntry(napi_env env, napi_callback_info info) {
  HotCall call(env, info, room);
  return body(call);
}

// A JavaScript array of buffers (or one buffer) as the iovec of readv(2). All elements are fetched before the
// first pointer is taken, because fetching one may run a getter.
class IoVector {
 public:
  // One entry more than the kernel takes, so that the kernel is the one to refuse (EINVAL).
  static constexpr size_t kMax = IOV_MAX + 1;

  IoVector(Call& call, const char* argument);

  const iovec* data() const { return entries_; }
  int count() const { return count_; }

 private:
  iovec entries_[kMax];
  int count_ = 0;
};
