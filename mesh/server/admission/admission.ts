import { type Clock, MeshError, type Random, refusal } from '#kit';

import type { Invoke, Reply, ServerCall, ServerInterceptor } from '../../call.ts';
import type { Criticality, Method } from '../../method.ts';
import type { Live, ServerPolicy } from '../../policy/call-policy.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import type { LoopTurn } from './loop-turn.ts';
import type { MethodLatency } from './method-latency.ts';
import { createPlaces, type Place } from './places.ts';
import { createPressure } from './pressure.ts';
import { createWaitingLine } from './waiting-line.ts';

/** Share of the limit that calls of a kind may fill. What is left is for those that matter more: of 20 places the last two for critical calls, and sheddable ones find 14. */
const SHARE: Readonly<Record<Criticality, number>> = { critical: 1, default: 0.9, sheddable: 0.7 };

/** Share of `maxQueuedMs` that calls of a kind may wait behind others in a turn of the event loop: with 250 ms, up to 400, 200 and 100. */
const PATIENCE: Readonly<Record<Criticality, number>> = { critical: 1.6, default: 0.8, sheddable: 0.4 };

export interface AdmissionOptions {
  readonly policy: Live<ServerPolicy>;
  readonly clock: Clock;
  readonly random: Random;
  /** Of the process: its services share it. */
  readonly turn: LoopTurn;
}

/** What admission has done since the start, and how it stands. */
export interface AdmissionState {
  /** Calls that may be worked on at once, now. */
  readonly limit: number;
  readonly inFlight: number;
  readonly queued: number;
  /** Calls let in, at once or after they had waited. */
  readonly admitted: number;
  /** Calls refused because there were too many. */
  readonly shed: number;
  readonly shedBy: Readonly<Record<Criticality, number>>;
  /** Calls whose deadline passed while they waited. */
  readonly expired: number;
  /** Calls whose handlers did not end, long after their deadlines. */
  readonly abandoned: number;
}

/** Decides which calls of one service are worked on, and when. */
export interface Admission {
  link(method: Method): ServerInterceptor;
  read(): AdmissionState;
}

/**
 * A server that takes every call answers none in time once it gets more than it can do. This one works on as many as
 * it can (see {@link ConcurrencyLimit}), lets few wait for a moment, and refuses the rest at once, so that they can go to
 * another instance. A service whose handlers compute shows no crowd of calls at work, only a late event loop: that is what
 * {@link LoopTurn} is for. Streams hold no place, for an order may be watched for minutes; they only cannot begin where a
 * unary call would have to wait.
 */
export function createAdmission({ policy, clock, random, turn }: AdmissionOptions): Admission {
  const limit = new ConcurrencyLimit(policy, clock.now());
  const pressure = createPressure(random);
  const shedBy: Record<Criticality, number> = { critical: 0, default: 0, sheddable: 0 };
  const line = createWaitingLine({ policy, clock, shed });
  const places = createPlaces();
  let admitted = 0;

  const hasRoom = (criticality: Criticality): boolean => places.taken < limit.current * SHARE[criticality];

  function shed({ method }: ServerCall): MeshError {
    shedBy[method.criticality] += 1;
    pressure.refused();
    return overloaded(method, pressure.afterMs());
  }

  /** No socket holds a local call back: its caller, let in itself, makes it in a turn of its own. */
  function comesLate({ local, method }: ServerCall, nowMs: number): boolean {
    return !local && turn.ageMs(nowMs) > policy.current.admission.maxQueuedMs * PATIENCE[method.criticality];
  }

  /** A caller may allow a call more time than its method needs; a handler that never ends keeps its place by the contract's. */
  function takePlace({ deadline, method }: ServerCall, nowMs: number): Place {
    admitted += 1;
    pressure.passed();
    return places.take(Math.min(deadline, nowMs + method.deadlineMs));
  }

  /** A promise only for a call that has to wait. */
  function enter(call: ServerCall, nowMs: number): Place | MeshError | Promise<Place> {
    if (comesLate(call, nowMs)) return shed(call);
    if (hasRoom(call.method.criticality)) return takePlace(call, nowMs);
    places.freeAbandoned(nowMs);
    limit.reached(nowMs, places.taken);
    return line.wait(call);
  }

  function leave(place: Place, latency: MethodLatency, startedMs: number, error?: MeshError): void {
    if (!places.free(place)) return;
    const now = clock.now();
    const expired = error?.code === 'DEADLINE_EXCEEDED';
    if (!error || expired) limit.answered(latency, startedMs, expired, now, places.taken);
    else limit.tick(now, places.taken);
    for (let waits = line.length > 0; waits; ) waits = line.letIn(hasRoom, takePlace);
  }

  function unary(next: Invoke<ServerCall>): Invoke<ServerCall> {
    const latency = limit.addMethod();
    function run(call: ServerCall, place: Place, startedMs: number): Promise<Reply> {
      return begin(next, call).then(
        (reply) => {
          leave(place, latency, startedMs);
          return reply;
        },
        (thrown: unknown) => {
          const error = MeshError.from(thrown);
          leave(place, latency, startedMs, error);
          throw error;
        },
      );
    }
    return (call) => {
      if (!policy.current.admission.enabled) return next(call);
      const startedMs = clock.now();
      const place = enter(call, startedMs);
      if (place instanceof MeshError) return Promise.reject(place);
      return place instanceof Promise ? place.then((granted) => run(call, granted, clock.now())) : run(call, place, startedMs);
    };
  }

  function stream(next: Invoke<ServerCall>): Invoke<ServerCall> {
    return (call) => {
      const refused = policy.current.admission.enabled && (comesLate(call, clock.now()) || !hasRoom(call.method.criticality));
      return refused ? Promise.reject(shed(call)) : next(call);
    };
  }

  return {
    link: ({ desc }) => (desc.methodKind === 'unary' ? unary : stream),
    read: () => ({
      limit: limit.current,
      inFlight: places.taken,
      queued: line.length,
      admitted,
      shed: shedBy.critical + shedBy.default + shedBy.sheddable,
      shedBy: { ...shedBy },
      expired: line.expired,
      abandoned: places.abandoned,
    }),
  };
}

/** An interceptor that throws breaks the rule of {@link Invoke}, but is not to keep its call's place for it. */
function begin(next: Invoke<ServerCall>, call: ServerCall): Promise<Reply> {
  try {
    return next(call);
  } catch (thrown) {
    return Promise.reject(MeshError.from(thrown));
  }
}

function overloaded({ fullName }: Method, afterMs: number): MeshError {
  return refusal('OVERLOADED', `${fullName} was not begun: this instance has more to do than it can; try again in ${afterMs} ms, or another instance`, {
    retry: { kind: 'not-started', afterMs },
  });
}
