import type { AttributeValue } from '@opentelemetry/api';

/** What one span may hold at most, so that a queue of spans is a bound on memory. What is beyond it is dropped and counted. */
export const SPAN_LIMITS = {
  attributeCountLimit: 64,
  /** Characters of a text; of a list, those of each of its texts. */
  attributeValueLengthLimit: 2_048,
  /** The oldest go first. */
  eventCountLimit: 32,
  linkCountLimit: 32,
} as const;

/** The same for what one event or link carries. */
export const DETAIL_LIMITS = {
  attributeCountLimit: 32,
  attributeValueLengthLimit: SPAN_LIMITS.attributeValueLengthLimit,
} as const;

/** Whether a value can be kept as it is: a text that is not too long, a number, a truth value. */
export function isWithinLimits(value: AttributeValue): value is string | number | boolean {
  if (typeof value === 'string') return value.length <= SPAN_LIMITS.attributeValueLengthLimit;
  return typeof value === 'number' || typeof value === 'boolean';
}
