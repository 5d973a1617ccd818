import { createLog, systemClock } from '#kit';

import { settingsOfRunningShop } from './running-shop.ts';
import type { SupervisorStatus } from '../local/control-socket.ts';
import { type Output, table } from '../output.ts';
import { connectControlPlane } from '../serving/control-plane.ts';

const HEAD = ['SERVICE', 'ADDRESS', 'HEALTH', 'VERSION', 'ZONE', 'PID', 'UP'];

/** `mesh ps`: every registered instance, and the process that runs it when that is ours. */
export async function psCommand(output: Output): Promise<void> {
  const { settings, supervisor } = await settingsOfRunningShop();
  const controlPlane = await connectControlPlane(settings, createLog({ level: 'error' }));
  try {
    const registered = await controlPlane.listInstances();
    const instances = registered.map((instance) => ({ ...instance, ...processOf(supervisor, instance.id) }));
    const rows = instances.map(({ service, address, port, healthy, version, zone, pid, uptimeMs }) => [
      service,
      `${address}:${port}`,
      healthy ? 'passing' : 'critical',
      version,
      zone,
      pid ? String(pid) : '-',
      uptimeMs === undefined ? '-' : `${Math.round(uptimeMs / 1_000)} s`,
    ]);
    const forPeople = (): string => (rows.length > 0 ? table([HEAD, ...rows]) : 'no service is registered; start the shop with `npx mesh up`');
    output.answer(forPeople, instances);
  } finally {
    await controlPlane.stop();
  }
}

function processOf(supervisor: SupervisorStatus | undefined, id: string): { pid?: number; uptimeMs?: number } {
  const found = supervisor?.processes.find(({ instances }) => instances.includes(id));
  return found?.pid ? { pid: found.pid, uptimeMs: systemClock.now() - found.startedAt } : {};
}
