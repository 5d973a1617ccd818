import { MeshError, refusal } from '#kit';

import type { AgentCalls } from './agent-calls.ts';

/** Asks who leads: it needs no token, and tells a Consul from any other HTTP server. */
export async function verifyConsul(consul: Pick<AgentCalls, 'leader'>, url: string, signal?: AbortSignal): Promise<void> {
  const leader = await consul.leader(signal).catch((thrown: unknown) => {
    signal?.throwIfAborted();
    const cause = MeshError.from(thrown);
    if (cause.reason === 'INVALID_SETTING') throw cause;
    throw refusal('CONTROL_PLANE_UNAVAILABLE', `${cause.message}. ${ADVICE}`, { cause });
  });
  if (/^\S+:\d+$/.test(leader)) return;
  throw refusal('CONTROL_PLANE_UNAVAILABLE', `what answers at ${url} (CONSUL_HTTP_ADDR) is no Consul with a leader. ${ADVICE}`);
}

const ADVICE =
  'Start Consul there, point CONSUL_HTTP_ADDR at one that runs, or unset CONSUL_HTTP_ADDR: without it `npm start` brings its own stand-in';
