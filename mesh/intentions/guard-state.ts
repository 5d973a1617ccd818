import type { IntentionAction } from '#discovery';

import type { UncertifiedCaller } from '../identity/require-certificate.ts';
import type { Denial } from './denial.ts';
import type { SightingsRead } from '../identity/sightings.ts';

/** Calls that were judged since the start, by the answer and by whose word. */
export type CheckCounts = Readonly<Record<IntentionAction, Readonly<Record<'intention' | 'default', number>>>>;

/** What the guard of a service goes by, and what it has done since the start. */
export interface GuardState {
  /** Whether callers without a certificate are let through to the intentions. */
  readonly permissive: boolean;
  /** What holds where no intention decides; undefined: it is not known yet. */
  readonly defaultAction: IntentionAction | undefined;
  /** How many intentions may decide about calls of the service. */
  readonly intentions: number;
  readonly checks: CheckCounts;
  /** Calls that wait until it is known who may call. */
  readonly held: number;
  /** Streams that were ended because what had let them in was gone. */
  readonly endedStreams: number;
  /** Calls without a certificate: refused, or let through where the guard is permissive. */
  readonly withoutCertificate: SightingsRead<UncertifiedCaller>;
  /** What intentions refused. */
  readonly denials: SightingsRead<Denial>;
}
