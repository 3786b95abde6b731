// What the options of SCTP do that a value read back would not show.
import { writeFileSync } from 'node:fs';
import {
  accept,
  bind,
  ControlBuffer,
  connect,
  getOption,
  getpeername,
  getsockname,
  listen,
  MSG_DONTWAIT,
  MSG_NOTIFICATION,
  MsgHdr,
  type OptionInput,
  recv,
  recvmsg,
  SCTP_ACTIVE,
  SCTP_ASSOC_CHANGE,
  SCTP_ASSOC_RESET_EVENT,
  SCTP_AUTH_HMAC_ID_SHA1,
  SCTP_AUTH_HMAC_ID_SHA256,
  SCTP_COMM_UP,
  SCTP_ESTABLISHED,
  SCTP_PEER_ADDR_CHANGE,
  SCTP_PR_SCTP_PRIO,
  SCTP_SS_PRIO,
  SCTP_STREAM_CHANGE_EVENT,
  SCTP_STREAM_RESET_EVENT,
  SCTP_STREAM_RESET_OUTGOING,
  SOCK_NONBLOCK,
  type SockAddr,
  SPP_HB_ENABLE,
  sctp_assoc_change,
  sctp_assoc_reset_event,
  sctp_authkey,
  sctp_event,
  type sctp_prstatus,
  sctp_reset_streams,
  sctp_stream_change_event,
  sctp_stream_reset_event,
  sctpNotification,
  send,
  sendmsg,
  setOption,
  sockaddr_in,
} from 'posix-sockets';
import { expect } from 'vitest';
import { bytes, errorOf, isRoot, opened } from '../support.js';
import type { Exercises } from './exercise.js';
import { lacks, places } from './places.js';

type Setup = (fd: number) => void;
const nothing: Setup = () => {};
const patience = { tv_sec: 5 };

/** Binds a socket to two addresses of one port. */
function withTwoAddresses(fd: number): SockAddr[] {
  bind(fd, sockaddr_in('127.0.0.1', 0));
  const at = [getsockname(fd), sockaddr_in('127.0.0.2', getsockname(fd).port as number)];
  setOption(fd, 'SCTP_SOCKOPT_BINDX_ADD', at.slice(1));
  return at;
}

/** A socket that listens at two addresses of one port. */
function listening(setup: Setup = nothing, place: 'sctp' | 'sctpMany' = 'sctp'): { fd: number; at: SockAddr[] } {
  const fd = places[place]();
  setup(fd);
  setOption(fd, 'SO_RCVTIMEO', patience);
  const at = withTwoAddresses(fd);
  listen(fd, 4);
  return { fd, at };
}

/** A connection, made after both of its ends were set up. */
function connected(setup: Setup = nothing): { client: number; server: number; at: SockAddr[] } {
  const listener = listening(setup);
  const client = places.sctp();
  setup(client);
  setOption(client, 'SO_RCVTIMEO', patience);
  connect(client, listener.at[0] as SockAddr);
  const server = opened(accept(listener.fd));
  setOption(server, 'SO_RCVTIMEO', patience);
  return { client, server, at: listener.at };
}

/** A one-to-many socket with one association, and its number. */
function withAssociation(): { fd: number; association: number; client: number } {
  const { fd, at } = listening(nothing, 'sctpMany');
  setOption(fd, 'SCTP_RECVRCVINFO', true);
  const client = places.sctp();
  setOption(client, 'SO_RCVTIMEO', patience);
  connect(client, at[0] as SockAddr);
  send(client, bytes('hello'));
  const message = new MsgHdr({ iov: new Uint8Array(8), control: ['SCTP_RCVINFO'] });
  recvmsg(fd, message);
  return { fd, association: message.control?.get('SCTP_RCVINFO')?.rcv_assoc_id as number, client };
}

/** The next notification. */
function notified(fd: number) {
  const iov = new Uint8Array(512);
  const message = new MsgHdr({ iov });
  const length = recvmsg(fd, message);
  expect(message.flags & MSG_NOTIFICATION).toBe(MSG_NOTIFICATION);
  return sctpNotification(iov.subarray(0, length));
}
const wanting = (type: number) => (fd: number) => setOption(fd, 'SCTP_EVENT', { se_type: type, se_on: 1 });

const texts = (addresses: readonly SockAddr[]) => addresses.map(String).sort();
const on = { assoc_value: 1 };

/** The peer may reset streams and add some. */
const changeable: Setup = (fd) => {
  setOption(fd, 'SCTP_RECONFIG_SUPPORTED', on);
  setOption(fd, 'SCTP_ENABLE_STREAM_RESET', { assoc_value: 7 });
};
const authenticated: Setup = (fd) => setOption(fd, 'SCTP_AUTH_SUPPORTED', on);
const DATA = 0; // the type of a chunk: RFC 9260

/** A socket with keys 1 and 2. */
function withKeys(): number {
  const fd = places.sctp();
  authenticated(fd);
  for (const number of [1, 2]) setOption(fd, 'SCTP_AUTH_KEY', sctp_authkey.of(0, number, bytes('secret')));
  return fd;
}
const activate = (fd: number, scact_keynumber: number) => setOption(fd, 'SCTP_AUTH_ACTIVE_KEY', { scact_keynumber });
const cannotActivate = (fd: number, number: number) => expect(errorOf(() => activate(fd, number)).code).toBe('EINVAL');

/** A message that gives way to more important ones. @returns whether there was room for it */
function sendPrior(fd: number, priority: number): boolean {
  const control = ControlBuffer.of({
    SCTP_PRINFO: { pr_policy: SCTP_PR_SCTP_PRIO, pr_value: priority },
    SCTP_SNDINFO: { snd_sid: 1 },
  });
  try {
    return sendmsg(fd, new MsgHdr({ iov: new Uint8Array(1000), control }), MSG_DONTWAIT) === 1000;
  } catch (error) {
    if ((error as { code: string }).code === 'EAGAIN') return false;
    throw error;
  }
}

/** A connection on which a message had to give way, and how that is asked. */
function withOneGivenUp(): number {
  const { client } = connected((fd) => setOption(fd, 'SO_RCVBUF', 5000));
  // While acknowledgements still come, there may be none that can give way.
  for (let tries = 0; tries < 100; tries++) {
    while (sendPrior(client, 100));
    if (sendPrior(client, 1)) return client;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  throw new Error('no message gives way');
}
const sumOf = (status: sctp_prstatus) => status.sprstat_abandoned_unsent + status.sprstat_abandoned_sent;

/** Sets it for all addresses of associations to come, and reads it. */
function readsBack<Name extends ForAddresses>(name: Name, fields: OptionInput<Name> & object, flags = {}) {
  return () => {
    const fd = places.sctp();
    expect(getOption(fd, name).toJSON()).not.toMatchObject(fields);
    setOption(fd, name, { ...fields, ...flags });
    expect(getOption(fd, name).toJSON()).toMatchObject(fields);
  };
}
type ForAddresses =
  | 'SCTP_PEER_ADDR_PARAMS'
  | 'SCTP_PEER_ADDR_THLDS'
  | 'SCTP_PEER_ADDR_THLDS_V2'
  | 'SCTP_REMOTE_UDP_ENCAPS_PORT'
  | 'SCTP_PLPMTUD_PROBE_INTERVAL';

export const sctpExercises: Exercises = {
  SCTP_PEER_ADDR_PARAMS: readsBack(
    'SCTP_PEER_ADDR_PARAMS',
    { spp_hbinterval: 5000, spp_pathmaxrxt: 3 },
    { spp_flags: SPP_HB_ENABLE },
  ),
  SCTP_PEER_ADDR_THLDS: readsBack('SCTP_PEER_ADDR_THLDS', { spt_pathmaxrxt: 4, spt_pathpfthld: 2 }),
  SCTP_PEER_ADDR_THLDS_V2: readsBack('SCTP_PEER_ADDR_THLDS_V2', {
    spt_pathmaxrxt: 4,
    spt_pathpfthld: 2,
    spt_pathcpthld: 3,
  }),
  SCTP_REMOTE_UDP_ENCAPS_PORT: readsBack('SCTP_REMOTE_UDP_ENCAPS_PORT', { sue_port: 9899 }),
  SCTP_PLPMTUD_PROBE_INTERVAL: readsBack('SCTP_PLPMTUD_PROBE_INTERVAL', { spi_interval: 6000 }),

  SCTP_SOCKOPT_BINDX_ADD() {
    const { fd, at } = listening();
    expect(texts(getOption(fd, 'SCTP_GET_LOCAL_ADDRS'))).toEqual(texts(at));
  },
  SCTP_SOCKOPT_BINDX_REM() {
    const { fd, at } = listening();
    setOption(fd, 'SCTP_SOCKOPT_BINDX_REM', at.slice(0, 1));
    expect(texts(getOption(fd, 'SCTP_GET_LOCAL_ADDRS'))).toEqual(texts(at.slice(1)));
  },
  SCTP_GET_LOCAL_ADDRS() {
    const { server, at } = connected();
    expect(texts(getOption(server, 'SCTP_GET_LOCAL_ADDRS', 0))).toEqual(texts(at));
  },
  SCTP_GET_PEER_ADDRS() {
    const { client, at } = connected();
    expect(texts(getOption(client, 'SCTP_GET_PEER_ADDRS'))).toEqual(texts(at));
  },
  SCTP_SOCKOPT_CONNECTX: connects('SCTP_SOCKOPT_CONNECTX'),
  SCTP_SOCKOPT_CONNECTX_OLD: connects('SCTP_SOCKOPT_CONNECTX_OLD'),
  SCTP_PRIMARY_ADDR() {
    const { client, at } = connected();
    for (const ssp_addr of [...at, ...at]) {
      setOption(client, 'SCTP_PRIMARY_ADDR', { ssp_addr });
      expect(`${getOption(client, 'SCTP_PRIMARY_ADDR').ssp_addr}`).toBe(`${ssp_addr}`);
    }
  },
  // The end that connects has two addresses as well, and says to which it wants what the other sends.
  SCTP_SET_PEER_PRIMARY_ADDR() {
    const flexible: Setup = (fd) => {
      authenticated(fd);
      setOption(fd, 'SCTP_ASCONF_SUPPORTED', on);
    };
    const listener = listening(flexible);
    const client = places.sctp();
    flexible(client);
    const at = withTwoAddresses(client);
    connect(client, listener.at[0] as SockAddr);
    const server = opened(accept(listener.fd));
    for (const sspp_addr of [...at, ...at]) {
      setOption(client, 'SCTP_SET_PEER_PRIMARY_ADDR', { sspp_addr });
      expect(`${getOption(server, 'SCTP_PRIMARY_ADDR').ssp_addr}`).toBe(`${sspp_addr}`);
    }
  },
  SCTP_STATUS: () =>
    expect(getOption(connected().client, 'SCTP_STATUS')).toMatchObject({ sstat_state: SCTP_ESTABLISHED }),
  SCTP_GET_PEER_ADDR_INFO() {
    const { client } = connected();
    const info = getOption(client, 'SCTP_GET_PEER_ADDR_INFO', { spinfo_address: getpeername(client) });
    expect(info.spinfo_state).toBe(SCTP_ACTIVE);
    expect(info.spinfo_mtu).toBeGreaterThan(1000);
  },
  SCTP_GET_ASSOC_STATS() {
    const { client, server } = connected();
    send(client, bytes('hello'));
    recv(server, new Uint8Array(8));
    expect(getOption(server, 'SCTP_GET_ASSOC_STATS')).toMatchObject({ sas_iodchunks: 1n, sas_oodchunks: 0n });
    expect(getOption(client, 'SCTP_GET_ASSOC_STATS')).toMatchObject({ sas_iodchunks: 0n, sas_oodchunks: 1n });
  },

  SCTP_GET_ASSOC_NUMBER: () => expect(getOption(withAssociation().fd, 'SCTP_GET_ASSOC_NUMBER')).toBe(1),
  SCTP_GET_ASSOC_ID_LIST() {
    const { fd, association } = withAssociation();
    expect(getOption(fd, 'SCTP_GET_ASSOC_ID_LIST')).toEqual([association]);
  },
  SCTP_SOCKOPT_PEELOFF() {
    const { fd, association: associd, client } = withAssociation();
    const own = opened(getOption(fd, 'SCTP_SOCKOPT_PEELOFF', { associd }).sd);
    send(own, bytes('for you alone'));
    expect(recv(client, new Uint8Array(64))).toBe(13);
  },
  SCTP_SOCKOPT_PEELOFF_FLAGS() {
    const { fd, association: associd } = withAssociation();
    const own = opened(getOption(fd, 'SCTP_SOCKOPT_PEELOFF_FLAGS', { associd, flags: SOCK_NONBLOCK }).sd);
    expect(errorOf(() => recv(own, new Uint8Array(1))).code).toBe('EAGAIN');
  },
  SCTP_AUTO_ASCONF() {
    const fd = places.sctp();
    expect(errorOf(() => setOption(fd, 'SCTP_AUTO_ASCONF', true)).code).toBe('EINVAL'); // not bound to any address
    bind(fd, sockaddr_in('0.0.0.0', 0));
    setOption(fd, 'SCTP_AUTO_ASCONF', true);
    expect(getOption(fd, 'SCTP_AUTO_ASCONF')).toBe(true);
  },

  SCTP_EVENTS() {
    const { fd, at } = listening((each) => setOption(each, 'SCTP_EVENTS', { sctp_association_event: 1 }), 'sctpMany');
    expect(getOption(fd, 'SCTP_EVENTS')).toMatchObject({ sctp_association_event: 1, sctp_shutdown_event: 0 });
    begins(fd, at);
  },
  SCTP_EVENT() {
    const { fd, at } = listening(wanting(SCTP_ASSOC_CHANGE), 'sctpMany');
    expect(getOption(fd, 'SCTP_EVENT', new sctp_event({ se_type: SCTP_ASSOC_CHANGE })).se_on).toBe(1);
    expect(getOption(fd, 'SCTP_EVENT', { se_type: SCTP_PEER_ADDR_CHANGE }).se_on).toBe(0);
    begins(fd, at);
  },

  SCTP_AUTH_CHUNK() {
    const fd = places.sctp();
    expect(errorOf(() => setOption(fd, 'SCTP_AUTH_CHUNK', { sauth_chunk: DATA })).code).toBe('EACCES');
    authenticated(fd);
    setOption(fd, 'SCTP_AUTH_CHUNK', { sauth_chunk: DATA });
    expect(getOption(fd, 'SCTP_LOCAL_AUTH_CHUNKS')).toContain(DATA);
  },
  SCTP_LOCAL_AUTH_CHUNKS() {
    const fd = places.sctp();
    authenticated(fd);
    for (const sauth_chunk of [7, DATA]) setOption(fd, 'SCTP_AUTH_CHUNK', { sauth_chunk });
    expect([...getOption(fd, 'SCTP_LOCAL_AUTH_CHUNKS', 0)]).toEqual([7, DATA]);
  },
  SCTP_PEER_AUTH_CHUNKS() {
    const { client } = connected((fd) => {
      authenticated(fd);
      setOption(fd, 'SCTP_AUTH_CHUNK', { sauth_chunk: DATA });
    });
    expect([...getOption(client, 'SCTP_PEER_AUTH_CHUNKS')]).toEqual([DATA]);
  },
  SCTP_HMAC_IDENT() {
    const fd = places.sctp();
    authenticated(fd);
    for (const order of [
      [SCTP_AUTH_HMAC_ID_SHA256, SCTP_AUTH_HMAC_ID_SHA1],
      [SCTP_AUTH_HMAC_ID_SHA1, SCTP_AUTH_HMAC_ID_SHA256],
    ]) {
      setOption(fd, 'SCTP_HMAC_IDENT', order);
      expect(getOption(fd, 'SCTP_HMAC_IDENT')).toEqual(order);
    }
  },
  SCTP_AUTH_KEY: () => activate(withKeys(), 2),
  SCTP_AUTH_ACTIVE_KEY() {
    const fd = withKeys();
    cannotActivate(fd, 3);
    activate(fd, 2);
    expect(getOption(fd, 'SCTP_AUTH_ACTIVE_KEY').scact_keynumber).toBe(2);
  },
  SCTP_AUTH_DELETE_KEY() {
    const fd = withKeys();
    setOption(fd, 'SCTP_AUTH_DELETE_KEY', { scact_keynumber: 1 });
    cannotActivate(fd, 1);
  },
  SCTP_AUTH_DEACTIVATE_KEY() {
    const fd = withKeys();
    setOption(fd, 'SCTP_AUTH_DEACTIVATE_KEY', { scact_keynumber: 1 });
    cannotActivate(fd, 1);
  },

  SCTP_PR_ASSOC_STATUS() {
    const client = withOneGivenUp();
    const status = getOption(client, 'SCTP_PR_ASSOC_STATUS', { sprstat_policy: SCTP_PR_SCTP_PRIO });
    expect(sumOf(status)).toBeGreaterThan(0n);
  },
  SCTP_PR_STREAM_STATUS() {
    const client = withOneGivenUp();
    const given = (sprstat_sid: number) =>
      sumOf(getOption(client, 'SCTP_PR_STREAM_STATUS', { sprstat_sid, sprstat_policy: SCTP_PR_SCTP_PRIO }));
    expect(given(0)).toBe(0n);
    expect(given(1)).toBeGreaterThan(0n);
  },
  SCTP_RESET_STREAMS() {
    const { client, server } = connected(changeable);
    setOption(server, 'SCTP_RECVRCVINFO', true);
    const numberOf = () => {
      const control = ControlBuffer.of({ SCTP_SNDINFO: { snd_sid: 1 } });
      sendmsg(client, new MsgHdr({ iov: bytes('hello'), control }));
      const message = new MsgHdr({ iov: new Uint8Array(8), control: ['SCTP_RCVINFO'] });
      recvmsg(server, message);
      return message.control?.get('SCTP_RCVINFO')?.rcv_ssn;
    };
    expect([numberOf(), numberOf()]).toEqual([0, 1]);
    wanting(SCTP_STREAM_RESET_EVENT)(client);
    setOption(client, 'SCTP_RESET_STREAMS', sctp_reset_streams.of(0, SCTP_STREAM_RESET_OUTGOING, [1]));
    const event = notified(client);
    expect(event).toBeInstanceOf(sctp_stream_reset_event);
    expect((event as sctp_stream_reset_event).strreset_stream_list).toEqual([1]);
    expect(numberOf()).toBe(0);
  },
  SCTP_RESET_ASSOC() {
    const { client } = connected(changeable);
    wanting(SCTP_ASSOC_RESET_EVENT)(client);
    setOption(client, 'SCTP_RESET_ASSOC', 0);
    const event = notified(client);
    expect(event).toBeInstanceOf(sctp_assoc_reset_event);
    expect((event as sctp_assoc_reset_event).assocreset_local_tsn).toBeGreaterThan(0);
  },
  SCTP_ADD_STREAMS() {
    const { client } = connected(changeable);
    const before = getOption(client, 'SCTP_STATUS').sstat_outstrms;
    wanting(SCTP_STREAM_CHANGE_EVENT)(client);
    setOption(client, 'SCTP_ADD_STREAMS', { sas_outstrms: 3 });
    const event = notified(client);
    expect(event).toBeInstanceOf(sctp_stream_change_event);
    expect(event).toMatchObject({ strchange_outstrms: 3, strchange_instrms: 0 });
    expect(getOption(client, 'SCTP_STATUS').sstat_outstrms).toBe(before + 3);
  },
  SCTP_STREAM_SCHEDULER_VALUE() {
    const { client } = connected();
    setOption(client, 'SCTP_STREAM_SCHEDULER', { assoc_value: SCTP_SS_PRIO });
    setOption(client, 'SCTP_STREAM_SCHEDULER_VALUE', { stream_id: 2, stream_value: 5 });
    const priorityOf = (stream_id: number) =>
      getOption(client, 'SCTP_STREAM_SCHEDULER_VALUE', { stream_id }).stream_value;
    expect([priorityOf(1), priorityOf(2)]).toEqual([0, 5]);
  },
  SCTP_INTERLEAVING_SUPPORTED() {
    const fd = places.sctp();
    if (!isRoot) lacks('needs root');
    writeFileSync('/proc/sys/net/sctp/intl_enable', '1');
    setOption(fd, 'SCTP_FRAGMENT_INTERLEAVE', true);
    expect(getOption(fd, 'SCTP_INTERLEAVING_SUPPORTED').assoc_value).toBe(0);
    setOption(fd, 'SCTP_INTERLEAVING_SUPPORTED', on);
    expect(getOption(fd, 'SCTP_INTERLEAVING_SUPPORTED').assoc_value).toBe(1);
  },
};

function connects(name: 'SCTP_SOCKOPT_CONNECTX' | 'SCTP_SOCKOPT_CONNECTX_OLD') {
  return () => {
    const { at } = listening();
    const client = places.sctp();
    setOption(client, name, at);
    expect(getOption(client, 'SCTP_STATUS').sstat_state).toBe(SCTP_ESTABLISHED);
    expect(texts(getOption(client, 'SCTP_GET_PEER_ADDRS'))).toEqual(texts(at));
  };
}

/** A socket that wants to know of associations is told of one. */
function begins(fd: number, at: SockAddr[]): void {
  connect(places.sctp(), at[0] as SockAddr);
  const event = notified(fd);
  expect(event).toBeInstanceOf(sctp_assoc_change);
  expect(event).toMatchObject({ sac_state: SCTP_COMM_UP });
}
