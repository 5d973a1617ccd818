import type { ModuleName } from '#modules';

import type { Served } from '../serving/serve.ts';

/** One process under the supervisor. */
export type ProcessStatus = {
  /** Of its slot, which stays the same when it is run again: `inventory`, `inventory-2`, `monolith`. Also its log's name. */
  readonly name: string;
  readonly services: readonly ModuleName[];
  /** Ids under which its services are registered. */
  readonly instances: readonly string[];
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
} & (
  | { readonly state: 'starting' | 'ready' | 'stopping'; readonly pid: number | undefined }
  /** It has ended and waits to be run again, or is not run again any more; `reason` is a sentence that says why it ended. */
  | { readonly state: 'restarting' | 'given-up'; readonly pid: undefined; readonly reason: string }
);

export interface SupervisorStatus {
  readonly pid: number;
  readonly version: string;
  readonly topology: string;
  readonly startedAt: number;
  readonly consulUrl: string;
  /** Where traces can be read; empty when they go nowhere that can be asked. */
  readonly jaegerUrl: string;
  readonly processes: readonly ProcessStatus[];
}

/** How many instances each of these services shall have. */
export interface ScaleRequest {
  readonly counts: Readonly<Partial<Record<ModuleName, number>>>;
  /** Whether 0 is meant. */
  readonly allowNone: boolean;
}

/** An instance that the supervisor runs, and the process it runs in. */
export interface RunInstance {
  readonly service: ModuleName;
  readonly process: string;
  readonly pid: number | undefined;
  readonly id: string;
  readonly address: string;
  readonly port: number;
}

/** What has come of a {@link ScaleRequest}. */
export interface ScaleAnswer {
  readonly instances: readonly RunInstance[];
  /** Processes that should serve and do not: given up, or stopped meanwhile by somebody else. */
  readonly missing: readonly { readonly process: string; readonly reason: string }[];
}

/** A refusal. */
export interface ControlError {
  readonly reason: string;
  readonly message: string;
}

/** An instance as the supervisor tells of it. */
export function runInstance({ name: service, id, address, port }: Served, { name, pid }: ProcessStatus): RunInstance {
  return { service, process: name, pid, id, address, port };
}
