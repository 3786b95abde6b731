// The examples about what is on the wire, each against programs that nobody here wrote, in a network of the tests' own:
// this machine - one router - another - a server, and a second network beside the first.
import { spawnSync } from 'node:child_process';
import { send, sendto, sockaddr_in } from 'posix-sockets';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linesOf, runExample, startExample } from './example-support.js';
import { configure, Machine, ownNetwork } from './network-support.js';
import {
  bound,
  bytes,
  connected,
  connectedKinds,
  datagramKinds,
  haveNamespaces,
  havePython,
  type Kind,
  run,
  start,
  until,
} from './support.js';

const have = (...command: [string, ...string[]]) => spawnSync(command[0], command.slice(1)).error === undefined;
const haveTcpdump = have('tcpdump', '--version');

const server = ['10.90.3.2', 'fd90:3::2'] as const;
/** An interface in the words of `ip -j address`. */
interface Described {
  readonly ifname: string;
  readonly flags: string[];
  readonly operstate: string;
  readonly mtu: number;
  readonly address: string;
  readonly addr_info: { local: string; prefixlen: number; tentative?: boolean }[];
}

const machines: Machine[] = [];
const tcp = connectedKinds.find(([name]) => name === 'TCP over IPv4')?.[1] as Kind;
const udp = datagramKinds.find(([name]) => name === 'UDP over IPv4')?.[1] as Kind;

beforeAll(async () => {
  if (!haveNamespaces) return;
  ownNetwork();
  for (let i = 0; i < 3; i++) machines.push(await Machine.start());
  const chain = [undefined, ...machines]; // undefined is where we are
  for (const [i, machine] of machines.entries()) {
    const [link, before] = [i + 1, chain[i]];
    configure(
      `ip link add up${link} type veth peer name down${link} address 02:00:00:00:00:0${link} netns ${machine.pid}`,
      before,
    );
    for (const [name, host, where] of [
      [`up${link}`, 1, before],
      [`down${link}`, 2, machine],
    ] as const) {
      configure(`ip addr add 10.90.${link}.${host}/24 brd + dev ${name}`, where);
      configure(`ip addr add fd90:${link}::${host}/64 dev ${name} nodad`, where);
      configure(`ip link set ${name} up`, where);
    }
    // Routers let packets pass, and complain as often as there is reason to.
    configure(
      'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0',
      machine,
    );
  }
  for (const [i, machine] of chain.entries()) {
    for (const far of [1, 2, 3].filter((link) => link !== i && link !== i + 1)) {
      const [next, host] = far > i ? [i + 1, 2] : [i, 1];
      configure(`ip route add 10.90.${far}.0/24 via 10.90.${next}.${host}`, machine);
      configure(`ip route add fd90:${far}::/64 via fd90:${next}::${host}`, machine);
    }
  }
  configure('sysctl -qw net.ipv4.ping_group_range=0\t2147483647');
  // A router asks for its neighbours from its link-local address, which an interface gets when it finds the link up, and
  // uses when nobody else was found to have it.
  const isReady = (machine?: Machine) => {
    const command = 'ip -j -6 address show up scope link';
    const [name, ...args] = (machine?.command(command) ?? command.split(' ')) as [string, ...string[]];
    const links: Described[] = JSON.parse(spawnSync(name, args, { encoding: 'utf8' }).stdout);
    const addresses = links.flatMap(({ addr_info }) => addr_info).filter(({ local }) => local !== undefined);
    const wanted = machine === undefined || machine === machines.at(-1) ? 1 : 2;
    return addresses.length === wanted && addresses.every(({ tentative }) => tentative !== true);
  };
  for (const machine of chain) await until(() => isReady(machine), 'each interface has its link-local address');
});
afterAll(async () => {
  for (const machine of machines) await machine.stop();
});

describe.skipIf(!haveNamespaces)('in a network of their own (need root)', () => {
  describe.skipIf(!have('ping', '-V'))('ping (needs ping)', () => {
    const withoutTime = (lines: string[]) =>
      lines
        .map((line) => line.replace(/ time=\S+ ms$/, '').replace(/ received.*/, ' received'))
        .filter((line) => /icmp_seq|received/.test(line));

    test.for([
      ['127.0.0.1', '56'],
      ['::1', '56'],
      [server[0], '56'],
      [server[1], '1000'],
      ['10.90.2.1', '0'],
    ] as const)('has the replies that ping has: %s, %s bytes', async ([host, size]) => {
      const ours = withoutTime(await linesOf(runExample('ping', host, 3, size)));
      const theirs = withoutTime(await linesOf(run('ping', ['-n', '-c', '3', '-i', '0.2', '-s', size, host])));
      expect(ours).toEqual(theirs);
      expect(ours.length).toBe(4);
    });

    test('says at once when there is no way', async () => {
      configure('ip route add unreachable 10.66.0.0/16', machines[0]);
      configure('ip route add 10.66.0.0/16 via 10.90.1.2');
      const { code, stdout } = await runExample('ping', '10.66.0.1', 1);
      expect([code, stdout]).toEqual([1, 'icmp_seq=1 EHOSTUNREACH\n1 packets transmitted, 0 received\n']);
      expect((await run('ping', ['-c', '1', '10.66.0.1'])).stdout).toContain('Destination Host Unreachable');
    });
  });

  describe('traceroute', () => {
    const hops = (lines: string[]) => lines.map((line) => line.trim().split(/ +/).slice(0, 2));

    test.skipIf(!have('traceroute', '-V')).for(server)(
      'finds the way that traceroute finds: %s (needs traceroute)',
      async (host) => {
        const ours = hops(await linesOf(runExample('traceroute', host)));
        const theirs = hops((await linesOf(run('traceroute', ['-n', '-q', '1', host]))).slice(1));
        expect(ours).toEqual(theirs);
        const net = host.replace(/3[:.]+2$/, '');
        const dots = host.includes(':') ? '::' : '.';
        expect(ours).toEqual([1, 2, 3].map((hop) => [`${hop}`, `${net}${hop}${dots}2`]));
      },
    );

    test.skipIf(!have('nft', '--version'))('goes on where one does not answer (needs nft)', async () => {
      configure('nft add table ip silent', machines[0]);
      configure('nft add chain ip silent out { type filter hook output priority 0 ; }', machines[0]);
      configure('nft add rule ip silent out icmp type time-exceeded drop', machines[0]);
      const ours = hops(await linesOf(runExample('traceroute', server[0])));
      configure('nft delete table ip silent', machines[0]);
      expect(ours).toEqual([
        ['1', '*'],
        ['2', '10.90.2.2'],
        ['3', '10.90.3.2'],
      ]);
    });

    // The first router answers while the second's answer is waited for, which does not come: that answer names a router,
    // and is not the one that is waited for.
    test.skipIf(!have('nft', '--version'))('takes no late answer for another (needs nft)', async () => {
      const routers = [machines[0], machines[1]] as [Machine, Machine];
      for (const router of routers) {
        configure('nft add table ip silent', router);
        configure('nft add chain ip silent out { type filter hook output priority 0 ; }', router);
        configure('nft add rule ip silent out meta mark != 7 icmp type time-exceeded drop', router);
      }
      const [node, ...args] = routers[0].command(`${process.execPath} test/fixtures/late-router.mjs down1 33435`);
      const late = start(node as string, args);
      expect(await late.line()).toBe('ready');
      const ours = hops(await linesOf(runExample('traceroute', server[0])));
      expect(await late.ended()).toBe(0);
      for (const router of routers) configure('nft delete table ip silent', router);
      expect(ours).toEqual([
        ['1', '*'],
        ['2', '*'],
        ['3', '10.90.3.2'],
      ]);
    });
  });

  test('network shows what ip and ss show', async () => {
    const [client] = connected(tcp);
    send(client, bytes('unread'));
    configure('ip route add 10.67.0.0/16 nexthop via 10.90.1.2 nexthop via 10.90.1.3 weight 2');
    const lines = await linesOf(runExample('network'));
    const section = (title: string) => {
      const rest = lines.slice(lines.indexOf(title) + 2);
      return rest.slice(0, rest.includes('') ? rest.indexOf('') : rest.length).map((line) => line.split(/ {2,}/));
    };
    const ip = async (...args: string[]) => JSON.parse((await run('ip', ['-j', ...args])).stdout);
    const links: Described[] = await ip('address');
    expect(section('Interfaces')).toEqual(
      links.map(({ ifname, flags, operstate, mtu, address, addr_info }) => [
        ...[ifname, flags.includes('UP') ? 'yes' : 'no', operstate, String(mtu), address],
        addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`).join(' ') || '-',
      ]),
    );
    const routes: (Record<string, string> & { nexthops?: Record<string, string>[] })[] = await ip('-4', 'route');
    expect(section('IPv4 routes, main table')).toEqual(
      routes.flatMap(({ nexthops, ...route }) =>
        (nexthops ?? [route]).map(({ gateway, dev }) => [
          ...[route.dst, gateway ?? '-', dev, route.prefsrc ?? '-', route.metric ?? '-'],
        ]),
      ),
    );
    const theirs = (await linesOf(run('ss', ['-tanHe']))).map((line) => [
      ...line.split(/ +/).slice(0, 5),
      /ino:(\d+)/.exec(line)?.[1] ?? '0',
    ]);
    const sorted = (all: string[][]) => all.map((one) => one.join(' ').replace('0.0.0.0:0', '0.0.0.0:*')).sort();
    expect(sorted(section('TCP sockets').map((row) => row.slice(0, 6)))).toEqual(sorted(theirs));
    expect(theirs.length).toBe(3);
  });

  describe.skipIf(!haveTcpdump)('sniff (needs tcpdump)', () => {
    test('has the filter that tcpdump compiles', async () => {
      const theirs = await linesOf(run('tcpdump', ['-y', 'EN10MB', '-ddd', 'ip and udp dst port 5353']));
      expect(await linesOf(runExample('sniff', '-ddd', 5353))).toEqual(theirs);
    });

    test('prints what tcpdump prints, and nothing of what is not asked for', async () => {
      const ours = startExample('sniff', 'lo', 9753, 3);
      expect(await ours.line()).toBe('listening on lo');
      const tcpdump = 'tcpdump -i lo -lnqt --immediate-mode -c 3 ip and udp dst port 9753';
      const theirs = start('sh', ['-c', `exec ${tcpdump} 2>&1`]);
      while (!(await theirs.line()).startsWith('listening on lo'));
      const sender = bound(udp);
      for (const [port, text] of [
        [9753, 'one'],
        [9754, 'not this one'],
        [9753, 'three'],
        [9753, ''],
      ] as const) {
        sendto(sender.fd, bytes(text), 0, sockaddr_in('127.0.0.1', port));
      }
      const { port } = sender.address;
      for (const length of [3, 5, 0]) {
        const line = `IP 127.0.0.1.${port} > 127.0.0.1.9753: UDP, length ${length}`;
        expect([await ours.line(), await theirs.line()]).toEqual([line, line]);
      }
      expect([await ours.ended(), await theirs.ended()]).toEqual([0, 0]);
    });
  });

  describe('broadcasts', () => {
    test.skipIf(!have('busybox', 'udhcpc', '--help'))('says where a DHCP client asked (needs busybox)', async () => {
      // A second network beside the first, in which 10.91.0.0/24 is ours.
      const other = machines[2] as Machine;
      configure(`ip link add lan1 type veth peer name port1 address 02:00:00:00:00:0a netns ${other.pid}`);
      configure('ip addr add 10.91.0.1/24 brd + dev lan1');
      configure('ip link set lan1 up');
      configure('ip link set port1 up', other);

      const ours = startExample('broadcasts');
      expect(await ours.line()).toBe('listening on 0.0.0.0:67');
      for (const [machine, device, hardware, where] of [
        [other, 'port1', '02:00:00:00:00:0a', 'lan1 (10.91.0.1)'],
        [machines[0] as Machine, 'down1', '02:00:00:00:00:01', 'up1 (10.90.1.1)'],
      ] as const) {
        const client = await run(
          'nsenter',
          machine.command(`busybox udhcpc -i ${device} -fnq -t 1 -T 1 -s /bin/true`).slice(1),
        );
        expect(client.stderr).toContain('broadcasting discover');
        expect(await ours.line()).toBe(`${where}: 0.0.0.0:68 to 255.255.255.255: DHCPDISCOVER of ${hardware}`);
      }
      const asks = `import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1); s.sendto(b"hello", ("10.90.1.255", 67))`;
      expect((await run('nsenter', [...(machines[0] as Machine).command('python3 -c').slice(1), asks])).code).toBe(0);
      expect(await ours.line()).toMatch(/^up1 \(10\.90\.1\.1\): 10\.90\.1\.2:\d+ to 10\.90\.1\.255: 5 bytes$/);
    });
  });

  test.skipIf(!havePython)('dead-link: TCP_USER_TIMEOUT ends a connection to who is gone (needs python3)', async () => {
    const far = machines[2] as Machine;
    const [command, ...args] = far.command('python3 -u -c') as [string, ...string[]];
    const peer = start(command, [
      ...args,
      `
import socket
listener = socket.create_server(("10.90.3.2", 0))
print(listener.getsockname()[1])
connection, _ = listener.accept()
while connection.recv(100): pass`,
    ]);
    const ours = startExample('dead-link', server[0], await peer.line(), 1200);
    expect(await ours.line()).toContain('connected to 10.90.3.2:');
    // Two routers away, and without a word: a router that has no way says so, and then the error is another.
    configure('ip route add blackhole 10.90.3.2', machines[1]);
    try {
      const shown: string[] = [];
      for (let line = await ours.line(); ; line = await ours.line()) {
        shown.push(line);
        if (line.startsWith('E')) break;
      }
      // TCP_INFO on the way: each time sent again once more, and later.
      const steps = shown
        .slice(0, -1)
        .map((line) => /^(\d+) segments.*again (\d+) times/.exec(line)?.slice(1).map(Number));
      expect(steps.map((step) => step?.[1])).toEqual(steps.map((_, i) => i + 1));
      expect(steps.length).toBeGreaterThan(1);
      const [, code, heard] = /^(\w+); last heard of the peer (\d+) ms ago$/.exec(shown.at(-1) ?? '') ?? [];
      expect(code).toBe('ETIMEDOUT');
      // It is the kernel's time and no program's; without the option it would be a quarter of an hour.
      expect(Number(heard)).toBeGreaterThanOrEqual(1200);
      expect(Number(heard)).toBeLessThan(10_000);
      expect(await ours.ended()).toBe(0);
    } finally {
      configure('ip route del blackhole 10.90.3.2', machines[1]);
    }
  });
});
