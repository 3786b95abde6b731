/**
 * posix-sockets/testing: what authors of network tests write again and again. Each helper says what the program under
 * test will see.
 *
 * - `pairs.ts`: two ends that are connected · `peers.ts`: servers that misbehave
 * - `namespace.ts`: a network of one's own · `link.ts`: a bad link
 * @module
 */
export { type Impairment, impairLink } from './link.js';
export { type NamespaceProgram, withNetworkNamespace } from './namespace.js';
export { freePort, tcpPair, udpPair, unixPair } from './pairs.js';
export {
  blackHole,
  dribblingPeer,
  fullBacklog,
  halfClosingPeer,
  resettingPeer,
  stallingPeer,
  type TestPeer,
} from './peers.js';
