// The operation that accepts, and what a listener does when the process has no descriptor left for a connection.
import { EFD_CLOEXEC, EMFILE, ENFILE, SOCK_CLOEXEC, SOCK_NONBLOCK } from '../constants.js';
import { raw } from '../native.js';
import { addressRoom, type SockAddr } from '../structs/sockaddr.js';
import type { Kind } from './open-sockets.js';
import { type Direction, Operation, READING } from './operation.js';

// Held back, so that there is one to accept with when all are used up.
let spare = -1;

function holdSpare(): void {
  if (spare < 0) spare = raw.eventfd(0, EFD_CLOEXEC);
}

/**
 * accept4(2), non-blocking and close-on-exec. With no descriptor left, a connection that stays in the backlog would
 * wake the listener for ever; so, if `shed` is set, it is accepted with a spare descriptor and closed, and the peer
 * reads end of file.
 * @returns what accept4 answers, and how many connections were shed before
 */
function acceptOrShed(fd: number, peer: Uint8Array | null, shed: boolean, onShed: () => void): number {
  if (shed) holdSpare();
  for (;;) {
    const answer = raw.accept4(fd, peer, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if ((answer !== -EMFILE && answer !== -ENFILE) || !shed || spare < 0) return answer;
    raw.close(spare);
    spare = -1;
    const connection = raw.accept4(fd, null, SOCK_CLOEXEC);
    if (connection >= 0) {
      raw.close(connection);
      onShed();
    }
    holdSpare();
    if (connection < 0) return connection;
  }
}

/** accept4(2). Its result is for `adopt` to make. */
export class Accept<S> extends Operation<S> {
  readonly listener: Kind;
  readonly peer: SockAddr | undefined;
  readonly adopt: (kind: Kind, fd: number) => S;

  constructor(owner: object, listener: Kind, peer: SockAddr | undefined, adopt: (kind: Kind, fd: number) => S) {
    super(owner);
    this.listener = listener;
    this.peer = peer;
    this.adopt = adopt;
  }

  get direction(): Direction {
    return READING;
  }

  get syscall(): string {
    return 'accept4';
  }

  attempt(fd: number): number {
    const { listener } = this;
    return acceptOrShed(fd, addressRoom(this.peer), listener.shedWhenFull, () => {
      listener.connectionsShed++;
    });
  }

  finish(connection: number): S {
    if (this.peer) this.peer.length = raw.out[0] as number;
    return this.adopt(this.listener.accepted, connection);
  }
}
