// Classic BPF: the programs of SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF and PACKET_FANOUT_DATA.
import { integer } from '../values.js';
import { struct, uint } from './struct.js';

/**
 * One instruction of classic BPF. A program is an array of them; see BPF_STMT and BPF_JUMP.
 * @see socket(7), bpf(4) of BSD
 */
export class sock_filter extends struct('sock_filter', {
  /** What to do: a class (BPF_LD, BPF_JMP, BPF_RET, ...) or-ed with its size, mode, operation and source. */
  code: uint,
  /** How many instructions a jump skips if its condition holds, 0 to 255. */
  jt: uint,
  /** How many it skips if not. */
  jf: uint,
  /** The operand, 32 bits. */
  k: uint,
}) {}

// Negative offsets reach what the kernel knows of a packet: SKF_AD_OFF and on.
const operand = (k: number) => integer('k', k, -(2 ** 31), 2 ** 32 - 1) >>> 0;

/**
 * `BPF_STMT(code, k)`: an instruction that does not jump. `BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12)`
 * @param code a class (BPF_LD, BPF_RET, ...) or-ed with its size, mode, operation and source
 * @param k its operand, 32 bits, signed or not
 * @returns the instruction
 * @throws RangeError a number that does not fit
 * @see socket(7), SO_ATTACH_FILTER
 */
export function BPF_STMT(code: number, k: number): sock_filter {
  return new sock_filter({ code, k: operand(k) });
}

/**
 * `BPF_JUMP(code, k, jt, jf)`: a jump. `BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 1)`
 * @param code BPF_JMP or-ed with its condition and source
 * @param k its operand, 32 bits, signed or not
 * @param jt how many instructions to skip if the condition holds, 0 to 255
 * @param jf how many if not, 0 to 255
 * @returns the instruction
 * @throws RangeError a number that does not fit
 * @see socket(7), SO_ATTACH_FILTER
 */
export function BPF_JUMP(code: number, k: number, jt: number, jf: number): sock_filter {
  return new sock_filter({ code, k: operand(k), jt, jf });
}
