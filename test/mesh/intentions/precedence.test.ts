import { expect } from 'chai';

import type { Intention } from '#discovery';

import { createIntentions } from '../../../mesh/intentions/intentions.ts';
import { intentionRequest } from '../../../mesh/intentions/request.ts';
import { type Consul, startConsul } from '../../backends/consul.ts';
import { locateBackend } from '../../backends/locate.ts';
import { ask } from '../../discovery/support/http.ts';
import { intention } from './intention.ts';

const SAID = [undefined, 'allow', 'deny'] as const;
type Said = (typeof SAID)[number];

/** What each of the four intentions says that may be about a pair of services; undefined: there is none such. */
interface Row {
  readonly exact: Said;
  readonly toThis: Said;
  readonly fromThis: Said;
  readonly any: Said;
}

/** Each of the 16 sets of them, with every answer each may give: 81. */
const ROWS: readonly Row[] = SAID.flatMap((exact) => SAID.flatMap((toThis) => SAID.flatMap((fromThis) => SAID.map((any) => ({ exact, toThis, fromThis, any })))));

const call = intentionRequest('/any.Service/Method', {});

function intentionsOf({ exact, toThis, fromThis, any }: Row, source: string, destination: string): readonly Intention[] {
  const said: readonly (readonly [string, string, Said])[] = [[source, destination, exact], ['*', destination, toThis], [source, '*', fromThis], ['*', '*', any]];
  return said.flatMap(([from, to, action]) => (action ? [intention(from, to, action)] : []));
}

describe('every set of the four intentions that may be about two services', () => {
  for (const byDefault of ['allow', 'deny'] as const) {
    it(`is decided by the strongest that is there, else by the default ${byDefault}`, () => {
      for (const row of ROWS) {
        const { allowed } = createIntentions(intentionsOf(row, 'a', 'b'), byDefault).check('a', 'b', call);
        expect(allowed, JSON.stringify(row)).to.equal((row.exact ?? row.toThis ?? row.fromThis ?? row.any ?? byDefault) === 'allow');
      }
    });
  }
});

describe('every set of the four intentions, put to Consul', function () {
  this.timeout(60_000);
  let consul: Consul;
  before(async function () {
    const isMissing = (await locateBackend('consul')) === undefined;
    if (isMissing && process.env['CI'] !== 'true') this.skip();
    consul = await startConsul();
  });
  after(() => consul?.stop());

  async function put(destination: string, intentions: readonly Intention[]): Promise<void> {
    const path = `/v1/config/service-intentions/${encodeURIComponent(destination)}`;
    if (intentions.length === 0) return void (await ask(consul.httpAddr, 'DELETE', path));
    const Sources = intentions.map(({ source, rule }) => ({ Name: source, Action: rule.kind === 'action' && rule.action }));
    const { status } = await ask(consul.httpAddr, 'PUT', '/v1/config', JSON.stringify({ Kind: 'service-intentions', Name: destination, Sources }));
    expect(status).to.equal(200);
  }

  it('is decided here as there: 81 sets, 0 differences', async () => {
    const differences: string[] = [];
    let asked = 0;
    // What is said of any source and any destination is one intention; for all else each row has a pair of services of its own.
    for (const any of SAID) {
      const rows = ROWS.filter((row) => row.any === any).map((row, index) => ({ row, source: `s${index}`, destination: `d${index}` }));
      const every = [...new Map(rows.flatMap(({ row, source, destination }) => intentionsOf(row, source, destination)).map((each) => [`${each.source} ${each.destination}`, each])).values()];
      const byDestination = Map.groupBy(every, ({ destination }) => destination);
      await Promise.all(['*', ...rows.map(({ destination }) => destination)].map((destination) => put(destination, byDestination.get(destination) ?? [])));
      const ours = createIntentions(every, 'allow');
      for (const { row, source, destination } of rows) {
        const theirs = (await ask(consul.httpAddr, 'GET', `/v1/connect/intentions/check?source=${source}&destination=${destination}`)).json<{ Allowed: boolean }>();
        asked += 1;
        if (theirs.Allowed !== ours.check(source, destination, call).allowed) differences.push(JSON.stringify(row));
      }
    }
    expect(differences).to.deep.equal([]);
    expect(asked).to.equal(81);
  });
});
