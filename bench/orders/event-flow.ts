import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';

import { startEmbeddedPostgres } from '#database/embedded';
import { silentLog } from '#kit';

import type { BenchOptions } from '../bench.ts';
import { type Figure, judge, median } from '../figure.ts';
import { startProgram } from '../rpc/program.ts';
import type { EventFlowArgument, FlowMeasured } from './event-flow-program.ts';
import { locateKafka, startKafkaBroker } from './kafka-broker.ts';
import { makeFolder } from './make-folder.ts';
import { readPostgresSettings } from './postgres-settings.ts';
import { cpuMsOfTree } from './process-tree.ts';

/** The process that writes, relays and consumes. */
const NODE = 'Node';
/** From this share of a processor's time on it is what holds the others up. */
const BUSY_SHARE = 0.85;

interface Extent {
  readonly rounds: number;
  readonly events: number;
  readonly warmUp: number;
}

const EXTENT = {
  full: { rounds: 7, events: 20_000, warmUp: 5_000 },
  quick: { rounds: 1, events: 500, warmUp: 100 },
} as const;

/** Who measures one bus. */
interface Flow {
  readonly name: string;
  readonly argument: EventFlowArgument;
  /** The servers below it whose share is known, by name: process ids. */
  readonly servers: Readonly<Record<string, number>>;
}

/**
 * Events a second from the outbox to their effect: written one a transaction, published by the relay, carried by the bus,
 * handled once by a consumer with its inbox. Writer, relay and consumer are one process on one Postgres. The bus on Kafka is
 * measured on the broker that KAFKA_BROKERS names, else on one of its own where `npm run backends` has installed Kafka.
 */
export async function measureEvents(only: readonly string[], { progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const extent = EXTENT[quick ? 'quick' : 'full'];
  const dataDir = await makeFolder();
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
  const flowOf = (name: string, kafkaBrokers: string, servers: Flow['servers'] = {}): Flow => ({
    name,
    argument: { databaseUrl: postgres.url(name), kafkaBrokers },
    servers: { Postgres: postgres.pid, ...servers },
  });
  try {
    progress(`events: ${await readPostgresSettings(postgres.url('postgres'))}`);
    const figures: Figure[] = [];
    if (only.includes('events_postgres')) figures.push(await measureFlow(flowOf('events_postgres', ''), extent, progress));
    if (only.includes('events_kafka')) {
      const measured = await withKafka(progress, (brokers, servers) => measureFlow(flowOf('events_kafka', brokers, servers), extent, progress));
      if (measured) figures.push(measured);
    }
    return figures;
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Undefined where there is no broker. */
async function withKafka<T>(progress: (line: string) => void, run: (brokers: string, servers: Flow['servers']) => Promise<T>): Promise<T | undefined> {
  const given = process.env['KAFKA_BROKERS'] ?? '';
  if (given !== '') return run(given, {});
  const kafka = await locateKafka(process.env);
  if (kafka === undefined) {
    progress('events_kafka is left out: run `npm run backends -- kafka`, or set KAFKA_BROKERS to a broker, such as 127.0.0.1:9092');
    return undefined;
  }
  progress('events_kafka: starting a broker with Kafka\'s defaults, under which it writes to disk when the system does');
  const broker = await startKafkaBroker(kafka);
  try {
    return await run(broker.brokers, { 'the broker': broker.pid });
  } finally {
    await broker.stop();
  }
}

async function measureFlow({ name, argument, servers }: Flow, { rounds, events, warmUp }: Extent, progress: (line: string) => void): Promise<Figure> {
  const program = await startProgram('../orders/event-flow-program', argument);
  try {
    progress(`${name}: warming up with ${warmUp} events`);
    await program.ask('measure', warmUp);
    const slices: FlowMeasured[] = [];
    const meters = Object.entries(servers).map(([server, pid]) => ({ server, usedMs: cpuMsOfTree(pid), pid }));
    const began = performance.now();
    for (let round = 0; round < rounds; round += 1) {
      const slice = await program.ask<FlowMeasured>('measure', events);
      slices.push(slice);
      progress(`${name}, round ${round + 1} of ${rounds}: ${slice.perSecond.toFixed(0)} events/s, ${slice.cores.toFixed(2)} cores in this process`);
    }
    const ms = performance.now() - began;
    const busy = { [NODE]: median(slices.map(({ cores }) => cores)), ...Object.fromEntries(meters.map(({ server, usedMs, pid }) => [server, (cpuMsOfTree(pid) - usedMs) / ms])) };
    return judge({ figure: `orders.${name}`, value: median(slices.map(({ perSecond }) => perSecond)), unit: `events/s (limit: ${limitOf(busy)})` });
  } finally {
    await program.stop();
  }
}

/** What holds it up: its one process, the machine, or else neither. Beside it, how many cores each has kept busy. */
function limitOf(busy: Readonly<Record<string, number>>): string {
  const total = Object.values(busy).reduce((sum, cores) => sum + cores, 0);
  const processors = availableParallelism();
  const limit =
    (busy[NODE] ?? 0) > BUSY_SHARE ? 'the one Node process that writes, relays and consumes' : total > processors * BUSY_SHARE ? `the ${processors} processors` : 'waiting for commits and messages';
  return `${limit}; cores busy: ${Object.entries(busy).map(([name, cores]) => `${name} ${cores.toFixed(2)}`).join(', ')}`;
}
