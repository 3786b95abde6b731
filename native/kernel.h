// The calls of hot loops, made without libc's functions of these names: those are cancellation points, which
// in a process of several threads, as Node is, cost two atomic operations each, and nobody cancels these
// threads. They answer as the kernel does: a number, or -errno.
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace kernel {

#ifdef __SANITIZE_ADDRESS__

// The sanitizer checks the buffers in its own versions of libc's functions.
inline long answer(long result) { return result < 0 ? -errno : result; }

inline long read(int fd, void* bytes, size_t length) { return answer(::read(fd, bytes, length)); }

inline long write(int fd, const void* bytes, size_t length) { return answer(::write(fd, bytes, length)); }

inline long sendto(int fd, const void* bytes, size_t length, int flags, const void* to, socklen_t size) {
  return answer(::sendto(fd, bytes, length, flags, static_cast<const sockaddr*>(to), size));
}

inline long recvfrom(int fd, void* bytes, size_t length, int flags, void* from, socklen_t* size) {
  return answer(::recvfrom(fd, bytes, length, flags, static_cast<sockaddr*>(from), size));
}

inline long epoll_wait(int epfd, void* events, int most, int timeout) {
  return answer(::epoll_wait(epfd, static_cast<epoll_event*>(events), most, timeout));
}

#else

inline long word(size_t value) { return static_cast<long>(value); }
inline long word(const void* pointer) { return reinterpret_cast<long>(pointer); }

#ifdef __x86_64__

inline long enter(long number, long a, long b, long c, long d, long e, long f) {
  register long fourth asm("r10") = d;
  register long fifth asm("r8") = e;
  register long sixth asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
               : "rcx", "r11", "memory");
  return result;
}

#else

inline long enter(long number, long a, long b, long c, long d, long e, long f) {
  long result = syscall(number, a, b, c, d, e, f);
  return result < 0 ? -errno : result;
}

#endif

inline long read(int fd, void* bytes, size_t length) {
  return enter(SYS_read, fd, word(bytes), word(length), 0, 0, 0);
}

inline long write(int fd, const void* bytes, size_t length) {
  return enter(SYS_write, fd, word(bytes), word(length), 0, 0, 0);
}

inline long sendto(int fd, const void* bytes, size_t length, int flags, const void* to, socklen_t size) {
  return enter(SYS_sendto, fd, word(bytes), word(length), flags, word(to), size);
}

inline long recvfrom(int fd, void* bytes, size_t length, int flags, void* from, socklen_t* size) {
  return enter(SYS_recvfrom, fd, word(bytes), word(length), flags, word(from), word(size));
}

// Without a signal mask epoll_pwait is epoll_wait, and every architecture has it.
inline long epoll_wait(int epfd, void* events, int most, int timeout) {
  return enter(SYS_epoll_pwait, epfd, word(events), most, timeout, 0, 0);
}

#endif

// In the kernel these two are the calls above without an address.
inline long send(int fd, const void* bytes, size_t length, int flags) {
  return sendto(fd, bytes, length, flags, nullptr, 0);
}

inline long recv(int fd, void* bytes, size_t length, int flags) {
  return recvfrom(fd, bytes, length, flags, nullptr, nullptr);
}

}  // namespace kernel
