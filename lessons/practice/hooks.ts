// A resolve hook: an exercise lies in the reader's folder, where this package need not be installed.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

type Resolve = (specifier: string, context: unknown) => Promise<{ url: string }>;

const require = createRequire(import.meta.url);

/** Finds this package for whoever imports it. */
export async function resolve(
  specifier: string,
  context: unknown,
  next: Resolve,
): Promise<{ url: string; shortCircuit?: true }> {
  if (!/^posix-sockets(\/|$)/.test(specifier)) return next(specifier, context);
  return { url: pathToFileURL(require.resolve(specifier)).href, shortCircuit: true };
}
