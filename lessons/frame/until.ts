const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the thread for so many milliseconds. */
export function pause(milliseconds: number): void {
  Atomics.wait(nothing, 0, 0, milliseconds);
}

/** Blocks until something holds, for three seconds at most: what the kernel does by itself takes a moment. */
export function until(holds: () => boolean): boolean {
  for (let tries = 0; tries < 300; tries++) {
    if (holds()) return true;
    pause(10);
  }
  return holds();
}
