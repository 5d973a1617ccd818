import { expect } from 'chai';

import { type AttackResult, gapsIn, renderReport } from '../../scripts/attacks/report.ts';

describe('the report of the attacks', () => {
  const result: AttackResult = { name: 'one', attack: 'an attack', must: 'fails', guard: 'a guard', on: { ok: true, facts: 'UNAUTHENTICATED' }, off: { ok: true, facts: 'taken' } };

  it('counts what was refused, and what proves something', () => {
    const report = renderReport([result, { ...result, name: 'two', on: { ok: false, facts: 'taken' } }, { ...result, name: 'three', off: undefined }]);
    expect(report).to.match(/\n3 attacks: 2 refused; 2 succeed without their guard$/);
    expect(report).to.include('| an attack (one) | fails | UNAUTHENTICATED | a guard: taken | ok |');
    expect(report).to.include('| an attack (two) | fails | taken | a guard: taken | NOT |');
    expect(report).to.include('| an attack (three) | fails | UNAUTHENTICATED | a guard: not run | NOT |');
  });

  it('tells of what was not tried', () => {
    expect(gapsIn([result], ['one'])).to.deep.equal([]);
    expect(gapsIn([], [])).to.deep.equal(['No attack was run.']);
    expect(gapsIn([{ ...result, off: undefined }], ['one', 'nonsense'])).to.deep.equal([
      'There is no attack nonsense, or it was not run.',
      'an attack (one) was not run to its end.',
    ]);
  });

  it('has one line for each, whatever is in it', () => {
    expect(renderReport([{ ...result, on: { ok: true, facts: 'a | b\nc' } }])).to.include('| a / b c |');
  });
});
