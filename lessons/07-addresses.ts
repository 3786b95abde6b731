// bind gives a socket its name, and what a name looks like depends on the family: the bytes, side by side.
import {
  AF_INET,
  AF_UNIX,
  bind,
  close,
  getsockname,
  SOCK_DGRAM,
  SOCK_STREAM,
  type SockAddr,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_nl,
  sockaddr_un,
  socket,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

// Which bytes are what, for each family.
const fields: [struct: string, address: SockAddr, parts: [name: string, length: number][]][] = [
  [
    'sockaddr_in',
    sockaddr_in('127.0.0.1', 8080),
    [
      ['sin_family', 2],
      ['sin_port', 2],
      ['sin_addr', 4],
      ['(padding)', 8],
    ],
  ],
  [
    'sockaddr_in6',
    sockaddr_in6('fe80::1', 8080, { scopeId: 2 }),
    [
      ['sin6_family', 2],
      ['sin6_port', 2],
      ['sin6_flowinfo', 4],
      ['sin6_addr', 16],
      ['sin6_scope_id', 4],
    ],
  ],
  [
    'sockaddr_un',
    sockaddr_un('/tmp/x'),
    [
      ['sun_family', 2],
      ['sun_path', 7],
    ],
  ],
  [
    'sockaddr_nl',
    sockaddr_nl(1234, 1),
    [
      ['nl_family', 2],
      ['nl_pad', 2],
      ['nl_pid', 4],
      ['nl_groups', 4],
    ],
  ],
];

export default lesson({
  number: 7,
  rows: [7],
  title: { en: 'Names and their bytes', zh: '名字与它的字节' },
  teach({ part, say, print, show, check }) {
    part('Four families', '四个地址族');
    for (const [struct, address, parts] of fields) {
      print(`  struct ${struct}, ${address.length} bytes: ${address}`);
      let at = 0;
      for (const [name, length] of parts) {
        print(`    ${name.padEnd(14)} ${hex(address.bytes.subarray(at, at + length))}`);
        at += length;
      }
      check(at === address.length, 'That is all of it.', '这就是全部。');
    }
    const [inet, inet6, unix] = fields.map(([, address]) => address.bytes) as [Uint8Array, Uint8Array, Uint8Array];
    check(
      inet[0] === AF_INET && unix[0] === AF_UNIX,
      'Each begins with two bytes that say the family, and so what the rest means.',
      '每个都以两个字节的地址族开头，它决定其余字节的含义。',
    );
    check(
      inet[2] === 8080 >> 8 && inet[3] === (8080 & 255) && inet6[2] === inet[2],
      'The port is in network byte order, high byte first, on every machine.',
      '端口采用网络字节序，高位字节在前，任何机器都一样。',
    );
    check(
      unix.length === 9 && unix[8] === 0,
      'A Unix address is as long as its path, and the NUL after it.',
      'Unix 域地址只有路径那么长，再加上结尾的 NUL。',
    );

    part('What bind does with it', 'bind 用它做什么');
    const fd = socket(AF_INET, SOCK_STREAM);
    const before = show(() => getsockname(fd));
    check(
      `${before}` === '0.0.0.0:0',
      'Before: no address, no port. The socket has no name.',
      '之前：没有地址，没有端口。套接字没有名字。',
    );
    const after = show(() => {
      bind(fd, sockaddr_in('127.0.0.1', 0));
      return getsockname(fd);
    });
    check(after.port !== 0, `After: ${after}. Port 0 means: choose one.`, `之后：${after}。端口 0 表示由内核选择。`);
    close(fd);

    part('Three kinds of Unix names', '三种 Unix 域名字');
    say(
      'A path is a file. A name that begins with a NUL byte is abstract: no file, and gone with its last socket. And a ' +
        'socket may have no name at all.',
      '路径是一个文件。以 NUL 字节开头的名字是抽象名字：没有文件，随最后一个套接字一起消失。套接字也可以完全没有名字。',
    );
    const unnamed = socket(AF_UNIX, SOCK_DGRAM);
    const abstract = socket(AF_UNIX, SOCK_DGRAM);
    const [none, chosen] = show(() => {
      bind(abstract, sockaddr_un(''));
      return [getsockname(unnamed), getsockname(abstract)];
    });
    print(`    unnamed:  ${hex(none?.bytes ?? new Uint8Array(0))}`);
    print(`    abstract: ${hex(chosen?.bytes ?? new Uint8Array(0))}   ${chosen}`);
    check(none?.length === 2, 'Unnamed: the family, and nothing after it.', '未命名：只有地址族，后面什么都没有。');
    check(
      chosen?.bytes[2] === 0 && chosen.length > 3,
      'Bound to nothing, the kernel has chosen an abstract name.',
      '绑定到空名字时，内核选了一个抽象名字。',
    );
    close(unnamed);
    close(abstract);
  },
  verdict: {
    right: {
      en: 'bind names a socket, and the struct of the name depends on the family.',
      zh: 'bind 给套接字命名，名字的结构取决于地址族。',
    },
    folklore: {
      en:
        'One need not bind to be named: connect and sendto name an unbound Internet socket by themselves, and most ' +
        'clients never call bind.',
      zh: '不调用 bind 也能有名字：connect 和 sendto 会自动给尚未绑定的网际套接字命名，大多数客户端从不调用 bind。',
    },
  },
});
