import { refusal, systemClock } from '#kit';
import type { ModuleName } from '#modules';

import type { ProcessStatus, RunInstance, ScaleAnswer, ScaleRequest } from '../local/control-messages.ts';
import { askSupervisor, tellToScale } from '../local/control-socket.ts';
import { dataFolder } from '../local/data-folder.ts';
import { type Output, seconds, table } from '../output.ts';
import { readModuleName } from '../read-module-name.ts';
import { loadSettings } from '../settings.ts';

const PROGRESS_MS = 2_000;

/** Sixteen starts on a busy machine of two cores take a fifth of it. */
const MAX_MS = 120_000;

/** `mesh scale inventory 3`, `mesh scale inventory=3 order=2`: tells the supervisor, and returns when every instance serves. */
export async function scaleCommand(words: readonly string[], { allowNone = false }: { allowNone?: boolean }, output: Output): Promise<void> {
  const counts = readCounts(words);
  const { values } = await loadSettings();
  const { controlSocket, path } = dataFolder(values.MESH_DATA_DIR);
  const supervisor = await askSupervisor(controlSocket);
  if (!supervisor) throw refusal('NOT_RUNNING', `no shop that \`mesh up\` started runs on ${path}, and only such a one can be scaled; elsewhere run \`npx mesh serve\` once more`);
  const answer = await scale(controlSocket, { counts, allowNone }, output);
  const [missing] = answer.missing;
  if (output.json || !missing || answer.instances.length > 0) output.answer(() => forPeople(answer.instances, supervisor.topology), answer.instances);
  if (!missing) return;
  const others = answer.missing.length === 1 ? '' : `, and ${answer.missing.length - 1} more (see \`npx mesh ps\`)`;
  throw refusal('START_FAILED', `${missing.process} does not serve: ${missing.reason}${others}; mend it and give the same command again`);
}

/** `inventory 3`, `inventory=3`, any number of them. */
function readCounts(words: readonly string[]): ScaleRequest['counts'] {
  const counts: Partial<Record<ModuleName, number>> = {};
  const rest = words.flatMap((word) => word.split('='));
  while (rest.length > 0) {
    const [service = '', count = ''] = rest.splice(0, 2);
    const name = readModuleName(service);
    if (!/^\d{1,9}$/.test(count)) throw refusal('INVALID_ARGUMENT', `how many instances of ${name}? Write it like ${name} 3, or ${name}=3`);
    if (counts[name] !== undefined) throw refusal('INVALID_ARGUMENT', `${name} is named twice; say once how many instances it shall have`);
    counts[name] = Number(count);
  }
  return counts;
}

async function scale(controlSocket: string, request: ScaleRequest, output: Output): Promise<ScaleAnswer> {
  const signal = AbortSignal.timeout(MAX_MS);
  const progress = showProgress(controlSocket, request, output);
  try {
    const answer = await tellToScale(controlSocket, request, signal);
    if (answer) return answer;
    throw refusal('NOT_RUNNING', 'the shop was stopped meanwhile');
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    const waiting = (await unsettled(controlSocket, request)).join(', ');
    throw refusal('START_FAILED', `not done after ${seconds(MAX_MS)}: ${waiting}; the shop goes on trying, see \`npx mesh ps\``);
  } finally {
    progress.stop();
  }
}

/** A line every two seconds that says for whom it waits; why, only when it is new. */
function showProgress(controlSocket: string, request: ScaleRequest, output: Output): { stop(): void } {
  const began = systemClock.now();
  const told = new Set<string>();
  const tell = async (): Promise<void> => {
    const waiting = await unsettled(controlSocket, request);
    const shown = waiting.map((words) => (told.has(words) ? words.replace(/ \(.*/s, '') : words));
    for (const words of waiting) told.add(words);
    output.note(`  … ${seconds(systemClock.now() - began)}${shown.length > 0 ? `: ${shown.join(', ')}` : ''}`);
  };
  // The answer itself says what is wrong, when something is.
  const timer = setInterval(() => void tell().catch(() => undefined), PROGRESS_MS);
  return { stop: () => clearInterval(timer) };
}

async function unsettled(controlSocket: string, { counts }: ScaleRequest): Promise<string[]> {
  const { processes = [] } = (await askSupervisor(controlSocket)) ?? {};
  return processes.filter(({ state, services }) => state !== 'ready' && services.some((service) => service in counts)).map(describe);
}

function describe(status: ProcessStatus): string {
  const why = 'reason' in status ? ` (${status.reason})` : '';
  return `${status.name} ${status.state === 'given-up' ? 'given up' : status.state}${why}`;
}

function forPeople(instances: readonly RunInstance[], topology: string): string {
  if (instances.length === 0) return 'no instance is left';
  const rows = instances.map(({ service, address, port, process, pid }) => [service, `${address}:${port}`, process, pid === undefined ? '-' : String(pid)]);
  const shown = table([['SERVICE', 'ADDRESS', 'PROCESS', 'PID'], ...rows]);
  if (topology !== 'monolith' || instances.every(({ process }) => process === 'monolith')) return shown;
  return `${shown}\nThe services of the monolith go on calling each other within it; calls from outside are shared by all instances.`;
}
