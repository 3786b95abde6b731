// Calls examples/teleport's echo, so many at a time: a line `json COUNT AT_A_TIME`, or `plain`. On Socket or, with the
// word `net`, on node:net. Usage: teleport-client [net] PORT
import { json, plain } from '../../examples/teleport/codecs.js';
import { Peer } from '../../examples/teleport/peer.js';
import { type Job, stopwatch } from '../harness/stopwatch.js';
import { useNodeNet } from '../peers/net-socket.js';

interface Echo {
  calls: { '/echo': (body: unknown) => unknown };
  pushes: Record<never, never>;
}

if (process.argv[2] === 'net') useNodeNet();
const session = await new Peer().dial<Echo>({ host: '127.0.0.1', port: Number(process.argv.at(-1)) });

/** Each of `atATime` callers waits for its reply and calls again, until there were `count` calls. */
const calls =
  (codec: typeof json, body: unknown): Job =>
  async (count, atATime) => {
    let left = count;
    const caller = async (): Promise<void> => {
      while (left-- > 0) {
        const reply = await session.call('/echo', body, { codec });
        if (typeof body === 'string' && reply !== body) throw new Error('the echo is not what was sent');
      }
    };
    await Promise.all(Array.from({ length: atATime }, caller));
  };

await stopwatch({
  json: calls(json, { name: 'echo', list: [1, 2, 3], nested: { yes: true } }),
  plain: calls(plain, 'x'.repeat(581)),
});
process.exit();
