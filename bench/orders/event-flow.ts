import { rm } from 'node:fs/promises';

import { startEmbeddedPostgres } from '#database/embedded';
import { silentLog } from '#kit';

import type { BenchOptions } from '../bench.ts';
import { type Figure, judge, median } from '../figure.ts';
import { startProgram } from '../rpc/program.ts';
import type { EventFlowArgument, FlowMeasured } from './event-flow-program.ts';
import { makeFolder } from './make-folder.ts';
import { readPostgresSettings } from './postgres-settings.ts';

export const EVENT_FIGURES = ['events_postgres', 'events_kafka'];

interface Extent {
  readonly rounds: number;
  readonly events: number;
  readonly warmUp: number;
}

const EXTENT = {
  full: { rounds: 7, events: 20_000, warmUp: 5_000 },
  quick: { rounds: 1, events: 500, warmUp: 100 },
} as const;

/**
 * Events a second from the outbox to their effect: written one a transaction, published by the relay, carried by the bus,
 * handled once by a consumer with its inbox. Writer, relay and consumer are one process on one Postgres. The bus on Kafka is
 * measured where KAFKA_BROKERS names one.
 */
export async function measureEvents(only: readonly string[], { progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const kafkaBrokers = process.env['KAFKA_BROKERS'] ?? '';
  const isAsked = { events_postgres: true, events_kafka: kafkaBrokers !== '' };
  if (only.includes('events_kafka') && !isAsked.events_kafka) progress('events_kafka is left out: set KAFKA_BROKERS to a broker, such as 127.0.0.1:9092');
  const dataDir = await makeFolder();
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
  try {
    progress(`events: ${await readPostgresSettings(postgres.url('postgres'))}`);
    const figures: Figure[] = [];
    for (const name of ['events_postgres', 'events_kafka'] as const) {
      if (!only.includes(name) || !isAsked[name]) continue;
      const argument: EventFlowArgument = { databaseUrl: postgres.url(name), kafkaBrokers: name === 'events_kafka' ? kafkaBrokers : '' };
      figures.push(...(await measureBus(name, argument, EXTENT[quick ? 'quick' : 'full'], progress)));
    }
    return figures;
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function measureBus(name: string, argument: EventFlowArgument, { rounds, events, warmUp }: Extent, progress: (line: string) => void): Promise<Figure[]> {
  const program = await startProgram('../orders/event-flow-program', argument);
  try {
    await program.ask('measure', warmUp);
    const slices: FlowMeasured[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const slice = await program.ask<FlowMeasured>('measure', events);
      slices.push(slice);
      progress(`${name}, round ${round + 1} of ${rounds}: ${slice.perSecond.toFixed(0)} events/s, ${slice.cores.toFixed(2)} cores in this process`);
    }
    const cores = median(slices.map((slice) => slice.cores));
    const limit = cores > 0.85 ? 'limit: this one Node process' : 'limit: what it stands on, Postgres, its disk and the broker';
    return [judge({ figure: `orders.${name}`, value: median(slices.map(({ perSecond }) => perSecond)), unit: `events/s (${limit})` })];
  } finally {
    await program.stop();
  }
}
