import { join } from 'node:path';

import type { InstanceHealth } from '#discovery';

import type { ProcessStatus } from '../local/control-messages.ts';
import { dataFolder } from '../local/data-folder.ts';
import { scaleAgain } from '../local/scale-again.ts';
import { type Check, fail, type Finding, ok, orElse, skip, type Scene, warn } from './check.ts';

/** Processes of the shop that do not run as they should, or that nobody can find. */
export const processes: Check = {
  name: 'processes',
  async run(scene) {
    const { supervisor, registry } = scene;
    if (!supervisor) return [skip('no shop that `mesh up` started runs here')];
    const instances = registry.kind === 'seen' ? registry.instances : undefined;
    const found = [
      ...supervisor.processes.flatMap((process) => lookAtProcess(process, instances, scene)),
      ...(instances ? lookForUnhealthy(supervisor.processes, instances, scene) : []),
    ];
    const registered = instances ? ' and is registered' : '';
    return orElse(found, ok(`${supervisor.processes.length === 1 ? 'the one process' : `each of the ${supervisor.processes.length} processes`} runs${registered}`));
  },
};

function lookAtProcess(process: ProcessStatus, instances: readonly InstanceHealth[] | undefined, scene: Scene): Finding[] {
  const { name, state } = process;
  switch (state) {
    case 'given-up':
      return [fail(`${name} is given up: ${process.reason}`, `mend it, then \`${howToRetry(process, scene)}\` tries again`)];
    case 'restarting':
      return [warn(`${name} does not run (${process.reason})`, 'it is being started again; look once more in a few seconds')];
    case 'ready':
      return instances ? lookForInstances(process, instances, scene) : [];
    default:
      return [];
  }
}

function howToRetry({ services }: ProcessStatus, { supervisor }: Scene): string {
  return scaleAgain(services, (service) => supervisor?.processes.filter((process) => process.services.includes(service)).length ?? 1);
}

function lookForInstances({ name, pid, instances: ids }: ProcessStatus, registered: readonly InstanceHealth[], { settings }: Scene): Finding[] {
  const log = logOf(name, settings);
  const missing = ids.filter((id) => !registered.some((instance) => instance.id === id));
  return missing.map((id) => fail(`${name} (process ${pid}) serves as ${id}, which is not registered, so nobody finds it`, `it looks every five seconds and registers again; if it stays so, see ${log}`));
}

/** One line for all: most often they have one cause. */
function lookForUnhealthy(all: readonly ProcessStatus[], registered: readonly InstanceHealth[], { settings }: Scene): Finding[] {
  const unhealthy = new Set(registered.flatMap(({ id, healthy }) => (healthy ? [] : [id])));
  const found = all.filter(({ state }) => state === 'ready').flatMap(({ name, pid, instances }) => instances.filter((id) => unhealthy.has(id)).map((id) => ({ name, pid, id })));
  const [first, ...others] = found;
  if (!first) return [];
  const whose = found.map(({ id, pid }) => `${id} (process ${pid})`).join(', ');
  const [they, log] = others.length === 0 ? ['does not pass its check, so nobody calls it', logOf(first.name, settings)] : ['do not pass their checks, so nobody calls them', logOf('*', settings)];
  return [warn(`${whose} ${they}`, `see ${log}; most often the database is away`)];
}

function logOf(name: string, { values }: Scene['settings']): string {
  return join(dataFolder(values.MESH_DATA_DIR).logs, `${name}.log`);
}
