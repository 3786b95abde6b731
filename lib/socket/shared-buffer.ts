// One buffer into which all sockets of a thread receive: a call fills it and its bytes are taken out at once, so that
// an idle connection holds no memory for what it may receive.
const size = 64 * 1024;

export let sharedBuffer = Buffer.allocUnsafeSlow(size);

// The part that was filled last. Messages tend to be of one length, and a view costs as much as a short copy.
let filled = sharedBuffer;

/** What the last call received, as a Buffer of its own. */
export function takeFromShared(length: number): Buffer {
  if (filled.length !== length) filled = sharedBuffer.subarray(0, length);
  if (length <= size / 4) {
    const copy = Buffer.allocUnsafe(length);
    copy.set(filled);
    return copy;
  }
  // So much is cheaper given away than copied.
  const full = filled;
  sharedBuffer = filled = Buffer.allocUnsafeSlow(size);
  return full;
}
