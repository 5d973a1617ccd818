import { type ChannelOptions, experimental } from '@grpc/grpc-js';

import type { ServiceIdentity } from '#discovery';
import { type Random, systemRandom } from '#kit';

/** The channel option that carries whom a caller is and believes. The prefix keeps it out of the arguments of subchannels, which are compared to find a connection to reuse. */
const TRUST_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.shopmesh_trust`;

/** Instances are connected to anew within so long, not all in one moment. */
const SPREAD_MS = 1_000;

interface Trust {
  readonly identity: ServiceIdentity;
  readonly random: Random;
}

/**
 * The options of a channel whose connections are made anew when a root is gone, to be merged with those of discovery and
 * balancing: a server that was believed for it is not called for as long as its connection lasts. A root that is added, or
 * stands elsewhere, takes nothing from anybody.
 *
 * @param random default: the system's
 */
export function trustOptions(identity: ServiceIdentity, random: Random = systemRandom): ChannelOptions {
  return { [TRUST_OPTION]: { identity, random } satisfies Trust };
}

/**
 * Calls `onGone` whenever a channel with these options believes in a root no longer. `laterMs` says after how long, up to a
 * second, an instance is connected to anew: another time for each. Returns how to end that.
 */
export function followRoots(options: ChannelOptions, onGone: (laterMs: () => number) => void): () => void {
  // Options have no types of their own; only trustOptions writes this one.
  const trust = options[TRUST_OPTION] as Trust | undefined;
  if (!trust) return () => {};
  const { identity, random } = trust;
  let { roots } = identity.trust();
  return identity.onChange(() => {
    const before = roots;
    roots = identity.trust().roots;
    if (before.some((root) => !roots.includes(root))) onGone(() => SPREAD_MS * random.number());
  });
}
