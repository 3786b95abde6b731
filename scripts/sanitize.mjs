// npm run test:sanitize [-- FILE...]: the tests against an addon built with AddressSanitizer and
// UndefinedBehaviorSanitizer, in .sanitize/ so that the ordinary build stays.
//
// Memory errors and undefined behaviour end the process in which they are, so that its test fails. Leaks are reported
// when a process ends; Node frees little of its own then, so only those count that the addon's code is part of.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
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
execFileSync('npx', ['node-gyp', 'rebuild'], { cwd: place, stdio: 'inherit', env: { ...process.env, ...build } });

rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { mode: 0o777 });
const runtime = (name) => execFileSync(build.CXX, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
const log = `log_path=${join(reports, 'report')}`;
const { status } = spawnSync('npx', ['vitest', 'run', '--testTimeout=120000', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    POSIX_SOCKETS_PREBUILD: place, // where node-gyp-build looks first
    LD_PRELOAD: [runtime('libasan.so'), runtime('libubsan.so')].join(' '),
    // A leak alone must not change how a process ends: it is looked for below.
    ASAN_OPTIONS: `${log}:detect_leaks=1:halt_on_error=1:abort_on_error=1:allocator_may_return_null=1`,
    LSAN_OPTIONS: 'exitcode=0',
    UBSAN_OPTIONS: `${log}:print_stacktrace=1:halt_on_error=1`,
  },
});

/** The reports that concern the addon: whole ones of errors, and of leaks those whose stack goes through it. */
const found = readdirSync(reports).flatMap((name) => {
  const text = readFileSync(join(reports, name), 'utf8');
  if (!text.includes('detected memory leaks')) return [text];
  return text.split('\n\n').filter((leak) => /leak of \d+ byte/.test(leak) && leak.includes('posix_sockets.node'));
});
for (const text of found) console.error(text);
console.log(`sanitizers: ${found.length} reports about the addon`);
process.exitCode = found.length > 0 ? 1 : (status ?? 1);
