import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';

import { connectConsul, type LeafCertificate, type TrustBundle } from '#discovery';
import { createLog, errorCode, refusal, systemClock, systemRandom, writeWhole } from '#kit';

import { dataFolder } from '../local/data-folder.ts';
import { type Output, table } from '../output.ts';
import { consulOptions } from '../serving/consul-settings.ts';
import { isKnownShop, noShopHere } from '../serving/known-shop.ts';
import type { Resolved } from '../settings.ts';
import { roughTime } from '../status/rough-time.ts';
import { settingsOfRunningShop } from './running-shop.ts';

export interface CertOptions {
  /** undefined: a folder in MESH_DATA_DIR. */
  readonly out: string | undefined;
  readonly ttlMs: number;
}

interface Files {
  readonly certificate: string;
  readonly key: string;
  readonly roots: string;
}

/** `mesh cert`: the certificate of a service as files, for a client that is none of ours. */
export async function certCommand(service: string, { out, ttlMs }: CertOptions, { output, warn }: { readonly output: Output; readonly warn: (line: string) => void }): Promise<void> {
  const { settings } = await settingsOfRunningShop();
  const { leaf, trust } = await askForLeaf(service, ttlMs, settings);
  const folder = resolve(out ?? join(dataFolder(settings.values.MESH_DATA_DIR).path, 'certificates'));
  const files = await writeFiles(folder, leaf, trust);
  const lastsMs = leaf.notAfterMs - systemClock.now();
  // A minute for the way here.
  if (lastsMs > ttlMs + 60_000) warn(`this authority gives every certificate the same lifetime, so it holds for ${roughTime(lastsMs)} instead of ${roughTime(ttlMs)}: keep the key safe, or delete it after use`);
  const facts = { service, spiffeId: leaf.spiffeId, notAfter: new Date(leaf.notAfterMs).toISOString(), ...files };
  output.answer(() => forPeople(facts, lastsMs), facts);
}

async function askForLeaf(service: string, ttlMs: number, settings: Resolved): Promise<{ readonly leaf: LeafCertificate; readonly trust: TrustBundle }> {
  if (!isKnownShop(settings)) throw noShopHere();
  const consul = await consulOptions(settings.values);
  const certificates = { ...consul.certificates, leafTtlMs: ttlMs };
  const log = createLog({ level: 'error' });
  const controlPlane = await connectConsul({ ...consul, certificates, clock: systemClock, random: systemRandom, log });
  try {
    const identity = await controlPlane.certificates.identity(service);
    return { leaf: identity.leaf(), trust: identity.trust() };
  } finally {
    await controlPlane.stop();
  }
}

/** In a step of its own: Node never comes to an end where it is to make a folder in /proc with all that it lies in. */
async function makeFolder(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  try {
    await mkdir(folder, { mode: 0o700 });
    await chmod(folder, 0o700);
  } catch (thrown) {
    if (errorCode(thrown) !== 'EEXIST') throw thrown;
  }
}

/** Only its owner may read the files. Nobody else may look into a folder that is made here; one that was there stays as it is. */
async function writeFiles(folder: string, { service, chainPem, privateKey }: LeafCertificate, { roots }: TrustBundle): Promise<Files> {
  const files = { certificate: join(folder, `${service}.pem`), key: join(folder, `${service}-key.pem`), roots: join(folder, 'roots.pem') };
  try {
    await makeFolder(folder);
    await writeWhole(files.key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeWhole(files.certificate, chainPem);
    await writeWhole(files.roots, roots.map((pem) => `${pem.trim()}\n`).join(''));
    return files;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refusal('INVALID_ARGUMENT', `cannot write to ${folder} (${why}); give --out a folder that you may write`, { cause });
  }
}

function forPeople({ spiffeId, notAfter, certificate, key, roots }: Files & { readonly spiffeId: string; readonly notAfter: string }, lastsMs: number): string {
  const here = (path: string): string => relative(process.cwd(), path) || '.';
  const lines = table([
    ['certificate', here(certificate)],
    ['key', here(key)],
    ['roots', here(roots)],
  ]);
  return [
    `${spiffeId}, until ${notAfter} (${roughTime(lastsMs)})`,
    lines,
    'for the mTLS port of a service (`mtlsPort` in `npx mesh logs`, where the explorer has the one of `npx mesh ps`):',
    `grpcurl -cert ${here(certificate)} -key ${here(key)} -cacert ${here(roots)} HOST:PORT list`,
  ].join('\n');
}
