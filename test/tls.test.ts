// TLS records that the kernel writes and reads: https://docs.kernel.org/networking/tls.html.
import { spawnSync } from 'node:child_process';
import { type CipherGCMTypes, createDecipheriv, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  AF_INET,
  ControlBuffer,
  ENOENT,
  getOption,
  IPPROTO_TCP,
  MsgHdr,
  raw,
  recv,
  SOCK_STREAM,
  send,
  sendmsg,
  setOption,
  TCP_ULP,
  TLS_1_2_VERSION,
  TLS_1_3_VERSION,
  TLS_CIPHER_AES_CCM_128,
  TLS_CIPHER_AES_GCM_128,
  TLS_CIPHER_AES_GCM_256,
  TLS_CIPHER_ARIA_GCM_128,
  TLS_CIPHER_ARIA_GCM_256,
  TLS_CIPHER_CHACHA20_POLY1305,
  TLS_CIPHER_SM4_CCM,
  TLS_CIPHER_SM4_GCM,
  tls_crypto_info,
  tls12_crypto_info_aes_ccm_128,
  tls12_crypto_info_aes_gcm_128,
  tls12_crypto_info_aes_gcm_256,
  tls12_crypto_info_aria_gcm_128,
  tls12_crypto_info_aria_gcm_256,
  tls12_crypto_info_chacha20_poly1305,
  tls12_crypto_info_sm4_ccm,
  tls12_crypto_info_sm4_gcm,
  write,
} from 'posix-sockets';
import { freePort } from 'posix-sockets/testing';
import { describe, expect, test } from 'vitest';
import { runExample } from './example-support.js';
import { receive } from './message-support.js';
import { bytes, connected, connectedKinds, errorOf, folder, type Kind, run, start } from './support.js';

const tcp = new Map(connectedKinds).get('TCP over IPv4') as Kind;
const unconnected = raw.socket(AF_INET, SOCK_STREAM, 0);
const have = raw.setsockopt(unconnected, IPPROTO_TCP, TCP_ULP, bytes('tls')) !== -ENOENT;
raw.close(unconnected);

/** A connection of which both ends are ready for keys. */
function layered(): [number, number] {
  const pair = connected(tcp);
  for (const fd of pair) setOption(fd, 'TCP_ULP', 'tls');
  return pair;
}

const key = randomBytes(16);
const salt = randomBytes(4);
const iv = randomBytes(8);
const keys = new tls12_crypto_info_aes_gcm_128({
  info: new tls_crypto_info({ version: TLS_1_2_VERSION, cipher_type: TLS_CIPHER_AES_GCM_128 }),
  iv,
  key,
  salt,
  rec_seq: new Uint8Array(8),
});

test.skipIf(have)('where the kernel has no TLS: ENOENT, and keys are no option of the socket', () => {
  const [client] = connected(tcp);
  expect(errorOf(() => setOption(client, 'TCP_ULP', 'tls')).code).toBe('ENOENT');
});

test('needs the upper-layer protocol first', () => {
  const [client] = connected(tcp);
  expect(errorOf(() => setOption(client, 'TLS_TX', keys)).code).toMatch(/EOPNOTSUPP|ENOPROTOOPT/);
});

describe.skipIf(!have)('TLS 1.2 (needs the TLS module)', () => {
  test('a record that the kernel writes is opened by node:crypto', () => {
    const [client, server] = connected(tcp);
    setOption(client, 'TCP_ULP', 'tls');
    expect(getOption(client, 'TCP_ULP')).toBe('tls');
    setOption(client, 'TLS_TX', keys);
    expect(getOption(client, 'TLS_TX').toJSON()).toEqual({
      version: TLS_1_2_VERSION,
      cipher_type: TLS_CIPHER_AES_GCM_128,
    });
    write(client, bytes('sealed by the kernel'));

    const record = Buffer.alloc(1024);
    const length = recv(server, record);
    // RFC 5246, RFC 5288: type, version, length; the nonce's explicit half, the ciphertext, the tag.
    expect([record[0], record.readUInt16BE(1), record.readUInt16BE(3)]).toEqual([23, 0x0303, length - 5]);
    const explicit = record.subarray(5, 13);
    const sealed = record.subarray(13, length - 16);
    const opener = createDecipheriv('aes-128-gcm', key, Buffer.concat([salt, explicit]));
    const additional = Buffer.alloc(13); // the record's number, and its header with the length of the content
    record.copy(additional, 8, 0, 3);
    additional.writeUInt16BE(sealed.length, 11);
    opener.setAAD(additional);
    opener.setAuthTag(record.subarray(length - 16, length));
    expect(`${opener.update(sealed, undefined, 'utf8')}${opener.final('utf8')}`).toBe('sealed by the kernel');
  });

  test('TLS_SET_RECORD_TYPE and TLS_GET_RECORD_TYPE: an alert, and then data', () => {
    const [client, server] = layered();
    setOption(client, 'TLS_TX', keys);
    setOption(server, 'TLS_RX', keys);
    const warning = Uint8Array.of(1, 0); // close_notify
    const control = ControlBuffer.of({ TLS_SET_RECORD_TYPE: 21 });
    expect(sendmsg(client, new MsgHdr({ iov: warning, control }))).toBe(2);
    send(client, bytes('data'));
    const first = receive(server);
    expect([first.control.get('TLS_GET_RECORD_TYPE'), first.payload]).toEqual([21, '\x01\0']);
    const second = receive(server);
    expect([second.control.get('TLS_GET_RECORD_TYPE'), second.payload]).toEqual([23, 'data']);
  });

  test('an alert is not read as data: EIO without room for its type', () => {
    const [client, server] = layered();
    setOption(client, 'TLS_TX', keys);
    setOption(server, 'TLS_RX', keys);
    const control = ControlBuffer.of({ TLS_SET_RECORD_TYPE: 21 });
    sendmsg(client, new MsgHdr({ iov: Uint8Array.of(1, 0), control }));
    expect(errorOf(() => recv(server, new Uint8Array(64))).code).toBe('EIO');
  });

  test('what was tampered with is refused: EBADMSG', () => {
    const [liar, victim] = connected(tcp);
    setOption(victim, 'TCP_ULP', 'tls');
    setOption(victim, 'TLS_RX', keys);
    write(liar, Buffer.concat([Buffer.from([23, 3, 3, 0, 32]), Buffer.alloc(32, 7)]));
    expect(errorOf(() => recv(victim, new Uint8Array(64))).code).toBe('EBADMSG');
  });
});

/** Every cipher that the kernel may know, and what OpenSSL calls it, if Node's has it. */
const ciphers = [
  [tls12_crypto_info_aes_gcm_128, TLS_CIPHER_AES_GCM_128, 'aes-128-gcm'],
  [tls12_crypto_info_aes_gcm_256, TLS_CIPHER_AES_GCM_256, 'aes-256-gcm'],
  [tls12_crypto_info_aes_ccm_128, TLS_CIPHER_AES_CCM_128, 'aes-128-ccm'],
  [tls12_crypto_info_chacha20_poly1305, TLS_CIPHER_CHACHA20_POLY1305, 'chacha20-poly1305'],
  [tls12_crypto_info_aria_gcm_128, TLS_CIPHER_ARIA_GCM_128, 'aria-128-gcm'],
  [tls12_crypto_info_aria_gcm_256, TLS_CIPHER_ARIA_GCM_256, 'aria-256-gcm'],
  [tls12_crypto_info_sm4_gcm, TLS_CIPHER_SM4_GCM, undefined],
  [tls12_crypto_info_sm4_ccm, TLS_CIPHER_SM4_CCM, undefined],
] as const;
const versions = [
  ['1.2', TLS_1_2_VERSION],
  ['1.3', TLS_1_3_VERSION],
] as const;

/** Keys of any of them, whose fields are as long as the struct's are. */
function randomKeys<T extends (typeof ciphers)[number][0]>(type: T, version: number, cipher_type: number) {
  const made = new type();
  crypto.getRandomValues(made.bytes); // all its fields are random
  made.info = new tls_crypto_info({ version, cipher_type });
  made.rec_seq = new Uint8Array(8);
  return made as InstanceType<T>;
}

/** Whether the kernel has the cipher, in this version. */
function knows(type: (typeof ciphers)[number][0], version: number, cipher: number): boolean {
  if (!have) return false;
  const [client] = layered();
  const { bytes } = randomKeys(type, version, cipher);
  return raw.setsockopt(client, 282, 1, bytes) === 0; // SOL_TLS, TLS_TX
}

describe.each(versions)('TLS %s, from kernel to kernel', (name, version) => {
  for (const [type, cipher] of ciphers) {
    const [, struct] = type.name.split('tls12_crypto_info_') as [string, string];
    test.skipIf(!knows(type, version, cipher))(`${struct} (needs it in the kernel, for TLS ${name})`, () => {
      const [client, server] = layered();
      const shared = randomKeys(type, version, cipher);
      setOption(client, 'TLS_TX', shared);
      setOption(server, 'TLS_RX', shared);
      for (const content of ['one', 'another', 'x'.repeat(2000)]) {
        send(client, bytes(content));
        expect(receive(server).payload).toBe(content);
      }
    });
  }
});

describe('TLS 1.3, from the kernel to node:crypto', () => {
  for (const [type, cipher, openssl] of ciphers) {
    if (openssl === undefined) continue; // SM4 in these modes is of a newer OpenSSL
    test.skipIf(!knows(type, TLS_1_3_VERSION, cipher))(`${openssl} (needs it in the kernel)`, () => {
      const [client, server] = connected(tcp);
      setOption(client, 'TCP_ULP', 'tls');
      const ours = randomKeys(type, TLS_1_3_VERSION, cipher);
      setOption(client, 'TLS_TX', ours);
      const nonce = Buffer.concat(['salt' in ours ? ours.salt : new Uint8Array(0), ours.iv]);
      const record = Buffer.alloc(1024);
      for (const [number, content] of ['first', 'second'].entries()) {
        write(client, bytes(content));
        const length = recv(server, record);
        // RFC 8446 section 5.2 and 5.3: a header that is authenticated; the content, its type, the tag.
        const sealed = record.subarray(5, length - 16);
        const own = Buffer.from(nonce);
        own[11] = (own[11] as number) ^ number;
        const opener = createDecipheriv(openssl as CipherGCMTypes, ours.key, own, { authTagLength: 16 });
        opener.setAuthTag(record.subarray(length - 16, length));
        opener.setAAD(record.subarray(0, 5), { plaintextLength: sealed.length });
        expect(opener.update(sealed)).toEqual(Buffer.concat([Buffer.from(content), Buffer.of(23)]));
        if (cipher !== TLS_CIPHER_AES_CCM_128) opener.final();
      }
    });
  }
});

const haveOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!have || !haveOpenssl)('a session with OpenSSL (needs the TLS module, and openssl)', () => {
  /** `openssl s_server`, which answers with a page about the session. */
  async function server(): Promise<{ port: number; certificate: string }> {
    const where = folder();
    const [certificate, secret] = [join(where, 'certificate.pem'), join(where, 'key.pem')];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...names];
    await run('openssl', [...made, '-out', certificate, '-keyout', secret]);
    const port = await freePort();
    const { line } = start('openssl', ['s_server', '-www', '-accept', `${port}`, '-cert', certificate, '-key', secret]);
    while (!(await line()).includes('ACCEPT'));
    return { port, certificate };
  }

  test("kernel-tls: after the handshake the records are the kernel's", async () => {
    const { port, certificate } = await server();
    const { code, stdout, stderr } = await runExample('kernel-tls', `https://localhost:${port}/`, certificate);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^HTTP\/1.0 200 ok/);
    expect(stdout).toContain('New, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256');
    expect(stdout.trim()).toMatch(/<\/html>$/i); // to its end
  });

  test('kernel-tls: a certificate that nobody vouches for is no session', async () => {
    const { port } = await server();
    const { code, stdout, stderr } = await runExample('kernel-tls', `https://localhost:${port}/`);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
  });
});
