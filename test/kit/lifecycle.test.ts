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

  it('stops together what started side by side, whenever that was added, and all of it before the step below', async () => {
    const lifecycle = createLifecycle(silentLog);
    const done: string[] = [];
    const databases = lifecycle.together();
    const servers = lifecycle.together();
    const { promise: orderIsIdle, resolve } = Promise.withResolvers<void>();
    servers.onStop('order server', async () => {
      done.push('order server stops');
      await orderIsIdle;
      done.push('order server stopped');
    });
    databases.onStop('order database', () => void done.push('order database'));
    databases.onStop('user database', () => void done.push('user database'));
    servers.onStop('user server', async () => {
      done.push('user server stops');
      resolve();
    });
    await lifecycle.stop();
    expect(done).to.deep.equal(['order server stops', 'user server stops', 'order server stopped', 'order database', 'user database']);
  });

  it('goes on when one of those that stop together fails, once the others have ended', async () => {
    const lines: string[] = [];
    const lifecycle = createLifecycle(createLog({ level: 'error', destination: { write: (line: string) => void lines.push(line) } }));
    const done: string[] = [];
    lifecycle.onStop('channels', () => void done.push('channels'));
    const servers = lifecycle.together();
    servers.onStop('user server', () => Promise.reject(new Error('still busy')));
    servers.onStop('order server', async () => {
      await new Promise(setImmediate);
      done.push('order server');
    });
    await lifecycle.stop();
    expect(done).to.deep.equal(['order server', 'channels']);
    expect(lines.map((line) => (JSON.parse(line) as { step: string }).step)).to.deep.equal(['user server']);
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
