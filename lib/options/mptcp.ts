// Options of Multipath TCP: RFC 8684.
import { SOL_MPTCP } from '../constants.js';
import { type Content, contentOf, type Holding, list, type Out } from '../structs/content.js';
import { mptcp_info, mptcp_subflow_addrs, mptcp_subflow_data } from '../structs/mptcp.js';
import { tcp_info } from '../structs/tcp-info.js';
import { optionsOf, readable } from './option.js';

// A header, which tells the kernel how large an element is here, and an element for each path: 255 at most. In the answer
// the header says how large they are in it: as here, or smaller, if the kernel is older than its struct.
function perSubflow<H extends Holding & { size: number }>(element: H): Content<Out<H>[], never> {
  const { type, room } = list(element, 255);
  const { decode } = contentOf(element);
  const header = { size_subflow_data: mptcp_subflow_data.size, size_user: element.size };
  return {
    type: `struct mptcp_subflow_data and ${type}`,
    room: mptcp_subflow_data.size + room,
    question: new mptcp_subflow_data(header).bytes,
    decode(bytes) {
      const { size_user: size = 0 } = new mptcp_subflow_data(bytes);
      const elements = bytes.subarray(mptcp_subflow_data.size);
      const paths = size > 0 ? Math.floor(elements.length / size) : 0;
      return Array.from({ length: paths }, (_, i) => decode(elements.subarray(i * size, (i + 1) * size)));
    },
    encode: (value) => value,
  };
}

export const mptcpOptions = optionsOf(SOL_MPTCP, {
  MPTCP_INFO: readable(mptcp_info),
  MPTCP_TCPINFO: readable(perSubflow(tcp_info)),
  MPTCP_SUBFLOW_ADDRS: readable(perSubflow(mptcp_subflow_addrs)),
});
