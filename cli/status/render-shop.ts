import { table } from '../output.ts';
import type { Listed, ListedInstance, ListedProcess } from './shop-status.ts';

const HEAD = ['SERVICE', 'INSTANCE', 'HEALTH', 'VERSION', 'ZONE', 'PID', 'UP', 'MEMORY', 'CALLS', 'CALLS/S', 'ERRORS/S'];

/** The list as a table of at most 110 columns, and below it why what should run does not. */
export function renderShop(listed: readonly Listed[]): string {
  if (listed.length === 0) return 'no service is registered; start the shop with `npx mesh up`';
  const rows = listed.map((entry) => (entry.kind === 'instance' ? instanceRow(entry) : processRow(entry)));
  const troubles = listed.filter((entry) => entry.kind === 'process').flatMap(({ process, reason }) => (reason ? [`${process}: ${reason}`] : []));
  return [table([HEAD, ...rows]), ...new Set(troubles)].join('\n');
}

/** What an instance that does not answer cannot say is a dash. */
function instanceRow(instance: ListedInstance): string[] {
  const { service, address, port, state, version, zone, pid, uptimeMs, memoryBytes, calls, callsPerSecond, errorsPerSecond } = instance;
  return [
    service,
    `${address}:${port}`,
    state,
    version,
    zone,
    orDash(pid, String),
    orDash(uptimeMs, uptime),
    orDash(memoryBytes, (bytes) => `${Math.round(bytes / 1e6)} MB`),
    orDash(calls, String),
    orDash(callsPerSecond, rate),
    orDash(errorsPerSecond, rate),
  ];
}

/** Named as its log is: there is no address yet, or no longer. */
function processRow({ service, process, state, pid }: ListedProcess): string[] {
  // It runs, and nobody can find it.
  const shown = state === 'ready' ? 'not registered' : state.replace('-', ' ');
  return [service, process, shown, '-', '-', orDash(pid, String), '-', '-', '-', '-', '-'];
}

function orDash(value: number | undefined, show: (value: number) => string): string {
  return value === undefined ? '-' : show(value);
}

/** In the largest unit of which there are two: `119 s`, `2 min`, `47 h`, `2 d`. */
function uptime(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** In tenths while that says something. */
function rate(perSecond: number): string {
  return String(perSecond < 100 ? perSecond : Math.round(perSecond));
}
