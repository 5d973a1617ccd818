import { fromBinary, type Message } from '@bufbuild/protobuf';

import { backoffMs, type Clock, MeshError, type Random } from '#kit';

import { type Invoke, isStream, type Reply, type ServerCall, type ServerInterceptor } from '../call.ts';
import { keyOf, type Method } from '../method.ts';
import { KeyedEffect } from './keyed-effect.ts';
import type { FirstRequest, IdempotencyStore } from './store.ts';

/** A repeat that came before the first answer looks for it after about 20, 40, 80 … and at most every 500 ms. */
const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 500;

export interface IdempotencyOptions {
  /** Left out where no method keeps keys beside its own tables. */
  readonly store: IdempotencyStore | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * For methods with an idempotency key: gives the handler the effect to claim, and answers a repeat whose contract says
 * ORIGINAL with the bytes of the first answer. Errors are never stored: a refusal rolled its claim back with all the rest,
 * and the same request is judged anew. Calls without a key pass.
 */
export function serverIdempotency(method: Method, options: IdempotencyOptions): readonly ServerInterceptor[] {
  const { repeat } = method;
  if (!repeat) return [];
  return [
    (next) => (call) => {
      const { request } = call;
      // Validation, which comes before, lets no error through.
      const key = isStream(request) || request instanceof MeshError ? '' : keyOf(method, request);
      if (!key) return next(call);
      const effect = new KeyedEffect(call, request as Message, key, options.store, options.clock);
      call.effect = effect;
      return repeat === 'original' ? answerOnce(next, call, effect, options) : next(call);
    },
  ];
}

/** The answer of the one call with this key that has the effect: of this one, or of the one that came first. */
async function answerOnce(next: Invoke<ServerCall>, call: ServerCall, effect: KeyedEffect, options: IdempotencyOptions): Promise<Reply> {
  for (;;) {
    effect.renew();
    let first: FirstRequest | undefined;
    try {
      return await next(call);
    } catch (thrown) {
      ({ first } = effect);
      if (!first) throw thrown;
    }
    const bytes = await answerOf(first, call, effect, options);
    if (bytes) return sealed(fromBinary(call.method.desc.output, bytes), call);
  }
}

/** Waits, until the call's deadline, for the answer of the first call with the key; null once nobody is at work on it any more. */
async function answerOf(met: FirstRequest, { signal }: ServerCall, effect: KeyedEffect, { clock, random }: IdempotencyOptions): Promise<Uint8Array | null> {
  let first: FirstRequest | undefined = met;
  for (let look = 1; first && !first.answer; look += 1) {
    await clock.sleep(backoffMs(look, FIRST_LOOK_MS, LAST_LOOK_MS, random), signal);
    first = await effect.find();
    if (!first?.isHeld) break;
  }
  signal.throwIfAborted();
  return first?.answer ?? null;
}

/** Decoded and encoded by the same contract, bytes stay what they are; fields that a newer one added are kept behind the others. */
function sealed(answer: Message, call: ServerCall): Message {
  call.seal?.(answer);
  return answer;
}
