import { createConnection } from 'node:net';
import {
  AF_INET,
  AF_UNIX,
  connect,
  constants,
  EAGAIN,
  ECONNREFUSED,
  errnoName,
  SOCK_STREAM,
  SystemError,
  send,
  sockaddr_in,
  sockaddr_un,
  socket,
  strerror,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { closedFd, errorOf, havePython, opened, run } from './support.js';

describe('error numbers', () => {
  test.skipIf(!havePython)('have the names and texts that Python knows (needs python3)', async () => {
    const program = `
import errno, json, os
print(json.dumps({number: [name, os.strerror(number)] for number, name in errno.errorcode.items()}))`;
    const { stdout } = await run('python3', ['-c', program]);
    const theirs = JSON.parse(stdout) as Record<string, [string, string]>;
    const twice = { EWOULDBLOCK: 'EAGAIN', ENOTSUP: 'EOPNOTSUPP', EDEADLOCK: 'EDEADLK' } as Record<string, string>;
    expect(Object.keys(theirs).length).toBeGreaterThan(100);
    for (const [number, [name, text]] of Object.entries(theirs)) {
      expect([errnoName(Number(number)), strerror(Number(number))]).toEqual([twice[name] ?? name, text]);
    }
  });

  test('may be given as raw answers them, and one without a name is its number', () => {
    expect([errnoName(-ECONNREFUSED), strerror(-EAGAIN)]).toEqual(['ECONNREFUSED', 'Resource temporarily unavailable']);
    expect([errnoName(100_000), strerror(100_000)]).toEqual(['100000', 'Unknown error 100000']);
    expect(constants.EWOULDBLOCK).toBe(EAGAIN);
    for (const wrong of ['111', 1n, undefined, Number.NaN]) {
      expect(() => errnoName(wrong as number)).toThrow(TypeError);
      expect(() => strerror(wrong as number)).toThrow(TypeError);
    }
    expect(() => strerror(2 ** 31)).toThrow(RangeError);
  });
});

describe('SystemError', () => {
  /** A port of 127.0.0.1 at which nobody listens: 1 is no ephemeral one. */
  const port = 1;

  test('says what Node says of the same failure', async () => {
    const ours = errorOf(() => connect(opened(socket(AF_INET, SOCK_STREAM)), sockaddr_in('127.0.0.1', port)));
    const theirs = await new Promise<NodeJS.ErrnoException>((resolve) => {
      createConnection(port, '127.0.0.1').once('error', resolve);
    });
    const { code, errno, syscall, address, message } = theirs as SystemError;
    expect(ours).toMatchObject({ code, errno, syscall, address, port, message });
    expect(message).toBe('connect ECONNREFUSED 127.0.0.1:1');
  });

  test('names a path, and nothing where there is nothing to name', () => {
    const path = errorOf(() => connect(opened(socket(AF_UNIX, SOCK_STREAM)), sockaddr_un('/nowhere/at/all')));
    expect(path).toMatchObject({ code: 'ENOENT', path: '/nowhere/at/all', message: 'connect ENOENT /nowhere/at/all' });
    const nothing = errorOf(() => send(closedFd, new Uint8Array(1)));
    expect(nothing.message).toBe('send EBADF');
    expect(Object.keys(nothing).sort()).toEqual(['code', 'errno', 'name', 'syscall']);
  });

  test('is an Error of its own class, and brackets an IPv6 address', () => {
    const error = new SystemError('connect', -ECONNREFUSED, { address: '::1', port: 80 });
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.errno, `${error}`]).toEqual([
      'SystemError',
      -ECONNREFUSED,
      'SystemError: connect ECONNREFUSED [::1]:80',
    ]);
  });
});
