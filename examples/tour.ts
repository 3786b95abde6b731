// `npm start`: one conversation over TCP, then the same over a Unix socket, call by call. Each line is what strace
// would print, who made the call before it and what it did to the kernel under it.
//
// Both ends live in this process. A worker thread makes the server's calls that wait, so that the client can go on.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MessagePort, parentPort, Worker } from 'node:worker_threads';
import {
  AF_INET,
  accept,
  bind,
  close,
  connect,
  getpeername,
  getsockname,
  getsockopt,
  IPPROTO_TCP,
  listen,
  recv,
  SHUT_WR,
  SOCK_STREAM,
  SockAddr,
  send,
  shutdown,
  sockaddr_in,
  sockaddr_un,
  socket,
  TCP_CLOSE,
  TCP_CLOSE_WAIT,
  TCP_CLOSING,
  TCP_ESTABLISHED,
  TCP_FIN_WAIT1,
  TCP_FIN_WAIT2,
  TCP_INFO,
  TCP_LAST_ACK,
  TCP_LISTEN,
  TCP_SYN_RECV,
  TCP_SYN_SENT,
  TCP_TIME_WAIT,
  tcp_info,
  terminate,
} from 'posix-sockets';

/** What happened in the kernel, in the order of the calls. */
const notes = {
  TCP: {
    socket: 'An endpoint, and a number for it. It speaks TCP, has no address and no peer.',
    bind: 'The endpoint has a name now. Port 0 let the kernel choose a free one:',
    getsockname: 'this one.',
    listen: 'The kernel itself now answers those who connect, and lets 8 of them (and one more) wait for accept.',
    acceptWaits: 'Nobody waits yet, so the thread sleeps inside the call.',
    client: 'The client makes an endpoint of its own. The listener is not part of the conversation.',
    connect: 'SYN, SYN+ACK, ACK: the kernel shook hands for the server and gave the client a port.',
    accept: 'A new endpoint for this one conversation; the listener listens on, with the same port.',
    recvWaits: 'Connected, and nothing to read yet: the thread sleeps.',
    recvAgain: 'The server asks for more, and sleeps.',
    send: 'The kernel copied the bytes into a segment and sent it. That is no proof that anybody read them.',
    recv: 'The bytes woke the sleeping thread.',
    reply: 'The same connection carries bytes the other way.',
    answer: 'They lay in the receive buffer already, so this call did not wait.',
    shutdown: 'FIN: the client has no more to say, but can still listen. Half of the connection is closed.',
    end: 'Zero bytes mean the end of the stream. Only now does the program learn of the FIN.',
    close:
      'FIN the other way, and all is said. The kernel keeps the address pair in TIME_WAIT for a minute, without us.',
    closed: 'A number given back: the next endpoint may get it.',
  },
  Unix: {
    socket: 'The same call with another family: an endpoint that stays inside this machine.',
    bind: 'The name is a path, and a file of type socket now stands there. Its permissions say who may connect.',
    getsockname: 'The name as it was given: there is no port.',
    listen: 'The same queue: whoever finds it full does not get lost but waits, or is told EAGAIN.',
    acceptWaits: 'Again the thread sleeps inside the call.',
    client: 'The client needs no name: it stays unnamed.',
    connect: 'No packet was sent: the kernel joined the two endpoints in its memory.',
    accept: "The peer's address has a family and nothing else, for the client is unnamed.",
    recvWaits: 'Nothing to read yet: the thread sleeps.',
    recvAgain: 'The server asks for more, and sleeps.',
    send: "The bytes went straight into the other end's queue: no segment, no checksum, no acknowledgement.",
    recv: 'The bytes woke the sleeping thread.',
    reply: 'The other way, just the same.',
    answer: 'They were there already.',
    shutdown: 'Half of the connection is closed, as with TCP; no FIN had to travel.',
    end: 'Zero bytes mean the end of the stream.',
    close: 'Gone at once: two ends in one kernel need no TIME_WAIT.',
    closed: 'A number given back. The file of the socket stays until somebody removes it.',
  },
};

/** What the worker does: recv and accept for the main thread, one at a time. */
function waitingCalls(port: MessagePort): void {
  port.on('message', ([call, fd]: ['accept' | 'recv', number]) => {
    if (call === 'accept') {
      const peer = new SockAddr();
      port.postMessage({ result: accept(fd, peer), bytes: peer.bytes });
    } else {
      const buffer = new Uint8Array(64);
      const result = recv(fd, buffer);
      port.postMessage({ result, bytes: buffer.subarray(0, result) });
    }
  });
}

interface Answer {
  result: number;
  bytes: Uint8Array;
}

/** Begins a call in the worker, which answers when the call returns. */
async function inWorker(worker: Worker, call: 'accept' | 'recv', fd: number): Promise<Answer> {
  worker.postMessage([call, fd]);
  const [answer] = await once(worker, 'message');
  return answer as Answer;
}

/** An address as strace prints it. */
function struct(address: SockAddr): string {
  if (address.family === AF_INET) {
    return `{sa_family=AF_INET, sin_port=htons(${address.port}), sin_addr=inet_addr("${address.address}")}`;
  }
  return address.path === '' ? '{sa_family=AF_UNIX}' : `{sa_family=AF_UNIX, sun_path="${address.path}"}`;
}

const states = Object.entries({
  TCP_ESTABLISHED,
  TCP_SYN_SENT,
  TCP_SYN_RECV,
  TCP_FIN_WAIT1,
  TCP_FIN_WAIT2,
  TCP_TIME_WAIT,
  TCP_CLOSE,
  TCP_CLOSE_WAIT,
  TCP_LAST_ACK,
  TCP_LISTEN,
  TCP_CLOSING,
});

function state(fd: number): string {
  const info = new tcp_info();
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, info);
  const [name] = states.find(([, value]) => value === info.tcpi_state) ?? [`${info.tcpi_state}`];
  return name.replace('TCP_', '');
}

/** One row of the table at the end. */
interface End {
  end: string;
  protocol: string;
  local: SockAddr;
  remote: SockAddr;
}

async function conversation(protocol: 'TCP' | 'Unix', name: SockAddr, worker: Worker): Promise<End[]> {
  const note = notes[protocol];
  const family = name.family === AF_INET ? 'AF_INET, SOCK_STREAM, IPPROTO_IP' : 'AF_UNIX, SOCK_STREAM, 0';
  const open = new Map<string, number>(); // the ends whose states are shown

  const print = (who: 'server' | 'client', line: string, what: string) => {
    console.log(`${who}  ${line}\n          ${what}`);
    const now = protocol === 'TCP' ? Array.from(open, ([end, fd]) => `${end} ${state(fd)}`) : [];
    if (now.length > 0) console.log(`          [${now.join(' · ')}]`);
  };
  console.log(`\n${protocol}\n`);

  const listener = socket(name.family, SOCK_STREAM);
  open.set('listener', listener);
  print('server', `socket(${family}) = ${listener}`, note.socket);

  bind(listener, name);
  print('server', `bind(${listener}, ${struct(name)}, ${name.length}) = 0`, note.bind);

  const address = getsockname(listener);
  print('server', `getsockname(${listener}, ${struct(address)}, [128 => ${address.length}]) = 0`, note.getsockname);

  listen(listener, 8);
  print('server', `listen(${listener}, 8) = 0`, note.listen);

  const accepting = inWorker(worker, 'accept', listener);
  print('server', `accept(${listener},  <unfinished ...>`, note.acceptWaits);

  const client = socket(name.family, SOCK_STREAM);
  open.set('client', client);
  print('client', `socket(${family}) = ${client}`, note.client);

  connect(client, address);
  print('client', `connect(${client}, ${struct(address)}, ${address.length}) = 0`, note.connect);

  const accepted = await accepting;
  const connection = accepted.result;
  const peer = SockAddr.from(accepted.bytes);
  open.set('connection', connection);
  print('server', `<... accept resumed>${struct(peer)}, [128 => ${peer.length}]) = ${connection}`, note.accept);

  let receiving = inWorker(worker, 'recv', connection);
  print('server', `recv(${connection},  <unfinished ...>`, note.recvWaits);

  const question = send(client, Buffer.from('Are you there?'));
  print('client', `send(${client}, "Are you there?", 14, 0) = ${question}`, note.send);

  const heard = await receiving;
  print('server', `<... recv resumed>"${Buffer.from(heard.bytes)}", 64, 0) = ${heard.result}`, note.recv);

  const reply = send(connection, Buffer.from('I am.'));
  print('server', `send(${connection}, "I am.", 5, 0) = ${reply}`, note.reply);

  const buffer = Buffer.alloc(64);
  const answer = recv(client, buffer);
  print('client', `recv(${client}, "${buffer.subarray(0, answer)}", 64, 0) = ${answer}`, note.answer);

  const end = protocol === 'TCP' ? 'TCP' : 'Unix stream';
  const ends = [
    { end: 'client', protocol: end, local: getsockname(client), remote: getpeername(client) },
    { end: 'server', protocol: end, local: getsockname(connection), remote: getpeername(connection) },
  ];

  receiving = inWorker(worker, 'recv', connection);
  print('server', `recv(${connection},  <unfinished ...>`, note.recvAgain);

  shutdown(client, SHUT_WR);
  print('client', `shutdown(${client}, SHUT_WR) = 0`, note.shutdown);

  const nothing = await receiving;
  print('server', `<... recv resumed>"", 64, 0) = ${nothing.result}`, note.end);

  close(connection);
  open.delete('connection');
  print('server', `close(${connection}) = 0`, note.close);

  close(client);
  open.delete('client');
  print('client', `close(${client}) = 0`, note.closed);

  close(listener);
  open.delete('listener');
  print('server', `close(${listener}) = 0`, note.closed);
  return ends;
}

/** A conversation is known by five things: the protocol, and the address and port of either end. */
function printTable(ends: End[]): void {
  const port = (address: SockAddr) => String(address.port ?? '-');
  const host = (address: SockAddr) => address.address ?? address.path ?? '';
  const rows = [
    ['', 'protocol', 'local address', 'port', 'remote address', 'port'],
    ...ends.map(({ end, protocol, local, remote }) => {
      return [end, protocol, host(local) || '(unnamed)', port(local), host(remote) || '(unnamed)', port(remote)];
    }),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  console.log('\nThe five things that name each end of these conversations:\n');
  for (const row of rows)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

async function tour(): Promise<void> {
  const worker = new Worker(new URL(import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'tour-'));
  try {
    console.log('Two conversations, call by call. In brackets: the state of each TCP end, as TCP_INFO tells it.');
    printTable([
      ...(await conversation('TCP', sockaddr_in('127.0.0.1', 0), worker)),
      ...(await conversation('Unix', sockaddr_un(join(folder, 'socket')), worker)),
    ]);
  } finally {
    rmSync(folder, { recursive: true });
    await terminate(worker);
  }
}

if (parentPort) waitingCalls(parentPort);
else await tour();
