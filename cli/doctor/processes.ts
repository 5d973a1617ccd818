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
    const found = supervisor.processes.flatMap((process) => lookAtProcess(process, instances, scene));
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
  const log = `${dataFolder(settings.values.MESH_DATA_DIR).logs}/${name}.log`;
  return ids.flatMap((id) => {
    const found = registered.find((instance) => instance.id === id);
    if (!found) return [fail(`${name} (process ${pid}) serves as ${id}, which is not registered, so nobody finds it`, `it looks every five seconds and registers again; if it stays so, see ${log}`)];
    if (!found.healthy) return [warn(`${id} (process ${pid}) does not pass its check, so nobody calls it`, `see ${log}; most often its database is away`)];
    return [];
  });
}
