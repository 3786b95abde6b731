// The same exchange over TCP on loopback and over a Unix socket, timed in turns.
import { readFileSync } from 'node:fs';
import {
  AF_INET,
  AF_UNIX,
  accept,
  bind,
  close,
  connect,
  getsockname,
  getsockopt,
  listen,
  raw,
  SO_TYPE,
  SOCK_STREAM,
  SOL_SOCKET,
  setOption,
  sockaddr_in,
  socket,
  socketpair,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';
import { until } from './frame/until.js';

const bytes = new Uint8Array(64);

function tcpPair(): [number, number] {
  const server = socket(AF_INET, SOCK_STREAM);
  bind(server, sockaddr_in('127.0.0.1', 0));
  listen(server, 1);
  const client = socket(AF_INET, SOCK_STREAM);
  connect(client, getsockname(server));
  const connection = accept(server);
  close(server);
  for (const fd of [client, connection]) setOption(fd, 'TCP_NODELAY', true);
  return [client, connection];
}

/** Nanoseconds for a message of 64 bytes there and back. */
function roundTrip([one, other]: readonly [number, number], rounds: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < rounds; i++) {
    raw.send(one, bytes, 0);
    raw.recv(other, bytes, 0);
    raw.send(other, bytes, 0);
    raw.recv(one, bytes, 0);
  }
  return Number(process.hrtime.bigint() - start) / rounds;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] as number;

export default lesson({
  number: 11,
  rows: [11],
  title: { en: 'What loopback costs', zh: '回环的代价' },
  teach({ part, say, print, show, check }) {
    const tcp = tcpPair();
    const unix = socketpair(AF_UNIX, SOCK_STREAM);

    part('The same exchange, in turns', '同样的收发，轮流进行');
    say(
      '64 bytes there and back, both ends in this thread. The two take turns, so that a busy machine is busy for both; ' +
        'each figure is the median of nine turns.',
      '64 字节一来一回，两端都在本线程。两者轮流进行，机器再忙，对两者也一样忙；每个数字是九轮的中位数。',
    );
    for (const pair of [tcp, unix]) roundTrip(pair, 2000);
    const measured: Record<'tcp' | 'unix', number[]> = { tcp: [], unix: [] };
    for (let turn = 0; turn < 9; turn++) {
      measured.tcp.push(roundTrip(tcp, 2000));
      measured.unix.push(roundTrip(unix, 2000));
    }
    const [overTcp, overUnix] = [median(measured.tcp), median(measured.unix)];
    const bar = (ns: number) => '█'.repeat(Math.round((ns / overTcp) * 50));
    print(`    TCP, loopback  ${(overTcp / 1000).toFixed(2).padStart(7)} µs  ${bar(overTcp)}`);
    print(`    Unix socket    ${(overUnix / 1000).toFixed(2).padStart(7)} µs  ${bar(overUnix)}`);
    check(
      overUnix < overTcp,
      `TCP took ${(overTcp / overUnix).toFixed(1)} times as long: segments, checksums, acknowledgements, and the way ` +
        'down to the loopback device and up again.',
      `TCP 用了 ${(overTcp / overUnix).toFixed(1)} 倍的时间：分段、校验和、确认，以及下到回环设备再折返的路程。`,
    );

    part('No ports are used up', '不消耗端口');
    check(getsockopt(unix[0], SOL_SOCKET, SO_TYPE) === SOCK_STREAM, 'Both are streams.', '两者都是流。');
    const name = show(() => getsockname(unix[0]));
    check(name.port === undefined, 'A Unix socket has no port.', 'Unix 套接字没有端口。');
    const port = show(() => getsockname(tcp[0])).port as number;
    show(() => {
      for (const fd of [...tcp, ...unix]) close(fd);
    });
    check(
      until(() => isInTimeWait(port)),
      `The TCP connection leaves its ephemeral port ${port} in TIME_WAIT for a minute; of the Unix one nothing is left.`,
      `TCP 连接的临时端口 ${port} 要在 TIME_WAIT 中停留一分钟；Unix 连接什么也不留下。`,
    );
  },
  verdict: {
    right: {
      en: "Unix sockets save TCP's overhead, loopback's path and ephemeral ports.",
      zh: 'Unix 套接字省去了 TCP 的开销、回环的路径和临时端口。',
    },
    folklore: {
      en:
        'How much that is depends on the message: for large ones, copying costs more than the protocol, and the ' +
        'difference shrinks. A program that talks to a database over loopback rarely notices.',
      zh: '差多少取决于消息大小：消息大时，复制比协议更贵，差别就缩小了。通过回环访问数据库的程序很少察觉得到。',
    },
  },
});

/** Whether the kernel lists a local port in TIME_WAIT (state 06 of /proc/net/tcp). */
function isInTimeWait(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const table = readFileSync('/proc/net/tcp', 'utf8');
  return table.split('\n').some((line) => line.includes(`0100007F:${hex} `) && / 06 /.test(line));
}
