// `npm run test:kernel [-- TEST FILE...]`: tests on Debian's kernel, in QEMU, for what this machine's kernel may lack: TLS,
// CAN, KCM, TIPC, vsock's loopback; and to see what an older kernel makes of it all.
//
// The virtual machine has no disk. It sees the files of this one, read-only, and keeps in memory what it writes: so it
// has the same Node, the same build and the same tools, and only the kernel is another. It is some ten times slower.
// Needs Debian or Ubuntu, qemu-system-x86, cpio and kmod. apt-get downloads the kernel, which is not installed.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));
const cache = join(project, 'node_modules/.cache/other-kernel');
const tests = process.argv.slice(2);
if (tests.length === 0)
  tests.push(...['families', 'tcp', 'control-link', 'option-table'].map((name) => `test/${name}.test.ts`));

const output = (command, args, options) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'], ...options });

/** A Debian package's files, unpacked and not installed. */
function unpacked(name) {
  const folder = join(cache, name);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    output('apt-get', ['download', '-qq', name], { cwd: cache });
    const file = readdirSync(cache).find((entry) => entry.startsWith(`${name}_`));
    output('dpkg', ['-x', file, folder], { cwd: cache });
  }
  return folder;
}

// linux-image-amd64 has no files: it depends on the newest kernel.
const [, newest] = /Depends: (linux-image-\S+)/.exec(output('apt-cache', ['depends', 'linux-image-amd64']));
const kernel = unpacked(newest);
const modules = join(kernel, 'lib/modules');
const [version] = readdirSync(modules);
output('depmod', ['-b', kernel, version]);

/** The files of drivers, and of what they need, in the order in which to load them. */
function driverFiles(names) {
  const commands = names.map((name) => output('modprobe', ['-d', kernel, '-S', version, '--show-depends', name]));
  return [...new Set(commands.flatMap((lines) => [...lines.matchAll(/^insmod (\S+)/gm)].map(([, file]) => file)))];
}
const drivers = driverFiles(['virtio_pci', '9pnet_virtio', '9p', 'overlay']); // to reach the files, and to write over them
const families = 'tls vcan can-raw can-isotp can-j1939 kcm vsock_loopback tipc sctp';

const quoted = tests.map((test) => `"${test}"`).join(' ');
const init = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for driver in ${drivers.map((file) => basename(file)).join(' ')}; do insmod /$driver; done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 machine /lower
mount -t tmpfs upper /upper
mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work machine /root
mkdir -p /root/lib/modules
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose modules /root/lib/modules
for place in proc sys dev; do mount -o bind /$place /root/$place; done
mount -t tmpfs run /root/run
# In this very process, whose root is that of the kernel's own threads too: they look there for modprobe.
exec chroot /root /bin/sh -c '
  export PATH=${process.env.PATH} HOME=/root NO_COLOR=1
  cd ${project}
  for family in ${families}; do modprobe $family; done
  ip link set lo up
  uname -sr
  node_modules/.bin/vitest run --testTimeout 200000 --hookTimeout 200000 ${quoted} </dev/null 2>&1 | cat
  echo o >/proc/sysrq-trigger
  while :; do :; done'
`;

const root = join(cache, 'initramfs');
for (const folder of ['bin', 'proc', 'sys', 'dev', 'lower', 'upper', 'root'])
  mkdirSync(join(root, folder), { recursive: true });
copyFileSync(join(unpacked('busybox-static'), 'bin/busybox'), join(root, 'bin/busybox'));
for (const file of drivers) copyFileSync(file, join(root, basename(file)));
writeFileSync(join(root, 'init'), init, { mode: 0o755 });
output('sh', ['-c', 'find . | cpio -o -H newc --quiet >../initramfs.cpio'], { cwd: root });

const share = (tag, path) => [
  '-virtfs',
  `local,path=${path},mount_tag=${tag},security_model=none,multidevs=remap,readonly=on`,
];
const machine = [
  '-machine',
  'accel=tcg',
  '-cpu',
  'max',
  '-smp',
  '2',
  '-m',
  '3G',
  '-nic',
  'none',
  '-nographic',
  '-no-reboot',
];
const boot = ['-kernel', join(kernel, 'boot', `vmlinuz-${version}`), '-initrd', `${root}.cpio`];
const console = ['-append', 'console=ttyS0 quiet panic=-1'];

const qemu = spawn(
  'qemu-system-x86_64',
  [...machine, ...boot, ...console, ...share('machine', '/'), ...share('modules', modules)],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
process.once('exit', () => qemu.kill());
let printed = '';
for await (const chunk of qemu.stdout.setEncoding('utf8')) {
  process.stdout.write(chunk);
  printed += chunk;
}
process.exit(/^ *Tests .*failed/m.test(printed) || !/^ *Tests .*passed/m.test(printed) ? 1 : 0);
