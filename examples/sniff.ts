// `node dist/examples/sniff.js INTERFACE PORT [COUNT]`: shows who sends UDP over IPv4 to a port, as tcpdump(8) does.
// With `-ddd` for the interface it only prints its filter, as `tcpdump -ddd` prints what it compiles.
//
// A packet socket is handed every packet of the machine. The filter runs in the kernel, on each, and what it turns down
// never reaches this program: that is why a sniffer can watch one port of a busy machine. See packet(7), socket(7).
import {
  AF_PACKET,
  BPF_ABS,
  BPF_B,
  BPF_H,
  BPF_IND,
  BPF_JEQ,
  BPF_JMP,
  BPF_JSET,
  BPF_JUMP,
  BPF_K,
  BPF_LD,
  BPF_LDX,
  BPF_MSH,
  BPF_RET,
  BPF_STMT,
  ETH_P_ALL,
  ETH_P_IP,
  IPPROTO_UDP,
  if_nametoindex,
  SOCK_RAW,
  Socket,
  type sock_filter,
  sockaddr_ll,
} from 'posix-sockets';

// Where things are: 14 bytes of Ethernet, and an IPv4 header of at least 20.
const ethernet = 14;
const at = {
  etherType: 12,
  fragment: ethernet + 6,
  protocol: ethernet + 9,
  source: ethernet + 12,
  target: ethernet + 16,
};

/** `ip and udp dst port PORT`. A jump says how many instructions to skip if its condition holds, and if not. */
function udpTo(port: number): sock_filter[] {
  return [
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, at.etherType),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 8),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, at.protocol),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
    // Only the first fragment has ports: the 13 bits of the offset must be zero.
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, at.fragment),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
    // X becomes the length of the IPv4 header, which may carry options: four times the low half of its first byte.
    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, ethernet),
    BPF_STMT(BPF_LD | BPF_H | BPF_IND, ethernet + 2),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0x40000), // take it, up to so many bytes
    BPF_STMT(BPF_RET | BPF_K, 0), // take nothing of it
  ];
}

const [device, port = '', count = 'Infinity'] = process.argv.slice(2);
if (device === undefined || !(Number(port) > 0) || !(Number(count) > 0)) {
  console.error('usage: node dist/examples/sniff.js INTERFACE|-ddd PORT [COUNT]');
  process.exit(2);
}
const filter = udpTo(Number(port));
if (device === '-ddd') {
  console.log(filter.length);
  for (const { code, jt, jf, k } of filter) console.log(code, jt, jf, k);
  process.exit();
}

// Protocol 0 receives nothing: so no packet slips in before the filter is there. Only bind turns the tap on.
using socket = new Socket(AF_PACKET, SOCK_RAW, 0);
socket.option('SO_ATTACH_FILTER', filter);
// On loopback every packet passes twice, out and in. Once is enough.
if (device === 'lo') socket.option('PACKET_IGNORE_OUTGOING', true);
socket.bind(sockaddr_ll(ETH_P_ALL, if_nametoindex(device)));
console.log(`listening on ${device}`);

const dotted = (bytes: Uint8Array) => bytes.join('.');
const frame = Buffer.alloc(65536);
for (let seen = 0; seen < Number(count); seen++) {
  await socket.recv(frame);
  const udp = ethernet + ((frame[ethernet] ?? 0) & 0xf) * 4;
  const from = `${dotted(frame.subarray(at.source, at.source + 4))}.${frame.readUInt16BE(udp)}`;
  const to = `${dotted(frame.subarray(at.target, at.target + 4))}.${frame.readUInt16BE(udp + 2)}`;
  console.log(`IP ${from} > ${to}: UDP, length ${frame.readUInt16BE(udp + 4) - 8}`);
}
