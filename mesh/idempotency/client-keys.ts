import { create, type Message } from '@bufbuild/protobuf';

import { type Clock, newId, type Random } from '#kit';

import { type ClientInterceptor, isStream } from '../call.ts';
import { keyOf, type Method } from '../method.ts';

/**
 * Gives a call a key of its own where its caller chose none, ahead of every attempt: so what the client sends again by itself
 * has one effect too (as in AIP-4235). Only for methods whose first answer is kept: other keys are names of resources, which
 * are not ours to choose.
 */
export function clientKeys(method: Method, clock: Clock, random: Random): ClientInterceptor {
  const { repeat, keyField, desc } = method;
  if (repeat !== 'original' || !keyField) return (next) => next;
  return (next) => (call) => {
    const { request } = call;
    if (isStream(request) || keyOf(method, request)) return next(call);
    const keyed: Message = Object.assign(create(desc.input), request, { [keyField]: newId(clock, random) });
    return next({ ...call, request: keyed });
  };
}
