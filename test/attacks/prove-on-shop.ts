import type { Shop } from '../shop/shop-fixture.ts';
import { startAttackedShop } from './attacked-shop.ts';
import type { Attack } from './attack.ts';
import { proveAttacks } from './prove-attacks.ts';
import { canaryAttacks } from './rows/canaries.ts';
import { injectionAttacks } from './rows/injection.ts';
import { pathAttacks } from './rows/paths.ts';

/** A server that the shop uses in the place of a stand-in. */
interface RealServer {
  /** What leads the shop to it. */
  readonly settings: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** All attacks that need a whole shop. `start` skips where its server is not there. */
export function proveOnShop(name: string, start: (this: Mocha.Context) => Promise<RealServer>): void {
  describe(`attacks on a shop with ${name}:`, function () {
    this.timeout(120_000);
    let server: RealServer | undefined;
    let shop: Shop;
    before(async function () {
      server = await start.call(this);
      shop = await startAttackedShop(server.settings);
    });
    after(async () => {
      await shop?.stop();
      await server?.stop();
    });
    const named = (attacks: readonly Attack[]): readonly Attack[] => attacks.map((attack) => ({ ...attack, attack: `${attack.attack}, with ${name}` }));

    proveAttacks(named(pathAttacks(() => shop.supervisor.services.find(({ name: service }) => service === 'product')?.port ?? 0)));
    proveAttacks(named(injectionAttacks(() => shop)));
    // Last, so that all of the above has left its marks.
    proveAttacks(named(canaryAttacks(() => shop)));
  });
}
