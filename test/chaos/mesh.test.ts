import { seedOfRun } from '../shop/faults/sample.ts';
import { createProofs, seedNumber } from './mesh/proofs.ts';
import { rowsNamed } from './mesh/rows/index.ts';

// The two rows that cost least, as short as they can be. All of them, and for longer: npm run chaos -- mesh.
describe(`the mesh under faults (CHAOS_SEED=${seedOfRun()})`, () => {
  const { prove } = createProofs(() => {});
  for (const row of rowsNamed('kill,leaks')) prove(row, { seed: seedNumber(seedOfRun()), size: 'smoke' });
});
