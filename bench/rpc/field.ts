import { setTimeout as delay } from 'node:timers/promises';

import { type Sidecars, startSidecars } from '../peers/envoy/sidecars.ts';
import type { PeerOptions } from '../peers/peer.ts';
import type { ClientArgument } from './client-program.ts';
import type { ContestantSpec } from './contestants.ts';
import type { Load, Slice } from './load.ts';
import { issuePapers } from './papers.ts';
import { type Program, startProgram } from './program.ts';
import type { ServerArgument } from './server-program.ts';

/** A slice, and what all processes that take part in its calls used for it, their warm-up and their spans included. */
export interface Measured extends Slice {
  readonly cpuMsPerCall: number;
  /** How many cores were busy, on average. */
  readonly cores: number;
}

/** What became of the spans of a contestant's calls so far. */
export interface SpansSeen {
  /** Those that arrived for each call from the side, caller or callee, that lost most: 1 where none was lost. */
  readonly perCall: number;
  /** That ended in each second of the measurements, on that side. */
  readonly endedPerSecond: number;
}

/** One that takes part, up and running. */
export interface Contestant {
  readonly spec: ContestantSpec;
  /** Makes calls for a while; returns when nothing of them is left to do. */
  measure(load: Load): Promise<Measured>;
  spansSeen(): Promise<SpansSeen>;
}

/** Where those who take part are started, each once, and ended all together. */
export interface Field {
  /** Starts a contestant; the same one for the same name. */
  enter(name: string, spec: ContestantSpec): Promise<Contestant>;
  /** Whether those behind sidecars can enter. */
  readonly hasEnvoy: boolean;
  /** Where a sender's spans go. */
  otlpEndpoint(sender: string): string;
  /** Ends every process. */
  stop(): Promise<void>;
}

export interface FieldOptions {
  readonly progress: (line: string) => void;
  /** Folder for CPU profiles of our client and server; none are taken when left out. */
  readonly profiles?: string | undefined;
  /** Path of the Envoy to start sidecars with. */
  readonly envoy?: string | undefined;
}

/** What a client and a server that belong together are. */
interface Pair {
  readonly client: Program<unknown>;
  /** There is none where caller and callee are one process. */
  readonly server: Program<{ readonly port: number }> | undefined;
  readonly sidecars: Sidecars | undefined;
}

type Counts = Readonly<Record<string, number>>;

/** Failed calls that a measurement outlives, so that one stall of a busy machine does not end it; each slice with some is told. */
const MAX_FAILED = 50;
const MAX_FAILED_SHARE = 0.01;

/** What Envoy and the SDKs hold back before they send it, and a bit. */
const SPANS_WITHIN_MS = 3_000;

export async function createField({ progress, profiles, envoy }: FieldOptions): Promise<Field> {
  const sink = await startProgram<{ port: number }>('span-sink', {});
  const running: { stop(): Promise<void> }[] = [sink];
  const entered = new Map<string, Promise<Contestant>>();
  const otlpEndpoint = (sender: string): string => `http://127.0.0.1:${sink.ready.port}/${sender}`;

  async function keep<P extends { stop(): Promise<void> }>(starting: Promise<P>): Promise<P> {
    const started = await starting;
    running.push(started);
    return started;
  }

  function behindSidecars(upstreamPort: number, sender: string): Promise<Sidecars> {
    if (envoy === undefined) throw new Error('Envoy is not installed: run `npm run backends -- envoy`');
    return keep(startSidecars({ envoy, upstreamPort, sinkPort: sink.ready.port, sender }));
  }

  async function papers(): Promise<{ readonly papers: string }> {
    const { folder, withdraw } = await issuePapers(['user', 'order']);
    running.push({ stop: withdraw });
    return { papers: folder };
  }

  async function startPair(sender: string, { peer, sampleRatio, without, isMetered, isLocal, hasSidecars }: ContestantSpec): Promise<Pair> {
    const proofs = peer === 'secured' ? await papers() : {};
    const optionsOf = (side: string): PeerOptions => ({
      otlpEndpoint: otlpEndpoint(`${sender}-${side}`),
      sampleRatio,
      ...(without && { without }),
      ...(isMetered && { isMetered }),
      ...proofs,
    });
    const flags = (side: string): readonly string[] =>
      profiles !== undefined && peer === 'mesh' ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${sender}-${side}.cpuprofile`] : [];
    const serverArgument: ServerArgument = { peer, ...optionsOf('server') };
    const server = isLocal ? undefined : await keep(startProgram<{ port: number }>('server-program', serverArgument, flags('server')));
    const port = server?.ready.port ?? 0;
    const sidecars = hasSidecars && (await behindSidecars(port, sender));
    const clientArgument: ClientArgument = { peer, port: sidecars?.port ?? port, ...optionsOf('client') };
    return { server, sidecars, client: await keep(startProgram('client-program', clientArgument, flags('client'))) };
  }

  async function start(name: string, spec: ContestantSpec): Promise<Contestant> {
    const sender = name.replaceAll(' ', '-');
    const pair = await startPair(sender, spec);
    const { client, server } = pair;
    const sides = spec.isLocal ? ['client'] : ['client', 'server'];
    let calls = 0;
    let failed = 0;
    let ms = 0;
    return {
      spec,
      async measure(load) {
        const began = performance.now();
        const usedMs = await cpuMsOf(pair);
        const slice = await client.ask<Slice>('measure', load);
        calls += slice.calls;
        failed += slice.failed;
        ms += load.warmUpMs + load.ms;
        if (slice.failed > 0) progress(`${spec.title}: ${slice.failed} of ${slice.calls} calls failed, the last one with: ${slice.failure}`);
        if (failed > Math.max(MAX_FAILED, calls * MAX_FAILED_SHARE)) throw new Error(`${spec.title}: ${failed} of ${calls} calls failed: this is no measurement`);
        await Promise.all([client.ask('settle'), server?.ask('settle')]);
        const cpuMs = (await cpuMsOf(pair)) - usedMs;
        return { ...slice, cpuMsPerCall: cpuMs / slice.calls, cores: cpuMs / (performance.now() - began) };
      },
      async spansSeen() {
        const ended = (calls * spec.spansPerCall) / sides.length;
        const arrived = await Promise.all(sides.map((side) => spansOf(sink, `${sender}-${side}`, ended)));
        return { perCall: Math.min(...arrived) / ended, endedPerSecond: (ended * 1_000) / ms };
      },
    };
  }

  return {
    hasEnvoy: envoy !== undefined,
    otlpEndpoint,
    enter(name, spec) {
      const found = entered.get(name) ?? start(name, spec);
      entered.set(name, found);
      return found;
    },
    async stop() {
      await Promise.allSettled(entered.values());
      await Promise.all(running.map((program) => program.stop()));
    },
  };
}

/** Of all its processes together. */
async function cpuMsOf({ client, server, sidecars }: Pair): Promise<number> {
  const used = await Promise.all([client.ask<number>('cpuMs'), server?.ask<number>('cpuMs'), sidecars?.cpuMs()]);
  return used.reduce<number>((sum, ms = 0) => sum + ms, 0);
}

/** How many spans of a sender arrived; waits a while for those that are on their way. */
async function spansOf(sink: Program<unknown>, sender: string, expected: number): Promise<number> {
  const until = performance.now() + SPANS_WITHIN_MS;
  for (;;) {
    const { [sender]: arrived = 0 } = await sink.ask<Counts>('counts');
    if (arrived >= expected || performance.now() >= until) return arrived;
    await delay(50);
  }
}
