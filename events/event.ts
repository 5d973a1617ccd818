import type { JsonObject } from '@bufbuild/protobuf';

import { refusal } from '#kit';

import { isStorableJson } from './storable.ts';

/**
 * Something that happened, told to whoever wants to know. Its attributes are those of CloudEvents 1.0
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md), with `subject` as the key of its order.
 */
export interface Event {
  /** UUIDv7; consumers dedupe by it. */
  readonly id: string;
  /** The service it comes from, such as `order`. */
  readonly source: string;
  /** Full name of its contract, such as `shop.order.v1.OrderPlaced`. */
  readonly type: string;
  /** Events of one subject keep their order: the order's id, say. */
  readonly subject: string;
  /** When it happened. */
  readonly time: Date;
  /** The contract's message as Protobuf JSON. */
  readonly data: JsonObject;
  /** W3C traceparent of the span that wrote it. */
  readonly traceparent: string | undefined;
}

/** The most that the data of an event may have, as JSON in UTF-8. Kafka brokers take a message of 1,048,588 bytes unless told otherwise; its attributes need some of that. */
export const MAX_EVENT_BYTES = 900_000;

/** What carries the events of one contract package: `shop.order.v1` of `shop.order.v1.OrderPlaced`. */
export function topicOf(type: string): string {
  return type.slice(0, type.lastIndexOf('.'));
}

/** The data of an event as they travel. MESSAGE_TOO_LARGE for more than {@link MAX_EVENT_BYTES}, INVALID_ARGUMENT for text that Postgres cannot keep. */
export function serializeData({ type, id, data }: Event): string {
  const json = JSON.stringify(data);
  if (!isStorableJson(json)) throw refusal('INVALID_ARGUMENT', `the data of event ${id} of type ${type} have a NUL or half a character; refuse such text where it comes in`);
  const bytes = Buffer.byteLength(json);
  if (bytes <= MAX_EVENT_BYTES) return json;
  throw refusal('MESSAGE_TOO_LARGE', `event ${id} of type ${type} has ${bytes} bytes of data and may have ${MAX_EVENT_BYTES}; put a reference into it instead`);
}
