import { useTracePropagation } from '../mesh/support/telemetry.ts';
import type { Attack } from './attack.ts';
import { type Grounds, openGrounds } from './mesh/grounds.ts';
import { proveAttacks } from './prove-attacks.ts';
import { callerAttacks } from './rows/callers.ts';
import { explorerAttacks } from './rows/explorer.ts';
import { peopleAttacks } from './rows/people.ts';
import { serverAttacks } from './rows/servers.ts';
import { serviceAttacks } from './rows/services.ts';
import { stolenLeafAttacks } from './rows/stolen-leaves.ts';
import { tokenStreamAttacks } from './rows/token-streams.ts';
import { tokenAttacks } from './rows/tokens.ts';

const ATTACKS: readonly ((grounds: () => Grounds) => readonly Attack[])[] = [callerAttacks, serverAttacks, stolenLeafAttacks, serviceAttacks, explorerAttacks, tokenAttacks, tokenStreamAttacks, peopleAttacks];

/** A server of Consul's HTTP API. */
interface ControlPlaneServer {
  readonly httpAddr: string;
  stop(): Promise<void>;
}

/** All attacks on a mesh, with the certificates and by the intentions of a control plane. */
export function proveOnMesh(name: string, start: (this: Mocha.Context) => Promise<ControlPlaneServer>): void {
  describe(`attacks on a mesh of ${name}:`, function () {
    this.timeout(60_000);
    // Calls know by it in which call they are made.
    useTracePropagation();
    let server: ControlPlaneServer | undefined;
    let grounds: Grounds | undefined;
    before(async function () {
      server = await start.call(this);
      grounds = await openGrounds(server.httpAddr);
    });
    after(async () => {
      await grounds?.stop();
      await server?.stop();
    });
    const current = (): Grounds => {
      if (!grounds) throw new Error(`${name} was not started`);
      return grounds;
    };
    for (const attacksOn of ATTACKS) proveAttacks(attacksOn(current).map((attack) => ({ ...attack, attack: `${attack.attack}, by ${name}` })));
  });
}
