// `node dist/examples/broadcasts.js [PORT]`: on which interface, and to which address, did it arrive? A DHCP server must
// know, for who asks has no address yet: the question comes from 0.0.0.0 to 255.255.255.255, and only the interface
// tells to which network the client belongs and so which addresses to offer.
//
// The socket is one for all interfaces, and recvfrom would only say from whom. IP_PKTINFO has the kernel tell the rest
// with each datagram, in a control message. See ip(7).
import {
  AF_INET,
  ControlBuffer,
  INADDR_ANY,
  if_indextoname,
  MsgHdr,
  SOCK_DGRAM,
  SockAddr,
  Socket,
  sockaddr_in,
} from 'posix-sockets';

const [port = '67'] = process.argv.slice(2);
if (!(Number(port) > 0)) {
  console.error('usage: node dist/examples/broadcasts.js [PORT]');
  process.exit(2);
}
using socket = new Socket(AF_INET, SOCK_DGRAM);
socket.option('SO_REUSEADDR', true);
socket.option('IP_PKTINFO', true);
// To the wildcard: a socket that is bound to one address gets no broadcasts.
socket.bind(sockaddr_in(INADDR_ANY, Number(port)));
console.log(`listening on ${socket.localAddress}`);

const dhcpTypes = '- DISCOVER OFFER REQUEST DECLINE ACK NAK RELEASE INFORM'.split(' ');

/** What a DHCP client asks, if that is what it is: RFC 2131 section 2, RFC 2132 section 9.6. */
function dhcpQuestion(message: Buffer): string {
  const options = 240; // behind the fixed part and the "magic cookie"
  if (message.length <= options || message.readUInt32BE(236) !== 0x63825363) return `${message.length} bytes`;
  const client = message
    .subarray(28, 34)
    .toString('hex')
    .replace(/..(?!$)/g, '$&:');
  for (let at = options; at + 2 < message.length && message[at] !== 255; ) {
    if (message[at] === 0) at++;
    else if (message[at] === 53) return `DHCP${dhcpTypes[message[at + 2] ?? 0]} of ${client}`;
    else at += 2 + (message[at + 1] ?? 0);
  }
  return `BOOTP of ${client}`;
}

const from = new SockAddr();
const payload = Buffer.alloc(65536);
const control = new ControlBuffer(['IP_PKTINFO']);
for (;;) {
  const length = await socket.recvmsg(new MsgHdr({ name: from, iov: payload, control }));
  const info = control.get('IP_PKTINFO');
  if (info === undefined) continue;
  // ipi_addr is what the header says; ipi_spec_dst which of our own addresses an answer would come from, if any.
  const where = `${if_indextoname(info.ipi_ifindex)} (${info.ipi_spec_dst})`;
  console.log(`${where}: ${from} to ${info.ipi_addr}: ${dhcpQuestion(payload.subarray(0, length))}`);
}
