import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { MODULE_NAMES } from '#modules';

import { askEnvironment } from '../../cli/local/control-socket.ts';
import { dataFolder } from '../../cli/local/data-folder.ts';
import { catalogueOf } from './catalogue.ts';
import type { RunningShop } from './contestant.ts';
import { makeFolder } from './make-folder.ts';
import type { Surroundings } from './surroundings.ts';
import { writeCatalogue } from './write-catalogue.ts';

const MESH = join(import.meta.dirname, '..', '..', 'cli', 'mesh.js');

/** Longer than a shop takes to end. */
const END_WITHIN_MS = 20_000;

/** Our shop, which can also be reached below its services. */
export interface MeshShop extends RunningShop {
  /** The URL of each service's database, as the owner of its tables. */
  readonly databaseUrls: Readonly<Record<string, string>>;
}

/** Our shop as anybody starts it, with everything on, buyers' calls over mTLS too, each with its buyer's access token, and every call traced; only the card company is the benchmark's. */
export async function startMeshShop(topology: 'micro' | 'monolith', { otlpEndpoint, stripeUrl, stripeKey, extent }: Surroundings): Promise<MeshShop> {
  const folder = await makeFolder();
  const ports = Object.fromEntries(MODULE_NAMES.map((name) => [`MESH_PORT_${name.toUpperCase()}`, '0']));
  const settings = { MESH_DATA_DIR: folder, OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint, STRIPE_API_KEY: stripeKey, MESH_STRIPE_URL: stripeUrl, MESH_TRACE_PERCENT: '100' };
  const shop = spawn(process.execPath, [MESH, 'up', '--json', '--topology', topology], { env: { ...process.env, ...ports, ...settings }, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => shop.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    shop.kill('SIGTERM');
    const late = setTimeout(() => shop.kill('SIGKILL'), END_WITHIN_MS);
    await ended;
    clearTimeout(late);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const served = await whenReady(shop);
    const environment = (await askEnvironment(dataFolder(folder).controlSocket)) ?? {};
    const databaseUrls = Object.fromEntries(MODULE_NAMES.map((name) => [name, environment[`DATABASE_OWNER_URL_${name.toUpperCase()}`] ?? '']));
    const usersUrl = databaseUrls['user'] ?? '';
    await writeCatalogue(catalogueOf(extent), (service) => served(service).port, usersUrl);
    const registry = environment['CONSUL_HTTP_ADDR'] ?? '';
    return { extent, port: served('order').mtlsPort, registry, usersUrl, pid: shop.pid ?? 0, postgresUrl: databaseUrls['order'] ?? '', databaseUrls, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** As `mesh up --json` answers. */
interface ServedPorts {
  /** The explorer's, in plaintext. */
  readonly port: number;
  readonly mtlsPort: number;
}

/** The ports of each service, once `mesh up` says where they are. */
async function whenReady({ stdout }: ChildProcess): Promise<(service: string) => ServedPorts> {
  if (!stdout) throw new Error('the shop has no output');
  for await (const line of createInterface({ input: stdout })) {
    const { services }: { readonly services: readonly (ServedPorts & { readonly name: string })[] } = JSON.parse(line);
    return (service) => services.find(({ name }) => name === service) ?? { port: 0, mtlsPort: 0 };
  }
  throw new Error('the shop did not start; see what it wrote above');
}
