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
    const calls = [
      'accept4',
      'recvmmsg',
      'sendmmsg',
      'splice',
      'eventfd',
      'timerfd_create',
      'signalfd',
      'memfd_create',
    ];
    for (const name of calls) expect(supports(name), name).toBe('yes');
    const newer = ['epoll_pwait2', 'io_uring_setup', 'pidfd_getfd', 'pidfd_open', 'pidfd_send_signal'];
    for (const name of newer) expect(['yes', 'no', 'not permitted'], name).toContain(supports(name));
  });

  test.skipIf(!havePython)("what a container's filter forbids is not permitted (needs python3)", async () => {
    // A seccomp filter that answers EPERM to io_uring_setup, unshare and socket(AF_NETLINK), as Docker's does.
    const program = `
import ctypes, os, platform, struct, sys
io_uring_setup, unshare, socket = (425, 272, 41) if platform.machine() == 'x86_64' else (425, 97, 198)
def instruction(code, jt, jf, k): return struct.pack('HBBI', code, jt, jf, k)
load, equal, answer = 0x20, 0x15, 0x06
program = b''.join([
    instruction(load, 0, 0, 0),
    instruction(equal, 4, 0, io_uring_setup), instruction(equal, 3, 0, unshare), instruction(equal, 0, 3, socket),
    instruction(load, 0, 0, 16), instruction(equal, 0, 1, 16),
    instruction(answer, 0, 0, 0x00050001), instruction(answer, 0, 0, 0x7fff0000)])
room = ctypes.create_string_buffer(program)
filter = ctypes.create_string_buffer(struct.pack('HxxxxxxP', len(program) // 8, ctypes.addressof(room)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, filter, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])`;
    const asks = `import(process.argv[1]).then(({ supports }) => console.log(
      ...['io_uring_setup', 'unshare', 'AF_NETLINK', 'AF_INET', 'setns', 'recvmmsg'].map((name) => supports(name))))`;
    const { stdout, stderr } = await run('python3', [
      ...['-c', program, process.execPath, '-e', asks],
      import.meta.resolve('posix-sockets'),
    ]);
    expect({ stdout, stderr }).toEqual({
      stdout: 'not permitted not permitted not permitted yes yes yes\n',
      stderr: '',
    });
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
      expect(() => supports(name)).toThrow(/supports knows address families, options and calls that may be lacking/);
    }
    for (const name of [undefined, 3, {}, ['AF_INET']]) expect(() => supports(name as never)).toThrow(TypeError);
  });
});
