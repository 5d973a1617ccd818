import { create, type DescMessage, type MessageInitShape, toJson } from '@bufbuild/protobuf';

import { currentTraceparent } from '#tracing';

import type { Event } from './event.ts';

/** What an event is besides its contract's message. */
export type EventHead = Pick<Event, 'id' | 'source' | 'subject' | 'time'>;

/** An event of a contract, with the trace of whoever makes it. */
export function newEvent<M extends DescMessage>(contract: M, message: MessageInitShape<M>, { id, source, subject, time }: EventHead): Event {
  // The JSON of a message, other than of a well-known type, is an object.
  const data = toJson(contract, create(contract, message)) as Event['data'];
  return { id, source, type: contract.typeName, subject, time, data, traceparent: currentTraceparent() };
}
