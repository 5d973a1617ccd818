import { join } from 'node:path';

import { expect } from 'chai';

import { migrate } from '#database';
import { silentLog } from '#kit';

import { findUsers } from '../../services/user/store.ts';
import { planOf } from '../database/plan-of.ts';
import { createTestDatabase, runSql } from '../database/postgres-fixture.ts';

const MIGRATIONS = { name: 'user', directory: join(import.meta.dirname, '..', '..', 'services', 'user', 'migrations') };

describe('users that are asked for at the same moment', function () {
  this.timeout(20_000);

  it('are found by their primary key, also when that was planned while the table was empty', async () => {
    const place = await createTestDatabase();
    await migrate({ url: place.url, schema: 'shop', components: [MIGRATIONS], log: silentLog });
    const finding = (): Promise<string> => planOf(place.url, (db) => findUsers(db, ['first']));
    expect(await finding()).to.include('Index Scan using users_pkey').and.not.include('Seq Scan');
    await runSql(place.url, `INSERT INTO shop.users SELECT 'u' || n, 'u@example.com', 'U', now() FROM generate_series(1, 10000) AS n; ANALYZE shop.users`);
    expect(await finding()).to.include('Index Scan using users_pkey').and.not.include('Seq Scan');
    await place.drop();
  });
});
