import { refusal } from '#kit';

const MAX_LENGTH = 20_000;
const SEPARATOR = '.';

/** The next offset of each partition as text: `5.0.12` goes on at offset 5 of the first, 0 of the second and 12 of the third. */
export function formatPosition(next: readonly bigint[]): string {
  return next.join(SEPARATOR);
}

/** An empty text is the beginning; so is a partition that is not in it, since it was added later. */
export function parsePosition(text: string): bigint[] {
  if (text === '') return [];
  if (text.length > MAX_LENGTH || !/^\d+(\.\d+)*$/.test(text)) {
    throw refusal('INVALID_ARGUMENT', 'this is no position in Kafka; give one that reading has answered with, or none to begin with the oldest event');
  }
  return text.split(SEPARATOR).map(BigInt);
}
