import type { Served } from '../serving/serve.ts';

/** What the supervisor tells a process it started: the settings, once what they name is there. */
export interface StartMessage {
  readonly kind: 'start';
  readonly environment: Readonly<Record<string, string>>;
}

/** What a process tells its supervisor. */
export type ChildMessage =
  | { readonly kind: 'ready'; readonly services: readonly Served[] }
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

export function isStartMessage(message: unknown): message is StartMessage {
  return hasKind(message) && message.kind === 'start';
}

export function isChildMessage(message: unknown): message is ChildMessage {
  return hasKind(message) && (message.kind === 'ready' || message.kind === 'failed');
}

function hasKind(message: unknown): message is { kind: unknown } {
  return typeof message === 'object' && message !== null && 'kind' in message;
}
