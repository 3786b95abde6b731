#include "call.h"

#include <algorithm>
#include <cstdio>
#include <vector>

napi_value Call::tell() const {
  napi_value nothing, watcher, answer = nullptr;
  std::vector<napi_value> told(1 + passed_);
  napi_get_undefined(env_, &nothing);
  napi_create_string_utf8(env_, function_->name, NAPI_AUTO_LENGTH, &told[0]);
  std::copy_n(arguments_, passed_, told.begin() + 1);
  watcher = environment()->watcher.Value();
  napi_call_function(env_, nothing, watcher, told.size(), told.data(), &answer);
  return answer;  // none where the watcher has thrown, and its error is pending
}

bool Call::nextIs(napi_valuetype wanted) {
  napi_valuetype type;
  return napi_typeof(env_, arguments_[next_], &type) == napi_ok && type == wanted;
}

bool Call::skipNull() {
  if (!nextIs(napi_null)) return false;
  next_++;
  return true;
}

static size_t ElementSize(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      return 0;
  }
}

// False when `value` is no buffer that Node-API knows.
static bool GetBytes(napi_env env, napi_value value, Bytes* found) {
  void** data = reinterpret_cast<void**>(&found->data);
  napi_typedarray_type type = static_cast<napi_typedarray_type>(-1);
  bool is = false;
  if (napi_is_typedarray(env, value, &is) == napi_ok && is) {
    if (napi_get_typedarray_info(env, value, &type, &found->length, data, nullptr, nullptr) != napi_ok)
      return false;
    found->length *= ElementSize(type);
    return ElementSize(type) != 0;
  }
  if (napi_is_dataview(env, value, &is) == napi_ok && is) {
    return napi_get_dataview_info(env, value, &found->length, data, nullptr, nullptr) == napi_ok;
  }
  if (napi_is_arraybuffer(env, value, &is) == napi_ok && is) {
    return napi_get_arraybuffer_info(env, value, data, &found->length) == napi_ok;
  }
  return false;
}

Bytes Call::otherBytes(const char* argument, const char* wanted) {
  Bytes found;
  if (GetBytes(env_, next(), &found)) return found;
  refuseType(argument, wanted);
  return {};
}

uint8_t* Call::sized(const char* argument, Bytes found, size_t size) {
  if (ok() && found.length < size) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "at least %zu bytes long", size);
    refuseRange(argument, wanted);
  }
  return found.data;
}

// What a value is, where that alone explains the mistake: the text 'AF_INET', or a variable that is not
// there.
static const char* Named(napi_env env, napi_value value) {
  napi_valuetype type = napi_object;
  napi_typeof(env, value, &type);
  if (type == napi_string) return ", not text";
  if (type == napi_undefined) return ", not undefined";
  return type == napi_bigint ? ", not a bigint" : "";
}

void Call::refuseType(const char* argument, const char* wanted) {
  if (refused_) return;
  refused_ = true;
  const char* given = next_ > 0 ? Named(env_, arguments_[next_ - 1]) : "";
  char message[200];
  snprintf(message, sizeof message, "%s: '%s' must be %s%s", function_->name, argument, wanted, given);
  napi_throw_type_error(env_, "ERR_INVALID_ARG_TYPE", message);
}

void Call::refuseRange(const char* argument, const char* wanted) {
  if (refused_) return;
  refused_ = true;
  char message[200];
  snprintf(message, sizeof message, "%s: '%s' must be %s", function_->name, argument, wanted);
  napi_throw_range_error(env_, "ERR_OUT_OF_RANGE", message);
}

void Call::refuseInteger(const char* argument, double least, double most) {
  char wanted[96];
  snprintf(wanted, sizeof wanted, "an integer from %.0f to %.0f", least, most);
  refuseRange(argument, wanted);
}

IoVector::IoVector(Call& call, const char* argument) {
  napi_env env = call.env();
  napi_value value = call.next();
  Bytes one;
  if (GetBytes(env, value, &one)) {
    entries_[0] = {one.data, one.length};
    count_ = 1;
    return;
  }
  bool isArray = false;
  uint32_t length = 0;
  if (napi_is_array(env, value, &isArray) != napi_ok || !isArray ||
      napi_get_array_length(env, value, &length) != napi_ok) {
    call.refuseType(argument, "an array of buffers");
    return;
  }
  if (length > kMax) length = kMax;
  napi_value elements[kMax];
  for (uint32_t i = 0; i < length; i++) {
    if (napi_get_element(env, value, i, &elements[i]) != napi_ok) {
      call.refuseType(argument, "an array of buffers");  // a getter threw; its exception stays
      return;
    }
  }
  for (uint32_t i = 0; i < length; i++) {
    Bytes bytes;
    if (!GetBytes(env, elements[i], &bytes)) {
      call.refuseType(argument, "an array of buffers");
      return;
    }
    entries_[i] = {bytes.data, bytes.length};
  }
  count_ = static_cast<int>(length);
}
