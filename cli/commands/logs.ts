import { refusal, systemClock } from '#kit';
import { MODULE_NAMES } from '#modules';

import { closestName } from '../did-you-mean.ts';
import { dataFolder } from '../local/data-folder.ts';
import { followLines } from '../logs/follow-lines.ts';
import { isWanted, type LineFilter } from '../logs/line-filter.ts';
import { listLogFiles, type OpenLog, openLog } from '../logs/log-files.ts';
import type { Level, LogLine } from '../logs/log-line.ts';
import { MAX_MEGABYTES, recentLines } from '../logs/recent-lines.ts';
import { dayOf, renderLine } from '../logs/render-line.ts';
import type { Output } from '../output.ts';
import { loadSettings } from '../settings.ts';
import { INTERRUPTED } from '../signals.ts';
import { type Interrupted, untilInterrupted } from '../until-interrupted.ts';

export interface LogsOptions {
  /** A service, or one of its processes, such as `inventory-2`. */
  readonly name?: string | undefined;
  readonly traceId?: string | undefined;
  readonly level?: Level | undefined;
  readonly sinceMs?: number | undefined;
  /** How many lines at most. */
  readonly lines: number;
  /** Nobody asked for fewer than there are: more lines than `lines` is worth a word. */
  readonly wantsAll: boolean;
  readonly follow: boolean;
}

/** `mesh logs`: what the processes of this folder's shop have written, and write on. `warn` says what is missing in the answer. Resolves with the exit code. */
export async function logsCommand({ lines, wantsAll, follow, ...wanted }: LogsOptions, output: Output, warn: (line: string) => void): Promise<number> {
  const { values } = await loadSettings();
  const folder = dataFolder(values.MESH_DATA_DIR).logs;
  // From before the first line: who sees one may press Ctrl-C at once.
  const interrupted = follow ? untilInterrupted() : undefined;
  const logs = await openLogs(folder, follow);
  try {
    refuseUnknown(wanted.name, logs);
    if (logs.length === 0 && !follow) throw refusal('NOT_RUNNING', `there are no logs in ${folder}; start the shop with \`npx mesh up\``);
    if (logs.length === 0) output.note(`there are no logs in ${folder} yet; waiting for them`);
    const recent = await recentLines(logs, wanted, lines);
    if (recent.cutBy === 'bytes') warn(`older lines are left out: one answer has at most ${MAX_MEGABYTES} MB; narrow it with --since, --trace, --level or a service`);
    if (recent.cutBy === 'limit' && wantsAll) warn(`older lines are left out: one answer has at most ${lines}; narrow it with --since, --level or a service`);
    const show = createPrinter(output);
    recent.lines.forEach(show);
    if (recent.lines.length === 0 && !follow) output.note(`no such line in ${folder}`);
    return interrupted ? await goOn(folder, logs, wanted, { show, output, interrupted }) : 0;
  } finally {
    interrupted?.forget();
    // Those that are followed are closed already.
    await Promise.all(logs.map(({ handle }) => handle.close().catch(() => undefined)));
  }
}

async function openLogs(folder: string, follow: boolean): Promise<readonly OpenLog[]> {
  const logs: OpenLog[] = [];
  for (const file of await listLogFiles(folder)) {
    const log = await openLog(folder, file, { wholeLines: follow });
    if (log !== undefined) logs.push(log);
  }
  return logs;
}

/** Until Ctrl-C, or until nobody reads any more. */
async function goOn(folder: string, logs: readonly OpenLog[], wanted: LineFilter, { show, output, interrupted }: Following): Promise<number> {
  const signal = AbortSignal.any([interrupted.signal, output.readerGone]);
  const current = logs.filter(({ file }) => file.isCurrent);
  for await (const lines of followLines(folder, current, { clock: systemClock, signal })) {
    lines.filter((line) => isWanted(line, wanted)).forEach(show);
  }
  return interrupted.signal.aborted ? INTERRUPTED : 0;
}

interface Following {
  readonly show: Show;
  readonly output: Output;
  readonly interrupted: Interrupted;
}

type Show = (line: LogLine) => void;

/** Prints lines, and for people the day wherever it changes; the first one may be today without a word. */
function createPrinter(output: Output): Show {
  const colour = output.width !== undefined && !process.env['NO_COLOR'];
  let day = dayOf(systemClock.now());
  return (line) => {
    const { file, service, instance } = line;
    const lineDay = line.kind === 'entry' && line.timeMs !== undefined ? dayOf(line.timeMs) : day;
    if (lineDay !== day) output.note(`— ${(day = lineDay)} —`);
    const raw = line.kind === 'entry' ? line.fields : { text: line.text, droppedBytes: line.droppedBytes };
    output.answer(() => renderLine(line, { colour }), { file: file.name, service, instance, ...raw });
  };
}

function refuseUnknown(name: string | undefined, logs: readonly OpenLog[]): void {
  const names = new Set(['mesh', ...MODULE_NAMES, ...logs.flatMap(({ file }) => (file.service === 'mesh' ? [] : [file.process, file.service]))]);
  if (name === undefined || names.has(name)) return;
  const meant = closestName(name, [...names]);
  throw refusal('UNKNOWN_SERVICE', `there is no service ${name}${meant ? `; did you mean ${meant}?` : ''} (there are ${[...names].sort().join(', ')})`);
}
