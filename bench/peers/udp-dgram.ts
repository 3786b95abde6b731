// 64-byte datagrams over loopback with node:dgram, 64 in flight. The job of bench/c/udp.c, as far as node:dgram has it.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { stopwatch } from '../harness/stopwatch.js';

const SIZE = 64;
const IN_FLIGHT = 64;

async function bound(): Promise<Socket> {
  const made = createSocket('udp4');
  made.bind(0, '127.0.0.1');
  await once(made, 'listening');
  return made;
}

const sender = await bound();
const receiver = await bound();
const { port } = receiver.address();
const payload = Buffer.alloc(SIZE, 'x');
const send = (): void => sender.send(payload, port, '127.0.0.1');

await stopwatch({
  async sendto(count) {
    await new Promise<void>((resolve) => {
      let sent = 0;
      let received = 0;
      const onMessage = (): void => {
        received++;
        if (sent < count) {
          sent++;
          send();
        } else if (received === count) {
          receiver.off('message', onMessage);
          resolve();
        }
      };
      receiver.on('message', onMessage);
      while (sent < Math.min(IN_FLIGHT, count)) {
        sent++;
        send();
      }
    });
  },
});
