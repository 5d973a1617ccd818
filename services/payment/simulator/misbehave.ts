import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';

import type { Clock } from '#kit';

import { errorAnswer } from './answer.ts';
import type { Misbehaviour } from './misbehaviour.ts';

type Fetch = (request: Request, env: HttpBindings) => Promise<Response> | Response;

interface Given {
  readonly misbehaviour: Misbehaviour;
  readonly clock: Clock;
  /** Aborts when the simulator stops: nobody waits for late answers then. */
  readonly signal: AbortSignal;
}

/** Carries requests out as `fetch` does, and lets happen to them and their answers what the faults say. */
export function misbehave(fetch: Fetch, { misbehaviour, clock, signal }: Given): Fetch {
  return async (request, env) => {
    const admission = misbehaviour.admit();
    if (admission === 'cut') return cut(env);
    if (admission === 'unavailable') return unavailable();
    const response = await fetch(request, env);
    const { lateMs, isLost } = misbehaviour.answer();
    if (lateMs > 0) await clock.sleep(lateMs, signal).catch(() => {});
    return isLost ? cut(env) : response;
  };
}

function cut({ outgoing }: HttpBindings): Response {
  outgoing.destroy();
  return RESPONSE_ALREADY_SENT;
}

function unavailable(): Response {
  const { status, body } = errorAnswer(503, { type: 'api_error', message: 'The card-payment simulator is down, as it was told to be. Send the request again later.' });
  return new Response(body, { status, headers: { 'content-type': 'application/json' } });
}
