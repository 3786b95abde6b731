// splice(2) between a socket and a pipe, either of which may have to be waited for.
import { EAGAIN, EPOLLIN, EPOLLOUT, SPLICE_F_NONBLOCK } from '../constants.js';
import { raw } from '../native.js';
import { type Direction, Operation, READING } from './operation.js';
import { isReady, untilReady } from './other-descriptor.js';
import type { Waiter, WaitOptions } from './waiter.js';

class Splice extends Operation<number> {
  override readonly direction: Direction;
  readonly pipe: number;
  readonly count: number;
  /** EAGAIN means that either end would block: where the pipe is ready, it is the socket. */
  pipeBlocks = false;

  constructor(owner: object, direction: Direction, pipe: number, count: number) {
    super(owner);
    this.direction = direction;
    this.pipe = pipe;
    this.count = count;
  }

  get syscall(): string {
    return 'splice';
  }

  get pipeEvents(): number {
    return this.direction === READING ? EPOLLOUT : EPOLLIN;
  }

  attempt(fd: number): number {
    const [from, to] = this.direction === READING ? [fd, this.pipe] : [this.pipe, fd];
    const answer = raw.splice(from, null, to, null, this.count, SPLICE_F_NONBLOCK);
    this.pipeBlocks = answer === -EAGAIN && !isReady(this.pipe, this.pipeEvents);
    return this.pipeBlocks ? 0 : answer;
  }

  finish(moved: number): number {
    return moved;
  }
}

/** Moves bytes from a socket to a pipe (READING) or the other way (WRITING). @returns how many */
export async function splice(
  waiter: Waiter,
  owner: object,
  direction: Direction,
  pipe: number,
  count: number,
  options?: WaitOptions,
): Promise<number> {
  for (;;) {
    const operation = new Splice(owner, direction, pipe, count);
    const moved = await waiter.perform(operation, options);
    if (!operation.pipeBlocks) return moved;
    await untilReady(pipe, operation.pipeEvents, options);
  }
}
