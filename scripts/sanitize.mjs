// npm run test:sanitize [-- FILE...]: the tests against an addon built with AddressSanitizer and
// UndefinedBehaviorSanitizer, in .sanitize/ so that the ordinary build stays.
//
// Memory errors and undefined behaviour end the process in which they are, so that its test fails. Leaks are reported
// when a process ends; Node frees little of its own then, so only those count that the addon asked for.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const place = join(root, '.sanitize');
const reports = join(place, 'reports');

// node-gyp builds where binding.gyp is.
mkdirSync(place, { recursive: true });
for (const name of ['binding.gyp', 'native', 'package.json', 'node_modules']) {
  if (!existsSync(join(place, name))) symlinkSync(join('..', name), join(place, name));
}
const build = { POSIX_SOCKETS_SANITIZE: '1', CXX: process.env.CXX ?? 'g++' };
execFileSync('npx', ['node-gyp', 'configure', 'build'], {
  cwd: place,
  stdio: 'inherit',
  env: { ...process.env, ...build },
});

rmSync(reports, { recursive: true, force: true });
mkdirSync(reports);
chmodSync(reports, 0o777); // for those whom tests become
const suppressions = join(place, 'suppressions');
writeFileSync(
  suppressions,
  // Programs that tests compare with run under the sanitizers, too: ip(8) copies a string onto itself.
  'interceptor_via_lib:bin/ip$\n' +
    // They take an address's whole length for what was written, of which there may have been room for less.
    'interceptor_name:recvmsg\ninterceptor_name:recvmmsg\n',
);
const runtime = (name) => execFileSync(build.CXX, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
const log = `log_path=${join(reports, 'report')}`;

// Programs that hang with the sanitizers inside them are started without.
const bin = join(place, 'bin');
mkdirSync(bin, { recursive: true });
for (const name of ['chromium', 'curl', 'dnsmasq', 'logger']) {
  const { status, stdout } = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  if (status !== 0) continue;
  writeFileSync(join(bin, name), `#!/bin/sh\nunset LD_PRELOAD\nexec ${stdout.trim()} "$@"\n`, { mode: 0o755 });
}

// What cannot pass under the sanitizers, by its name.
const left = [
  'within a second', // everything takes many times as long
  'libFuzzer', // brings sanitizers of its own
  'PostgreSQL', // its server hangs with the sanitizers inside it
];
const options = ['--testTimeout=120000', `--testNamePattern=^(?!.*(${left.join('|')}))`];
const { status } = spawnSync('npx', ['vitest', 'run', ...options, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    POSIX_SOCKETS_PREBUILD: place, // where node-gyp-build looks first
    LD_PRELOAD: [runtime('libasan.so'), runtime('libubsan.so')].join(' '),
    // A leak alone must not change how a process ends: it is looked for below.
    ASAN_OPTIONS: `${log}:suppressions=${suppressions}:detect_leaks=1:halt_on_error=1:abort_on_error=1:allocator_may_return_null=1:handle_sigbus=0`,
    LSAN_OPTIONS: 'exitcode=0',
    UBSAN_OPTIONS: `${log}:print_stacktrace=1:halt_on_error=1`,
  },
});

/** Whether a stack goes through the addon, and between it and the memory there is nothing of V8, which keeps its own. */
function isOfAddon(stack) {
  // A frame is named by its source where that is known, and else by the file that it is in.
  const [above, ...below] = stack.split(/\/native\/\w+\.(?:cc|h):|posix_sockets\.node/);
  return below.length > 0 && !above.includes('v8::internal::');
}

/** What a report says of the addon: an error wherever it is; of leaks, those of the addon's memory. */
function concerning(report) {
  if (/ERROR: AddressSanitizer|runtime error:/.test(report)) return [report];
  return report.split('\n\n').filter((leak) => /leak of \d+ byte/.test(leak) && isOfAddon(leak));
}

const texts = readdirSync(reports).map((name) => readFileSync(join(reports, name), 'utf8'));
const found = texts.flatMap(concerning);
for (const text of found) console.error(text);
// It stops a process's other threads to look at them, which fails where one is just ending.
const unseen = texts.filter((text) => text.includes('LeakSanitizer has encountered a fatal error')).length;
console.log(`sanitizers: ${found.length} findings in the addon; ${unseen} processes could not be searched for leaks`);
process.exitCode = found.length > 0 ? 1 : (status ?? 1);
