import type { ControlPlane, Instance, ServiceIdentity } from '#discovery';
import { MeshError } from '#kit';
import { meshCredentials } from '#mesh';

import { OPERATOR } from '../caller-names.ts';
import { askInstance, type InstanceFacts } from './ask-instance.ts';

/** What an instance says of itself; undefined as with {@link askInstance}. */
export type Ask = (instance: Instance) => Promise<InstanceFacts | undefined>;

/**
 * Asks instances as the service `operator`, whose certificate is asked for with the first question. The control plane's
 * stop ends its renewal.
 *
 * @param onTrouble told the first reason why somebody cannot be asked: there is no certificate, or an instance refuses the
 *   operator. Left out: the question fails
 */
export function askAsOperator({ certificates }: Pick<ControlPlane, 'certificates'>, onTrouble?: (error: MeshError) => void): Ask {
  let operator: Promise<ServiceIdentity> | undefined;
  let told = false;

  return async (instance) => {
    try {
      return await askInstance(instance, meshCredentials(await (operator ??= certificates.identity(OPERATOR)), instance.service));
    } catch (thrown) {
      if (!onTrouble) throw thrown;
      if (!told) onTrouble(MeshError.from(thrown));
      told = true;
      return undefined;
    }
  };
}
