// Classic BPF: programs given as arrays of instructions.
import {
  AF_INET,
  BPF_ABS,
  BPF_B,
  BPF_JEQ,
  BPF_JMP,
  BPF_JUMP,
  BPF_K,
  BPF_LD,
  BPF_RET,
  BPF_STMT,
  BPF_W,
  bind,
  getOption,
  getsockname,
  MSG_TRUNC,
  recv,
  SKF_AD_CPU,
  SKF_AD_OFF,
  SKF_NET_OFF,
  SO_ATTACH_FILTER,
  SO_DETACH_FILTER,
  SOCK_DGRAM,
  SOL_SOCKET,
  send,
  sendto,
  setOption,
  setsockopt,
  sock_filter,
  socket,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { bytes, datagramKinds, datagramPair, errorOf, type Kind, opened } from './support.js';

const udp = datagramKinds.find(([name]) => name === 'UDP over IPv4')?.[1] as Kind;
const payload = 8; // where it begins: the filter of a UDP socket sees the datagram with its header
const everything = BPF_STMT(BPF_RET | BPF_K, 0xffff);
const nothing = BPF_STMT(BPF_RET | BPF_K, 0);

/** Lets pass what begins with this letter. */
const beginningWith = (letter: string) => [
  BPF_STMT(BPF_LD | BPF_B | BPF_ABS, payload),
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, letter.charCodeAt(0), 0, 1),
  everything,
  nothing,
];

function received(fd: number, flags = 0): string {
  const buffer = new Uint8Array(64);
  return new TextDecoder().decode(buffer.subarray(0, recv(fd, buffer, flags)));
}

describe('SO_ATTACH_FILTER', () => {
  test('drops what the program drops', () => {
    const [from, to] = datagramPair(udp);
    setOption(to, 'SO_ATTACH_FILTER', beginningWith('y'));
    for (const text of ['no', 'yes', 'never', 'yet']) send(from, bytes(text));
    expect([received(to), received(to)]).toEqual(['yes', 'yet']);
  });

  test('cuts what the program cuts', () => {
    const [from, to] = datagramPair(udp);
    setOption(to, 'SO_ATTACH_FILTER', [BPF_STMT(BPF_RET | BPF_K, payload + 3)]);
    send(from, bytes('abcdef'));
    expect(received(to)).toBe('abc');
  });

  test('is read back, is detached, and lets itself be locked', () => {
    const [from, to] = datagramPair(udp);
    expect(getOption(to, 'SO_GET_FILTER')).toEqual([]);
    setOption(to, 'SO_ATTACH_FILTER', beginningWith('y'));
    expect(getOption(to, 'SO_GET_FILTER').map((one) => one.toJSON())).toEqual(
      beginningWith('y').map((one) => one.toJSON()),
    );

    setOption(to, 'SO_DETACH_FILTER', 0);
    send(from, bytes('no'));
    expect(received(to)).toBe('no');
    expect(errorOf(() => setOption(to, 'SO_DETACH_FILTER', 0)).code).toBe('ENOENT');

    setOption(to, 'SO_ATTACH_FILTER', beginningWith('y'));
    setOption(to, 'SO_LOCK_FILTER', true);
    expect(errorOf(() => setsockopt(to, SOL_SOCKET, SO_DETACH_FILTER, 0)).code).toBe('EPERM');
  });

  test('takes instructions, their fields or their bytes, by either call', () => {
    const [from, to] = datagramPair(udp);
    const program = beginningWith('y');
    const whole = Buffer.concat(program.map((one) => one.bytes));
    const fields = program.map(({ code, jt, jf, k }) => ({ code, jt, jf, k }));
    for (const attach of [
      () => setOption(to, 'SO_ATTACH_FILTER', fields),
      () => setsockopt(to, SOL_SOCKET, SO_ATTACH_FILTER, program),
      () => setsockopt(to, SOL_SOCKET, SO_ATTACH_FILTER, whole),
    ]) {
      setOption(to, 'SO_ATTACH_FILTER', [nothing]);
      attach();
      send(from, bytes('no'));
      send(from, bytes('yes'));
      expect(received(to)).toBe('yes');
    }
    for (const wrong of [1, null, undefined, new Uint8Array(8)]) {
      const attach = () => setsockopt(to, SOL_SOCKET, SO_ATTACH_FILTER, [...program, wrong] as never);
      expect(attach).toThrow(`value[${program.length}] must be a struct, not `);
    }
  });

  test('reaches what is beside the packet, at negative offsets', () => {
    const [from, to] = datagramPair(udp);
    const protocol = BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF + 9); // of the IP header
    expect(protocol.k).toBe(2 ** 32 + SKF_NET_OFF + 9);
    setOption(to, 'SO_ATTACH_FILTER', [protocol, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17, 0, 1), everything, nothing]);
    send(from, bytes('UDP'));
    expect(received(to)).toBe('UDP');
    setOption(to, 'SO_ATTACH_FILTER', [BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_CPU), everything]);
    send(from, bytes('CPU'));
    expect(received(to)).toBe('CPU');
  });

  const wrong: [what: string, program: sock_filter[]][] = [
    ['none', []],
    ['one that does not end', [BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0)]],
    ['one that jumps out', [BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 9, 9), everything]],
    ['one with an unknown instruction', [new sock_filter({ code: 0xffff }), everything]],
    ['one that is too long', Array.from({ length: 4097 }, () => everything)],
    ['one that is far too long', Array.from({ length: 70_000 }, () => everything)],
  ];
  test.for(wrong)('the kernel refuses %s', ([, program]) => {
    const [, to] = datagramPair(udp);
    expect(errorOf(() => setOption(to, 'SO_ATTACH_FILTER', program)).code).toBe('EINVAL');
  });
});

test('BPF_STMT and BPF_JUMP are the bytes that C has', () => {
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  const { bytes: found } = BPF_JUMP(0x15, 0x12345678, 1, 2);
  expect(Array.from(found)).toEqual(
    little ? [0x15, 0, 1, 2, 0x78, 0x56, 0x34, 0x12] : [0, 0x15, 1, 2, 0x12, 0x34, 0x56, 0x78],
  );
  expect(() => BPF_JUMP(0x15, 0, 256, 0)).toThrow(RangeError);
  expect(BPF_STMT(6, -1).k).toBe(0xffffffff);
});

test('SO_ATTACH_REUSEPORT_CBPF chooses among the sockets that share a port', () => {
  const share = () => {
    const fd = opened(socket(AF_INET, SOCK_DGRAM));
    setOption(fd, 'SO_REUSEPORT', true);
    return fd;
  };
  const sockets = [share(), share(), share()] as const;
  bind(sockets[0], udp.address());
  const address = getsockname(sockets[0]);
  for (const fd of sockets.slice(1)) bind(fd, address);
  // The first byte of the payload, which is where this program begins to look, is the socket's number.
  const number = BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0);
  setOption(sockets[0], 'SO_ATTACH_REUSEPORT_CBPF', [number, BPF_STMT(BPF_RET | 0x10, 0)]);

  const from = opened(socket(AF_INET, SOCK_DGRAM));
  for (const n of [2, 0, 1, 2, 2]) sendto(from, Uint8Array.of(n), 0, address);
  const waiting = sockets.map((fd) => {
    const numbers: number[] = [];
    const buffer = new Uint8Array(1);
    setOption(fd, 'SO_RCVTIMEO', { tv_usec: 100_000 });
    try {
      while (recv(fd, buffer, MSG_TRUNC) > 0) numbers.push(buffer[0] as number);
    } catch {
      return numbers;
    }
    return numbers;
  });
  expect(waiting).toEqual([[0], [1], [2, 2, 2]]);
});
