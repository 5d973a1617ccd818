import { type Clock, type Log, newId, type Random } from '#kit';

import { createCertificateMaker, newKeyPem } from './ca-certificates.ts';
import { createCaFile } from './ca-file.ts';
import { type CaState, type IssuedLeaf, trustDomainOf, type RootRecord } from './ca-records.ts';

export interface AuthorityOptions {
  readonly folder: string;
  /** Lifetime of a leaf until the configuration says otherwise. */
  readonly leafTtlMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Takes the index of a change. */
  readonly nextIndex: () => number;
  readonly changed: () => void;
}

export interface RootList {
  readonly trustDomain: string;
  /** The one that signs first. */
  readonly roots: readonly RootRecord[];
}

/** The embedded agent's certificate authority. It makes its root when it is first asked for something. */
export interface Authority {
  roots(): Promise<RootList>;
  /** The index of the latest change of the roots. */
  rootsIndex(): number;
  /** A leaf with a key of its own. Default lifetime: the configured one, which also is the longest. */
  issue(service: string, ttlMs?: number): Promise<IssuedLeaf>;
  configuration(): Promise<{ readonly leafTtlMs: number }>;
  /** Sets the lifetime of leaves; a key that is not that of the root makes a new root of it, which signs from now on. True when it did. */
  configure(change: { readonly leafTtlMs?: number; readonly keyPem?: string }): Promise<boolean>;
}

export function createAuthority(options: AuthorityOptions): Authority {
  const { clock, random, nextIndex, changed } = options;
  const file = createCaFile(options.folder, clock, options.log);
  const maker = createCertificateMaker(clock, random);
  let opening: Promise<CaState> | undefined;
  let rootsIndex = 0;
  let configuring: Promise<unknown> = Promise.resolve();

  async function open(): Promise<CaState> {
    const stored = await file.load();
    rootsIndex = nextIndex();
    if (stored) return stored;
    const clusterId = newId(clock, random);
    const state = { clusterId, leafTtlMs: options.leafTtlMs, roots: [await maker.root(clusterId, await newKeyPem(), undefined)] };
    await file.save(state);
    return state;
  }

  function opened(): Promise<CaState> {
    opening ??= open();
    const mine = opening;
    mine.catch(() => {
      if (opening === mine) opening = undefined;
    });
    return mine;
  }

  async function configure({ leafTtlMs, keyPem }: Parameters<Authority['configure']>[0]): Promise<boolean> {
    const state = await opened();
    const [signer] = state.roots;
    const rotates = keyPem !== undefined && keyPem !== signer?.keyPem;
    const roots = rotates ? [await maker.root(state.clusterId, keyPem, signer), ...state.roots.map((root) => retired(root, clock.now()))] : state.roots;
    await file.save({ ...state, roots, leafTtlMs: leafTtlMs ?? state.leafTtlMs });
    state.leafTtlMs = leafTtlMs ?? state.leafTtlMs;
    if (!rotates) return false;
    state.roots = roots;
    rootsIndex = nextIndex();
    changed();
    return true;
  }

  return {
    roots: async () => {
      const state = await opened();
      const kept = state.roots.filter((root) => isNeeded(root, state, clock.now()));
      if (kept.length < state.roots.length) {
        // The file may keep it: whoever reads that passes here first. Nobody waits for longer than ten minutes before he asks
        // again, so that nothing else has to look at the clock.
        state.roots = kept;
        rootsIndex = nextIndex();
        changed();
      }
      return { trustDomain: trustDomainOf(state), roots: state.roots };
    },
    rootsIndex: () => rootsIndex,
    issue: async (service, ttlMs = Infinity) => {
      const state = await opened();
      const [signer] = state.roots;
      if (!signer) throw new Error('the certificate authority has no root');
      return maker.leaf(state.clusterId, signer, service, Math.min(ttlMs, state.leafTtlMs));
    },
    configuration: opened,
    configure: (change) => {
      // One after the other: two rotations at once would each retire the same root.
      const mine = configuring.then(() => configure(change));
      configuring = mine.catch(() => undefined);
      return mine;
    },
  };
}

function retired(root: RootRecord, nowMs: number): RootRecord {
  const { id, certPem, rotatedOutAtMs } = root;
  return { id, certPem, rotatedOutAtMs: rotatedOutAtMs || nowMs };
}

/** As Consul does: a retired root stays for two lifetimes of a leaf, when the last that it signed has long expired. */
function isNeeded({ rotatedOutAtMs }: RootRecord, { leafTtlMs }: CaState, nowMs: number): boolean {
  return rotatedOutAtMs === 0 || nowMs - rotatedOutAtMs < 2 * leafTtlMs;
}
