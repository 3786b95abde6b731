import { fail } from '../errors.js';
import { raw } from '../native.js';
import { textIn } from '../values.js';

declare module '../native.js' {
  interface Raw {
    /** `name` is UTF-8 without its NUL. */
    memfd_create(name: Uint8Array, flags: number): number;
    /** @returns the memory, or -errno */
    mmap(length: number, prot: number, flags: number, fd: number, offset: number): Uint8Array | number;
    munmap(addr: Uint8Array): number;
  }
}

/**
 * `memfd_create(name, flags)`: a file that is in memory and has no path. Pass its descriptor to another process to share
 * memory; give it a size with `fs.ftruncateSync`; seal it with `fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK)`
 * and the other side can rely on it.
 * @param name to recognise it by, in /proc/PID/fd: at most 249 bytes
 * @param flags MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_HUGETLB, ...
 * @returns the descriptor, of a file of no bytes
 * @throws EINVAL an unknown flag, or a name that is too long · EMFILE too many descriptors
 * @see memfd_create(2)
 */
export function memfd_create(name: string, flags = 0): number {
  const fd = raw.memfd_create(textIn('name', name), flags);
  return fd < 0 ? fail('memfd_create', fd) : fd;
}

/**
 * `mmap(length, prot, flags, fd, offset)`: a descriptor's content as memory: a file's bytes, the rings of a packet or XDP
 * socket. The address is the kernel's choice. The memory is given back by {@link munmap}, or when the array is
 * collected.
 *
 * JavaScript has no read-only arrays. So without PROT_WRITE a file is mapped privately: what is written stays in this
 * array. A TCP socket (see {@link tcpZerocopyReceive}) can only be mapped for reading. Two things end the process, as in
 * C: writing to such an array (SIGSEGV), and touching pages that are not there any more (SIGBUS): of a file that was
 * shrunk, of a TCP socket that has not received them. F_SEAL_SHRINK guards against the former.
 * @param length in bytes; for a ring exactly that of the ring
 * @param prot PROT_READ, or PROT_READ | PROT_WRITE
 * @param flags MAP_SHARED or MAP_PRIVATE, with MAP_POPULATE, MAP_LOCKED; MAP_ANONYMOUS with `fd` -1 for plain memory
 * @param fd what is mapped
 * @param offset where to begin: a multiple of the page size
 * @returns the memory
 * @throws EACCES the descriptor is not open for this · EINVAL an offset or length that does not fit · ENODEV it cannot be
 * mapped · EPERM sealed · ENOMEM no room · EAGAIN too much is locked · RangeError it reaches beyond the file's end · Error
 * `ERR_NO_EXTERNAL_BUFFERS`: the runtime makes no arrays over memory that is not its own, as Electron does
 * @see mmap(2)
 */
export function mmap(length: number, prot: number, flags: number, fd: number, offset = 0): Uint8Array {
  const memory = raw.mmap(length, prot, flags, fd, offset);
  return typeof memory === 'number' ? fail('mmap', memory) : memory;
}

/**
 * `munmap(addr)`: gives the memory of {@link mmap} back. The array is detached: it and all views of it have length 0.
 * No asynchronous operation may be under way on it.
 * @param addr the whole array that mmap made
 * @throws TypeError it is no such array, or only a part of one, or was unmapped before
 * @see munmap(2)
 */
export function munmap(addr: Uint8Array): void {
  const answer = raw.munmap(addr);
  if (answer < 0) fail('munmap', answer);
}
