import type { Kind } from './contract.ts';

/** How a program of a run is started: its one argument, as JSON. */
interface Common {
  /** What CONSUL_HTTP_ADDR would be. */
  readonly consul: string;
  /** What MESH_POLICY would be. */
  readonly policy: string;
  readonly seed: number;
  readonly zone: string;
  /** Whether what a server says of trying again counts; without, its code decides. */
  readonly heedsHints: boolean;
  /** Whether its calls are made as by a program that knows of no deadline but its own. */
  readonly naive: boolean;
}

export interface NodeSettings extends Common {
  readonly name: string;
  /** What it is registered as. */
  readonly service: string;
  /** The service it calls for each call, after its own work; default: none. */
  readonly next?: string | undefined;
  /** A fixed port, or 0. */
  readonly port: number;
  /** Calls that it works on at once, and how long each takes: `workers / serviceMs` calls a millisecond are its capacity. */
  readonly workers: number;
  readonly serviceMs: number;
  /** Every effect of `apply` is a line in this file, written before the answer. */
  readonly effectsFile: string;
  /** Whether it drains when it is told to stop, or ends at once. */
  readonly drains: boolean;
  /** Whether the limits of its door hold. */
  readonly limits: boolean;
}

export interface LoadSettings extends Common {
  /** The service it calls. */
  readonly service: string;
  /** Calls each second, however the answers come (an open loop), at exponential distances. */
  readonly perSecond: number;
  /** How long, unless it is told to end before. */
  readonly durationMs: number;
  /** Share of each kind; they add up to 1. */
  readonly mix: Readonly<Partial<Record<Kind, number>>>;
  readonly deadlineMs: number;
  /** How long its last good list of instances outlives an answer that there are none; as discovery has it when left out. */
  readonly emptyHoldMs?: number;
}

/** What a load is told. `end`: sends nothing more. */
export type LoadOrder = { readonly kind: 'go' } | { readonly kind: 'end' } | { readonly kind: 'tell' };

/** What a node is told while it runs. */
export type NodeOrder =
  /** Its calls take this many times as long; this share of them fails with UNAVAILABLE. */
  | { readonly kind: 'behave'; readonly slowness: number; readonly failing: number }
  /** Its event loop stands still. */
  | { readonly kind: 'freeze'; readonly ms: number }
  | { readonly kind: 'read' };

export type NodeReport = { readonly kind: 'listening'; readonly port: number } | NodeReading;

/** What a node says of itself, garbage collected. */
export interface NodeReading extends Holdings {
  readonly kind: 'reading';
  readonly served: number;
  /** Of the whole process. */
  readonly memoryBytes: number;
}

/** One call of a load. */
export interface CallRecord {
  readonly kind: Kind;
  /** Milliseconds since the epoch, when it was due. */
  readonly at: number;
  readonly tookMs: number;
  /** `ok`, or the reason of the error. */
  readonly outcome: string;
  readonly instance: string;
  readonly id: string;
}

/** How many calls were answered so far, by instance. */
export interface LoadProgress {
  readonly kind: 'progress';
  readonly answered: Readonly<Record<string, number>>;
}

export interface LoadReport {
  readonly kind: 'done';
  readonly calls: readonly CallRecord[];
  /** What the client's side of the mesh counted. */
  readonly destinations: unknown;
}

/** A process that calls and goes away, and opens channels and closes them. */
export interface ChurnSettings extends Common {
  readonly calls: number;
  readonly channels: number;
  /** Whether it puts away what it has used. */
  readonly putsAway: boolean;
}

/** What a process holds, garbage collected. */
export interface Holdings {
  readonly heapBytes: number;
  /** Handles and timers that keep it alive. */
  readonly resources: number;
}

export interface ChurnReport {
  readonly kind: 'churned';
  /** After the first calls and channels, which make what stays for good. */
  readonly before: Holdings;
  readonly after: Holdings;
  /** Calls that ended as cancelled. */
  readonly cancelled: number;
}

/** Peers that mean harm. */
export interface HostileSettings {
  readonly port: number;
  readonly seed: number;
  /** Share of the full numbers. */
  readonly scale: number;
}

export type HostileReport = { readonly kind: 'attacked'; readonly name: string } | { readonly kind: 'over' };
