import { AF_UNIX, constants, optionTable, raw, SO_INQ, SOCK_STREAM, SOL_SOCKET, supports } from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { havePython, isRoot, opened, run, runNode } from './support.js';

describe('supports', () => {
  test.skipIf(!havePython)("families, as Python's socket finds them (needs python3)", async () => {
    const families = [
      'AF_UNIX',
      'AF_INET',
      'AF_INET6',
      'AF_NETLINK',
      'AF_PACKET',
      'AF_VSOCK',
      'AF_CAN',
      'AF_ALG',
      'AF_TIPC',
    ];
    const program = `
import errno, socket, sys
for number in sys.argv[1:]:
    answer = 'no'
    kinds = [(kind, 0) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)]
    if int(number) == socket.AF_CAN: kinds.append((socket.SOCK_RAW, socket.CAN_RAW)) # which has no protocol 0
    for kind, protocol in kinds:
        try:
            socket.socket(int(number), kind, protocol).close()
            answer = 'yes'
            break
        except PermissionError:
            answer = 'not permitted'
        except OSError:
            pass
    print(answer)`;
    const { stdout } = await run('python3', ['-c', program, ...families.map((name) => String(constants[name]))]);
    expect(families.map((name) => supports(name))).toEqual(stdout.trim().split('\n'));
    expect(stdout).toMatch(/^yes\nyes\n/);
  });

  test('options of one family only are asked of that family', () => {
    const unix = opened(raw.socket(AF_UNIX, SOCK_STREAM, 0));
    expect(supports('SO_INQ')).toBe(raw.setsockopt(unix, SOL_SOCKET, SO_INQ, 0) === 0 ? 'yes' : 'no');
    expect(supports('SO_PASSCRED')).toBe('yes');
    expect(supports('TCP_INFO')).toBe('yes');
    expect(supports('UDP_SEGMENT')).toBe('yes');
    expect(supports('SO_DETACH_FILTER')).toBe('yes'); // which can only be set
    expect(supports('ICMP_FILTER')).toBe(isRoot ? 'yes' : 'not permitted');
  });

  test('an option whose family this kernel lacks', () => {
    if (supports('AF_TIPC') === 'no') expect(supports('TIPC_IMPORTANCE')).toBe('no');
    if (supports('AF_CAN') === 'no') expect(supports('CAN_RAW_FILTER')).toBe('no');
    expect(supports('IPV6_V6ONLY')).toBe(supports('AF_INET6'));
  });

  test('every option of the table is known to it, and asking leaves nothing open', () => {
    for (const name of Object.keys(optionTable)) {
      expect(['yes', 'no', 'not permitted'], name).toContain(supports(name));
    }
  });

  test.skipIf(!isRoot)('what only root may (needs root, to become nobody)', async () => {
    const { stdout } = await runNode(`
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      const { supports } = await import('posix-sockets');
      console.log(supports('AF_PACKET'), supports('ICMP_FILTER'), supports('UDP_GRO'));`);
    expect(stdout).toBe('not permitted not permitted yes\n');
  });

  test('calls', () => {
    for (const name of ['accept4', 'recvmmsg', 'sendmmsg', 'splice', 'eventfd', 'timerfd_create', 'signalfd']) {
      expect(supports(name), name).toBe('yes');
    }
  });

  test('tries once and remembers', async () => {
    // strace would say the same: the second question is no system call.
    const { stdout } = await runNode(`
      import { raw, supports } from 'posix-sockets';
      const { socket } = raw;
      let opened = 0;
      raw.socket = (...given) => (opened++, socket(...given));
      const first = supports('TCP_NODELAY');
      const atFirst = opened;
      console.log(first === supports('TCP_NODELAY'), atFirst > 0, opened === atFirst);`);
    expect(stdout).toBe('true true true\n');
  });

  test('refuses what it does not know', () => {
    for (const name of ['SO_NOTHING', 'socket', 'toString', 'EINVAL', '']) {
      expect(() => supports(name)).toThrow(/supports knows address families, options and some calls/);
    }
    for (const name of [undefined, 3, {}, ['AF_INET']]) expect(() => supports(name as never)).toThrow(TypeError);
  });
});
