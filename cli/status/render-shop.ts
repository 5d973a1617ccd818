import { printable } from '#kit';

import { table } from '../output.ts';
import { runtimeLines } from './render-runtime.ts';
import { roughTime } from './rough-time.ts';
import type { Listed, ListedInstance, ListedProcess } from './shop-status.ts';

const HEAD = ['SERVICE', 'INSTANCE', 'PROCESS', 'HEALTH', 'VERSION', 'ZONE', 'PID', 'UP', 'MEMORY', 'CALLS', 'CALLS/S', 'ERR/S'];

/**
 * The list as a table of at most 110 columns, and below it why what should run does not, and what the runtime does to
 * calls. What is the same for every instance is said once, below: version and zone have columns only where they tell
 * instances apart.
 */
export function renderShop(listed: readonly Listed[], nowMs: number): string {
  if (listed.length === 0) return 'no service is registered; start the shop with `npx mesh up`';
  const rows = listed.map((entry) => (entry.kind === 'instance' ? instanceRow(entry, nowMs) : processRow(entry)));
  const instances = listed.filter((entry) => entry.kind === 'instance');
  const shared = sharedBy(instances);
  const columns = HEAD.map((name) => !shared.has(name));
  const troubles = listed.flatMap((entry) => (entry.kind === 'process' && entry.reason ? [`${entry.process}: ${entry.reason}`] : []));
  const below = [[...shared.values()].filter((said) => said !== '').join(', '), ...new Set(troubles), ...runtimeLines(instances, nowMs)].filter((line) => line !== '');
  return [table([HEAD, ...rows].map((row) => row.filter((_, index) => columns[index]))), ...below.map(printable)].join('\n');
}

/** Columns that would say the same in each row, and what they would say. */
function sharedBy(instances: readonly ListedInstance[]): ReadonlyMap<string, string> {
  return new Map([...only('VERSION', instances.map(({ version }) => version)), ...only('ZONE', instances.map(({ zone }) => zone))]);
}

/** Of no instance there is nothing to say in the column, either. */
function only(column: string, values: readonly string[]): [string, string][] {
  const different = [...new Set(values)];
  return different.length > 1 ? [] : [[column, different.map((value) => `${column.toLowerCase()} ${value || '-'}`).join('')]];
}

/** What an instance that does not answer cannot say is a dash. */
function instanceRow(instance: ListedInstance, nowMs: number): string[] {
  const { service, address, port, process = '-', state, version, zone, pid, startedAt, memoryBytes, calls, callsPerSecond, errorsPerSecond } = instance;
  return [
    service,
    `${address}:${port}`,
    process,
    state,
    version,
    zone,
    orDash(pid, String),
    orDash(startedAt, (ms) => roughTime(nowMs - ms)),
    orDash(memoryBytes, (bytes) => `${Math.round(bytes / 1e6)} MB`),
    orDash(calls, String),
    orDash(callsPerSecond, rate),
    orDash(errorsPerSecond, rate),
  ];
}

/** There is no address yet, or no longer. */
function processRow({ service, process, state, pid }: ListedProcess): string[] {
  // It runs, and nobody can find it.
  const shown = state === 'ready' ? 'not registered' : state.replace('-', ' ');
  return [service, '-', process, shown, '-', '-', orDash(pid, String), '-', '-', '-', '-', '-'];
}

function orDash(value: number | undefined, show: (value: number) => string): string {
  return value === undefined ? '-' : show(value);
}

/** In tenths while that says something. */
function rate(perSecond: number): string {
  return String(perSecond < 100 ? perSecond : Math.round(perSecond));
}
