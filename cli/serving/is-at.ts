import { explorerPortOf, type Instance } from '#discovery';
import type { ModuleName } from '#modules';

/** Whether an instance is this service's, with this port of this address, be it the registered one or its explorer's. */
export function isAt(instance: Instance, service: ModuleName, address: string, port: number): boolean {
  return instance.service === service && instance.address === address && (instance.port === port || explorerPortOf(instance) === port);
}
