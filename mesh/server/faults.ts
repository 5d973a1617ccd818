import { trace } from '@opentelemetry/api';

import { type Clock, type Code, MeshError, type Random, refusal } from '#kit';

import type { Invoke, Reply, ServerCall, ServerInterceptor } from '../call.ts';
import type { Live } from '../policy/call-policy.ts';
import type { Fault } from '../policy/fault.ts';
import { FAULT_HEADER, readFaultHeader } from './fault-header.ts';

export interface ServerFaultsOptions {
  /** Those ordered for the method. */
  readonly faults: Live<readonly Fault[]>;
  /** Whether this process may fail on purpose at all; setting `MESH_FAULTS`. */
  readonly allowed: boolean;
  readonly clock: Clock;
  readonly random: Random;
}

/** Failures on purpose of one method. */
export interface ServerFaults {
  readonly link: ServerInterceptor;
  /** `injected`: calls that were delayed or failed. */
  read(): { readonly injected: number };
}

/**
 * Delays and fails calls as ordered, by policy for a share of a method's calls or by header for one. Each fault is drawn
 * by itself: of two that hit 30 % each, both hit 9 %. A delay ends with the call; where its deadline is shorter, that
 * is what the caller sees. A call that no fault is ordered for passes without a promise of its own.
 */
export function serverFaults({ faults, allowed, clock, random }: ServerFaultsOptions): ServerFaults {
  let injected = 0;

  function isHit({ percent, untilMs }: Fault): boolean {
    return clock.now() < untilMs && random.number() * 100 < percent;
  }

  /** `own`: the one that the call asks for itself. */
  async function fail(next: Invoke<ServerCall>, call: ServerCall, ordered: readonly Fault[], own?: Fault): Promise<Reply> {
    const hits = (own ? [...ordered, own] : ordered).filter(isHit);
    if (hits.length > 0) injected += 1;
    for (const hit of hits) {
      const { delayMs, abort } = hit;
      trace.getSpan(call.context)?.addEvent('fault', { 'mesh.fault.delay_ms': delayMs, ...(abort && { 'mesh.fault.abort': abort }) });
      if (delayMs > 0) await clock.sleep(delayMs, call.lifetime.signal);
      if (abort) throw onPurpose(call, abort, hit === own ? ASKED_FOR : ORDERED);
    }
    return next(call);
  }

  async function failAsAsked(next: Invoke<ServerCall>, call: ServerCall, header: string): Promise<Reply> {
    if (!allowed) throw notAllowed(call);
    return fail(next, call, faults.current, readFaultHeader(header));
  }

  const link: ServerInterceptor = (next) => (call) => {
    const header = call.header(FAULT_HEADER);
    if (header !== undefined) return failAsAsked(next, call, header);
    return allowed && faults.current.length > 0 ? fail(next, call, faults.current) : next(call);
  };
  return { link, read: () => ({ injected }) };
}

const ORDERED = 'a fault is ordered for it; `mesh fault list` shows which, `mesh fault clear` ends it';
const ASKED_FOR = `its own header ${FAULT_HEADER} asked for it`;

function onPurpose({ method: { fullName } }: ServerCall, code: Code, why: string): MeshError {
  return new MeshError(code, 'FAULT_INJECTED', `${fullName} failed on purpose: ${why}`);
}

function notAllowed({ method: { fullName } }: ServerCall): MeshError {
  return refusal('FAULTS_OFF', `${fullName} does not fail on purpose here; start the service with MESH_FAULTS=true, or leave out the header ${FAULT_HEADER}`);
}
