// What addon.cc puts together. Each family of calls is one file with the name of its man-page family.
#pragma once

#include <napi.h>

#include "environment.h"

// A system call as JavaScript sees it: raw.NAME.
struct Method {
  const char* name;
  napi_callback call;
};

// Defines a family's calls on `raw`. Each call finds its Environment in its callback data.
void Define(Napi::Object raw, Environment* environment, std::initializer_list<Method> methods);

void DefineEndpoints(Napi::Object raw, Environment* environment);    // socket, bind, listen, accept, ...
void DefineTransfer(Napi::Object raw, Environment* environment);     // read, write, send, recv, ...
void DefineMessages(Napi::Object raw, Environment* environment);     // sendmsg, recvmsg, sendmmsg, recvmmsg
void DefineOptions(Napi::Object raw, Environment* environment);      // getsockopt, setsockopt
void DefineDescriptors(Napi::Object raw, Environment* environment);  // close, dup, fcntl, ioctl, eventfd, ...
void DefineWaiting(Napi::Object raw, Environment* environment);      // select, poll, epoll
void DefineNames(Napi::Object raw, Environment* environment);    // getaddrinfo, inet_pton, getifaddrs, ...
void DefineThreads(Napi::Object raw, Environment* environment);  // ending a blocked call, signal masks
void DefineProcesses(Napi::Object raw,
                     Environment* environment);                 // pidfd_open, pidfd_getfd, pidfd_send_signal
void DefineMemory(Napi::Object raw, Environment* environment);  // memfd_create, mmap, munmap
void DefineNamespaces(Napi::Object raw, Environment* environment);  // unshare, setns
void DefineRings(Napi::Object raw, Environment* environment);       // io_uring_setup, io_uring_enter

Napi::Object Constants(Napi::Env env);  // every constant of constants.def, from the system's headers
Napi::Object Layouts(Napi::Env env);    // sizeof and offsetof of every struct of layouts.def
