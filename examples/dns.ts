// `node dist/examples/dns.js SERVER:PORT NAME [A|AAAA]`: asks a name server, and prints its answer as dig(1) does.
//
// One datagram there, one back: DNS is what UDP was made for. Only an answer that does not fit into 512 bytes comes cut
// short, with a bit that says so, and then the same question is asked over TCP. RFC 1035 has the message format.
import { randomInt } from 'node:crypto';
import { AF_INET, AF_INET6, inet_ntop, SOCK_DGRAM, SockAddr, Socket, type SystemError } from 'posix-sockets';

const types: Record<string, number> = { A: 1, CNAME: 5, AAAA: 28 };
const typeName = (type: number) => Object.keys(types).find((name) => types[name] === type) ?? `TYPE${type}`;
const responseCodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
const isResponse = 0x8000;
const isTruncated = 0x0200;
const recursionDesired = 0x0100;
const header = 12;

/** A question: six numbers (identifier, flags, how many questions, answers, ...), the name label by label, its type. */
function question(name: string, type: number): Buffer {
  const numbers = Buffer.alloc(header);
  numbers.writeUInt16BE(randomInt(0x10000), 0); // that nobody can guess it is half of what guards against a forged answer
  numbers.writeUInt16BE(recursionDesired, 2);
  numbers.writeUInt16BE(1, 4);
  const labels = name.split('.').filter(Boolean);
  const parts = labels.map((label) => Buffer.concat([Buffer.of(Buffer.byteLength(label)), Buffer.from(label)]));
  return Buffer.concat([numbers, ...parts, Buffer.of(0, 0, type, 0, 1)]);
}

/** Over UDP, where either datagram may be lost: so it is asked again. The socket is connected, and hears nobody else. */
async function askByUdp(server: SockAddr, query: Buffer): Promise<Buffer> {
  using socket = await Socket.connect(server, { type: SOCK_DGRAM });
  const answer = Buffer.alloc(512);
  for (let tries = 3; ; tries--) {
    await socket.send(query);
    try {
      const length = await socket.recv(answer, { timeout: 1000 });
      if (length >= header && answer.readUInt16BE(0) === query.readUInt16BE(0)) return answer.subarray(0, length);
    } catch (error) {
      if ((error as SystemError).code !== 'ETIMEDOUT' || tries === 1) throw error;
    }
  }
}

/** Over TCP, which knows no messages: so the length stands before each. */
async function askByTcp(server: SockAddr, query: Buffer): Promise<Buffer> {
  using socket = await Socket.connect(server, { timeout: 5000 });
  await socket.sendAll([Buffer.of(query.length >> 8, query.length & 255), query]);
  let received = Buffer.alloc(0);
  while (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) {
    const more = await socket.recvBuffer({ timeout: 5000 });
    if (more === null) throw new Error('the server ended the connection in the middle of its answer');
    received = Buffer.concat([received, more]);
  }
  return received.subarray(2);
}

/** A name at some place of a message: labels, or a pointer to where the rest stands already. @returns it and its end */
function nameAt(message: Buffer, start: number): [name: string, end: number] {
  let [name, at, end] = ['', start, 0];
  for (;;) {
    const length = message.readUInt8(at);
    if (length >= 0xc0) {
      const target = message.readUInt16BE(at) & 0x3fff;
      if (target >= at) throw new Error('a name points forward'); // only backwards, or it might go on for ever
      end ||= at + 2;
      at = target;
    } else if (length === 0) {
      return [name || '.', end || at + 1];
    } else {
      name += `${message.toString('latin1', at + 1, at + 1 + length)}.`;
      at += 1 + length;
    }
  }
}

function printAnswers(message: Buffer): void {
  let at = header;
  for (let i = message.readUInt16BE(4); i > 0; i--) at = nameAt(message, at)[1] + 4; // our question, once more
  for (let i = message.readUInt16BE(6); i > 0; i--) {
    const [name, end] = nameAt(message, at);
    const [type, timeToLive, length] = [
      message.readUInt16BE(end),
      message.readUInt32BE(end + 4),
      message.readUInt16BE(end + 8),
    ];
    const data = message.subarray(end + 10, end + 10 + length);
    const shown: Record<number, () => string> = {
      1: () => inet_ntop(AF_INET, data),
      28: () => inet_ntop(AF_INET6, data),
      5: () => nameAt(message, end + 10)[0],
    };
    console.log(`${name}\t${timeToLive}\tIN\t${typeName(type)}\t${shown[type]?.() ?? data.toString('hex')}`);
    at = end + 10 + length;
  }
}

const [server, name, type = 'A'] = process.argv.slice(2);
const number = types[type];
if (server === undefined || name === undefined || number === undefined) {
  console.error('usage: node dist/examples/dns.js SERVER:PORT NAME [A|AAAA]');
  process.exit(2);
}
const query = question(name, number);
let answer = await askByUdp(SockAddr.parse(server), query);
if (answer.readUInt16BE(2) & isTruncated) {
  console.error(';; Truncated, asking again over TCP');
  answer = await askByTcp(SockAddr.parse(server), query);
}
const flags = answer.readUInt16BE(2);
if (!(flags & isResponse)) throw new Error('the answer is none');
printAnswers(answer);
const code = flags & 0xf;
if (code !== 0) console.error(`;; ${responseCodes[code] ?? code}`);
process.exitCode = code === 0 ? 0 : 1;
