import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';

import { DefaultAction, type GuardState } from '#proto/mesh/v1/instance_pb.js';

/** What the guard of an instance goes by, and whom it has met since its process started. Times in milliseconds since the epoch. */
export interface GuardFacts {
  /** Callers without a certificate are let through to the intentions. */
  readonly permissive: boolean;
  /** Undefined: it is not known yet. */
  readonly defaultAction: 'allow' | 'deny' | undefined;
  readonly intentions: number;
  readonly allowed: number;
  readonly denied: number;
  readonly held: number;
  /** The latest first. */
  readonly withoutCertificate: readonly UncertifiedFacts[];
  /** Calls without a certificate that are in no entry. */
  readonly otherCallsWithoutCertificate: number;
  /** The latest first. */
  readonly denials: readonly DenialFacts[];
  /** Refused calls that are in no entry. */
  readonly otherDeniedCalls: number;
}

interface Counted {
  readonly calls: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface UncertifiedFacts extends Counted {
  readonly address: string;
  readonly method: string;
}

export interface DenialFacts extends Counted {
  /** Empty where nothing proved one. */
  readonly source: string;
  readonly method: string;
  /** Such as `order => payment`, or `default deny`. */
  readonly intention: string;
  /** Undefined for an intention that has none. */
  readonly permission: number | undefined;
}

const DEFAULTS: Readonly<Record<DefaultAction, GuardFacts['defaultAction']>> = {
  [DefaultAction.UNSPECIFIED]: undefined,
  [DefaultAction.ALLOW]: 'allow',
  [DefaultAction.DENY]: 'deny',
};

export function guardFacts({ permissive, defaultAction, intentions, allowed, denied, held, ...said }: GuardState): GuardFacts {
  return {
    ...{ permissive, intentions, held, allowed: Number(allowed), denied: Number(denied) },
    defaultAction: DEFAULTS[defaultAction],
    withoutCertificate: said.withoutCertificate.map((entry) => ({ address: entry.address, method: entry.method, ...countedFacts(entry) })),
    otherCallsWithoutCertificate: Number(said.otherCallsWithoutCertificate),
    denials: said.denials.map((entry) => {
      const { source, method, intention, permission } = entry;
      return { source, method, intention, permission: permission || undefined, ...countedFacts(entry) };
    }),
    otherDeniedCalls: Number(said.otherDeniedCalls),
  };
}

interface CountedSaid {
  readonly calls: bigint;
  readonly firstTime?: Timestamp | undefined;
  readonly lastTime?: Timestamp | undefined;
}

function countedFacts({ calls, firstTime, lastTime }: CountedSaid): Counted {
  return { calls: Number(calls), firstMs: firstTime ? timestampMs(firstTime) : 0, lastMs: lastTime ? timestampMs(lastTime) : 0 };
}
