import type { SagaDefinition } from './definition.ts';
import type { RetryPolicy } from './retry-policy.ts';

/** What holds for a step: its own word, else the definition's, else `usual`. The end, which is no step, has the definition's. */
export function retriesOf<State extends object>(definition: SagaDefinition<State>, index: number, usual: Required<RetryPolicy>): Required<RetryPolicy> {
  const step = definition.steps[index];
  return { ...usual, ...definition.retry, ...(step && 'retry' in step ? step.retry : undefined) };
}
