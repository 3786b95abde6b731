import { fileURLToPath } from 'node:url';

// This file runs as dist/bench/harness/paths.js.
const root = new URL('../../../', import.meta.url);
const at = (path: string): string => fileURLToPath(new URL(path, root));

/** Sources of the C programs. */
export const cSources = at('bench/c/');
/** Compiled C programs and the figures of quick runs; not in git. */
export const buildFolder = at('bench/build/');
/** Sources of the programs that are compared with, and the npm packages they need. */
export const peersFolder = at('bench/peers/');
/** The figures and the chart that the README shows. */
export const resultsFolder = at('bench/results/');

/** A compiled program of the bench: `script('ours/calls.js')`. */
export const script = (path: string): string => at(`dist/bench/${path}`);
