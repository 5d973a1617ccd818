import { expect } from 'chai';

import { createLifecycle, createLog, silentLog } from '#kit';

describe('a lifecycle', () => {
  it('stops in reverse what was started, one after the other', async () => {
    const lifecycle = createLifecycle(silentLog);
    const done: string[] = [];
    for (const name of ['database', 'server', 'registration']) {
      lifecycle.onStop(name, async () => {
        done.push(`${name} stops`);
        await Promise.resolve();
        done.push(`${name} stopped`);
      });
    }
    await lifecycle.stop();
    expect(done).to.deep.equal(['registration', 'server', 'database'].flatMap((name) => [`${name} stops`, `${name} stopped`]));
  });

  it('goes on when a step fails, and says which', async () => {
    const lines: string[] = [];
    const lifecycle = createLifecycle(createLog({ level: 'error', destination: { write: (line: string) => void lines.push(line) } }));
    let databaseStopped = false;
    lifecycle.onStop('database', () => {
      databaseStopped = true;
    });
    lifecycle.onStop('server', () => Promise.reject(new Error('still busy')));
    lifecycle.onStop('registration', () => {
      throw new Error('nobody there');
    });
    await lifecycle.stop();
    expect(databaseStopped).to.equal(true);
    expect(lines.map((line) => (JSON.parse(line) as { step: string }).step)).to.deep.equal(['registration', 'server']);
    expect(lines.join('')).to.contain('still busy').and.to.contain('nobody there');
  });

  it('stops once, however often it is asked', async () => {
    const lifecycle = createLifecycle(silentLog);
    let stops = 0;
    lifecycle.onStop('server', () => void (stops += 1));
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    await lifecycle.stop();
    expect(stops).to.equal(1);
  });
});
