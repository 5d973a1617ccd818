import type { ChannelInterface, ChannelOptions } from '@grpc/grpc-js';
import type { Tracer } from '@opentelemetry/api';

import { type Clock, type Log, type Random, refusal } from '#kit';

import type { ClientCall, ClientInterceptor, Invoke } from '../call.ts';
import type { CalledService } from '../called-service.ts';
import { compose } from '../chain.ts';
import type { Method } from '../method.ts';
import type { Policies } from '../policy/call-policy.ts';
import { balancingOptions } from './balancing/balancing-options.ts';
import { createDestination, type Destination } from './balancing/destination.ts';
import { sumReadings } from './balancing/sum-readings.ts';
import { createBudget, type RetryBudget } from './budget.ts';
import { channelOptions } from './channel-options.ts';
import type { ClientInstruments, DestinationFigures } from './client-instruments.ts';
import { clientDeadline } from './deadline.ts';
import { guardedCallbacks } from './guarded-callbacks.ts';
import { remoteTransport } from './remote-transport.ts';
import type { ResendCounts } from './resend-options.ts';
import { createResending, type Resending } from './resending.ts';
import { timerSchedule } from './schedule.ts';
import { clientTracing } from './tracing.ts';

/**
 * Opens a caller's channel to a service, both by their registry names, such as `order` and `inventory`; the options are for
 * the channel. Asked once for each pair: a connection shows the certificate of one caller.
 */
export type OpenChannel = (service: string, options: ChannelOptions, caller: string) => ChannelInterface;

export interface OutboundOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly zone: string;
  readonly policies: Policies;
  readonly openChannel: OpenChannel;
  readonly instruments: ClientInstruments;
  /** Once for each call, ahead of its attempts. */
  readonly outgoing: readonly ClientInterceptor[];
  /** For each attempt. */
  readonly interceptors: readonly ClientInterceptor[];
  /** How a method is called that is hosted in this process. */
  readonly local: (method: Method) => Invoke<ClientCall> | undefined;
}

/** How a process calls others. */
export interface Outbound {
  /** The client chain of a method, for one caller, by its registry name. */
  chain(method: Method, tracer: Tracer, caller: string): Invoke<ClientCall>;
  /** The channel that a caller's stubs of a service share. */
  channel(service: string, caller: string): ChannelInterface;
  /** Every service that a stub was made for. */
  read(): readonly CalledService[];
  stop(): void;
}

/**
 * What a caller's stubs of one service share. Another caller in this process has its own: its connections show another
 * certificate, and what it may call, how much and how often, is as if it were alone.
 */
interface Shared {
  readonly caller: string;
  readonly destination: Destination;
  readonly budget: RetryBudget;
  /** By path: the stubs of one method share what was measured of it. */
  readonly resendings: Map<string, Resending>;
  channel: ChannelInterface | undefined;
}

export function createOutbound({ clock, random, log, zone, policies, openChannel, instruments, outgoing, interceptors, local }: OutboundOptions): Outbound {
  /** By service, then by caller. */
  const services = new Map<string, Map<string, Shared>>();
  let stopped = false;

  function callersOf(service: string): Map<string, Shared> {
    const found = services.get(service);
    if (found) return found;
    const callers = new Map<string, Shared>();
    services.set(service, callers);
    instruments.watchDestination(service, () => figuresOf(service, [...callers.values()]));
    return callers;
  }

  function sharedOf(service: string, caller: string): Shared {
    const callers = callersOf(service);
    const found = callers.get(caller);
    if (found) return found;
    const policy = policies.destination(service);
    const budget = createBudget({ get current() { return policy.current.budget; } }, clock);
    const destination = createDestination(service, { policy, clock, random, zone, log });
    const shared: Shared = { caller, destination, budget, resendings: new Map(), channel: undefined };
    callers.set(caller, shared);
    return shared;
  }

  function resendingOf(method: Method, { resendings, budget, destination }: Shared): Resending {
    const found = resendings.get(method.path);
    if (found) return found;
    const policy = policies.method(method.destination, method.desc.name);
    const resending = createResending(method, { policy, budget, clock, random, schedule: timerSchedule, hasOthers: () => destination.hasOthers });
    resendings.set(method.path, resending);
    return resending;
  }

  /** Opened with the first call: a stub that is never used costs no connection. One that is opened after the end would be closed by nobody. */
  function channelOf(service: string, shared: Shared): ChannelInterface {
    if (stopped) throw refusal('CANCELLED', `${service} is not called any more: this process is stopping`);
    return (shared.channel ??= openChannel(service, { ...channelOptions, ...balancingOptions(shared.destination) }, shared.caller));
  }

  function transport(method: Method, shared: Shared): Invoke<ClientCall> {
    let remote: Invoke<ClientCall> | undefined;
    return (call) => {
      const within = local(method);
      if (within) return within(call);
      if (remote && !stopped) return remote(call);
      try {
        remote = remoteTransport(channelOf(method.destination, shared));
      } catch (thrown) {
        return Promise.reject(thrown);
      }
      return remote(call);
    };
  }

  return {
    chain(method, tracer, caller) {
      const shared = sharedOf(method.destination, caller);
      const { interceptor } = resendingOf(method, shared);
      const call = [...instruments.clientCall(method), clientTracing(tracer, method), guardedCallbacks, clientDeadline(clock), ...outgoing, interceptor];
      return compose([...call, ...instruments.clientAttempt(method), ...interceptors], transport(method, shared));
    },
    channel: (service, caller) => channelOf(service, sharedOf(service, caller)),
    read: () => [...services].map(([service, callers]) => readingOf(service, [...callers.values()])),
    stop() {
      stopped = true;
      for (const callers of services.values()) {
        for (const { channel } of callers.values()) channel?.close();
      }
    },
  };
}

function figuresOf(service: string, callers: readonly Shared[]): DestinationFigures {
  const budgets = callers.map(({ budget }) => budget.read());
  const sums = sumReadings(service, callers.map(({ destination }) => destination.read()));
  return { ...sums, budget: { taken: sum(budgets, 'taken'), refused: sum(budgets, 'refused') }, hedgesWon: sum(countsOf(callers), 'hedgesWon') };
}

function readingOf(service: string, callers: readonly Shared[]): CalledService {
  const counts = countsOf(callers);
  return {
    ...sumReadings(service, callers.map(({ destination }) => destination.read())),
    retries: sum(counts, 'retries'),
    hedges: sum(counts, 'hedges'),
    refusedByBudget: sum(counts, 'refusedByBudget'),
  };
}

function countsOf(callers: readonly Shared[]): Readonly<ResendCounts>[] {
  return callers.flatMap(({ resendings }) => [...resendings.values()].map((resending) => resending.read()));
}

function sum<Name extends string>(counts: readonly Readonly<Record<Name, number>>[], name: Name): number {
  return counts.reduce((total, count) => total + count[name], 0);
}
