import type { Code } from '#kit';

import type { Live } from './call-policy.ts';

/** A failure on purpose: what it does to the calls of a method, and until when. */
export interface Fault {
  /** Share of the calls it hits, above 0 and at most 100. */
  readonly percent: number;
  /** Wait before the handler runs, or before the failure; 0: none. */
  readonly delayMs: number;
  /** The status to fail with; undefined: only the delay. */
  readonly abort: Code | undefined;
  /** Over by itself then; milliseconds since the epoch. */
  readonly untilMs: number;
}

/** A fault and who ordered it. */
export interface OrderedFault extends Fault {
  readonly service: string;
  /** Name of the method in the contract; undefined: every method of the service. */
  readonly method: string | undefined;
  readonly owner: string;
  readonly reason: string;
}

/** Where the server finds the faults that are ordered now. */
export interface Faults {
  of(service: string, method: string): Live<readonly Fault[]>;
}

/** The faults that are ordered, and whether this process heeds them. */
export interface FaultsInForce extends Faults {
  readonly allowed: boolean;
  /** Those that are in force in a service now. */
  faultsOf(service: string): readonly OrderedFault[];
}

/** For processes in which faults are not allowed. */
export const NO_FAULTS: FaultsInForce = { of: () => ({ current: [] }), allowed: false, faultsOf: () => [] };
