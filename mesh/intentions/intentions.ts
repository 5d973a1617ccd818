import { ANY_SERVICE, type Intention, type IntentionAction } from '#discovery';

import type { IntentionRequest } from './request.ts';
import { compileIntention, type Decide, defaultVerdict, type IntentionVerdict } from './verdict.ts';

/** A set of intentions, ready to be asked. */
export interface Intentions {
  /** Whether a call may be. Four look-ups at most, however many intentions there are. */
  check(source: string, destination: string, request: IntentionRequest): IntentionVerdict;
  /** Those that fit the pair, the strongest first: it decides, and the others would if it were not there. */
  applying(source: string, destination: string): readonly Intention[];
}

interface Compiled {
  readonly intention: Intention;
  readonly decide: Decide;
}

/**
 * Compiles intentions as Consul means them
 * (https://developer.hashicorp.com/consul/docs/connect/intentions#precedence-and-match-order):
 * one for exactly these two services goes before one for any source, that before one for any
 * destination, that before one for anything. Once for each change: to ask then costs from 40 ns,
 * without permissions, to a few microseconds, with patterns for headers.
 * Sources that are not in this mesh are left out.
 */
export function createIntentions(intentions: readonly Intention[], defaultAction: IntentionAction): Intentions {
  const byDestination = new Map<string, Map<string, Compiled>>();
  for (const intention of intentions.toSorted((one, other) => other.precedence - one.precedence)) {
    if (intention.elsewhere !== undefined) continue;
    const bySource = byDestination.get(intention.destination) ?? new Map<string, Compiled>();
    byDestination.set(intention.destination, bySource);
    // With namespaces there may be a weaker one of the same names, such as from any namespace.
    if (bySource.has(intention.source)) continue;
    bySource.set(intention.source, { intention, decide: compileIntention(intention, defaultAction) });
  }
  const otherwise = defaultVerdict(defaultAction, undefined);
  const ofAny = byDestination.get(ANY_SERVICE);

  return {
    check: (source, destination, request) => {
      const ofThis = byDestination.get(destination);
      const deciding = ofThis?.get(source) ?? ofThis?.get(ANY_SERVICE) ?? ofAny?.get(source) ?? ofAny?.get(ANY_SERVICE);
      return deciding ? deciding.decide(request) : otherwise;
    },
    applying: (source, destination) =>
      [byDestination.get(destination), ofAny].flatMap((bySource) =>
        [source, ANY_SERVICE].flatMap((name) => bySource?.get(name)?.intention ?? []),
      ),
  };
}
