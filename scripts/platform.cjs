// Runs before the native build: one clear sentence instead of a page of compiler errors.
if (process.platform !== 'linux') {
  console.error(`posix-sockets is for Linux: it calls the Linux kernel directly, and this is ${process.platform}.`);
  process.exit(1);
}
