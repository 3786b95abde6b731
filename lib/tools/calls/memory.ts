// memfd_create, mmap, munmap: memory behind descriptors.
import { mapFlags, memfdFlags, protections } from '../decode/families.js';
import { nullPointer, pointer } from '../decode/notation.js';
import { type Answer, type Before, family, type Parameter } from './call.js';
import { fd, flags, int, memory as memoryOf, text } from './parameters.js';

// For the address, which the kernel chooses.
const anyAddress: Parameter<readonly []> = { kind: 'number', names: ['addr'], takes: 0, show: () => [nullPointer] };

const madeMemory = (_: Before, { result }: Answer) => (result < 0 ? undefined : pointer('memory'));

export const memory = family({
  memfd_create: {
    page: 'memfd_create(2)',
    summary:
      'Makes a file that is in memory and has no path. Its descriptor, passed to another process, shares that memory; ' +
      'seals (F_ADD_SEALS) keep the other side from shrinking or changing it.',
    parameters: [text('name'), flags('flags', memfdFlags)],
    result: 'descriptor',
    errors: {
      EINVAL: ['The name is too long, or a flag is unknown.', 'A name has 249 bytes at most.', 'Shorten it.'],
    },
  },
  mmap: {
    page: 'mmap(2)',
    summary:
      "Makes a descriptor's content appear as memory: a file's bytes, the rings that a packet or XDP socket shares with " +
      'the kernel. The raw call answers the array.',
    parameters: [
      anyAddress,
      int('length'),
      flags('prot', protections),
      flags('flags', mapFlags),
      fd('fd'),
      int('offset'),
    ],
    result: 'number',
    showResult: madeMemory,
    errors: {
      EACCES: [
        'The descriptor is not open for this.',
        'A shared writable mapping needs O_RDWR, and every mapping needs reading.',
        'Open it for both, or map with PROT_READ alone.',
      ],
      EINVAL: [
        'The offset or the length does not fit.',
        'The offset is no multiple of the page size, the length is 0, or for a ring it is not exactly its size.',
        'See PACKET_RX_RING in packet(7) for how long a ring is.',
      ],
      ENODEV: ['It cannot be mapped.', 'Pipes and most sockets cannot.', 'Read from it.'],
      EPERM: [
        'A seal or the kind of descriptor forbids it.',
        'F_SEAL_WRITE forbids shared writable mappings; a TCP socket can be mapped for reading only.',
        'Map with PROT_READ alone.',
      ],
      EAGAIN: ['Too much memory is locked.', 'MAP_LOCKED counts against RLIMIT_MEMLOCK.', 'Lock less.'],
    },
  },
  munmap: {
    page: 'munmap(2)',
    summary: 'Gives the memory of mmap back. The array and every view of it are detached: their length is 0.',
    parameters: [memoryOf('addr', 'length')],
    result: 'nothing',
  },
});
