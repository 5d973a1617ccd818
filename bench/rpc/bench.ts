import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { type Figure, judge, median } from '../figure.ts';
import type { BenchOptions } from '../bench.ts';
import { bareClient, type BenchClient, meshClient } from './clients.ts';

/** As the shop starts its own processes. */
const NODE_FLAGS = ['--max-semi-space-size=64'];

/** Calls on their way at once: enough to keep one event loop busy, few enough not to queue. */
const IN_FLIGHT = 32;

/** Calls per second through the whole runtime and through grpc-js alone, slice by slice, each by turns first. */
export async function bench({ progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const slices = quick ? 4 : 30;
  const sliceMs = quick ? 250 : 1_000;
  const programs: ChildProcess[] = [];
  const run = async (program: string, ...args: string[]): Promise<number> => {
    const child = fork(join(import.meta.dirname, program), args, { execArgv: NODE_FLAGS });
    programs.push(child);
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return port;
  };
  try {
    const otlpEndpoint = `http://127.0.0.1:${await run('span-sink.ts')}`;
    const ours = await meshClient(await run('mesh-server.ts', otlpEndpoint), otlpEndpoint);
    const bare = bareClient(await run('bare-server.ts'));
    for (const client of [ours, bare, ours, bare]) await callsPerSecond(client, sliceMs);
    const measured: { ours: number; bare: number }[] = [];
    for (let slice = 1; slice <= slices; slice += 1) {
      const oursFirst = slice % 2 === 1;
      const first = await callsPerSecond(oursFirst ? ours : bare, sliceMs);
      const second = await callsPerSecond(oursFirst ? bare : ours, sliceMs);
      measured.push(oursFirst ? { ours: first, bare: second } : { ours: second, bare: first });
      if (slice % 5 === 0) progress(`slice ${slice} of ${slices}: ours ${Math.round(measured.at(-1)?.ours ?? 0)}/s, bare ${Math.round(measured.at(-1)?.bare ?? 0)}/s`);
    }
    await Promise.all([ours.close(), bare.close()]);
    const value = median(measured.map((slice) => slice.ours));
    const peer = { name: 'bare grpc-js', value: median(measured.map((slice) => slice.bare)) };
    return [judge({ figure: 'rpc.unary_vs_grpc_js', value, unit: 'calls/s', peer, aim: { atLeast: 0.75 } })];
  } finally {
    for (const child of programs) child.disconnect();
  }
}

/** Keeps IN_FLIGHT calls on their way for a while. A failed call fails the benchmark. */
async function callsPerSecond(client: BenchClient, ms: number): Promise<number> {
  const began = performance.now();
  const end = began + ms;
  let calls = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < end) {
      await client.call();
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (calls * 1_000) / (performance.now() - began);
}
