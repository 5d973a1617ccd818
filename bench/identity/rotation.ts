import { generateKeyPairSync } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { startAgent } from '#discovery/agent';
import { silentLog, systemClock, systemRandom } from '#kit';

import type { BenchOptions } from '../bench.ts';
import { type Figure, judge } from '../figure.ts';
import { makeFolder } from '../orders/make-folder.ts';
import { type Program, startProgram } from '../rpc/program.ts';
import type { CallsMade, Certified, RotationArgument } from './rotation-program.ts';

/**
 * A leaf is valid from a minute before it is made, so these have 15 s left: they are renewed each second or two, and no
 * connection outlives 15 s.
 */
const LEAF_TTL_MS = 75_000;

/** Between two rotations the calls go on for so long. */
const EXTENT = {
  full: { services: 7, rotations: 6, settleMs: 6_000 },
  quick: { services: 3, rotations: 1, settleMs: 50 },
} as const;

const LOOK_EVERY_MS = 50;
const RENEWED_WITHIN_MS = 30_000;

type Peer = Program<{ readonly ports: readonly number[] }>;

/** Two processes of the same services, each service calling every other one over there, below the embedded agent's authority. */
export async function measureRotation({ progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const { services, rotations, settleMs } = EXTENT[quick ? 'quick' : 'full'];
  const dataDir = await makeFolder();
  const agent = await startAgent({ dataDir, host: '127.0.0.1', port: 0, leafTtlMs: LEAF_TTL_MS, clock: systemClock, random: systemRandom, log: silentLog });
  const peers: Peer[] = [];
  try {
    const argument: RotationArgument = { registry: agent.url, services };
    for (const started of [1, 2].map(() => startProgram<Peer['ready']>('../identity/rotation-program', argument))) peers.push(await started);
    await Promise.all(peers.map((peer, index) => peer.ask('begin', peers[1 - index]?.ready.ports)));
    await delay(settleMs);
    for (let done = 1; done <= rotations; done += 1) {
      const took = await rotate(agent.url, peers);
      await delay(settleMs);
      progress(`rotation ${done} of ${rotations}: another root, and every leaf by it within ${(took / 1_000).toFixed(1)} s`);
    }
    return [figureOf(await Promise.all(peers.map((peer) => peer.ask<CallsMade>('end'))), rotations, progress)];
  } finally {
    await Promise.all(peers.map(({ stop }) => stop()));
    await agent.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Has another root sign, and waits until every leaf is by it; resolves with the ms that took. */
async function rotate(registry: string, peers: readonly Peer[]): Promise<number> {
  const read = async (): Promise<Certified> => (await Promise.all(peers.map((peer) => peer.ask<Certified>('certified')))).flat();
  const before = new Map((await read()).map(({ roots, leaf }) => [leaf, roots]));
  const rootsBefore = Math.max(...before.values());
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1', privateKeyEncoding: { type: 'sec1', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
  const began = performance.now();
  const answer = await fetch(`${registry}/v1/connect/ca/configuration`, { method: 'PUT', body: JSON.stringify({ Provider: 'consul', Config: { PrivateKey: privateKey } }) });
  if (!answer.ok) throw new Error(`the agent did not take another root: ${await answer.text()}`);
  while (performance.now() - began < RENEWED_WITHIN_MS) {
    if ((await read()).every(({ leaf, isByLatestRoot, roots }) => !before.has(leaf) && isByLatestRoot && roots > rootsBefore)) return performance.now() - began;
    await delay(LOOK_EVERY_MS);
  }
  throw new Error(`not every leaf was renewed within ${RENEWED_WITHIN_MS / 1_000} s: this is no measurement`);
}

function figureOf(made: readonly CallsMade[], rotations: number, progress: BenchOptions['progress']): Figure {
  const sum = (pick: (one: CallsMade) => number): number => made.reduce((total, one) => total + pick(one), 0);
  for (const { failure } of made) if (failure !== undefined) progress(`a call failed: ${failure}`);
  const among = [`${sum(({ calls }) => calls)} calls`, `${sum(({ connections }) => connections)} connections`, `${sum(({ renewals }) => renewals)} leaves`, `${rotations} roots renewed`];
  return judge({ figure: 'identity.rotation_failed_calls', value: sum(({ failed }) => failed), unit: `failed (of ${among.join(', ')})`, aim: { atMost: 0 } });
}
