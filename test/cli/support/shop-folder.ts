import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { MODULE_NAMES } from '#modules';

import { dataFolder } from '../../../cli/local/data-folder.ts';
import { portSetting } from '../../../cli/settings.ts';
import { layCluster } from '../../database/lay-cluster.ts';
import { makeTestFolder } from '../../database/postgres-fixture.ts';
import { leftOvers } from './left-overs.ts';

export type Environment = Readonly<Record<string, string>>;

/** A data folder of a test's own, and the environment in which `mesh` uses it and free ports only. */
export interface ShopFolder {
  /** To be removed whole; the data folder lies in it. */
  readonly root: string;
  readonly dataDir: string;
  readonly controlSocket: string;
  readonly environment: Environment;
  /** Spares the first start initdb, where that is not what is tested: see {@link layCluster}. */
  layCluster(): Promise<void>;
  /** Whatever of the shop is still there: processes by their command, files that a stop has to remove. */
  leftOvers(): Promise<readonly string[]>;
  remove(): Promise<void>;
}

const FREE_PORTS: Environment = Object.fromEntries(MODULE_NAMES.map((name) => [portSetting(name), '0']));

export async function makeShopFolder(settings: Environment = {}): Promise<ShopFolder> {
  const root = await makeTestFolder();
  const dataDir = join(root, 'data');
  const { controlSocket } = dataFolder(dataDir);
  return {
    root,
    dataDir,
    controlSocket,
    environment: { ...inherited(), ...FREE_PORTS, MESH_DATA_DIR: dataDir, MESH_LOG_LEVEL: 'warn', ...settings },
    layCluster: () => layCluster(join(dataDir, 'postgres')),
    leftOvers: () => leftOvers(dataDir, controlSocket),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** Without what would change the settings under test. */
export function inherited(): Environment {
  const foreign = /^(MESH_(?!BACKENDS_DIR$)|CONSUL_|OTEL_|DATABASE_URL|DATABASE_OWNER_URL|KAFKA_BROKERS|SMTP_URL|MAIL_FROM|STRIPE_|FORCE_COLOR|NODE_OPTIONS)/;
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (foreign.test(name) || value === undefined ? [] : [[name, value]])));
}
