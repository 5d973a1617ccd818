import type { Log, MeshError } from '#kit';

import { type FailureKind, failureKind } from './failure.ts';

/**
 * Says once that Consul cannot be used and once that it can again, however many
 * watches and registrations notice; of refusals once each different one, as each
 * names another right that is missing. It is over when the last that failed has
 * succeeded: a few may still work meanwhile (without a leader, an agent answers
 * what it knows itself).
 */
export interface Outage {
  failed(party: string, error: MeshError): void;
  succeeded(party: string): void;
  /** The party has stopped asking. */
  forget(party: string): void;
}

const LINES: Readonly<Record<FailureKind, readonly [gone: string, back: string]>> = {
  unreachable: ['Consul is gone; going on with its last good answers', 'Consul is back'],
  refused: ['Consul refuses what is asked; going on with its last good answers', 'Consul no longer refuses'],
};

/** Different ones that are told in one outage: more than a service's policy has rules. */
const MAX_REFUSALS = 32;

export function createOutage(log: Log, url: string): Outage {
  const failing: Readonly<Record<FailureKind, Set<string>>> = { unreachable: new Set(), refused: new Set() };
  const toldRefusals = new Set<string>();

  function isNews(kind: FailureKind, sentence: string): boolean {
    if (kind === 'unreachable') return failing.unreachable.size === 0;
    if (failing.refused.size === 0) toldRefusals.clear();
    if (toldRefusals.has(sentence) || toldRefusals.size === MAX_REFUSALS) return false;
    toldRefusals.add(sentence);
    return true;
  }

  function recover(party: string, kind: FailureKind): void {
    if (failing[kind].delete(party) && failing[kind].size === 0) log.info({ consul: url }, LINES[kind][1]);
  }

  return {
    failed: (party, error) => {
      const kind = failureKind(error);
      if (isNews(kind, error.message)) log.warn({ consul: url, reason: error.message }, LINES[kind][0]);
      failing[kind].add(party);
      // Where it was refused before, it is now unreachable, or the other way round: one trouble at a time.
      failing[kind === 'refused' ? 'unreachable' : 'refused'].delete(party);
    },
    succeeded: (party) => {
      recover(party, 'unreachable');
      recover(party, 'refused');
    },
    forget: (party) => {
      failing.unreachable.delete(party);
      failing.refused.delete(party);
    },
  };
}
