import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { spawnChild } from '../../cli/local/child.ts';
import { createLifecycle, silentLog } from '#kit';
import { MODULE_NAMES } from '#modules';

import { describeRepeats } from './behaviour/repeats.ts';
import type { Shop } from './shop-fixture.ts';

/** Each request is sent again while there are two instances of each service, which share the tables and nothing else. */
export function describeSecondInstances(shopOf: () => Shop): void {
  describe('with two instances of each service', function () {
    this.timeout(60_000);
    const lifecycle = createLifecycle(silentLog);
    before(async () => {
      const folder = mkdtempSync(join(tmpdir(), 'shopmesh-second-'));
      lifecycle.onStop('folder', () => rmSync(folder, { recursive: true, force: true }));
      const { environment } = shopOf();
      const second = spawnChild({
        name: 'second',
        services: MODULE_NAMES,
        logFolder: folder,
        stopTimeoutMs: 5_000,
        environment: { ...process.env, ...environment },
      });
      lifecycle.onStop('second instances', () => second.stop());
      await second.start(environment);
    });
    after(() => lifecycle.stop());

    describeRepeats(shopOf);
  });
}
