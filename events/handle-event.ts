import { SpanKind, type Tracer } from '@opentelemetry/api';

import type { Database, Transaction } from '#database';
import { extractContext, withSpan } from '#tracing';

import { type Event, topicOf } from './event.ts';
import type { EventHandler } from './handler.ts';
import type { EventHooks } from './hooks.ts';
import { enterInbox } from './inbox.ts';

/** What an event is handled with. */
export interface HandlingTools {
  readonly group: string;
  readonly database: Database;
  readonly tracer: Tracer;
  readonly hooks?: EventHooks;
}

/**
 * Handles an event, in one transaction with its entry in the inbox, so that both happen or none. False when it had been
 * handled before. The span goes on with the trace that wrote the event.
 */
export function handleEvent(event: Event, handler: EventHandler, tools: HandlingTools, attempt: number): Promise<boolean> {
  const { group, database, hooks = {} } = tools;
  const handle = async (tx: Transaction): Promise<boolean> => {
    if (!hooks.withoutInbox && !(await enterInbox(tx, group, event.id))) return false;
    await handler.read(event)(tx);
    await hooks.afterDeliver?.(event);
    return true;
  };
  return inConsumerSpan(event, tools, attempt, () => database.transaction('event.consume', handle));
}

/** Runs `work` in a span of the event's trace. Source: semantic conventions for messaging spans. */
export function inConsumerSpan<T>(event: Event, { group, tracer }: Pick<HandlingTools, 'group' | 'tracer'>, attempt: number, work: () => Promise<T>): Promise<T> {
  const attributes = {
    'messaging.operation.type': 'process',
    'messaging.destination.name': topicOf(event.type),
    'messaging.consumer.group.name': group,
    'messaging.message.id': event.id,
    'shopmesh.event.subject': event.subject,
    'shopmesh.event.attempt': attempt,
  };
  const parent = extractContext({ traceparent: event.traceparent });
  return withSpan(tracer, `consume ${event.type}`, { kind: SpanKind.CONSUMER, parent, attributes }, work);
}
