import { createHash } from 'node:crypto';

import { expect } from 'chai';

import type { Row, Terms, Verdict } from './row.ts';

/** Longer than any run of a row. */
const LONGEST_MS = 600_000;

/** What the two runs of a row have shown so far. */
interface Proof {
  readonly row: Row;
  readonly on: Verdict | undefined;
  readonly off: Verdict | undefined;
}

/** The proofs of several rows, as they come in. */
export interface Proofs {
  /** Makes the two tests of a row: that it holds with its mechanism, and that it does not without. */
  prove(row: Row, terms: Omit<Terms, 'mechanism'>): void;
  /** A Markdown table of them all, to be read by people. */
  table(): string;
}

/** `say` hears of each run as it ends. */
export function createProofs(say: (line: string) => void): Proofs {
  const proofs = new Map<string, Proof>();

  async function run(row: Row, terms: Terms): Promise<Verdict> {
    const verdict = await row.run(terms);
    const proof = proofs.get(row.name) ?? { row, on: undefined, off: undefined };
    proofs.set(row.name, { ...proof, [terms.mechanism]: verdict });
    say(`      ${row.name} ${terms.mechanism}: ${verdict.holds ? 'holds' : 'does not hold'}: ${verdict.facts}`);
    return verdict;
  }

  return {
    prove(row, terms) {
      describe(`${row.fault} (${row.name})`, function () {
        this.timeout(LONGEST_MS);
        it(row.must, async () => {
          const { holds, facts } = await run(row, { ...terms, mechanism: 'on' });
          expect(holds, facts).to.equal(true);
        });
        it(`not so without ${row.mechanism}`, async () => {
          const { holds, facts } = await run(row, { ...terms, mechanism: 'off' });
          expect(holds, `it shows the same without, and so proves nothing: ${facts}`).to.equal(false);
        });
      });
    },
    table: () => ['| fault | must show | with | without | |', '|---|---|---|---|---|', ...[...proofs.values()].map(lineOf)].join('\n'),
  };
}

function lineOf({ row, on, off }: Proof): string {
  const facts = (verdict: Verdict | undefined): string => verdict?.facts.replaceAll('|', '/') ?? 'not run';
  const ok = on?.holds === true && off?.holds === false;
  return `| ${row.fault} | ${row.must} | ${facts(on)} | ${row.mechanism}: ${facts(off)} | ${ok ? 'ok' : 'NOT'} |`;
}

/** The number that a run's generators begin with, of any text. */
export function seedNumber(seed: string): number {
  return createHash('sha256').update(seed).digest().readUInt32BE();
}
