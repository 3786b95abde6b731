// `node dist/examples/dead-link.js HOST PORT [MILLISECONDS]`: how soon does a program learn that the other end is gone,
// when nobody is left to say so?
//
// On a link that is cut no RST comes back. TCP sends the same bytes again, waiting twice as long each time, and by
// default gives up only after some 15 minutes. TCP_USER_TIMEOUT says for how long bytes may stay without an
// acknowledgement; then the connection ends with ETIMEDOUT. See tcp(7), RFC 5482.
import { setTimeout as sleep } from 'node:timers/promises';
import { Socket, SystemError, setOption, type tcp_info } from 'posix-sockets';

const [host, port, milliseconds = '2000'] = process.argv.slice(2);
if (host === undefined || port === undefined || !(Number(milliseconds) > 0)) {
  console.error('usage: node dist/examples/dead-link.js HOST PORT [MILLISECONDS]');
  process.exit(2);
}
using socket = await Socket.connect(
  { host, port },
  // Set before connect, it also bounds how long the SYN may go unanswered.
  { timeout: 10_000, beforeConnect: (fd) => setOption(fd, 'TCP_USER_TIMEOUT', Number(milliseconds)) },
);
console.log(`connected to ${socket.remoteAddress}`);

function show({ tcpi_unacked, tcpi_retransmits, tcpi_backoff, tcpi_rto, tcpi_last_ack_recv }: tcp_info): void {
  console.log(
    `${tcpi_unacked} segments without an acknowledgement, sent again ${tcpi_retransmits} times (backoff ${tcpi_backoff}), ` +
      `next after ${tcpi_rto / 1000} ms; last heard of the peer ${tcpi_last_ack_recv} ms ago`,
  );
}

try {
  for (let shown = 0; ; ) {
    // send succeeds as long as there is room in the buffer: it says nothing of the peer.
    await socket.send(Buffer.from('.'));
    const info = socket.option('TCP_INFO');
    if (info.tcpi_retransmits !== shown) show(info);
    shown = info.tcpi_retransmits;
    await sleep(20);
  }
} catch (error) {
  // ECONNRESET, EPIPE: the peer is there, and has closed. EHOSTUNREACH: it timed out, and a router has said that it
  // knows no way. ETIMEDOUT: nobody said anything.
  if (!(error instanceof SystemError)) throw error;
  console.log(`${error.code}; last heard of the peer ${socket.option('TCP_INFO').tcpi_last_ack_recv} ms ago`);
}
