import type { MeshError } from '#kit';

import { toStorable } from './storable.ts';

const MAX_LENGTH = 500;

/**
 * Why an event failed, for the operator who reads its dead letter: the sentence of a refusal, and of a fault, whose own
 * sentence says nothing, name and message of what was thrown. At most 500 characters.
 */
export function failureText({ reason, message, cause }: MeshError): string {
  const told = reason === 'INTERNAL' && cause instanceof Error ? `${cause.name}: ${cause.message}` : message;
  return toStorable(told, MAX_LENGTH);
}
