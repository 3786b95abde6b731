// `node dist/examples/syslog.js PRIORITY TAG MESSAGE [SOCKET]`: writes a line into the system's log, as logger(1) does.
//
// /dev/log is a Unix datagram socket, and a line is one datagram: nothing to connect to before the first line or to
// repair after the log daemon was restarted, and the kernel neither cuts a line in two nor makes one of two.
import { SOCK_DGRAM, Socket, type SystemError } from 'posix-sockets';

// RFC 5424 section 6.2.1 has the numbers, syslog(3) the names.
const severities = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
const facilities =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp - - - - local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );

/** `local0.notice` as one number: eight times the facility, and the severity. */
function priorityOf(name: string): number | undefined {
  const [facility, severity] = name.split('.').map((part, i) => (i === 0 ? facilities : severities).indexOf(part));
  return facility === undefined || severity === undefined || facility < 0 || severity < 0
    ? undefined
    : facility * 8 + severity;
}

/** `Nov  4 09:05:07`, in local time: the daemon is on this machine, so nobody has to be told the zone or the host. */
function timestamp(now: Date): string {
  const [, month, , , time] = now.toString().split(' ');
  return `${month} ${String(now.getDate()).padStart(2)} ${time}`;
}

const [priority = '', tag, message, path = '/dev/log'] = process.argv.slice(2);
const number = priorityOf(priority);
if (number === undefined || tag === undefined || message === undefined) {
  console.error('usage: node dist/examples/syslog.js FACILITY.SEVERITY TAG MESSAGE [SOCKET]');
  process.exit(2);
}
try {
  using log = await Socket.connect(path, { type: SOCK_DGRAM });
  // The older of the two formats, RFC 3164 section 4.1, which is what every daemon expects on this socket.
  await log.send(Buffer.from(`<${number}>${timestamp(new Date())} ${tag}[${process.pid}]: ${message}`));
} catch (error) {
  // ENOENT, ECONNREFUSED: no daemon listens. EMSGSIZE: longer than the socket's send buffer takes in one datagram.
  console.error((error as SystemError).message);
  process.exit(1);
}
