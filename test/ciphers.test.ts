// The kernel's hashes and ciphers, lent to programs as sockets: AF_ALG, https://docs.kernel.org/crypto/userspace-if.html.
// Node's crypto, which is OpenSSL, has to come to the same.
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import {
  AF_ALG,
  ALG_OP_DECRYPT,
  ALG_OP_ENCRYPT,
  accept,
  bind,
  ControlBuffer,
  MSG_MORE,
  MsgHdr,
  raw,
  recv,
  SOCK_SEQPACKET,
  send,
  sendmsg,
  setOption,
  sockaddr_alg,
  socket,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { bytes, errorOf, opened } from './support.js';

/** Whether the kernel lends an algorithm. */
function lends(type: string, name: string): boolean {
  const fd = raw.socket(AF_ALG, SOCK_SEQPACKET, 0);
  if (fd < 0) return false;
  const answer = raw.bind(fd, sockaddr_alg(type, name).bytes);
  raw.close(fd);
  return answer === 0;
}

/** A socket named after an algorithm; what accept gives of it does the work. */
function lent(type: string, name: string): number {
  const fd = opened(socket(AF_ALG, SOCK_SEQPACKET));
  bind(fd, sockaddr_alg(type, name));
  return fd;
}

/** The result, for which there must be no more room than it needs: the kernel would wait for more data to fill it. */
function answer(fd: number, room: number): Buffer {
  const buffer = Buffer.alloc(room);
  return buffer.subarray(0, recv(fd, buffer));
}

/** What to do with the data: which way, from which start, and how much of it is only authenticated. */
const order = (operation: number, iv: Uint8Array, authenticated = 0) =>
  ControlBuffer.of({ ALG_SET_OP: operation, ALG_SET_IV: iv, ALG_SET_AEAD_ASSOCLEN: authenticated });

const haveHashes = lends('hash', 'sha256');
const haveCiphers = lends('skcipher', 'cbc(aes)');
const haveAead = lends('aead', 'gcm(aes)');

test.skipIf(!haveHashes)('sha256, at once and in pieces (needs AF_ALG)', () => {
  const operation = opened(accept(lent('hash', 'sha256')));
  const content = randomBytes(10_000);
  const theirs = createHash('sha256').update(content).digest();
  send(operation, content);
  expect(answer(operation, 32)).toEqual(theirs);
  for (let at = 0; at < content.length; at += 3000) send(operation, content.subarray(at, at + 3000), MSG_MORE);
  expect(answer(operation, 32)).toEqual(theirs);
});

test.skipIf(!haveHashes)('hmac(sha256), which wants a key first (needs AF_ALG)', () => {
  const fd = lent('hash', 'hmac(sha256)');
  const early = opened(accept(fd));
  expect(errorOf(() => send(early, bytes('x'))).code).toBe('ENOKEY');
  const key = randomBytes(32);
  const keyed = lent('hash', 'hmac(sha256)');
  setOption(keyed, 'ALG_SET_KEY', key);
  const operation = opened(accept(keyed));
  send(operation, bytes('hello'));
  expect(answer(operation, 32)).toEqual(createHmac('sha256', key).update('hello').digest());
});

test.skipIf(!haveCiphers)('cbc(aes), there and back (needs AF_ALG)', () => {
  const [key, iv, content] = [randomBytes(32), randomBytes(16), randomBytes(1024)];
  const fd = lent('skcipher', 'cbc(aes)');
  setOption(fd, 'ALG_SET_KEY', key);
  const operation = opened(accept(fd));
  sendmsg(operation, new MsgHdr({ iov: content, control: order(ALG_OP_ENCRYPT, iv) }));
  const secret = answer(operation, content.length);
  const node = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
  expect(secret).toEqual(Buffer.concat([node.update(content), node.final()]));
  sendmsg(operation, new MsgHdr({ iov: secret, control: order(ALG_OP_DECRYPT, iv) }));
  expect(answer(operation, content.length)).toEqual(content);
});

describe.skipIf(!haveAead)('gcm(aes) (needs AF_ALG)', () => {
  const [key, iv, header, content] = [randomBytes(16), randomBytes(12), bytes('header'), bytes('a secret')];
  const operation = () => {
    const fd = lent('aead', 'gcm(aes)');
    setOption(fd, 'ALG_SET_KEY', key);
    setOption(fd, 'ALG_SET_AEAD_AUTHSIZE', new Uint8Array(12));
    return opened(accept(fd));
  };
  const encrypted = () => {
    const fd = operation();
    const iov = Buffer.concat([header, content]);
    sendmsg(fd, new MsgHdr({ iov, control: order(ALG_OP_ENCRYPT, iv, header.length) }));
    return answer(fd, iov.length + 12);
  };

  test('encrypts and signs as Node does, with a tag as long as ALG_SET_AEAD_AUTHSIZE says', () => {
    const node = createDecipheriv('aes-128-gcm', key, iv, { authTagLength: 12 });
    const whole = encrypted();
    expect(whole.length).toBe(header.length + content.length + 12);
    node.setAAD(header).setAuthTag(whole.subarray(-12));
    const text = node.update(whole.subarray(header.length, -12));
    expect(Buffer.concat([text, node.final()])).toEqual(Buffer.from(content));
  });

  test('what was changed on the way is refused: EBADMSG', () => {
    const whole = encrypted();
    const decrypt = () => {
      const fd = operation();
      sendmsg(fd, new MsgHdr({ iov: whole, control: order(ALG_OP_DECRYPT, iv, header.length) }));
      return answer(fd, whole.length - 12);
    };
    expect(decrypt().subarray(header.length)).toEqual(Buffer.from(content));
    whole[whole.length - 1] = (whole.at(-1) as number) ^ 1;
    expect(errorOf(decrypt).code).toBe('EBADMSG');
  });
});
