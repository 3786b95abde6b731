// Options of vsock: vsock(7).
import { AF_VSOCK } from '../constants.js';
import { uint64 } from '../structs/content.js';
import { __kernel_sock_timeval, timeval } from '../structs/time.js';
import { both, optionsOf } from './option.js';

export const vsockOptions = optionsOf(AF_VSOCK, {
  SO_VM_SOCKETS_BUFFER_SIZE: both(uint64),
  SO_VM_SOCKETS_BUFFER_MIN_SIZE: both(uint64),
  SO_VM_SOCKETS_BUFFER_MAX_SIZE: both(uint64),
  SO_VM_SOCKETS_CONNECT_TIMEOUT: both(timeval),
  SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD: both(timeval),
  SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW: both(__kernel_sock_timeval),
});
