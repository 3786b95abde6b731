// The check of what a program writes into a submission queue entry of io_uring.
//
// An entry is in the kernel's own format, but with offsets into the ring's memory where C has addresses.
#pragma once

#include "call.h"
#include "newer.h"

// Puts addresses into `memory` where the entry has offsets. False, with an error pending, if it names bytes
// that are not there, or if its operation has addresses elsewhere.
bool CheckEntry(Call& call, newer::io_uring_sqe* entry, Bytes memory);
