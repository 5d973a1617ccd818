import { expect } from 'chai';

import { appendResult, type AttackResult, type Outcome, REPORT_VARIABLE } from '../../scripts/attacks/report.ts';
import type { Attack } from './attack.ts';

/** Longer than any of them; a shop has to start in some. */
const LONGEST_MS = 120_000;

/** Two tests for each attack: that it fails, and that it succeeds without its guard, so that the first proves something. */
export function proveAttacks(attacks: readonly Attack[]): void {
  const only = (process.env['ATTACKS_ONLY'] ?? '').split(',').filter(Boolean);
  for (const attack of attacks) if (only.length === 0 || only.includes(attack.name)) prove(attack);
}

function prove(attack: Attack): void {
  const { name, attack: what, must, guard } = attack;
  describe(`${what} (${name})`, function () {
    this.timeout(LONGEST_MS);
    let result: AttackResult = { name, attack: what, must, guard, on: undefined, off: undefined };

    it(must, async () => {
      const { state, facts } = await attack.run('on');
      const on: Outcome = { ok: state === 'refused', facts };
      result = { ...result, on };
      expect(state, facts).to.equal('refused');
    });

    it(`would succeed without ${guard}`, async () => {
      const { state, facts } = await attack.run('off');
      const off: Outcome = { ok: state === 'succeeded', facts };
      result = { ...result, off };
      expect(state, `it fails without its guard too, and so proves nothing: ${facts}`).to.equal('succeeded');
    });

    after(() => {
      const file = process.env[REPORT_VARIABLE];
      if (file) appendResult(file, result);
    });
  });
}
