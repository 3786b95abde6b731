// One connection: frames over a socket. One reader takes them in; one writer sends what has gathered.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MSG_TRUNC, SHUT_WR, SOCK_SEQPACKET, type Socket, type SystemError } from 'posix-sockets';
import { GrowingBytes, ShiftingBytes } from './bytes.js';
import { type Filter, packThrough, unpackThrough } from './filters.js';
import { type Frame, frameFilters, frameLength, readPayload, writeFrame, writePacked, writePayload } from './frame.js';
import { code, Status, statusOf } from './status.js';

/** What a connection is held to. */
export interface ConnectionOptions {
  /** The filters that frames may name, by id. */
  readonly filters: ReadonlyMap<string, Filter>;
  /** Bytes: of a frame, packed or unpacked, of what waits to be sent, and of what is being handled. */
  readonly limit: number;
  /** Milliseconds that a peer has for the rest of a frame that it began, and to take some of what is sent. */
  readonly patience: number;
}

/** Who is told what a connection brings. */
export interface Receiver {
  /** A frame came. `size` is what it counts for in {@link Connection.hold}. @throws to end the connection */
  frame(frame: Frame, size: number): void;
  /** The peer will send no more. */
  finished(): void;
}

/** What gathers is sent at the end of the turn, or as soon as it is so much, so that the peer can begin on it. */
const sendSize = 16384;
/** The longest packet that is sent where there are packets, and that there is room for. */
const packetSize = 65536;
/** How much of a stream is taken in at once: what is in it is answered while the peer writes more. */
const pieceSize = 32768;
/** A flood of frames lets other sockets have their turn after so many milliseconds, which are looked at this often. */
const turnTime = 5;
const framesPerLook = 32;
/** What a message costs besides its bytes, about. */
const messageCost = 1024;

export class Connection {
  /** Why it ended. */
  readonly ended: Promise<Status>;
  /** Milliseconds of silence that end it; Infinity to wait for ever. */
  silence = Number.POSITIVE_INFINITY;
  /** When bytes last came and went, as performance.now() tells it. */
  heardAt = performance.now();
  sentAt = performance.now();

  readonly #socket: Socket;
  readonly #receiver: Receiver;
  readonly #options: ConnectionOptions;
  readonly #packets: boolean;
  readonly #inbox = new ShiftingBytes(2 * pieceSize);
  // Frames are written into one buffer while the other is being sent.
  #gathering = new GrowingBytes(8192);
  #sending = new GrowingBytes(8192);
  #flushAsked = false;
  #flushing = false;
  // The frames that still go through filters off this thread: those after them wait, to keep the order.
  #packing: Promise<void> | undefined;
  #waiting = 0;
  #held = 0;
  #over = false;
  #turnEnds = 0;
  #reason: Status | undefined;
  #changed: (() => void)[] = [];
  #resolveEnded: (status: Status) => void = () => {};

  constructor(socket: Socket, receiver: Receiver, options: ConnectionOptions) {
    this.#socket = socket;
    this.#receiver = receiver;
    this.#options = options;
    this.#packets = socket.type === SOCK_SEQPACKET;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /** Begins to read. */
  async run(): Promise<void> {
    try {
      await this.#receiveAll();
      this.#receiver.finished();
      // What is being handled may still be answered: the peer ended its own direction only.
      const reason = this.#reason ?? new Status(code.closed, undefined, 'by the peer');
      this.#endAfter(reason);
      await this.#until(() => this.#held === 0 && this.#waiting === 0);
      this.end(reason);
    } catch (error) {
      this.end(statusOf(error, code.closed));
    }
  }

  /** Whether nothing more can be sent. */
  get isOver(): boolean {
    return this.#over || this.#reason !== undefined;
  }

  /** Bytes that wait to be sent. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether as much waits to be sent as may. */
  get isFull(): boolean {
    return this.#waiting >= this.#options.limit;
  }

  /** Resolves when no more than so many bytes wait to be sent, or the connection is over. */
  drained(most: number): Promise<void> {
    return this.#until(() => this.#waiting <= most);
  }

  /** Counts a message as being handled, until `release`: beyond the limit, no more are read. */
  hold(size: number): void {
    this.#held += size;
  }

  release(size: number): void {
    this.#held -= size;
    if (this.#changed.length > 0) this.#tellChange();
  }

  /**
   * Sends a frame: with all others of this turn, in one call.
   * @returns nothing, or a promise if it has to go through filters off this thread
   * @throws RangeError it does not fit in a frame, or is longer than the limit
   */
  send(frame: Frame): undefined | Promise<void> {
    if (frame.filters !== '' || this.#packing !== undefined) return this.#pack(frame);
    const out = this.#gathering;
    const start = out.length;
    try {
      writeFrame(out, frame);
      this.#gathered(start);
    } catch (error) {
      out.length = start;
      throw error;
    }
  }

  /** Sends what waits, then ends this direction, and the connection when the peer has ended the other. */
  async finish(reason: Status): Promise<void> {
    await this.drained(0);
    if (this.#over) return;
    this.#reason = reason;
    this.#endAfter(reason);
    try {
      this.#socket.shutdown(SHUT_WR);
    } catch (error) {
      this.end(statusOf(error, code.closed));
    }
  }

  /** Ends it now. What waits is lost. */
  end(status: Status): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.close();
    this.#tellChange();
    this.#resolveEnded(status);
  }

  #endAfter(status: Status): void {
    const timer = setTimeout(() => this.end(status), this.#options.patience);
    this.ended.then(() => clearTimeout(timer));
  }

  // Frames are taken in one after the other, so that they are handled in the order in which they came.
  async #receiveAll(): Promise<void> {
    const inbox = this.#inbox;
    let frameSince = 0;
    for (;;) {
      const isPartial = inbox.start < inbox.end;
      const received = await this.#receive(
        inbox.room(this.#packets ? packetSize : pieceSize),
        isPartial ? frameSince : undefined,
      );
      if (received === 0) break;
      this.heardAt = performance.now();
      inbox.end += received;
      if ((await this.#takeFrames()) || !isPartial) frameSince = performance.now();
      if (performance.now() > this.#turnEnds) await this.#nextTurn();
    }
    if (inbox.start < inbox.end) throw new Status(code.closed, undefined, 'in the middle of a frame');
  }

  /** @param frameSince when the peer began a frame, if it is in the middle of one */
  async #receive(room: Uint8Array, frameSince: number | undefined): Promise<number> {
    const { patience } = this.#options;
    const wait = frameSince === undefined ? this.silence : Math.max(frameSince + patience - performance.now(), 1);
    const timeout = wait === Number.POSITIVE_INFINITY ? undefined : wait;
    const flags = this.#packets ? MSG_TRUNC : 0;
    // The commonest wait, for another frame of a stream, asks for nothing that the socket would have to keep track of.
    const options = timeout === undefined && flags === 0 ? undefined : { flags, timeout };
    try {
      const received = await this.#socket.recv(room, options);
      if (received > room.length) throw new Status(code.badMessage, undefined, `a packet of ${received} bytes`);
      return received;
    } catch (error) {
      if ((error as SystemError).code !== 'ETIMEDOUT') throw error;
      if (frameSince === undefined) throw new Status(code.closed, undefined, `nothing was heard for ${wait} ms`);
      throw new Status(code.badMessage, undefined, `the rest of a frame did not come within ${patience} ms`);
    }
  }

  /** Hands on the frames that are whole, and waits while too much is under way. Answers whether there was one. */
  async #takeFrames(): Promise<boolean> {
    const { limit } = this.#options;
    const inbox = this.#inbox;
    for (let taken = 0; ; taken++) {
      const { buffer, start, end } = inbox;
      const length = frameLength(buffer, start, end, limit);
      if (length === 0 || length > end - start) return taken > 0;
      const filters = frameFilters(buffer, start);
      const payload = start + 5 + filters.length;
      if (filters === '') {
        this.#receiver.frame(readPayload(buffer, payload, start + length, filters), length + messageCost);
      } else {
        const unpacked = await this.#unpack(filters, buffer.subarray(payload, start + length));
        this.#receiver.frame(readPayload(unpacked, 0, unpacked.length, filters), unpacked.length + messageCost);
      }
      inbox.start += length;
      if (this.#held > limit || this.isFull) await this.#until(() => this.#held <= limit && !this.isFull);
      if (taken % framesPerLook === framesPerLook - 1 && performance.now() > this.#turnEnds) await this.#nextTurn();
      if (this.#over) return true;
    }
  }

  async #nextTurn(): Promise<void> {
    await nextTurn();
    this.#turnEnds = performance.now() + turnTime;
  }

  async #unpack(ids: string, packed: Uint8Array): Promise<Buffer> {
    try {
      const { buffer, byteOffset, length } = await unpackThrough(this.#filters(ids), packed, this.#options.limit);
      return Buffer.from(buffer, byteOffset, length);
    } catch (error) {
      throw new Status(code.badMessage, undefined, error);
    }
  }

  #filters(ids: string): Filter[] {
    return Array.from(ids, (id) => {
      const filter = this.#options.filters.get(id);
      if (filter === undefined) throw new Error(`there is no filter '${id}'`);
      return filter;
    });
  }

  #pack(frame: Frame): undefined | Promise<void> {
    const payload = new GrowingBytes(1024);
    writePayload(payload, frame);
    const packed = packThrough(this.#filters(frame.filters), payload.bytes);
    const write = (bytes: Uint8Array) => {
      const start = this.#gathering.length;
      writePacked(this.#gathering, frame.filters, bytes);
      this.#gathered(start);
    };
    if (this.#packing === undefined && !(packed instanceof Promise)) {
      write(packed);
      return;
    }
    this.#waiting += payload.length;
    const written = Promise.all([packed, this.#packing])
      .finally(() => {
        this.#waiting -= payload.length;
      })
      .then(([bytes]) => write(bytes));
    const done = () => {
      if (this.#packing === settled) this.#packing = undefined;
      this.#tellChange();
    };
    const settled: Promise<void> = written.then(done, done);
    this.#packing = settled;
    return written;
  }

  /** Sees to it that what was written from `start` on is sent. */
  #gathered(start: number): void {
    const out = this.#gathering;
    const { limit } = this.#options;
    const size = out.length - start;
    if (size > limit) {
      out.length = start;
      throw new RangeError(`a frame of ${size} bytes, where the limit is ${limit}`);
    }
    this.#waiting += size;
    if (out.length >= sendSize) this.#flush();
    else if (!this.#flushAsked) {
      this.#flushAsked = true;
      process.nextTick(this.#flush);
    }
  }

  readonly #flush = async (): Promise<void> => {
    this.#flushAsked = false;
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      while (this.#gathering.length > 0 && !this.#over) {
        [this.#gathering, this.#sending] = [this.#sending, this.#gathering];
        await this.#sendAll(this.#sending);
      }
    } catch (error) {
      this.end(statusOf(error, code.writeFailed));
    }
    this.#flushing = false;
  };

  async #sendAll(out: GrowingBytes): Promise<void> {
    const { patience } = this.#options;
    for (let sent = 0; sent < out.length; ) {
      const end = this.#packets ? Math.min(sent + packetSize, out.length) : out.length;
      const taken = await this.#socket.send(out.buffer.subarray(sent, end), { timeout: patience });
      sent += taken;
      this.#waiting -= taken;
      this.sentAt = performance.now();
      if (this.#changed.length > 0) this.#tellChange();
    }
    out.clear();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#over) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  #tellChange(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
