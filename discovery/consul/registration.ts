import { backoffMs, type Clock, jitter, type Log, MeshError, type Random, type Stoppable } from '#kit';

import type { Registration } from '../control-plane.ts';
import type { AgentCalls } from './agent-calls.ts';
import type { Outage } from './outage.ts';
import type { ConsulToken } from './token.ts';

export interface RegistrationOptions {
  readonly consul: Pick<AgentCalls, 'register' | 'isRegistered' | 'predecessors' | 'deregister'>;
  readonly outage: Outage;
  readonly token: Pick<ConsulToken, 'changes'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How often to ask whether the agent still knows us. */
  readonly reconcileMs: number;
}

const MIN_BACKOFF_MS = 200;

/**
 * Takes out who was registered under our address and one of our ports before: we listen there
 * now, so it is dead, but its check may ask us and would pass for ever. Then
 * registers, and registers again when the agent has forgotten (it restarted without its
 * data, or dropped an instance that was stalled for a minute), or when there is a new token:
 * the agent goes on to tell the servers of the instance's health with the one that it got.
 */
export async function keepRegistered(registration: Registration, options: RegistrationOptions): Promise<Stoppable> {
  const { consul, outage, log } = options;
  const { id } = registration;
  for (const dead of await consul.predecessors(registration)) await consul.deregister(dead);
  const tokens = options.token.changes();
  await consul.register(registration);
  const stopping = new AbortController();
  const reconciling = reconcile(registration, tokens, options, stopping.signal);

  async function withdraw(): Promise<void> {
    stopping.abort();
    // A registration still under way would land after the deregistration and leave a ghost.
    await reconciling;
    outage.forget(partyOf(registration));
    try {
      await consul.deregister(id);
    } catch (err) {
      log.warn({ err, instance: id }, 'could not deregister; Consul drops the instance when its check fails');
    }
  }

  let withdrawn: Promise<void> | undefined;
  return { stop: () => (withdrawn ??= withdraw()) };
}

async function reconcile(registration: Registration, tokens: number, options: RegistrationOptions, signal: AbortSignal): Promise<void> {
  const { consul, outage, token, clock, random, log, reconcileMs } = options;
  let failures = 0;
  // How many tokens there had been when the agent was given one.
  let given = tokens;
  for (;;) {
    const pauseMs = failures === 0 ? jitter(reconcileMs, random) : backoffMs(failures, MIN_BACKOFF_MS, reconcileMs, random);
    await clock.sleep(pauseMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const isKnown = await consul.isRegistered(registration.id, signal);
      const now = token.changes();
      if (!isKnown || now !== given) {
        await consul.register(registration);
        given = now;
        log.info({ instance: registration.id }, isKnown ? 'registered this instance again, with the new token' : 'Consul had forgotten this instance; registered it again');
      }
      failures = 0;
      outage.succeeded(partyOf(registration));
    } catch (thrown) {
      if (signal.aborted) return;
      failures += 1;
      outage.failed(partyOf(registration), MeshError.from(thrown));
    }
  }
}

function partyOf({ id }: Registration): string {
  return `registration ${id}`;
}
