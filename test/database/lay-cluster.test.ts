import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { startEmbeddedPostgres } from '#database/embedded';
import { silentLog } from '#kit';
import { layCluster } from './lay-cluster.ts';
import { makeTestFolder, runSql } from './postgres-fixture.ts';

describe('a cluster that is laid into a data folder', function () {
  this.timeout(20_000);

  it('is closed to others, and is what Postgres then starts on, without making one', async () => {
    const folder = await makeTestFolder();
    const dataDir = join(folder, 'data');
    await layCluster(dataDir);
    expect((await stat(join(dataDir, 'cluster'))).mode & 0o777).to.equal(0o700);
    expect((await stat(join(dataDir, 'password'))).mode & 0o777).to.equal(0o600);

    const steps: string[] = [];
    const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog, onProgress: (step) => steps.push(step) });
    try {
      expect(steps).to.deep.equal([]);
      await runSql(postgres.url('postgres'), 'SELECT 1');
    } finally {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
