// `node dist/examples/kernel-tls.js https://HOST[:PORT]/PATH [CA.PEM]`: Node shakes hands, the kernel encrypts.
//
// A TLS library is needed for the handshake. What comes after it, cutting a stream into records and sealing each, the
// kernel can do (the module tls), once it is given the keys: from then on write(2) and even sendfile(2) take plain bytes.
// See https://docs.kernel.org/networking/tls.html; for the keys RFC 8446 sections 7.1 and 7.3.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import * as tls from 'node:tls';
import {
  ControlBuffer,
  MsgHdr,
  Socket,
  TLS_1_3_VERSION,
  TLS_CIPHER_AES_GCM_128,
  tls_crypto_info,
  tls12_crypto_info_aes_gcm_128,
} from 'posix-sockets';

const [where, authority] = process.argv.slice(2);
if (where === undefined || !URL.canParse(where)) {
  console.error('usage: node dist/examples/kernel-tls.js https://HOST[:PORT]/PATH [CA.PEM]');
  process.exit(2);
}
const { hostname, port, pathname, search } = new URL(where);
using socket = await Socket.connect({ host: hostname, port: port || 443 });

/** Has Node shake hands over our socket. @returns the secrets of both directions, by the names of RFC 8446 */
async function shakeHands(): Promise<Map<string, Buffer>> {
  let written = Promise.resolve();
  const transport = new Duplex({
    read() {},
    write(bytes, _encoding, done) {
      written = socket.sendAll(bytes);
      written.then(() => done(), done);
    },
  });
  const session = tls.connect({
    socket: transport,
    servername: hostname,
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
    ...(authority === undefined ? {} : { ca: readFileSync(authority) }),
  });
  const secrets = new Map<string, Buffer>();
  session.on('keylog', (line: Buffer) => {
    const [label, , secret] = line.toString().trim().split(' ') as [string, string, string];
    secrets.set(label, Buffer.from(secret, 'hex'));
  });
  const over = new AbortController();
  session.once('secureConnect', () => over.abort(null));
  session.once('error', (error) => over.abort(error));
  // Not a byte more than the handshake is read: what follows is the kernel's.
  const buffer = Buffer.alloc(16_384);
  while (!over.signal.aborted) {
    const length = await socket.recv(buffer, { signal: over.signal }).catch((error) => {
      if (!over.signal.aborted) throw error;
      return 0;
    });
    if (length > 0) transport.push(Buffer.from(buffer.subarray(0, length)));
    await setImmediate();
  }
  if (over.signal.reason !== null) throw over.signal.reason;
  await written; // the client's last word of the handshake
  return secrets;
}

/** HKDF-Expand-Label of RFC 8446, for what one block of SHA-256 suffices for. */
function expand(secret: Buffer, label: string, length: number): Buffer {
  const name = `tls13 ${label}`;
  const info = Buffer.concat([Buffer.of(0, length, name.length), Buffer.from(name), Buffer.of(0)]);
  return createHmac('sha256', secret).update(info).update(Buffer.of(1)).digest().subarray(0, length);
}

/** What the kernel wants to know of one direction. */
function keysOf(secret: Buffer): tls12_crypto_info_aes_gcm_128 {
  const nonce = expand(secret, 'iv', 12);
  return new tls12_crypto_info_aes_gcm_128({
    info: new tls_crypto_info({ version: TLS_1_3_VERSION, cipher_type: TLS_CIPHER_AES_GCM_128 }),
    key: expand(secret, 'key', 16),
    salt: nonce.subarray(0, 4),
    iv: nonce.subarray(4),
    rec_seq: new Uint8Array(8), // no record of these keys has been seen
  });
}

const secrets = await shakeHands();
socket.option('TCP_ULP', 'tls');
socket.option('TLS_TX', keysOf(secrets.get('CLIENT_TRAFFIC_SECRET_0') as Buffer));
socket.option('TLS_RX', keysOf(secrets.get('SERVER_TRAFFIC_SECRET_0') as Buffer));

await socket.sendAll(Buffer.from(`GET ${pathname}${search} HTTP/1.0\r\nHost: ${hostname}\r\n\r\n`));
const [alert, applicationData] = [21, 23];
const control = new ControlBuffer(['TLS_GET_RECORD_TYPE']);
const buffer = Buffer.alloc(16_384);
for (;;) {
  const length = await socket.recvmsg(new MsgHdr({ iov: buffer, control }));
  const type = control.get('TLS_GET_RECORD_TYPE');
  if (length === 0 || type === alert) break;
  if (type === applicationData) process.stdout.write(buffer.subarray(0, length)); // others are the library's: tickets, keys
}
