import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

import { MODULE_NAMES } from '#modules';

import { table } from '../cli/output.ts';
import type { Figure } from './figure.ts';

const RESULTS = join(import.meta.dirname, 'RESULTS.md');

/** The figures as people read them. */
export function renderFigures(figures: readonly Figure[]): string {
  const rows = figures.map(({ figure, value, unit, peer, peerValue, ratio, aim, met }) => [
    figure,
    `${value} ${unit}`,
    peer === null ? '-' : `${peer}: ${peerValue}`,
    ratio === null ? '-' : String(ratio),
    aim ?? '-',
    met === null ? '-' : met ? 'met' : 'NOT met',
  ]);
  return table([['FIGURE', 'VALUE', 'PEER', 'RATIO', 'AIM', ''], ...rows]);
}

/** Adds the figures to bench/RESULTS.md, with what they were measured on: more services take longer to start, and more memory. */
export function recordFigures(name: string, figures: readonly Figure[], now: Date): void {
  const header = `\n## ${name}, ${now.toISOString().slice(0, 16).replace('T', ' ')} UTC, commit ${commit()}\n\n${machine()}\n\n`;
  const rows = figures.map(({ figure, value, unit, peer, peerValue, ratio, aim, met }) =>
    [figure, `${value} ${unit}`, peer ? `${peer}: ${peerValue}` : '', ratio ?? '', aim ?? '', met === null ? '' : met ? 'met' : 'not met'].join(' | '),
  );
  const lines = ['| figure | value | peer | ratio | aim | met |', '|---|---|---|---|---|---|', ...rows.map((row) => `| ${row} |`)];
  appendFileSync(RESULTS, `${header}${lines.join('\n')}\n`);
}

function commit(): string {
  const revision = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const changed = execFileSync('git', ['status', '--porcelain', '--untracked-files=no'], { encoding: 'utf8' }).trim();
  return changed ? `${revision} with changes` : revision;
}

function machine(): string {
  const processors = cpus();
  return `${processors.length} x ${processors[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${kernel()}, Node ${process.version}; a shop of ${MODULE_NAMES.length} services`;
}

function kernel(): string {
  try {
    return readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  } catch {
    return '';
  }
}
