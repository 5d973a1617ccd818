import type { ControlPlane } from '#discovery';
import { refusal } from '#kit';

import { askAsOperator } from '../status/ask-as-operator.ts';

/** The instances of a service that answer, and how many of them do what fault documents order. */
export interface FaultTakers {
  readonly instances: number;
  readonly allowing: number;
}

/** FAULTS_OFF, with what to do, when none of them would; NO_INSTANCE when none answers. */
export async function requireFaultsAllowed(service: string, controlPlane: ControlPlane): Promise<FaultTakers> {
  const registered = (await controlPlane.listInstances()).filter((instance) => instance.service === service);
  const facts = (await Promise.all(registered.map(askAsOperator(controlPlane)))).filter((said) => said !== undefined);
  if (facts.length === 0) throw refusal('NO_INSTANCE', `no instance of ${service} answers that could do it; see \`npx mesh ps\``);
  const allowing = facts.filter(({ faultsAllowed }) => faultsAllowed).length;
  if (allowing > 0) return { instances: facts.length, allowing };
  throw refusal('FAULTS_OFF', `faults are not allowed in ${service}: start it with MESH_FAULTS=true, as in \`MESH_FAULTS=true npx mesh up\``);
}
