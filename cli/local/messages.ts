import type { MigrationComponent } from '#database';

import type { Served } from '../serving/serve.ts';

/** What the supervisor tells a process it started: the settings, once what they name is there. */
export interface StartMessage {
  readonly kind: 'start';
  readonly environment: Readonly<Record<string, string>>;
}

/** What has come of tables that a process has found to be old. */
export interface MigratedMessage {
  readonly kind: 'migrated';
  readonly schema: string;
  /** Why they could not be brought up to date. */
  readonly trouble?: { readonly reason: string; readonly message: string };
}

/** What a process tells its supervisor. */
export type ChildMessage =
  /** These tables of its own are to be brought up to date, which takes their owner. */
  | { readonly kind: 'outdated'; readonly schema: string; readonly components: readonly MigrationComponent[] }
  | { readonly kind: 'ready'; readonly services: readonly Served[] }
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

export function isStartMessage(message: unknown): message is StartMessage {
  return hasKind(message) && message.kind === 'start';
}

export function isMigratedMessage(message: unknown): message is MigratedMessage {
  return hasKind(message) && message.kind === 'migrated';
}

export function isChildMessage(message: unknown): message is ChildMessage {
  return hasKind(message) && (message.kind === 'ready' || message.kind === 'failed' || message.kind === 'outdated');
}

function hasKind(message: unknown): message is { kind: unknown } {
  return typeof message === 'object' && message !== null && 'kind' in message;
}
