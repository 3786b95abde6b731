// What addon.cc puts together. Each family of calls is one file with the name of its man-page family.
#pragma once

#include <napi.h>

#include "environment.h"

// A system call as JavaScript sees it: raw.NAME, and for a few also the short way to it (call.h).
struct Method {
  const char* name;
  napi_callback call;
  napi_callback hot = nullptr;
};

// The calls of an environment, as objects of functions.
struct Calls {
  Napi::Object raw;
  Napi::Object hot;
  Environment* environment;

  void define(std::initializer_list<Method> methods);
};

void DefineEndpoints(Calls& calls);    // socket, bind, listen, accept, ...
void DefineTransfer(Calls& calls);     // read, write, send, recv, ...
void DefineMessages(Calls& calls);     // sendmsg, recvmsg, sendmmsg, recvmmsg
void DefineOptions(Calls& calls);      // getsockopt, setsockopt
void DefineDescriptors(Calls& calls);  // close, dup, fcntl, ioctl, eventfd, ...
void DefineWaiting(Calls& calls);      // select, poll, epoll
void DefineNames(Calls& calls);        // getaddrinfo, inet_pton, getifaddrs, ...
void DefineThreads(Calls& calls);      // ending a blocked call, signal masks
void DefineProcesses(Calls& calls);    // pidfd_open, pidfd_getfd, pidfd_send_signal
void DefineMemory(Calls& calls);       // memfd_create, mmap, munmap
void DefineNamespaces(Calls& calls);   // unshare, setns
void DefineRings(Calls& calls);        // io_uring_setup, io_uring_enter

Napi::Object Constants(Napi::Env env);  // every constant of constants.def, from the system's headers
Napi::Object Layouts(Napi::Env env);    // sizeof and offsetof of every struct of layouts.def
