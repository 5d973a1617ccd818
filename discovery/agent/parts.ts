import type { AgentNode } from './answers.ts';
import type { Blocking } from './blocking.ts';
import type { AgentCertificates } from './ca-parts.ts';
import type { Catalog } from './catalog.ts';
import type { CheckRunner } from './check-runner.ts';
import type { IntentionEntries } from './intention-entries.ts';
import type { KeyValues } from './key-values.ts';

/** What the routes work on. */
export interface AgentParts {
  readonly node: AgentNode;
  readonly catalog: Catalog;
  readonly keyValues: KeyValues;
  readonly intentions: IntentionEntries;
  /** What holds where no intention decides. */
  readonly defaultIntention: 'allow' | 'deny';
  readonly certificates: AgentCertificates;
  readonly runner: CheckRunner;
  readonly blocking: Blocking;
  /** Resolves when every change so far is on disk. */
  save(): Promise<void>;
}
