import { expect } from 'chai';
import { connectConsul, type ConsulControlPlane, type Intention, type IntentionAction, precedenceOf } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';

import { createIntentions } from '../../mesh/intentions/intentions.ts';
import { intentionRequest } from '../../mesh/intentions/request.ts';
import { type Consul, startConsul } from '../backends/consul.ts';
import { locateBackend } from '../backends/locate.ts';
import { ask } from './support/http.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const SETS = 10;
const call = intentionRequest('/any.Service/Method', {});

/** A linear congruential generator (Numerical Recipes): the same sets in every run. */
function createDice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** Up to 40 intentions without permissions, a third of their names wildcards. */
function drawIntentions(roll: (sides: number) => number): readonly Intention[] {
  const name = (): string => (roll(3) === 0 ? '*' : (NAMES[roll(NAMES.length - 2)] ?? 'a'));
  const drawn = Array.from({ length: 5 + roll(36) }, (): Intention => {
    const names = { source: name(), destination: name() };
    return { ...names, rule: { kind: 'action', action: roll(2) === 0 ? 'allow' : 'deny' }, description: '', precedence: precedenceOf(names), index: 0 };
  });
  return [...new Map(drawn.map((intention) => [`${intention.source} ${intention.destination}`, intention])).values()];
}

const management = '11111111-2222-3333-4444-555555555555';
const acl = `acl { enabled = true, default_policy = "deny", tokens { initial_management = "${management}", default = "${management}" } }`;

interface Case {
  /** Of the endpoint that checks, which knows the default of the access control lists only. */
  readonly byDefault: IntentionAction;
  /** Of the proxies. */
  readonly said: IntentionAction;
  readonly hcl: string;
}

const cases: readonly Case[] = [
  { byDefault: 'allow', said: 'deny', hcl: 'default_intention_policy = "deny"' },
  { byDefault: 'deny', said: 'deny', hcl: acl },
];

for (const { byDefault, said, hcl } of cases) {
  describe(`intentions in a Consul with ${byDefault === 'deny' ? 'access control lists that deny' : hcl}`, function () {
    this.timeout(60_000);
    let consul: Consul;
    let plane: ConsulControlPlane;
    before(async function () {
      const isMissing = (await locateBackend('consul')) === undefined;
      if (isMissing && process.env['CI'] !== 'true') this.skip();
      consul = await startConsul({ args: ['-hcl', hcl] });
      plane = await connectConsul({ address: consul.httpAddr, clock: systemClock, random: systemRandom, log: silentLog });
    });
    after(async () => {
      await plane?.stop();
      await consul?.stop();
    });

    const json = async <T>(method: string, path: string, body?: object): Promise<T> =>
      (await ask(consul.httpAddr, method, path, body && JSON.stringify(body))).json<T>();

    async function write(intentions: readonly Intention[]): Promise<void> {
      for (const { Name } of await json<{ Name: string }[]>('GET', '/v1/config/service-intentions')) await json('DELETE', `/v1/config/service-intentions/${encodeURIComponent(Name)}`);
      for (const [Name, of] of Map.groupBy(intentions, ({ destination }) => destination)) {
        const Sources = of.map(({ source, rule }) => ({ Name: source, Action: rule.kind === 'action' && rule.action }));
        expect(await json('PUT', '/v1/config', { Kind: 'service-intentions', Name, Sources })).to.equal(true);
      }
    }

    it('are decided as Consul decides them', async () => {
      const roll = createDice(byDefault === 'allow' ? 7 : 11);
      const differences: string[] = [];
      let questions = 0;
      let allowed = 0;
      for (let set = 0; set < SETS; set += 1) {
        const drawn = drawIntentions(roll);
        await write(drawn);
        // Once from what was written, once from what the port reads.
        const ours = [createIntentions(drawn, byDefault), createIntentions(await plane.intentions.list(), byDefault)];
        for (const source of NAMES) {
          const verdicts = await Promise.all(NAMES.map((destination) => json<{ Allowed: boolean }>('GET', `/v1/connect/intentions/check?source=${source}&destination=${destination}`)));
          for (const [index, { Allowed }] of verdicts.entries()) {
            const destination = NAMES[index] ?? '';
            questions += 1;
            allowed += Allowed ? 1 : 0;
            if (ours.some((rules) => rules.check(source, destination, call).allowed !== Allowed)) differences.push(`${set}: ${source} => ${destination}`);
          }
        }
      }
      expect(differences).to.deep.equal([]);
      expect(questions).to.equal(SETS * NAMES.length ** 2);
      expect(allowed, 'both answers were given').to.be.within(questions * 0.1, questions * 0.9);
    });

    it('have the default that its proxies go by', async () => {
      expect(await plane.intentions.defaultAction()).to.equal(said);
    });

    it('take no permissions before Consul knows the protocol, and say what to tell it', async () => {
      const permission = { action: 'allow', path: { kind: 'exact', value: '/a' }, methods: [], headers: [] } as const;
      const wanted = { source: 'a', destination: 'pay', rule: { kind: 'permissions', permissions: [permission] }, description: '' } as const;
      const refused = await plane.intentions.set(wanted).catch((error: unknown) => error);
      expect(refused).to.include({ reason: 'PERMISSIONS_NOT_TAKEN', code: 'FAILED_PRECONDITION' });
      expect(String(refused)).to.include('"Kind": "proxy-defaults"').and.include('"Name": "pay"');
      await json('PUT', '/v1/config', { Kind: 'service-defaults', Name: 'pay', Protocol: 'grpc' });
      expect(await plane.intentions.set(wanted)).to.equal(true);
    });
  });
}
