"""A TCP echo server on Python's asyncio, by its Protocol class, the fastest door that asyncio has."""

import asyncio
import gc
import json
import socket
import sys


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


def collect():
    if sys.stdin.readline():
        gc.collect()
        print("{}", flush=True)


async def main():
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    server = await loop.create_server(Echo, sock=listener)
    loop.add_reader(sys.stdin, collect)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    await server.serve_forever()


asyncio.run(main())
