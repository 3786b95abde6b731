/** Says on which port a measured server listens, as every one of them does first. */
export function announce(port: number): void {
  console.log(JSON.stringify({ port }));
}

/** Collects garbage now, so that memory is compared without the luck of when that last happened, and says what is left. */
export function collectGarbage(): void {
  if (typeof Bun !== 'undefined') Bun.gc(true);
  else globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  console.log(JSON.stringify({ heap: heapUsed + external }));
}

/** Collects garbage whenever a line arrives on standard input. */
export function collectOnRequest(): void {
  process.stdin.on('data', collectGarbage);
}

declare const Bun: { gc(now: boolean): void } | undefined;
