// Socket addresses.
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  AF_VSOCK,
  if_indextoname,
  SockAddr,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_ll,
  sockaddr_nl,
  sockaddr_vm,
} from '../../index.js';
import { addressFamilies, etherTypes, Family, hardwareTypes, packetTypes } from './families.js';
import { hexDigits, list, named, number, pointer, quoted, type Shown, struct } from './notation.js';

type Fields = Record<string, Shown>;
const vsockPorts = new Family('VMADDR_PORT_');
const vsockMachines = new Family('VMADDR_CID_');
const sizes: Readonly<Record<number, number>> = {
  [AF_INET]: sockaddr_in('0.0.0.0', 0).length,
  [AF_INET6]: sockaddr_in6('::', 0).length - 4, // the scope came later
  [AF_NETLINK]: sockaddr_nl(0, 0).length,
  [AF_PACKET]: sockaddr_ll(0, 0).length,
  [AF_VSOCK]: sockaddr_vm(0, 0).length,
};

/** A port, which lies in network byte order. */
export function port(value: number): Shown {
  return named(`htons(${value})`, value);
}

/** An IPv4 address. */
export function inet(address: string): Shown {
  return named(`inet_addr("${address}")`, address);
}

/** An IPv6 address in a field of this name. */
export function inet6(address: string, field: string): Shown {
  return { text: `inet_pton(AF_INET6, "${address}", &${field})`, json: address, namesItself: true };
}

/** An interface by the name that its index has now. */
export function interfaceIndex(index: number): Shown {
  try {
    return index === 0 ? number(0) : named(`if_nametoindex("${if_indextoname(index)}")`, index);
  } catch {
    return number(index); // it is gone
  }
}

function unixFields(address: SockAddr): Fields {
  const path = address.pathBytes as Uint8Array;
  const { text, json } = path[0] === 0 ? quoted(path.subarray(1), path.length) : quoted(path, path.length);
  return { sun_path: path[0] === 0 ? named(`@${text}`, `@${json}`) : named(text, json) };
}

function inet6Fields(address: SockAddr): Fields {
  const text = address.address as string;
  const local = /^(fe[89ab].|ff.2):/i.test(text);
  const scope = address.scopeId;
  return {
    sin6_port: port(address.port as number),
    sin6_flowinfo: named(`htonl(${address.flowinfo})`, address.flowinfo as number),
    sin6_addr: inet6(text, 'sin6_addr'),
    ...(scope !== undefined && { sin6_scope_id: local ? interfaceIndex(scope) : number(scope) }),
  };
}

function packetFields(address: SockAddr): Fields {
  const hardware = (address.address as string).split(':').filter((byte) => byte !== '');
  return {
    sll_protocol: etherType(address.protocol as number),
    sll_ifindex: interfaceIndex(address.ifindex as number),
    sll_hatype: hardwareTypes.choice(address.hatype as number),
    sll_pkttype: packetTypes.choice(address.pkttype as number),
    sll_halen: number(hardware.length),
    ...(hardware.length > 0 && {
      sll_addr: {
        text: list(hardware.map((byte) => named(byte === '00' ? byte : `0x${byte.replace(/^0/, '')}`))).text,
        json: address.address as string,
      },
    }),
  };
}

/** A protocol of link-layer frames, given in host byte order. */
export function etherType(protocol: number): Shown {
  const { text, json } = etherTypes.choice(protocol);
  return named(`htons(${text})`, json);
}

function vsockFields(bytes: Uint8Array, address: SockAddr): Fields {
  const [cid, vsockPort] = [address.cid as number, address.port as number];
  return {
    svm_cid: named(vsockMachines.nameOf(cid) ?? hexDigits(cid), cid),
    svm_port: named(vsockPorts.nameOf(vsockPort) ?? hexDigits(vsockPort), vsockPort),
    svm_flags: number(bytes[12] as number),
  };
}

function fields(bytes: Uint8Array, address: SockAddr): Fields {
  if (bytes.length >= (sizes[address.family] ?? 3)) {
    switch (address.family) {
      case AF_UNIX:
        return unixFields(address);
      case AF_INET:
        return { sin_port: port(address.port as number), sin_addr: inet(address.address as string) };
      case AF_INET6:
        return inet6Fields(address);
      case AF_NETLINK:
        return {
          nl_pid: number(address.pid as number),
          nl_groups: named(groupBits(address.groups as number), address.groups as number),
        };
      case AF_PACKET:
        return packetFields(address);
      case AF_VSOCK:
        return vsockFields(bytes, address);
    }
  }
  return { sa_data: quoted(bytes.subarray(2), bytes.length) };
}

function groupBits(groups: number): string {
  return groups === 0 ? '00000000' : `0x${groups.toString(16).padStart(6, '0')}`;
}

/**
 * `{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}`
 * @param name what to write for one that is too short to have a family
 */
export function sockaddr(bytes: Uint8Array, name: string): Shown {
  if (bytes.length < 2) return pointer(name);
  const address = SockAddr.from(bytes.subarray(0, new SockAddr().storage.length));
  const family = addressFamilies.choice(address.family);
  return struct({ sa_family: family, ...(bytes.length > 2 && fields(bytes, address)) });
}
