import { HTTPException } from 'hono/http-exception';
import { type Clock, createAlarm, type Log, type Random, type Stoppable } from '#kit';

import { LOOK_AGAIN_MS, renewAtMs } from '../certificates/renewal.ts';
import type { IssuedLeaf } from './ca-records.ts';
import { LIMITS } from './limits.ts';

export interface LeafCacheOptions {
  readonly issue: (service: string) => Promise<IssuedLeaf>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly nextIndex: () => number;
  readonly changed: () => void;
}

/** A leaf with the index of its making. */
export interface CachedLeaf extends IssuedLeaf {
  readonly index: number;
}

/** The leaves that the agent hands out, one a service, renewed in time for those who wait for a change. */
export interface LeafCache extends Stoppable {
  of(service: string): Promise<CachedLeaf>;
  /** As `of`, for who does not wait for a change: after a rotation that one gets a leaf of the new root at once, as from Consul. */
  freshOf(service: string): Promise<CachedLeaf>;
  indexOf(service: string): number;
  /** Another root signs: each leaf is renewed within two seconds, not all at once. */
  renewAll(): void;
}

interface Entry {
  leaf: CachedLeaf;
  dueMs: number;
  /** Whether anybody has asked since it was made; one that nobody wants is not renewed. */
  isWanted: boolean;
  /** Whether another root signs by now. */
  isOutdated: boolean;
}

const ROTATION_SPREAD_MS = 2_000;
const RETRY_MS = 1_000;

export function createLeafCache({ issue, clock, random, log, nextIndex, changed }: LeafCacheOptions): LeafCache {
  const entries = new Map<string, Entry>();
  const making = new Map<string, Promise<CachedLeaf>>();
  const alarm = createAlarm(clock);
  const stopping = new AbortController();
  let renewing: Promise<void> | undefined;
  /** How often another root has begun to sign. */
  let rotations = 0;

  const rotationDueMs = (): number => clock.now() + ROTATION_SPREAD_MS * random.number();

  async function make(service: string): Promise<CachedLeaf> {
    const atFirst = rotations;
    const issued = await issue(service);
    const leaf = { ...issued, index: nextIndex() };
    // Another root may have begun to sign meanwhile: `renewAll` could not know of this leaf.
    const isOutdated = rotations !== atFirst;
    const dueMs = isOutdated ? rotationDueMs() : Math.max(renewAtMs(leaf, random), clock.now() + RETRY_MS);
    entries.set(service, { leaf, dueMs, isWanted: false, isOutdated });
    renewing ??= renew();
    changed();
    alarm.ring();
    return leaf;
  }

  /** Those who ask for one service at the same time get one leaf. */
  function makeOnce(service: string): Promise<CachedLeaf> {
    const mine = making.get(service) ?? make(service).finally(() => making.delete(service));
    making.set(service, mine);
    return mine;
  }

  async function renewDue(): Promise<void> {
    const due = [...entries].filter(([, { dueMs }]) => dueMs <= clock.now());
    for (const [service, entry] of due) {
      if (!entry.isWanted) entries.delete(service);
      else {
        await makeOnce(service).catch((err: unknown) => {
          log.error({ err, service }, 'the embedded agent could not renew a certificate; it tries again');
          entry.dueMs = clock.now() + RETRY_MS;
        });
      }
    }
  }

  async function renew(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      await renewDue();
      const nextMs = Math.min(...[...entries.values()].map(({ dueMs }) => dueMs)) - clock.now();
      await alarm.sleep(Math.max(0, Math.min(nextMs, LOOK_AGAIN_MS)), signal).catch(() => undefined);
    }
  }

  async function find(service: string, isGood: (entry: Entry) => boolean): Promise<CachedLeaf> {
    const entry = entries.get(service);
    if (entry) entry.isWanted = true;
    if (entry && isGood(entry) && entry.leaf.notAfterMs > clock.now()) return entry.leaf;
    if (!entry && entries.size + making.size >= LIMITS.leaves) {
      throw new HTTPException(507, { message: `the embedded agent keeps at most ${LIMITS.leaves} certificates; run Consul for more` });
    }
    for (let attempt = 1; ; attempt += 1) {
      const leaf = await makeOnce(service);
      const made = entries.get(service);
      if (made) made.isWanted = true;
      // One that was being made already may be of the root before.
      if (!made || isGood(made) || attempt === 2) return leaf;
    }
  }

  return {
    of: (service) => find(service, () => true),
    freshOf: (service) => find(service, ({ isOutdated }) => !isOutdated),
    indexOf: (service) => entries.get(service)?.leaf.index ?? 1,
    renewAll: () => {
      rotations += 1;
      for (const entry of entries.values()) Object.assign(entry, { isOutdated: true, dueMs: rotationDueMs() });
      alarm.ring();
    },
    stop: async () => {
      stopping.abort();
      await renewing;
    },
  };
}
