// examples/teleport's server of an echo, on Socket or, with the word `net`, on node:net.
import { Peer } from '../../examples/teleport/peer.js';
import { announce } from '../harness/server.js';
import { useNodeNet } from '../peers/net-socket.js';

if (process.argv[2] === 'net') useNodeNet();
const server = new Peer({ calls: { '/echo': (body: unknown) => body } });
const listener = await server.listen({ host: '127.0.0.1', port: 0 });
announce(listener.localAddress?.port ?? 0);
