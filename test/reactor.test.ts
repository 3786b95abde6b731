// The reactor in Node's event loop.
delete process.env.POSIX_SOCKETS_REACTOR;
await import('./reactor-suite.js');
