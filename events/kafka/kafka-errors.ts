import { findErrorBy } from '@platformatic/kafka';

import { MeshError, refusal } from '#kit';

const MAX_SENTENCES = 3;

/** What to tell whoever asked for something that Kafka has not done. */
export function busUnavailable(what: string, thrown: unknown): MeshError {
  if (thrown instanceof MeshError) return thrown;
  return refusal('EVENT_BUS_UNAVAILABLE', `Kafka ${what}; try again`, { cause: plainError(thrown) });
}

/** What to tell whoever wanted to publish. */
export function publishError(thrown: unknown): MeshError {
  if (isAnswer(thrown, 'INVALID_RECORD')) {
    const sentence = 'one of these events will never be taken by its topic in Kafka; see how the topic is set, and what the broker logs of it';
    return refusal('INVALID_ARGUMENT', sentence, { cause: plainError(thrown) });
  }
  // No fault of an event, which must not be set aside for it: records have the time of publishing. Topics that are made here take any.
  if (isAnswer(thrown, 'INVALID_TIMESTAMP')) {
    const sentence = "the broker's clock and this machine's are too far apart; set them right, or give the topic message.timestamp.type=LogAppendTime";
    return refusal('EVENT_BUS_UNAVAILABLE', sentence, { cause: plainError(thrown) });
  }
  return busUnavailable('has not confirmed that it stores these events', thrown);
}

/**
 * The innermost sentences of an error of the library, which are several levels down when it has tried more than once. Only
 * the sentences: its errors also carry the answers that they came with, and those hold events, which belong in no log.
 */
export function plainError(thrown: unknown): Error {
  const sentences = [...new Set(innermost(thrown))];
  const more = sentences.length > MAX_SENTENCES ? ` (and ${sentences.length - MAX_SENTENCES} more)` : '';
  return new Error(sentences.slice(0, MAX_SENTENCES).join(' ') + more);
}

function innermost(thrown: unknown): string[] {
  if (!(thrown instanceof Error)) return [String(thrown)];
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return thrown.errors.flatMap(innermost);
  const api = 'apiId' in thrown ? ` (${String(thrown.apiId)})` : '';
  const below = thrown.cause === undefined ? [] : innermost(thrown.cause);
  return [[`${thrown.message}${api}`, ...below].join(' ')];
}

/** Whether a broker has answered with this error, such as `OFFSET_OUT_OF_RANGE`, wherever it is nested. */
export function isAnswer(thrown: unknown, apiId: string): boolean {
  return thrown instanceof Error && findErrorBy(thrown, 'apiId', apiId) !== null;
}
