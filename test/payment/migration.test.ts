import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { migrate } from '#database';
import { silentLog } from '#kit';

import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase, makeTestFolder } from '../database/postgres-fixture.ts';
import { MIGRATIONS } from './payments-fixture.ts';

describe('payments of before there were refunds of their own', () => {
  it('are taken over, each REFUNDED one with the refund that it has had', async () => {
    const test = await createTestDatabase();
    const folder = await makeTestFolder();
    const file = '001.do.payment.sql';
    await copyFile(join(MIGRATIONS.directory, file), join(folder, file));
    const migrateTo = (directory: string): Promise<string[]> =>
      migrate({ url: test.url, schema: 'shop', components: [{ ...MIGRATIONS, directory }], log: silentLog });
    await migrateTo(folder);
    const database = openTestDatabase({ url: test.url });
    const run = (text: string): Promise<object[]> => database.query({ name: '', text }, []);
    await run(`INSERT INTO payment (order_id, state, amount_minor, currency, payment_method, payment_intent_id) VALUES
      ('kept', 'COMPLETED', 700, 'EUR', 'pm', 'pi_1'), ('given', 'REFUNDED', 700, 'EUR', 'pm', 'pi_2'), ('open', 'PROCESSING', 700, 'EUR', 'pm', NULL)`);
    await migrateTo(MIGRATIONS.directory);
    expect(await run('SELECT order_id AS id, state, refunded_minor::int AS given FROM payment ORDER BY 1')).to.deep.equal([
      { id: 'given', state: 'REFUNDED', given: 700 },
      { id: 'kept', state: 'COMPLETED', given: 0 },
      { id: 'open', state: 'PROCESSING', given: 0 },
    ]);
    expect(await run('SELECT refund_id AS id, state, amount_minor::int AS minor FROM refund')).to.deep.equal([
      { id: 'whole.given', state: 'SUCCEEDED', minor: 700 },
    ]);
    await database.stop();
    await test.drop();
    await rm(folder, { recursive: true });
  });
});
