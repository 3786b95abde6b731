// `npm run test:kernel [-- RELEASE] [TEST FILE...]`: tests on a kernel of Debian's, in QEMU, for what this machine's kernel may
// lack: TLS, CAN, KCM, TIPC, SCTP, the kernel's ciphers, vsock's loopback, queues that keep to times; and to see what an older
// or a newer kernel makes of it all. The kernel is that of the Debian that runs here, or of another release: `--
// trixie-backports`.
//
// The virtual machine has no disk. It sees the files of this one, read-only, and keeps in memory what it writes: so it
// has the same Node, the same build and the same tools, and only the kernel is another. It is some ten times slower.
// Needs Debian, qemu-system-x86, cpio and kmod. apt-get downloads the kernel, which is not installed, and keeps what it
// knows of another release apart from what it knows of this one.
import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));
const given = process.argv.slice(2);
const release = given[0] !== undefined && !given[0].includes('/') ? given.shift() : 'own';
const tests =
  given.length > 0
    ? given
    : ['families', 'tcp', 'tls', 'sctp', 'ciphers', 'control-link', 'control-inet', 'option-table'].map(
        (name) => `test/${name}.test.ts`,
      );
const cache = join(project, 'node_modules/.cache/other-kernel', release);
mkdirSync(cache, { recursive: true });

const output = (command, args, options) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'], ...options });

/** What apt has to be told to speak of another release. */
function ofRelease() {
  if (release === 'own') return [];
  const known = ['indextargets', '--format', '$(CODENAME) $(REPO_URI)', 'Created-By: Packages', 'Origin: Debian'];
  const archive = /^[a-z]+ (\S+)$/m.exec(output('apt-get', known))[1];
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(join(cache, 'sources.list'), `deb [signed-by=${key}] ${archive} ${release} main\n`);
  mkdirSync(join(cache, 'lists/partial'), { recursive: true });
  const places = { 'Etc::SourceList': 'sources.list', 'Etc::SourceParts': 'none', 'State::Lists': 'lists', Cache: '.' };
  return Object.entries(places).flatMap(([name, place]) => ['-o', `Dir::${name}=${join(cache, place)}`]);
}
const apt = ofRelease();
if (apt.length > 0) output('apt-get', [...apt, 'update', '-qq']);

/** The files of packages, unpacked and not installed, in a folder of that name. */
function unpacked(name, packages, apt = []) {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const download = join(cache, 'download');
  rmSync(download, { recursive: true, force: true });
  mkdirSync(download);
  output('apt-get', [...apt, 'download', '-qq', ...packages], { cwd: download });
  for (const file of readdirSync(download)) output('dpkg', ['-x', join(download, file), `${download}/files`]);
  renameSync(`${download}/files`, folder);
  return folder;
}

// linux-image-amd64 has no files: it depends on the newest kernel, and that, in newer releases, on its parts.
const dependencies = output('apt-cache', [...apt, 'depends', '--recurse', '--important', 'linux-image-amd64']);
const kernelPackages = dependencies.match(/^linux-\S*\d\.\d\S*$/gm);
const kernel = unpacked(kernelPackages[0], kernelPackages, apt);
if (!existsSync(join(kernel, 'lib'))) symlinkSync('usr/lib', join(kernel, 'lib'));
const modules = join(kernel, 'lib/modules');
const [version] = readdirSync(modules);
const image = [`boot/vmlinuz-${version}`, `lib/modules/${version}/vmlinuz`].map((path) => join(kernel, path));
output('depmod', ['-b', kernel, version]);

/** The files of drivers, and of what they need, in the order in which to load them. */
function driverFiles(names) {
  const commands = names.map((name) => output('modprobe', ['-d', kernel, '-S', version, '--show-depends', name]));
  return [...new Set(commands.flatMap((lines) => [...lines.matchAll(/^insmod (\S+)/gm)].map(([, file]) => file)))];
}
const drivers = driverFiles(['virtio_pci', '9pnet_virtio', '9p', 'overlay']); // to reach the files, and to write over them
const families = [
  'tls vcan can-raw can-isotp can-j1939 kcm vsock_loopback tipc sctp',
  'algif_hash algif_skcipher algif_aead algif_rng gcm xfrm_user af_key tcp_bbr',
].join(' ');

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
mount -t selinuxfs selinux /root/sys/fs/selinux
# In this very process, whose root is that of the kernel's own threads too: they look there for modprobe.
exec chroot /root /bin/sh -c '
  export PATH=${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root NO_COLOR=1
  cd ${project}
  for family in ${families}; do modprobe $family; done
  ip link set lo up
  uname -sr
  node_modules/.bin/vitest run --no-file-parallelism --testTimeout 200000 --hookTimeout 200000 ${quoted} </dev/null 2>&1 | cat
  echo o >/proc/sysrq-trigger
  while :; do :; done'
`;

const root = join(cache, 'initramfs');
for (const folder of ['bin', 'proc', 'sys', 'dev', 'lower', 'upper', 'root'])
  mkdirSync(join(root, folder), { recursive: true });
const tools = unpacked('busybox', ['busybox-static']);
const [busybox] = ['bin', 'usr/bin'].map((place) => join(tools, place, 'busybox')).filter(existsSync);
copyFileSync(busybox, join(root, 'bin/busybox'));
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
const boot = ['-kernel', image.find(existsSync), '-initrd', `${root}.cpio`];
// A security module that labels sockets, and without a policy forbids nothing.
const console = ['-append', 'console=ttyS0 quiet panic=-1 security=selinux'];

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
