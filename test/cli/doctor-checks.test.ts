import { expect } from 'chai';

import { systemClock } from '#kit';

import type { Check, Scene } from '../../cli/doctor/check.ts';
import { runChecks } from '../../cli/doctor/run-checks.ts';
import { versions } from '../../cli/doctor/versions.ts';
import { loadSettings } from '../../cli/settings.ts';

describe('the checks of mesh doctor', () => {
  const sceneHere = async (): Promise<Scene> => {
    const settings = await loadSettings();
    return { given: settings, settings, supervisor: undefined, registry: { kind: 'none', why: 'no shop runs here' }, clock: systemClock };
  };

  it('that take too long, and those that throw, are findings', async () => {
    const hangs: Check = { name: 'hangs', run: () => new Promise(() => undefined) };
    const throws: Check = { name: 'throws', run: () => Promise.reject(new Error('broken')) };
    const found = await runChecks([hangs, throws], await sceneHere(), 20);
    expect(found.map(({ check, level }) => `${check} ${level}`)).to.deep.equal(['hangs fail', 'throws fail']);
    expect(found[0]?.says).to.equal('no answer within 0.02 s');
  });

  it('refuse a Node that is too old', async () => {
    const [finding] = await versions('22.1.0').run(await sceneHere(), AbortSignal.timeout(1_000));
    expect(finding).to.include({ level: 'fail', says: 'Node 22.1.0 is too old' });
  });
});
