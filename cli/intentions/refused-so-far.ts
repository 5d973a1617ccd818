import { systemClock } from '#kit';

import type { DenialFacts } from '../status/guard-facts.ts';
import { roughTime } from '../status/rough-time.ts';
import type { Guarded } from './ask-guards.ts';

/** What the instances of a service have refused of the calls that `mesh why` is asked about. */
export interface RefusedSoFar {
  /** Instances that were asked, and how many of them answered. */
  readonly asked: number;
  readonly answered: number;
  /** The latest first. */
  readonly denials: readonly DenialFacts[];
}

/** Undefined where there was nobody to ask. `path` is that of a method, such as `/shop.payment.v1.PaymentService/Charge`. */
export function refusedSoFar({ asked, answered, denials }: Guarded, source: string, path: string): RefusedSoFar | undefined {
  if (asked === 0) return undefined;
  return { asked, answered, denials: denials.filter((denial) => denial.source === source && `/${denial.method}` === path) };
}

export function refusedInLines({ asked, answered, denials }: RefusedSoFar, nowMs = systemClock.now()): readonly string[] {
  const who = `${answered} of ${asked} instance${asked === 1 ? '' : 's'} answered`;
  if (answered === 0) return [`whether such calls were refused is not known: ${who}`];
  if (denials.length === 0) return [`refused so far: none (${who})`];
  return [`refused so far (${who}):`, ...denials.map((denial) => `  ${denialInWords(denial, nowMs)}`)];
}

/** `12 calls, the last 3 s ago, by order => payment, permission 1`. */
function denialInWords({ calls, lastMs, intention, permission }: DenialFacts, nowMs: number): string {
  const by = permission === undefined ? intention : `${intention}, permission ${permission}`;
  return `${calls} call${calls === 1 ? '' : 's'}, the last ${roughTime(nowMs - lastMs)} ago, by ${by}`;
}

export function refusedForPrograms({ asked, answered, denials }: RefusedSoFar): object {
  return {
    ...{ asked, answered },
    denials: denials.map(({ intention, permission, calls, firstMs, lastMs }) => ({
      ...{ intention, calls, firstTime: new Date(firstMs).toISOString(), lastTime: new Date(lastMs).toISOString() },
      ...(permission !== undefined && { permission }),
    })),
  };
}
