import { MeshError, systemClock } from '#kit';

import { watchForever, watchShort } from './called-services.ts';
import type { RunningService } from './running-services.ts';

/** Between two calls of one service to another. */
const PAUSE_MS = 150;
/** Between two callers that have no connection yet. */
const NEWCOMER_MS = 400;

/** Calls among services, each to all others, that go on until they are ended. */
export interface Load {
  /** Calls and short streams that are through. */
  calls(): number;
  /** Of these, the ones for which a connection was made. */
  newcomers(): number;
  /** What became of those that failed. */
  readonly failures: readonly string[];
  /** How the streams that never end were broken off; each was begun anew. */
  readonly brokenOff: readonly string[];
  end(): Promise<void>;
}

export function startLoad(services: readonly RunningService[]): Load {
  const ending = new AbortController();
  const { signal } = ending;
  const failures: string[] = [];
  const brokenOff: string[] = [];
  let calls = 0;
  let newcomers = 0;

  async function repeat(what: string, pauseMs: number, call: () => Promise<unknown>, into: string[]): Promise<void> {
    while (!signal.aborted) {
      await call().then(
        () => (calls += 1),
        (thrown: unknown) => signal.aborted || into.push(`${what}: ${inWords(thrown)}`),
      );
      await systemClock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  async function callAnew(from: RunningService, to: RunningService): Promise<void> {
    const mesh = from.openMesh();
    try {
      await to.service.call(mesh, from.service.name)();
      newcomers += 1;
    } finally {
      await mesh.stop();
    }
  }

  const pairs = services.flatMap((from) => services.filter((to) => to !== from).map((to) => ({ from, to, what: `${from.service.name} calls ${to.service.name}` })));
  const readers = services.filter(({ service }) => service.name !== 'order');
  let turn = 0;
  const newcomer = async (): Promise<void> => {
    turn += 1;
    const pair = pairs[turn % pairs.length];
    if (pair) await callAnew(pair.from, pair.to);
  };
  const loops = [
    ...pairs.map(({ from, to, what }) => repeat(what, PAUSE_MS, to.service.call(from.mesh, from.service.name), failures)),
    repeat('somebody calls for the first time', NEWCOMER_MS, newcomer, failures),
    ...readers.map(({ mesh, service: { name } }) => repeat(`${name} watches to the end`, PAUSE_MS, watchShort(mesh, name), failures)),
    ...readers.map(({ mesh, service: { name } }) => repeat(`${name} watches for ever`, PAUSE_MS, watchForever(mesh, name, signal), brokenOff)),
  ];
  return {
    ...{ calls: () => calls, newcomers: () => newcomers, failures, brokenOff },
    async end() {
      ending.abort();
      await Promise.all(loops);
    },
  };
}

function inWords(thrown: unknown): string {
  const { reason, message } = MeshError.from(thrown);
  return `${reason} ${message}`;
}
