import { SpanKind, type Tracer } from '@opentelemetry/api';

import type { Queryable } from '#database';
import { type Clock, type Log, MeshError } from '#kit';
import { extractContext } from '#tracing';

import type { EventBus } from './bus.ts';
import { type Event, topicOf } from './event.ts';
import type { EventHooks } from './hooks.ts';
import { isRefusedForGood } from './outages.ts';
import { refuseEvent, type Waiting } from './outbox-store.ts';

interface Given {
  readonly database: Queryable;
  readonly bus: Pick<EventBus, 'publish'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracer?: Tracer;
  readonly hooks?: EventHooks;
}

/** What became of a batch. */
export interface Published {
  readonly positions: bigint[];
  /** Set aside, each with a line in the log. */
  readonly refused: number;
}

/**
 * Publishes events that waited, in order. When the bus refuses one of them for good they go one by one, and that one is
 * set aside: later ones of its subject go on without it. Rejects when it is worth trying again; then some may be published.
 */
export async function publishBatch(batch: readonly Waiting[], given: Given): Promise<Published> {
  const { bus, clock, tracer, hooks = {} } = given;
  const events = batch.map(({ event }) => event);
  await hooks.beforePublish?.(events);
  const startTime = clock.now();
  try {
    await bus.publish(events);
  } catch (thrown) {
    if (!isRefusedForGood(MeshError.from(thrown))) throw thrown;
    return publishOneByOne(batch, given);
  }
  await hooks.afterPublish?.(events);
  if (tracer) traceEach(events, tracer, startTime);
  return { positions: batch.map(({ position }) => position), refused: 0 };
}

async function publishOneByOne(batch: readonly Waiting[], { database, bus, log }: Given): Promise<Published> {
  const positions: bigint[] = [];
  for (const { position, event } of batch) {
    try {
      await bus.publish([event]);
      positions.push(position);
    } catch (thrown) {
      const error = MeshError.from(thrown);
      if (!isRefusedForGood(error)) throw thrown;
      await refuseEvent(database, position, error.message);
      log.error({ err: error, event: event.id, type: event.type, subject: event.subject }, 'the bus will never take this event; it stays in the outbox, set aside');
    }
  }
  return { positions, refused: batch.length - positions.length };
}

/** After the fact, as the events of a batch share one call; a child of the span that wrote the event. Source: semantic conventions for messaging spans. */
function traceEach(events: readonly Event[], tracer: Tracer, startTime: number): void {
  for (const { id, type, traceparent } of events) {
    if (traceparent === undefined) continue;
    const attributes = { 'messaging.operation.type': 'send', 'messaging.destination.name': topicOf(type), 'messaging.message.id': id };
    tracer.startSpan(`publish ${type}`, { kind: SpanKind.PRODUCER, startTime, attributes }, extractContext({ traceparent })).end();
  }
}
