// Where the fields of each family's address lie, and how long it is.
import { AF_ALG, AF_CAN, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_TIPC, AF_VSOCK, AF_XDP } from '../constants.js';
import { type Layout, layouts } from '../native.js';

const layoutOf = (struct: string) => layouts[struct] as Layout;
const offsetOf = (struct: string, field: string) => (layoutOf(struct).fields[field] as readonly [number, number])[0];

/** Room for an address of any family. */
export const storageSize = layoutOf('sockaddr_storage').size;

const [pathOffset, pathSize] = layoutOf('sockaddr_un').fields.sun_path as readonly [number, number];
/** Of a Unix address: where its path begins, how long that may be, and how long the whole. */
export const unix = { pathOffset, pathSize, size: pathOffset + pathSize };

/** The offset of each field. */
export const fields = {
  inetPort: offsetOf('sockaddr_in', 'sin_port'),
  inetAddress: offsetOf('sockaddr_in', 'sin_addr'),
  inet6Port: offsetOf('sockaddr_in6', 'sin6_port'),
  inet6Flowinfo: offsetOf('sockaddr_in6', 'sin6_flowinfo'),
  inet6Address: offsetOf('sockaddr_in6', 'sin6_addr'),
  inet6ScopeId: offsetOf('sockaddr_in6', 'sin6_scope_id'),
  netlinkPid: offsetOf('sockaddr_nl', 'nl_pid'),
  netlinkGroups: offsetOf('sockaddr_nl', 'nl_groups'),
  packetProtocol: offsetOf('sockaddr_ll', 'sll_protocol'),
  packetIndex: offsetOf('sockaddr_ll', 'sll_ifindex'),
  packetHatype: offsetOf('sockaddr_ll', 'sll_hatype'),
  packetPkttype: offsetOf('sockaddr_ll', 'sll_pkttype'),
  packetHalen: offsetOf('sockaddr_ll', 'sll_halen'),
  packetAddress: offsetOf('sockaddr_ll', 'sll_addr'),
  vsockPort: offsetOf('sockaddr_vm', 'svm_port'),
  vsockCid: offsetOf('sockaddr_vm', 'svm_cid'),
  canIndex: offsetOf('sockaddr_can', 'can_ifindex'),
  canRxId: offsetOf('sockaddr_can', 'can_addr.tp.rx_id'),
  canTxId: offsetOf('sockaddr_can', 'can_addr.tp.tx_id'),
  canName: offsetOf('sockaddr_can', 'can_addr.j1939.name'),
  canPgn: offsetOf('sockaddr_can', 'can_addr.j1939.pgn'),
  canAddr: offsetOf('sockaddr_can', 'can_addr.j1939.addr'),
  tipcAddrtype: offsetOf('sockaddr_tipc', 'addrtype'),
  tipcScope: offsetOf('sockaddr_tipc', 'scope'),
  tipcAddr: offsetOf('sockaddr_tipc', 'addr'),
  xdpFlags: offsetOf('sockaddr_xdp', 'sxdp_flags'),
  xdpIndex: offsetOf('sockaddr_xdp', 'sxdp_ifindex'),
  xdpQueue: offsetOf('sockaddr_xdp', 'sxdp_queue_id'),
  xdpUmem: offsetOf('sockaddr_xdp', 'sxdp_shared_umem_fd'),
  algType: offsetOf('sockaddr_alg', 'salg_type'),
  algFeat: offsetOf('sockaddr_alg', 'salg_feat'),
  algMask: offsetOf('sockaddr_alg', 'salg_mask'),
  algName: offsetOf('sockaddr_alg', 'salg_name'),
};

/** How long an address of the family is, where all are equally long. */
export const sizes = {
  inet: layoutOf('sockaddr_in').size,
  inet6: layoutOf('sockaddr_in6').size,
  netlink: layoutOf('sockaddr_nl').size,
  packet: layoutOf('sockaddr_ll').size,
  vsock: layoutOf('sockaddr_vm').size,
  can: layoutOf('sockaddr_can').size,
  tipc: layoutOf('sockaddr_tipc').size,
  xdp: layoutOf('sockaddr_xdp').size,
  alg: layoutOf('sockaddr_alg').size,
};

/** The same, by family. */
export const sizeOfFamily = new Map([
  [AF_INET, sizes.inet],
  [AF_INET6, sizes.inet6],
  [AF_NETLINK, sizes.netlink],
  [AF_PACKET, sizes.packet],
  [AF_VSOCK, sizes.vsock],
  [AF_CAN, sizes.can],
  [AF_TIPC, sizes.tipc],
  [AF_XDP, sizes.xdp],
  [AF_ALG, sizes.alg],
]);
