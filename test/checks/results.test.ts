import { expect } from 'chai';
import { exitCode, summary, type TestResult } from '../../scripts/test/results.ts';
import { lastLine } from './support/last-line.ts';

const passed: TestResult = { state: 'passed', name: 'adds' };
const failed: TestResult = { state: 'failed', name: 'divides', detail: 'by zero\nat division.ts:1' };
const skipped: TestResult = { state: 'skipped', name: 'needs a moon' };

describe('the results of a test run', () => {
  it('end with the counts, alone on the last line', () => {
    expect(lastLine(summary([passed, passed, failed, skipped], false))).to.equal('2 passed, 1 failed, 1 skipped');
    expect(summary([passed], false)).to.equal('1 passed, 0 failed, 0 skipped');
  });

  it('name what failed and why, just above', () => {
    expect(summary([failed, passed], false)).to.contain('Failed:\n  - divides\n      by zero\n      at division.ts:1');
  });

  it('cut a long reason short', () => {
    const detail = Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n');
    const text = summary([{ state: 'failed', name: 'talks', detail }], false);
    expect(text).to.contain('line 19').and.to.contain('80 more lines').and.not.to.contain('line 20');
  });

  it('fail the run when one failed', () => {
    expect(exitCode([passed, skipped], false)).to.equal(0);
    expect(exitCode([passed, failed], false)).to.equal(1);
  });

  it('fail the run when nothing ran', () => {
    expect(exitCode([], false)).to.equal(1);
    expect(summary([], false)).to.contain('nothing matches').and.to.match(/\n0 passed, 0 failed, 0 skipped$/);
    expect(exitCode([skipped], false)).to.equal(1);
  });

  it('fail a CI run that skips, and name what it skipped', () => {
    expect(exitCode([passed, skipped], true)).to.equal(1);
    expect(summary([passed, skipped], true)).to.contain('does not allow:\n  - needs a moon\n');
  });
});
