// A network for the tests of one file alone: nobody else's traffic, and as root anything may be done to it.
import {
  AF_INET,
  CLONE_NEWNET,
  close,
  IFF_UP,
  ifreq,
  ioctl,
  SIOCGIFFLAGS,
  SIOCSIFFLAGS,
  SOCK_DGRAM,
  socket,
  unshare,
} from 'posix-sockets';

/**
 * Moves the thread that runs a test file, and all that it starts, into a network of its own, where only loopback is, and
 * up. Vitest runs each file in a process of its own. Needs root.
 */
export function ownNetwork(): void {
  unshare(CLONE_NEWNET);
  setUp('lo');
}

/** Brings an interface up. */
export function setUp(name: string): void {
  const fd = socket(AF_INET, SOCK_DGRAM);
  try {
    const request = new ifreq({ ifr_name: name });
    ioctl(fd, SIOCGIFFLAGS, request);
    request.ifr_flags |= IFF_UP;
    ioctl(fd, SIOCSIFFLAGS, request);
  } finally {
    close(fd);
  }
}
