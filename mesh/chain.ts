import type { Interceptor, Invoke } from './call.ts';

/** Wraps `last` in the interceptors; the first one is outermost. */
export function compose<Call>(interceptors: readonly Interceptor<Call>[], last: Invoke<Call>): Invoke<Call> {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), last);
}
