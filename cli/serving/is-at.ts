import type { Instance } from '#discovery';
import type { ModuleName } from '#modules';

/** Whether an instance is this service's, on this port of this address. */
export function isAt(instance: Instance, service: ModuleName, address: string, port: number): boolean {
  return instance.service === service && instance.address === address && instance.port === port;
}
