// A TCP echo server on node:net.
import { type AddressInfo, createServer } from 'node:net';
import { announce, collectOnRequest } from '../harness/server.js';

const server = createServer({ noDelay: true }, (connection) => {
  connection.on('data', (bytes) => {
    if (connection.write(bytes)) return;
    connection.pause();
    connection.once('drain', () => connection.resume());
  });
  connection.on('error', () => connection.destroy());
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  announce((server.address() as AddressInfo).port);
  collectOnRequest();
});
