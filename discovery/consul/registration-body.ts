import { isIPv6 } from 'node:net';
import { refusal } from '#kit';

import type { Registration } from '../control-plane.ts';
import { MESH_TAG } from './wire.ts';

/** How often the agent asks an instance for its health. A killed one leaves within interval plus timeout. */
const CHECK_INTERVAL = '2s';
/** Longer than a process that starts on a busy machine may be busy with itself. */
const CHECK_TIMEOUT = '2s';
/** The shortest time Consul takes; it looks every 30 s, so a dead instance is forgotten after 60 to 90 s. */
const FORGET_AFTER = '1m';

/**
 * The agent has no certificate to show, and knows none of the authority that made ours: it believes whoever answers. What it
 * learns is whether the port is served, and callers check the certificate themselves.
 */
const OVER_TLS = { GRPCUseTLS: true, TLSSkipVerify: true };

const META_KEY = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * The body of `PUT /v1/agent/service/register`. The check starts as passing: a
 * process registers when it serves, and does so again when the agent lost its
 * memory, and must not drop out of the mesh until the first check has run. If it
 * is not healthy after all, that check says so within the interval.
 */
export function registrationBody(registration: Registration): Readonly<Record<string, unknown>> {
  const { service, id, address, port, version, zone, weight = 1, metadata, tls = false } = registration;
  for (const key of Object.keys(metadata)) {
    if (META_KEY.test(key) && key !== 'version' && key !== 'zone') continue;
    throw refusal('INTERNAL', `"${key}" cannot be a metadata key of ${service}; use letters, digits, - and _`);
  }
  return {
    Name: service,
    ID: id,
    Address: address,
    Port: port,
    Tags: [MESH_TAG],
    Meta: { ...metadata, version, zone },
    Weights: { Passing: weight, Warning: 1 },
    Check: {
      Name: `${service} serves`,
      GRPC: checkTarget(registration),
      ...(tls && OVER_TLS),
      Interval: CHECK_INTERVAL,
      Timeout: CHECK_TIMEOUT,
      DeregisterCriticalServiceAfter: FORGET_AFTER,
      Status: 'passing',
    },
  };
}

function checkTarget({ address, port, healthService }: Registration): string {
  const host = isIPv6(address) ? `[${address}]` : address;
  return healthService === '' ? `${host}:${port}` : `${host}:${port}/${healthService}`;
}
