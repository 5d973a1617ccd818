import type { Clock, Log, Random, Stoppable } from '#kit';

import type { ControlPlane, InstanceHealth, Policy, PolicyStore } from '../control-plane.ts';
import { parseConsulAddress } from './address.ts';
import { agentCalls } from './agent-calls.ts';
import { type Caller, createCaller } from './caller.ts';
import type { CertificateOptions } from './certificate-source.ts';
import { createCertificateStore } from './certificate-store.ts';
import { type HealthCalls, healthCalls } from './health-calls.ts';
import { createInstanceWatch } from './instance-watch.ts';
import { intentionCalls } from './intention-calls.ts';
import { createIntentionStore } from './intention-store.ts';
import { createIntentionWatch } from './intention-watch.ts';
import { createOutage } from './outage.ts';
import { type PolicyCalls, policyCalls } from './policy-calls.ts';
import { createPolicyWatch } from './policy-watch.ts';
import { keepRegistered } from './registration.ts';
import type { SharedWatch } from './shared-watch.ts';
import { fixedToken, tokenFromFile } from './token.ts';
import { verifyConsul } from './verify.ts';

export interface ConsulOptions {
  /** CONSUL_HTTP_ADDR, such as `http://127.0.0.1:8500`. */
  readonly address: string;
  /** CONSUL_HTTP_TOKEN. Travels in a header, is never logged. */
  readonly token?: string;
  /** CONSUL_HTTP_TOKEN_FILE: the token stands there, in place of `token`, and whoever writes another one there replaces it. Empty: none. */
  readonly tokenFile?: string;
  /** CONSUL_CACERT: who vouches for the certificate of an HTTPS address, PEM. Default: the authorities that Node knows. */
  readonly caPem?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Of this process: instances of the same zone come first in every list. */
  readonly zone?: string;
  /** How long a list stays in use after Consul has said, and confirmed, that nobody is left. Default 15,000. */
  readonly emptyHoldMs?: number;
  /** How often a registration asks whether the agent still knows it. Default 5,000. */
  readonly reconcileMs?: number;
  /** How long a watch lets Consul wait for a change, up to 600,000. Default 60,000. */
  readonly waitMs?: number;
  /** For one call that does not wait. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /** Where certificates come from. Default: found out at first use. */
  readonly certificates?: CertificateOptions;
}

export interface ConsulControlPlane extends ControlPlane {
  /** Throws CONTROL_PLANE_UNAVAILABLE, with what to do, unless a Consul with a leader answers. */
  verify(signal?: AbortSignal): Promise<void>;
  /**
   * Takes an instance out for a process that can no longer do so itself: left to its check it would be shown as critical
   * for a minute or two. One that the agent does not know is out already.
   */
  forget(id: string): Promise<void>;
}

/** The control plane on Consul's HTTP API. Opens no connection before it is used. */
export function createConsulControlPlane(options: ConsulOptions): ConsulControlPlane {
  const address = parseConsulAddress(options.address);
  const token = options.tokenFile ? tokenFromFile({ path: options.tokenFile, log: options.log }) : fixedToken(options.token);
  const caller = createCaller({
    address,
    token,
    ...(options.caPem !== undefined && { caPem: options.caPem }),
    ...(options.requestTimeoutMs !== undefined && { requestTimeoutMs: options.requestTimeoutMs }),
  });
  const deps = { ...dependencies(options, caller), token };
  const { consul } = deps;
  const instances = watches((service) => createInstanceWatch(service, deps));
  const policies = watches((prefix) => createPolicyWatch(prefix, deps));
  const intentions = watches((destination) => createIntentionWatch(destination, deps));
  const certificates = createCertificateStore(caller, { ...deps, address, certificates: options.certificates ?? {} });
  const registrations = new Set<Stoppable>();

  async function stopAll(): Promise<void> {
    await Promise.all([...registrations].map((registration) => registration.stop()));
    await Promise.all([instances.stop(), policies.stop(), intentions.stop(), certificates.stop()]);
    caller.close();
  }

  let stopped: Promise<void> | undefined;
  return {
    verify: (signal) => verifyConsul(consul, caller.url, signal),
    forget: consul.deregister,
    register: async (registration) => {
      const kept = await keepRegistered(registration, deps);
      registrations.add(kept);
      return {
        stop: async () => {
          await kept.stop();
          registrations.delete(kept);
        },
      };
    },
    watchInstances: (service, listener) =>
      instances.of(service).subscribe({
        onValue: (list) => listener.onInstances(list),
        onError: (error) => listener.onError(error),
      }),
    listInstances: (signal) => listInstances(consul, signal),
    policies: policyStore(consul, policies),
    intentions: createIntentionStore(consul, intentions),
    certificates,
    stop: () => (stopped ??= stopAll()),
  };
}

function dependencies(options: ConsulOptions, caller: Caller) {
  const { clock, random, log, zone = '', emptyHoldMs = 15_000, reconcileMs = 5_000, waitMs = 60_000 } = options;
  const consul = { ...agentCalls(caller), ...healthCalls(caller), ...policyCalls(caller), ...intentionCalls(caller) };
  return { consul, outage: createOutage(log, caller.url), clock, random, log, zone, emptyHoldMs, reconcileMs, waitMs };
}

function policyStore(consul: PolicyCalls, policies: Watches<readonly Policy[]>): PolicyStore {
  return {
    get: consul.policy,
    put: consul.putPolicy,
    delete: consul.deletePolicy,
    watch: (prefix, listener) =>
      policies.of(prefix).subscribe({
        onValue: (list) => listener.onPolicies(list),
        onError: (error) => listener.onError(error),
      }),
  };
}

interface Watches<T> {
  of(key: string): SharedWatch<T>;
  stop(): Promise<void>;
}

/** One watch for each key, kept with what it heard last: as many as a process has names of services. */
function watches<T>(create: (key: string) => SharedWatch<T>): Watches<T> {
  const byKey = new Map<string, SharedWatch<T>>();
  return {
    of: (key) => {
      const watch = byKey.get(key) ?? create(key);
      byKey.set(key, watch);
      return watch;
    },
    stop: async () => {
      await Promise.all([...byKey.values()].map((watch) => watch.stop()));
    },
  };
}

async function listInstances(consul: HealthCalls, signal?: AbortSignal): Promise<readonly InstanceHealth[]> {
  const services = await consul.meshServices(signal);
  const lists = await Promise.all(services.toSorted().map((service) => consul.instances(service, signal)));
  return lists.flatMap((list) => list.toSorted((one, other) => (one.id < other.id ? -1 : 1)));
}
