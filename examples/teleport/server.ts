// `npm run teleport -- PORT`: a peer to try things on, with sums, an echo and a note to tell.
import { pathToFileURL } from 'node:url';
import { gzip, md5 } from './filters.js';
import { type Call, takes } from './methods.js';
import { Peer } from './peer.js';
import { Status } from './status.js';

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);
const isIntegers = (body: unknown): body is number[] => Array.isArray(body) && body.every(isInteger);
const isTwoIntegers = (body: unknown): body is [number, number] => isIntegers(body) && body.length === 2;
const isText = (body: unknown): body is string => typeof body === 'string';

/** What the server pushes to whoever calls `/math/add` with `push=yes`. */
export interface Listening {
  readonly pushes: { '/push/status': (status: string) => void };
}

/** The server's methods. */
export const calls = {
  '/math/add': takes(isIntegers, (numbers, { meta, session }: Parameters<Call<number[], number, Listening>>[1]) => {
    const sum = numbers.reduce((total, number) => total + number, 0);
    if (meta.get('push') === 'yes') session.push('/push/status', `hello ${sum}`);
    return sum;
  }),
  '/math/divide': takes(isTwoIntegers, ([dividend, divisor]) => {
    if (divisor === 0) throw new Status(1001, 'divide by zero', 'b & c=0 ü');
    return Math.trunc(dividend / divisor);
  }),
  '/text/echo': takes(isText, (text, context) => {
    context.replyMeta.set('x-from', 'go peer');
    return text;
  }),
};

/** A server with these methods and the filters `g`, gzip, and `m`, md5. */
export function mathServer(tell: (note: unknown) => void) {
  return new Peer({ calls, pushes: { '/note/tell': tell }, filters: [gzip('g'), md5('m')] });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const port = process.argv[2];
  if (port === undefined) {
    console.error('usage: npm run teleport -- PORT');
    process.exit(2);
  }
  const server = mathServer((note) => console.log('told', note));
  const listener = await server.listen({ host: '127.0.0.1', port });
  console.log(`listening on ${listener.localAddress}`);
  process.once('SIGINT', () => server.close());
}
