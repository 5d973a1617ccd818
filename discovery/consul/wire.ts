import type { Instance, InstanceHealth, Policy } from '../control-plane.ts';
import { unavailable } from './failure.ts';

/** The tag on every instance we register; it tells ours from others in a shared Consul. */
export const MESH_TAG = 'shopmesh';

/** Policies live under this prefix in the key-value store. */
export const POLICY_ROOT = 'shopmesh/policies/';

/** As `GET /v1/health/service/:name` lists it (https://developer.hashicorp.com/consul/api-docs/health). */
export interface HealthEntry {
  readonly Node: { readonly Address: string };
  readonly Service: {
    readonly ID: string;
    readonly Service: string;
    readonly Address: string;
    readonly Port: number;
    readonly Meta?: Readonly<Record<string, string>> | null;
    readonly Weights?: { readonly Passing: number };
  };
  readonly Checks: readonly { readonly Status: string }[];
}

/** As `GET /v1/kv/:key` lists it, with the value decoded by the package. */
export interface KeyValueEntry {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
}

/** The health entries of an answer. Throws when it is not a list: then no Consul answered. */
export function healthEntries(body: unknown): readonly HealthEntry[] {
  return listOf<HealthEntry>(body);
}

export function toInstance({ Node, Service }: HealthEntry): Instance {
  const { version = '', zone = '', ...metadata } = Service.Meta ?? {};
  return {
    id: Service.ID,
    service: Service.Service,
    // A registration without an address means the address of its node.
    address: Service.Address || Node.Address,
    port: Service.Port,
    version,
    zone,
    weight: Math.max(1, Service.Weights?.Passing ?? 1),
    metadata,
  };
}

export function toInstanceHealth(entry: HealthEntry): InstanceHealth {
  return { ...toInstance(entry), healthy: entry.Checks.every((check) => check.Status === 'passing') };
}

export function toPolicies(body: unknown): readonly Policy[] {
  return body === undefined ? [] : listOf<KeyValueEntry>(body).map(toPolicy);
}

export function toPolicy({ Key, Value, ModifyIndex }: KeyValueEntry): Policy {
  return { key: Key.slice(POLICY_ROOT.length), value: Value ?? '', index: ModifyIndex };
}

/** The tags of each service, as `GET /v1/catalog/services` answers them. */
export function taggedServices(body: unknown): readonly string[] {
  if (typeof body !== 'object' || body === null) throw notConsul();
  // Documented shape; the conformance suite holds both servers to it.
  const services = body as Readonly<Record<string, readonly string[]>>;
  return Object.keys(services).filter((name) => services[name]?.includes(MESH_TAG));
}

function listOf<T>(body: unknown): readonly T[] {
  if (!Array.isArray(body)) throw notConsul();
  // Documented shape; the conformance suite holds both servers to it.
  return body as readonly T[];
}

function notConsul(): Error {
  return unavailable('refused', 'what answers at CONSUL_HTTP_ADDR does not answer like Consul; is another program listening there?');
}
