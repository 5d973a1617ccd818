import type { KafkaRecord, MessageToProduce } from '@platformatic/kafka';

import { printable, refusal } from '#kit';

import { type Event, serializeData, topicOf } from '../event.ts';
import { isStorableJson } from '../storable.ts';
import { faultOf, requireWellFormed } from '../well-formed.ts';

/**
 * An event as a record, as CloudEvents binds them to Kafka, in binary mode
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md).
 */
export type EventMessage = MessageToProduce<Buffer, Buffer, Buffer, Buffer> & { readonly topic: string; readonly value: Buffer };

const RECORD_FRAME_BYTES = 32;
const HEADER_FRAME_BYTES = 8;

/** Source: Kafka's own rule (`org.apache.kafka.common.internals.Topic`). */
const LEGAL_TOPIC = /^(?!\.{1,2}$)[\w.-]{1,249}$/;

const SPEC_VERSION = Buffer.from('1.0');
const JSON_TYPE = Buffer.from('application/json');
const HEADER = {
  id: Buffer.from('ce_id'),
  source: Buffer.from('ce_source'),
  type: Buffer.from('ce_type'),
  subject: Buffer.from('ce_subject'),
  time: Buffer.from('ce_time'),
  specVersion: Buffer.from('ce_specversion'),
  contentType: Buffer.from('content-type'),
  // Not `ce_traceparent`: other languages' instrumentation of Kafka reads it under this name.
  traceparent: Buffer.from('traceparent'),
} as const;

/**
 * The subject is the key: records of one key go to one partition, and so keep their order. The record's time is that of
 * publishing, and not the event's, which is in a header: retention goes by it, and a broker refuses one that its own clock
 * has not reached.
 */
export function toMessage(event: Event, now: number): EventMessage {
  requireWellFormed(event);
  const value = Buffer.from(serializeData(event));
  const subject = Buffer.from(event.subject);
  const headers = new Map([
    [HEADER.id, Buffer.from(event.id)],
    [HEADER.source, Buffer.from(event.source)],
    [HEADER.type, Buffer.from(event.type)],
    [HEADER.subject, subject],
    [HEADER.time, Buffer.from(event.time.toISOString())],
    [HEADER.specVersion, SPEC_VERSION],
    [HEADER.contentType, JSON_TYPE],
  ]);
  if (event.traceparent !== undefined) headers.set(HEADER.traceparent, Buffer.from(event.traceparent));
  return { topic: requireTopic(event), key: subject, value, headers, timestamp: BigInt(now) };
}

/** What it takes in a request, at most: Kafka puts lengths and differences before each part, of a few bytes each. */
export function bytesOf({ key, value, headers }: EventMessage): number {
  let bytes = RECORD_FRAME_BYTES + (key?.length ?? 0) + value.length;
  // What is made here has its headers in a map.
  for (const [name, content] of headers as Map<Buffer, Buffer>) bytes += HEADER_FRAME_BYTES + name.length + content.length;
  return bytes;
}

/** INVALID_ARGUMENT. */
function requireTopic({ type }: Event): string {
  const topic = topicOf(type);
  if (type.includes('.') && LEGAL_TOPIC.test(topic)) return topic;
  throw refusal('INVALID_ARGUMENT', `"${printable(type)}" is no type of an event; it is package.Name, of letters, digits, dots, "_" and "-"`);
}

/** The event that a record holds. Throws a sentence where it holds none: anybody may write to a topic. */
export function toEvent({ value, headers }: KafkaRecord): Event {
  const texts = new Map(headers.map(([name, content]) => [String(name), content === null ? '' : String(content)]));
  const required = (name: Buffer): string => {
    const text = texts.get(String(name));
    if (!text) throw new Error(`it has no header ${String(name)}`);
    return text;
  };
  const event: Event = {
    id: required(HEADER.id),
    source: required(HEADER.source),
    type: required(HEADER.type),
    subject: required(HEADER.subject),
    time: new Date(required(HEADER.time)),
    data: toData(value),
    traceparent: texts.get(String(HEADER.traceparent)),
  };
  const fault = faultOf(event);
  if (fault !== undefined) throw new Error(fault);
  return event;
}

/** What may be a NUL or half a character in foreign JSON, which may also write whole ones so. */
const SUSPECT_ESCAPE = /\\u(?:0000|d[89a-f])/i;

function toData(value: Buffer | null): Event['data'] {
  const text = String(value);
  const data = parseJson(text);
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new Error('its value is no JSON object');
  if (SUSPECT_ESCAPE.test(text) && !isStorableJson(JSON.stringify(data))) throw new Error('its value has a NUL or half a character');
  // What JSON.parse makes of an object is one.
  return data as Event['data'];
}

/** Undefined for what is no JSON: the parser's own sentence quotes it, and it is to be logged. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
