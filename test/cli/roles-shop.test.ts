import { readdir, readFile } from 'node:fs/promises';

import { expect } from 'chai';

import { MODULE_NAMES } from '#modules';
import { allowed, rowsOf } from '../database/roles-fixture.ts';
import { newProduct, newUser, place, requestFor } from '../shop/orders.ts';
import { type Shop, startShop, type Topology } from '../shop/shop-fixture.ts';

/** Whose connections are whose: services say their name. */
const WHO = `SELECT DISTINCT application_name AS name, usename AS role FROM pg_stat_activity WHERE application_name ~ '^mesh ' ORDER BY 1`;

for (const topology of ['micro', 'monolith'] satisfies Topology[]) {
  describe(`mesh up (${topology})`, function () {
    this.timeout(60_000);
    this.slow(5_000);
    let shop: Shop;
    before(async () => {
      shop = await startShop({ topology });
      await place(shop, requestFor(await newUser(shop), await newProduct(shop, 10n)));
    });
    after(() => shop?.stop());

    const url = (name: string): string => shop.environment[name] ?? '';
    const databaseOf = (name: string): string => (topology === 'monolith' ? 'shop' : `shop_${name}`);

    it('lets each service work as a role of its own, and all of them use the event log as another', async () => {
      const found = await rowsOf(url('DATABASE_OWNER_URL_ORDER'), WHO);
      const rolesOf = (name: string): unknown[] => [...new Set(found.filter((row) => String(row['name']).startsWith(name)).map((row) => row['role']))];
      for (const name of MODULE_NAMES) expect(rolesOf(`mesh ${name}`), name).to.deep.equal([`${databaseOf(name)}.${name}`]);
      expect(rolesOf('mesh events')).to.deep.equal([`${databaseOf('events')}.event_log`]);
    });

    it('lets no service see a sibling\'s tables', async () => {
      const there = new URL(url('DATABASE_URL_ORDER'));
      there.pathname = new URL(url('DATABASE_URL_PAYMENT')).pathname;
      if (topology === 'monolith') expect(await allowed(there.href, { read: 'SELECT * FROM payment.payment' })).to.deep.equal([]);
      else expect(await rowsOf(there.href, 'SELECT 1').catch((thrown: unknown) => thrown)).to.include({ code: '42501' });
    });

    it('shows no password in the list of processes', async () => {
      const passwords = Object.values(shop.environment).flatMap((value) => (URL.canParse(value) ? [new URL(value).password] : [])).filter((password) => password !== '');
      expect(passwords.length).to.be.greaterThan(MODULE_NAMES.length);
      const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
      const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
      expect(passwords.filter((password) => lines.some((line) => line.includes(password)))).to.deep.equal([]);
    });
  });
}
