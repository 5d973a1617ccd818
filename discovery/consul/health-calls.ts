import type { Instance, InstanceHealth } from '../control-plane.ts';
import type { Caller } from './caller.ts';
import { answeredIndex, type BlockingAnswer, type BlockingRead, refuseHiddenResults } from './query.ts';
import { healthEntries, taggedServices, toInstance, toInstanceHealth } from './wire.ts';

/** Who is there and well (https://developer.hashicorp.com/consul/api-docs/health). */
export interface HealthCalls {
  healthyInstances(service: string, read: BlockingRead): Promise<BlockingAnswer<readonly Instance[]>>;
  instances(service: string, signal?: AbortSignal): Promise<readonly InstanceHealth[]>;
  /** The services that have an instance of this mesh. */
  meshServices(signal?: AbortSignal): Promise<readonly string[]>;
}

export function healthCalls({ call, read, consul }: Caller): HealthCalls {
  return {
    healthyInstances: (service, blocking) =>
      read(blocking, async (options) => {
        const [response, body] = await consul.health.service({ ...options, service, passing: true });
        const value = healthEntries(body).map(toInstance);
        if (value.length === 0) refuseHiddenResults(response, `service ${service}`);
        return { index: answeredIndex(response), value };
      }),
    instances: async (service, signal) => {
      const [, body] = await call((options) => consul.health.service({ ...options, service }), signal);
      return healthEntries(body).map(toInstanceHealth);
    },
    meshServices: async (signal) => {
      const [, body] = await call((options) => consul.catalog.service.list(options), signal);
      return taggedServices(body);
    },
  };
}
