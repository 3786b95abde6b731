import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Contestant } from './findings.js';
import { peersFolder, script } from './paths.js';

const require = createRequire(peersFolder);

/** A package of bench/peers/package.json, loaded. The bench declares the little that it uses of each. */
export function peerPackage<T>(name: string): T {
  return require(name) as T;
}

/** Installs what bench/peers/package.json lists, once. Without a registry the bench goes on and names what it lacks. */
export function installPeers(): void {
  if (existsSync(join(peersFolder, 'node_modules'))) return;
  console.log('Installing the packages to compare with (bench/peers/package.json) ...\n');
  spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: peersFolder, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** A program of the bench run by Node that needs an npm package. */
export function npmPeer(packageName: string, program: string, ...args: string[]): Contestant {
  const contestant: Contestant = {
    name: packageName,
    side: 'other',
    command: [process.execPath, script(program), ...args],
  };
  try {
    peerPackage(packageName);
    return contestant;
  } catch {
    return { ...contestant, missing: `the npm package ${packageName} is not installed in bench/peers` };
  }
}

/** A program of the bench run by Bun. */
export function bunPeer(name: string, program: string): Contestant {
  const arch = process.arch === 'arm64' ? 'aarch64' : process.arch;
  const bun = join(peersFolder, `node_modules/@oven/bun-linux-${arch}/bin/bun`);
  const contestant: Contestant = { name, side: 'other', command: [bun, script(program)] };
  return existsSync(bun) ? contestant : { ...contestant, missing: 'Bun is not installed in bench/peers' };
}

/** A program of the bench run by Python. The interpreter itself, not a wrapper, so that its process is the one measured. */
export function pythonPeer(name: string, program: string, ...args: string[]): Contestant {
  try {
    const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
    return { name, side: 'other', command: [python, '-B', join(peersFolder, program), ...args] };
  } catch {
    return { name, side: 'other', command: [], missing: 'python3 is not installed' };
  }
}
