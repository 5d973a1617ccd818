import type { ServerInterceptor } from '../call.ts';
import type { GuardState } from '../intentions/guard-state.ts';
import type { Method } from '../method.ts';
import type { AdmissionState } from './admission/admission.ts';
import type { DoorCounts } from './door/door.ts';
import type { ListenAs } from './door/listen-as.ts';
import type { ServerFaults } from './faults.ts';

/** A port that listens: its door, the calls behind it, and whether it is on its way down. */
export interface DoorFigures {
  readonly counts: DoorCounts;
  readonly openCalls: number;
  readonly draining: boolean;
}

/** What is measured of the services that a process hosts. What is watched is read whenever metrics are collected. */
export interface ServerInstruments {
  /** Outermost in the chain; empty where nobody measures. */
  serverCall(method: Method): readonly ServerInterceptor[];
  watchAdmission(service: string, read: () => AdmissionState): void;
  watchFaults(method: Method, read: ServerFaults['read']): void;
  /** Of one port of the service; `kind` tells it from its others. Returns how to end that. */
  watchDoor(service: string, kind: ListenAs['kind'], read: () => DoorFigures): () => void;
  watchGuard(service: string, read: () => GuardState): void;
}
