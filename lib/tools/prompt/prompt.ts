// The prompt: node's own, with every call, struct and constant in scope, and each call shown as it is made.
import { spawnSync } from 'node:child_process';
import { type REPLServer, start } from 'node:repl';
import type { ReadStream, WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import * as sockets from '../../index.js';
import { watchAgain } from '../../native.js';
import { calls } from '../calls/index.js';
import { explain } from '../explain.js';
import { type Trace, trace } from '../tracer.js';
import { wrap } from '../wrap.js';
import { writeAll } from '../write-all.js';
import { completeConstant } from './completion.js';
import { errorPage, manual } from './pages.js';
import { socketTable } from './sockets.js';

const banner = `Every socket call, struct and constant is here: try
  const [a, b] = socketpair(AF_UNIX, SOCK_STREAM)
  send(a, Buffer.from('hello'))
Tab completes constants, Ctrl-C ends a call that blocks. .man send  .errno EAGAIN  .sockets  .trace off  .help
`;

/** Starts the prompt on the standard streams. */
export function startPrompt(): REPLServer {
  const output = process.stdout as WriteStream & { readonly fd: 1 };
  const dim = (text: string) => (output.hasColors?.() ? `\x1b[2m${text}\x1b[22m` : text);
  output.write(banner);

  // In a context of its own, its Uint8Array would be another one than that of this package. SIGINT ends a blocked call.
  const server = start({ useGlobal: true, breakEvalOnSigint: true });
  Object.assign(globalThis, sockets, { explain, trace });
  let evaluating = false;
  let tracing: Trace | undefined;

  const print = (text: string) => {
    if (evaluating) return writeAll(output.fd, text);
    // Something that goes on by itself: the line that is being typed makes room.
    output.write(output.isTTY ? `\r\x1b[K${text}` : text);
    server.displayPrompt(true);
  };
  // As strace does, so that a call that blocks is seen: it stands there as it begins, and the rest follows.
  let begun = '';
  const endLine = (note = '') => {
    if (begun !== '') writeAll(output.fd, `${dim(note)}\n`);
    begun = '';
  };
  const notMade = ' (not made)'; // it had begun, and its arguments were refused
  const traceOn = () => {
    tracing ??= trace(
      (event) => {
        const text = String(event);
        const rest = text.startsWith(begun) ? text.slice(begun.length) : undefined;
        if (rest === undefined) endLine();
        begun = '';
        print(`${dim(rest ?? text)}\n`);
      },
      {
        onBegin({ call, text }) {
          if (!evaluating || call.endsWith('Async')) return; // others will be printed before its end
          endLine(notMade);
          writeAll(output.fd, dim(text));
          begun = text;
        },
      },
    );
  };
  const traceOff = () => {
    tracing?.stop();
    tracing = undefined;
  };
  /** Does something of our own, whose calls nobody wants to see. */
  const command = (work: (argument: string) => string) => (argument: string) => {
    const wasOn = tracing !== undefined;
    traceOff();
    output.write(work(argument.trim()));
    if (wasOn) traceOn();
    server.displayPrompt();
  };

  // From the moment that a line is evaluated until the next one is asked for, what is printed follows it.
  const { eval: evaluate, displayPrompt, writer } = server;
  Object.assign(server, {
    eval(...line: Parameters<typeof evaluate>) {
      evaluating = true;
      evaluate.apply(server, line);
    },
    displayPrompt(preserveCursor?: boolean) {
      endLine();
      evaluating = false;
      displayPrompt.call(server, preserveCursor);
    },
    writer: Object.assign((value: unknown) => {
      if ((value as NodeJS.ErrnoException | undefined)?.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') {
        endLine();
        watchAgain();
        return 'Error: interrupted by Ctrl-C';
      }
      endLine(notMade);
      const explanation = explain(value);
      const text = withoutOurFrames(writer.call(server, value));
      return explanation === undefined ? text : `${text}\n${dim(wrap(explanation))}`;
    }, writer),
  });

  const completeOther = server.completer as (line: string, done: (error: Error | null, found: unknown) => void) => void;
  Object.assign(server, {
    completer(line: string, done: (error: Error | null, found: unknown) => void) {
      const found = completeConstant(line);
      if (found) done(null, [found.names, found.typed]);
      else completeOther.call(server, line, done);
    },
  });

  server.defineCommand('man', {
    help: "What a call does and what its errors mean, and the system's page: .man recvmsg",
    action: command((name) => {
      if (name === '') return 'Which call? .man recvmsg\n';
      const page = manual(name);
      if (page === undefined) return `There is no call '${name}'.\n`;
      output.write(page);
      showSystemPage(name, server);
      return '';
    }),
  });
  server.defineCommand('errno', {
    help: 'What an error means, at each call: .errno EAGAIN, .errno 11',
    action: command((name) => {
      if (name === '') return 'Which error? .errno EAGAIN\n';
      return errorPage(name) ?? `There is no error '${name}'.\n`;
    }),
  });
  server.defineCommand('sockets', {
    help: 'The sockets of this process, as the kernel knows them',
    action: command(socketTable),
  });
  server.defineCommand('trace', {
    help: 'Whether calls are shown: .trace on, .trace off',
    action(argument) {
      if (argument.trim() === 'off') traceOff();
      else traceOn();
      server.displayPrompt();
    },
  });
  traceOn();
  return server;
}

const here = new URL('../../', import.meta.url).href;

/** An error as it is shown, without the lines of its stack that are this package's own. */
function withoutOurFrames(shown: string): string {
  const lines: string[] = [];
  for (const line of shown.split('\n')) {
    const plain = stripVTControlCharacters(line);
    if (!/^ +at /.test(plain) || !plain.includes(here)) lines.push(line);
    else if (plain.endsWith(' {')) lines.push(`${lines.pop()} {`); // its properties follow
  }
  return lines.join('\n');
}

/** Shows the system's man page, if there is one, in the pager that `man` uses. */
function showSystemPage(name: string, { input }: REPLServer): void {
  const [, page, section] = /^(\w+)\((\d)\)$/.exec(calls[name as keyof typeof calls].page) as RegExpExecArray;
  const terminal = input as Partial<ReadStream>;
  const stdio = terminal.isTTY ? 'inherit' : (['ignore', 'inherit', 'ignore'] as const);
  terminal.setRawMode?.(false);
  spawnSync('man', [section as string, page as string], { stdio: stdio as 'inherit' });
  terminal.setRawMode?.(true);
}
