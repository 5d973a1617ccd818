import type { MatrixResult } from './matrix.ts';

/** What each run of the matrix has shown, for people. */
export interface Summary {
  add(run: string, result: MatrixResult, seconds: number): void;
  /** A Markdown table, with a sum of the runs that are to find nothing. */
  table(): string;
}

type Line = Pick<MatrixResult, 'kills' | 'happenings' | 'orders' | 'finalAfterMs'> & { readonly run: string; readonly notMet: number; readonly findings: number; readonly seconds: number };

export function createSummary(): Summary {
  const lines: Line[] = [];
  return {
    add(run, { kills, happenings, orders, finalAfterMs, missed, wrong }, seconds) {
      lines.push({ run, kills, happenings, orders, finalAfterMs, notMet: missed.length, findings: wrong.length, seconds });
    },
    table() {
      const head = ['| run | kills | happenings | not met | orders | final after at most | findings | took |', '|---|---|---|---|---|---|---|---|'];
      return [...head, ...lines.map(render), render(sum(lines))].join('\n');
    },
  };
}

function sum(lines: readonly Line[]): Line {
  const total = (of: (line: Line) => number): number => lines.reduce((before, line) => before + of(line), 0);
  return {
    run: 'all',
    kills: total(({ kills }) => kills),
    happenings: total(({ happenings }) => happenings),
    notMet: total(({ notMet }) => notMet),
    orders: total(({ orders }) => orders),
    finalAfterMs: Math.max(0, ...lines.map(({ finalAfterMs }) => finalAfterMs)),
    findings: total(({ findings }) => findings),
    seconds: total(({ seconds }) => seconds),
  };
}

function render({ run, kills, happenings, notMet, orders, finalAfterMs, findings, seconds }: Line): string {
  return `| ${run} | ${kills} | ${happenings} | ${notMet} | ${orders} | ${(finalAfterMs / 1_000).toFixed(1)} s | ${findings} | ${Math.round(seconds)} s |`;
}
