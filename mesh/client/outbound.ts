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
import { createBudget, type RetryBudget } from './budget.ts';
import { channelOptions } from './channel-options.ts';
import type { ClientInstruments, DestinationFigures } from './client-instruments.ts';
import { clientDeadline } from './deadline.ts';
import { guardedCallbacks } from './guarded-callbacks.ts';
import { remoteTransport } from './remote-transport.ts';
import { createResending, type Resending } from './resending.ts';
import { timerSchedule } from './schedule.ts';
import { clientTracing } from './tracing.ts';

/** Opens the channel to a service by its registry name, such as `inventory`; the options are for the channel. Asked once for each. */
export type OpenChannel = (service: string, options: ChannelOptions) => ChannelInterface;

export interface OutboundOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly zone: string;
  readonly policies: Policies;
  readonly openChannel: OpenChannel;
  readonly instruments: ClientInstruments;
  readonly interceptors: readonly ClientInterceptor[];
  /** How a method is called that is hosted in this process. */
  readonly local: (method: Method) => Invoke<ClientCall> | undefined;
}

/** How a process calls others. */
export interface Outbound {
  /** The client chain of a method, for one caller. */
  chain(method: Method, tracer: Tracer): Invoke<ClientCall>;
  /** The channel that the stubs of a service share. */
  channel(service: string): ChannelInterface;
  /** Every service that a stub was made for. */
  read(): readonly CalledService[];
  stop(): void;
}

/** What all callers of a service in this process share. */
interface Shared {
  readonly destination: Destination;
  readonly budget: RetryBudget;
  /** By path: the stubs of one method share what was measured of it. */
  readonly resendings: Map<string, Resending>;
  channel: ChannelInterface | undefined;
}

export function createOutbound({ clock, random, log, zone, policies, openChannel, instruments, interceptors, local }: OutboundOptions): Outbound {
  const services = new Map<string, Shared>();
  let stopped = false;

  function sharedOf(service: string): Shared {
    const found = services.get(service);
    if (found) return found;
    const policy = policies.destination(service);
    const budget = createBudget({ get current() { return policy.current.budget; } }, clock);
    const destination = createDestination(service, { policy, clock, random, zone, log });
    const shared: Shared = { destination, budget, resendings: new Map(), channel: undefined };
    services.set(service, shared);
    instruments.watchDestination(service, () => figuresOf(shared));
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
    return (shared.channel ??= openChannel(service, { ...channelOptions, ...balancingOptions(shared.destination) }));
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
    chain(method, tracer) {
      const shared = sharedOf(method.destination);
      const { interceptor } = resendingOf(method, shared);
      const call = [...instruments.clientCall(method), clientTracing(tracer, method), guardedCallbacks, clientDeadline(clock), interceptor];
      return compose([...call, ...instruments.clientAttempt(method), ...interceptors], transport(method, shared));
    },
    channel: (service) => channelOf(service, sharedOf(service)),
    read: () => [...services.values()].map(readingOf),
    stop() {
      stopped = true;
      for (const shared of services.values()) {
        shared.channel?.close();
      }
    },
  };
}

function figuresOf({ destination, budget, resendings }: Shared): DestinationFigures {
  const hedgesWon = [...resendings.values()].reduce((total, resending) => total + resending.read().hedgesWon, 0);
  return { ...destination.read(), budget: budget.read(), hedgesWon };
}

function readingOf({ destination, resendings }: Shared): CalledService {
  const counts = [...resendings.values()].map((resending) => resending.read());
  const sum = (pick: (count: (typeof counts)[number]) => number): number => counts.reduce((total, count) => total + pick(count), 0);
  return {
    ...destination.read(),
    retries: sum(({ retries }) => retries),
    hedges: sum(({ hedges }) => hedges),
    refusedByBudget: sum((count) => count.refusedByBudget),
  };
}
