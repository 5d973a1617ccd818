import { seedOfRun } from '../shop/faults/sample.ts';
import { createProofs, seedNumber } from './mesh/proofs.ts';
import { rowsNamed } from './mesh/rows/index.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

describe('the mesh under faults, each with what is made for it and without', () => {
  const terms = { seed: seedNumber(seedOfRun()), size: process.env['CHAOS_QUICK'] === 'true' ? 'quick' : 'full' } as const;
  const proofs = createProofs(say);
  for (const row of rowsNamed(process.env['CHAOS_ONLY'] ?? '')) proofs.prove(row, terms);

  after(() => say(`\n${proofs.table()}\n`));
});
