import pg from 'pg';

import { ensureDatabase } from '#database';
import { startEmbeddedPostgres } from '#database/embedded';
import { silentLog } from '#kit';

import { type Program, startProgram } from '../../rpc/program.ts';
import { answerParent } from '../../rpc/parent.ts';
import type { ServiceName } from './contracts.ts';
import { SCHEMAS } from './schemas.ts';
import type { ServiceArgument } from './service-program.ts';

/** What the whole of it is told. */
export interface StackArgument extends Pick<ServiceArgument, 'otlpEndpoint' | 'stripeUrl' | 'stripeKey'> {
  readonly dataDir: string;
  /** What it sells and to whom: constants of the benchmark, none of which needs quoting. */
  readonly catalogue: {
    readonly userIds: readonly string[];
    readonly productIds: readonly string[];
    readonly stock: number;
    readonly priceMinor: number;
    readonly currency: string;
  };
}

/** Whoever is called comes before whoever calls. */
const IN_ORDER: readonly ServiceName[] = ['notification', 'user', 'product', 'inventory', 'payment', 'shipping', 'order'];

const { dataDir, catalogue, ...common }: StackArgument = JSON.parse(process.argv[2] ?? '{}');
const { userIds, productIds, stock, priceMinor, currency } = catalogue;

const SEEDS: Partial<Record<ServiceName, string>> = {
  user: `INSERT INTO users (user_id, email, display_name) VALUES ${userIds.map((id) => `('${id}', '${id}@example.com', 'Buyer')`).join(', ')};`,
  product: `INSERT INTO products (product_id, name, price_minor, currency) VALUES ${productIds.map((id) => `('${id}', '${id}', ${priceMinor}, '${currency}')`).join(', ')};`,
  inventory: `INSERT INTO stock (product_id, available) VALUES ${productIds.map((id) => `('${id}', ${stock})`).join(', ')};`,
};

const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
const ports: Partial<Record<ServiceName, number>> = {};
const programs: Program<unknown>[] = [];
for (const name of IN_ORDER) {
  const databaseUrl = postgres.url(`naive_${name}`);
  await ensureDatabase(databaseUrl);
  await runScript(databaseUrl, SCHEMAS[name] + (SEEDS[name] ?? ''));
  const argument: ServiceArgument = { ...common, name, databaseUrl, ports };
  const program = await startProgram<{ port: number }>('../peers/naive/service-program', argument);
  programs.unshift(program);
  ports[name] = program.ready.port;
}
answerParent({ port: ports.order, pid: process.pid, postgresUrl: postgres.url('postgres') }, { end });

/** Callers first, Postgres last. */
async function end(): Promise<void> {
  for (const program of programs) await program.stop();
  await postgres.stop();
}

async function runScript(url: string, script: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(script);
  await client.end();
}
