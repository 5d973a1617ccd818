import type { IntentionRecord } from './intention-records.ts';

export type CheckStatus = 'passing' | 'warning' | 'critical';

/** What to ask an instance, and how often. */
export interface CheckDefinition {
  readonly checkId: string;
  readonly name: string;
  readonly notes: string;
  /** `host:port`, or `host:port/service`. */
  readonly grpc: string;
  /** Whether it is asked over TLS, whatever certificate it shows. Left out by older versions: it is not. */
  readonly tls?: boolean;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** After so long without a good answer the instance is forgotten; undefined: never. */
  readonly forgetAfterMs?: number;
}

export interface CheckState {
  status: CheckStatus;
  output: string;
  /** Wall clock; 0 while it is not critical. */
  criticalSince: number;
  createIndex: number;
  modifyIndex: number;
}

export interface CheckRecord {
  readonly definition: CheckDefinition;
  readonly state: CheckState;
}

export interface ServiceRecord {
  readonly id: string;
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly weights: { readonly Passing: number; readonly Warning: number };
  readonly checks: readonly CheckRecord[];
  readonly createIndex: number;
  readonly modifyIndex: number;
}

export interface KeyRecord {
  readonly key: string;
  /** Base64, as it is stored and answered. */
  readonly value: string;
  readonly flags: number;
  readonly createIndex: number;
  readonly modifyIndex: number;
}

/** Everything that outlives a restart. */
export interface AgentState {
  readonly nodeId: string;
  /** Of the latest change; each change takes the next. */
  index: number;
  readonly services: Map<string, ServiceRecord>;
  readonly keys: Map<string, KeyRecord>;
  /** By destination. */
  readonly intentions: Map<string, IntentionRecord>;
}
