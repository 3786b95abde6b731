// `node dist/examples/network.js`: the interfaces, routes and TCP sockets of this machine, as `ip` and `ss` show them.
//
// Neither reads files for that, and nothing is run here: netlink is a socket, and the kernel is its peer. A question is
// a message, the answer as many messages as there are things to tell of. See netlink(7), rtnetlink(7), sock_diag(7).
import { AF_INET, IFF_UP, RT_TABLE_MAIN } from 'posix-sockets';
import { type Link, listAddresses, listInetSockets, listLinks, listRoutes } from 'posix-sockets/netlink';

// By their numbers, from 0 on: as ip(8) calls what became of a link, and ss(8) a socket.
const operStates = 'UNKNOWN NOTPRESENT DOWN LOWERLAYERDOWN TESTING DORMANT UP'.split(' ');
const tcpStates =
  '- ESTAB SYN-SENT SYN-RECV FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT UNCONN CLOSE-WAIT LAST-ACK LISTEN CLOSING'.split(' ');

function table(title: string, rows: (string | number | undefined)[][]): void {
  const cells = rows.map((row) => row.map((cell) => String(cell ?? '-')));
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  console.log(`\n${title}`);
  for (const row of cells) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
    console.log(line.trimEnd());
  }
}

if (process.argv.length > 2) {
  console.error('usage: node dist/examples/network.js');
  process.exit(2);
}
const links = listLinks();
const addresses = listAddresses();
const addressesOf = ({ index }: Link) =>
  addresses
    .filter((address) => address.index === index)
    .map(({ local, prefixLength }) => `${local}/${prefixLength}`)
    .join(' ');
const nameOf = (index: number | undefined) => links.find((link) => link.index === index)?.name;

table('Interfaces', [
  ['name', 'up', 'state', 'MTU', 'hardware address', 'addresses'],
  ...links.map((link) => [
    link.name,
    link.flags & IFF_UP ? 'yes' : 'no',
    operStates[link.operstate ?? 0],
    link.mtu,
    link.address,
    addressesOf(link) || '-',
  ]),
]);

table('IPv4 routes, main table', [
  ['to', 'by way of', 'interface', 'from', 'metric'],
  ...listRoutes(AF_INET)
    .filter((route) => route.table === RT_TABLE_MAIN)
    // Packets may have several ways to one place: a line for each.
    .flatMap((route) =>
      (route.nextHops.length > 0 ? route.nextHops : [route]).map(({ gateway, outInterface }) => [
        route.destination === undefined ? 'default' : `${route.destination}/${route.prefixLength}`,
        gateway,
        nameOf(outInterface),
        route.preferredSource,
        route.priority,
      ]),
    ),
]);

table('TCP sockets', [
  ['state', 'to read', 'unacknowledged', 'local', 'remote', 'inode', 'RTT in us'],
  ...listInetSockets().map((one) => [
    tcpStates[one.state],
    one.receiveQueue,
    one.sendQueue,
    `${one.local}`,
    `${one.remote}`,
    one.inode,
    one.info?.tcpi_rtt,
  ]),
]);
