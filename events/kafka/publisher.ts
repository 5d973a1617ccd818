import { type BaseOptions, compatibilityPartitioner, Producer } from '@platformatic/kafka';

import { type Clock, refusal, type Stoppable } from '#kit';

import type { Event } from '../event.ts';
import { closeClient } from './connection.ts';
import { bytesOf, type EventMessage, toMessage } from './event-record.ts';
import { isAnswer, publishError } from './kafka-errors.ts';
import { settlesWithin } from './settles-within.ts';
import type { Topics } from './topics.ts';

export interface Publisher extends Stoppable {
  publish(events: readonly Event[]): Promise<void>;
}

export interface PublisherOptions {
  readonly client: BaseOptions;
  readonly topics: Topics;
  readonly clock: Clock;
}

/** A broker takes 1,048,588 bytes (`message.max.bytes`) for a partition at a time, and all of a request may go to one. */
const MAX_REQUEST_BYTES = 1_000_000;
/** How long a stop waits for what is under way. */
const LAST_WITHIN_MS = 5_000;

/**
 * Sends one request at a time: with two on the way, the second could be written and the first have to be sent again, after it.
 *
 * The idempotent producer keeps a request that is sent again from being written twice. After a failure the outcome is unknown,
 * and what is published again comes from another producer to the broker: consumers dedupe by the event's id.
 */
export function createPublisher({ client, topics, clock }: PublisherOptions): Publisher {
  const producer = new Producer({ ...client, idempotent: true, partitioner: compatibilityPartitioner });
  let last: Promise<void> = Promise.resolve();
  let isStopped = false;

  async function send(messages: readonly EventMessage[]): Promise<void> {
    try {
      await topics.ensure(messages.map(({ topic }) => topic));
      for (const request of cut(messages)) await sendRequest(request);
    } catch (thrown) {
      topics.forget();
      throw publishError(thrown);
    }
  }

  /** In halves where the broker is set to take less at a time, the first half first. */
  async function sendRequest(messages: EventMessage[]): Promise<void> {
    try {
      await producer.send({ messages });
    } catch (thrown) {
      if (!isTooLarge(thrown)) throw thrown;
      const [message] = messages;
      if (messages.length === 1 && message) throw tooLarge(message);
      const half = Math.ceil(messages.length / 2);
      await sendRequest(messages.slice(0, half));
      await sendRequest(messages.slice(half));
    }
  }

  return {
    async publish(events) {
      if (isStopped) throw refusal('EVENT_BUS_UNAVAILABLE', 'this process is stopping; publish from another');
      const messages = events.map((event) => toMessage(event, clock.now()));
      const sent = last.then(() => send(messages));
      last = sent.catch(() => {});
      await sent;
    },
    async stop() {
      isStopped = true;
      await settlesWithin(last, LAST_WITHIN_MS, clock);
      await closeClient(producer, clock);
    },
  };
}

function* cut(messages: readonly EventMessage[]): Generator<EventMessage[]> {
  let request: EventMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const more = bytesOf(message);
    if (request.length > 0 && bytes + more > MAX_REQUEST_BYTES) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(message);
    bytes += more;
  }
  if (request.length > 0) yield request;
}

function isTooLarge(thrown: unknown): boolean {
  return isAnswer(thrown, 'MESSAGE_TOO_LARGE') || isAnswer(thrown, 'RECORD_LIST_TOO_LARGE');
}

function tooLarge(message: EventMessage): Error {
  const what = `an event of ${message.topic} has ${bytesOf(message)} bytes, and its topic is set to take fewer`;
  return refusal('MESSAGE_TOO_LARGE', `${what}; put a reference into it instead, or raise max.message.bytes of the topic`);
}
