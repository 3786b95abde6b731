// One buffer into which all sockets of a thread receive: a call fills it and its bytes are taken out at once, so that
// an idle connection holds no memory for what it may receive.
const size = 64 * 1024;

export let sharedBuffer = Buffer.allocUnsafeSlow(size);

/** What the last call received, as a Buffer of its own. */
export function takeFromShared(length: number): Buffer {
  if (length <= size / 4) {
    const copy = Buffer.allocUnsafe(length);
    sharedBuffer.copy(copy, 0, 0, length);
    return copy;
  }
  // So much is cheaper given away than copied.
  const full = sharedBuffer.subarray(0, length);
  sharedBuffer = Buffer.allocUnsafeSlow(size);
  return full;
}
