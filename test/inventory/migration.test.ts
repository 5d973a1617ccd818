import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { migrate, type MigrationComponent } from '#database';
import { silentLog } from '#kit';

import { service } from '../../services/inventory/service.ts';
import { findReservations, findStock } from '../../services/inventory/store.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase, makeTestFolder, runSql } from '../database/postgres-fixture.ts';

const WRITTEN_BY_VERSION_1 = `
  SET search_path TO inventory;
  INSERT INTO stock (product_id, available, reserved, sold) VALUES ('beans', 5, 3, 2);
  INSERT INTO reservation (order_id, state) VALUES ('open', 'RESERVED');
  INSERT INTO reservation_line VALUES ('open', 'beans', 3)`;

describe('stock and reservations from before they could expire', function () {
  this.timeout(20_000);

  it('have received what they have, and fifteen minutes from now', async () => {
    const [place, folder] = [await createTestDatabase(), await makeTestFolder()];
    const database = openTestDatabase({ url: place.url, schema: 'inventory' });
    const bring = (components: readonly MigrationComponent[]) => migrate({ url: place.url, schema: 'inventory', components, log: silentLog });
    try {
      const [now] = service.migrations;
      await copyFile(join(now?.directory ?? '', '001.do.inventory.sql'), join(folder, '001.do.inventory.sql'));
      await bring([{ name: 'inventory', directory: folder }]);
      await runSql(place.url, WRITTEN_BY_VERSION_1);
      expect(await bring(service.migrations)).to.include('inventory/002.do.expiry.sql');

      expect(await findStock(database, 'beans')).to.deep.include({ available: 5n, reserved: 3n, sold: 2n, received: 10n });
      const reservation = (await findReservations(database, ['open'])).get('open');
      expect(reservation).to.deep.include({ state: 'RESERVED', lines: [{ productId: 'beans', quantity: 3 }] });
      const leftMs = (reservation?.expireTime.getTime() ?? 0) - (reservation?.createTime.getTime() ?? 0);
      expect(leftMs).to.be.within(15 * 60_000, 16 * 60_000);
    } finally {
      await database.stop();
      await place.drop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
