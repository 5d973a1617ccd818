import { setTimeout as delay } from 'node:timers/promises';

import type { BenchOptions } from '../bench.ts';
import { type Figure, judge, median } from '../figure.ts';
import { type Program, startProgram } from './program.ts';
import type { UpdatesArgument, UpdateSlice } from './updates-client.ts';
import type { MeshSize } from './updates-server.ts';

/** Without `rpc.`. */
export const UPDATE_FIGURES = ['update_1000x10_ms', 'update_1000x10_calls'] as const;

/** Longest wait for all connections to be there. */
const CONNECTED_WITHIN_MS = 60_000;

/** Services whose channels are opened before the next ones are: thousands of connections at once time out. */
const OPENED_AT_ONCE = 50;

/**
 * A client that knows many services of several instances each and is connected to all of them. While it calls some, one of
 * them changes: nine of its ten instances go, and later come back. Slices with and without a change take turns.
 */
export async function measureUpdates(otlpEndpoint: string, { quick, progress }: BenchOptions): Promise<readonly Figure[]> {
  const size: MeshSize = quick ? { services: 50, instances: 3 } : { services: 1_000, instances: 10 };
  const { rounds, ms } = quick ? { rounds: 2, ms: 100 } : { rounds: 20, ms: 500 };
  progress(`one update among ${size.services} services of ${size.instances} instances each`);
  const server = await startProgram<{ ports: readonly number[] }>('updates-server', size);
  const { ports } = server.ready;
  const argument: UpdatesArgument = { otlpEndpoint, services: size.services, ports };
  const client = await startProgram('updates-client', argument);
  try {
    for (let from = 0; from < size.services; from += OPENED_AT_ONCE) {
      const to = Math.min(from + OPENED_AT_ONCE, size.services);
      await client.ask('openChannels', { from, to });
      await untilConnected(server, to * size.instances);
    }
    const still: UpdateSlice[] = [];
    const changing: UpdateSlice[] = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const portsOfFirst of [ports.slice(0, 1), ports]) {
        still.push(await client.ask('measure', { ms }));
        changing.push(await client.ask('measure', { ms, portsOfFirst }));
      }
    }
    return figuresOf(still, changing);
  } finally {
    await Promise.all([client.stop(), server.stop()]);
  }
}

function figuresOf(still: readonly UpdateSlice[], changing: readonly UpdateSlice[]): Figure[] {
  const callsOf = (slices: readonly UpdateSlice[]): number => median(slices.map(({ callsPerSecond }) => callsPerSecond));
  // Where instances come back none is one too many: only where they go is there something to see.
  const applied = changing.flatMap(({ appliedMs }, index) => (index % 2 === 0 && appliedMs !== undefined ? [appliedMs] : []));
  return [
    judge({ figure: 'rpc.update_1000x10_ms', value: median(applied), unit: 'ms', aim: { atMost: 10 } }),
    judge({
      figure: 'rpc.update_1000x10_calls',
      value: callsOf(changing),
      unit: 'calls/s',
      peer: { name: 'without an update', value: callsOf(still) },
      aim: { atLeast: 0.95 },
    }),
  ];
}

async function untilConnected(server: Program<unknown>, expected: number): Promise<void> {
  for (const until = performance.now() + CONNECTED_WITHIN_MS; ; await delay(20)) {
    const connections = await server.ask<number>('connections');
    if (connections >= expected) return;
    if (performance.now() >= until) throw new Error(`only ${connections} of ${expected} connections came about`);
  }
}
