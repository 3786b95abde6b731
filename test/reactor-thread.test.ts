// The reactor as Bun and Deno have it: by a thread. The variable is read when the package is loaded.
process.env.POSIX_SOCKETS_REACTOR = 'thread';
await import('./reactor-suite.js');
