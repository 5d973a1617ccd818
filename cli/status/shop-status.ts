import { type ControlPlane, explorerPortOf, type InstanceHealth } from '#discovery';

import type { ProcessStatus, SupervisorStatus } from '../local/control-socket.ts';
import type { Ask } from './ask-as-operator.ts';
import type { InstanceFacts } from './ask-instance.ts';

/** An instance in the registry, and what it says of itself when it answers. */
export type ListedInstance = {
  readonly kind: 'instance';
  readonly state: 'passing' | 'critical';
  /** Name of the supervisor's process that it runs in; undefined when another terminal runs it, or another machine. */
  readonly process?: string;
  /** Where siblings call it, as it is registered; `port` is what people type: the explorer's where there is one. */
  readonly mtlsPort: number;
} & InstanceHealth &
  Partial<InstanceFacts>;

/** A service in a process of the supervisor that has no instance in the registry: it starts, stops, or cannot start. */
export interface ListedProcess extends Pick<ProcessStatus, 'state' | 'pid' | 'startedAt'> {
  readonly kind: 'process';
  readonly service: string;
  /** Name of the process. */
  readonly process: string;
  /** Why it does not run; only where it does not. */
  readonly reason?: string;
}

export type Listed = ListedInstance | ListedProcess;

/**
 * Every registered instance, wherever it runs, asked all at once; and of the shop's own
 * processes those that are not registered. Sorted by service.
 */
export async function listShop(controlPlane: ControlPlane, supervisor: SupervisorStatus | undefined, ask: Ask): Promise<readonly Listed[]> {
  const processes = supervisor?.processes ?? [];
  const registered = await controlPlane.listInstances();
  const instances = await Promise.all(registered.map((instance) => describeInstance(instance, processes, ask)));
  const others = processes.filter((process) => !instances.some((instance) => runsIn(process, instance)));
  return [...instances, ...others.flatMap(describeProcess)].sort((left, right) => left.service.localeCompare(right.service));
}

async function describeInstance(instance: InstanceHealth, processes: readonly ProcessStatus[], ask: Ask): Promise<ListedInstance> {
  const facts = await ask(instance);
  const process = processes.find((one) => runsIn(one, { ...instance, ...facts }));
  // Of one that does not answer the supervisor may know more.
  const known = process && { process: process.name, ...(process.pid && { pid: process.pid, startedAt: process.startedAt }) };
  const ports = { port: explorerPortOf(instance) ?? instance.port, mtlsPort: instance.port };
  return { kind: 'instance', state: instance.healthy ? 'passing' : 'critical', ...instance, ...ports, ...known, ...facts };
}

/** By its process too: an instance is registered shortly before the supervisor hears of it. */
function runsIn({ pid, instances, services }: ProcessStatus, instance: InstanceHealth & Partial<InstanceFacts>): boolean {
  return instances.includes(instance.id) || (pid !== undefined && pid === instance.pid && services.some((name) => name === instance.service));
}

function describeProcess(process: ProcessStatus): ListedProcess[] {
  const { name, services, state, pid, startedAt } = process;
  const reason = 'reason' in process ? { reason: process.reason } : {};
  return services.map((service) => ({ kind: 'process', service, process: name, state, pid, startedAt, ...reason }));
}
