import { expect } from 'chai';

import { ask, type HttpAnswer, indexOf } from '../support/http.ts';

interface Entry {
  readonly Kind: string;
  readonly Name: string;
  readonly Sources: readonly { readonly Name: string; readonly Precedence: number; readonly Permissions?: readonly object[] }[];
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

interface Listed {
  readonly SourceName: string;
  readonly DestinationName: string;
  readonly Precedence: number;
  readonly ModifyIndex: number;
}

const KIND = 'service-intentions';
const entry = (Name: string, ...Sources: object[]) => ({ Kind: KIND, Name, Sources });
const refunds = { Action: 'deny', HTTP: { PathExact: '/pay/Refund', Header: [{ Name: 'x-role', Exact: 'staff', Invert: true }] } };
const charges = { Action: 'allow', HTTP: { PathPrefix: '/pay/', Methods: ['POST'] } };

/** Intentions over HTTP, and the entries that hold them. The server has to know that services speak gRPC. */
export function describeIntentionsApi(address: () => string): void {
  describe('the HTTP API for intentions', () => {
    const get = (path: string): Promise<HttpAnswer> => ask(address(), 'GET', path);
    const put = (path: string, body: unknown): Promise<HttpAnswer> => ask(address(), 'PUT', path, JSON.stringify(body));
    const remove = (path: string): Promise<HttpAnswer> => ask(address(), 'DELETE', path);
    const entryOf = async (name: string): Promise<Entry> => (await get(`/v1/config/${KIND}/${name}`)).json<Entry>();
    const pairs = (list: readonly Listed[]) => list.map(({ SourceName, DestinationName, Precedence }) => `${SourceName} => ${DestinationName} ${Precedence}`);

    afterEach(async () => {
      for (const { Name } of (await get(`/v1/config/${KIND}`)).json<Entry[]>()) await remove(`/v1/config/${KIND}/${encodeURIComponent(Name)}`);
    });

    it('keeps an entry, and sorts its sources', async () => {
      const written = await put('/v1/config', entry('pay', { Name: '*', Action: 'deny' }, { Name: 'shop', Permissions: [refunds, charges], Description: 'why' }));
      expect([written.status, written.json<boolean>()]).to.deep.equal([200, true]);
      const answer = await get(`/v1/config/${KIND}/pay`);
      const kept = answer.json<Entry>();
      expect(kept).to.include({ Kind: KIND, Name: 'pay' });
      expect(kept.Sources.map(({ Name, Precedence }) => [Name, Precedence])).to.deep.equal([['shop', 9], ['*', 8]]);
      expect(kept.Sources[0]).to.deep.include({ Permissions: [refunds, charges], Description: 'why', Type: 'consul' });
      expect(kept.ModifyIndex).to.be.at.least(kept.CreateIndex);
      expect(indexOf(answer)).to.be.at.least(kept.ModifyIndex);
    });

    it('takes back what it has answered, and keeps its index when nothing has changed', async () => {
      await put('/v1/config', entry('pay', { Name: 'shop', Action: 'allow' }));
      const before = await entryOf('pay');
      expect((await put('/v1/config', before)).json<boolean>()).to.equal(true);
      expect(await entryOf('pay')).to.deep.equal(before);
    });

    it('checks and sets, and checks and deletes', async () => {
      const set = async (cas: number, Action: string) => (await put(`/v1/config?cas=${cas}`, entry('pay', { Name: 'shop', Action }))).json<boolean>();
      expect(await set(7, 'allow')).to.equal(false);
      expect(await set(0, 'allow')).to.equal(true);
      expect(await set(0, 'deny')).to.equal(false);
      const { ModifyIndex } = await entryOf('pay');
      expect(await set(ModifyIndex, 'deny')).to.equal(true);
      expect(await set(ModifyIndex, 'allow')).to.equal(false);
      const unset = async (cas: number) => (await remove(`/v1/config/${KIND}/pay?cas=${cas}`)).json<boolean>();
      expect(await unset(ModifyIndex)).to.equal(false);
      expect(await unset((await entryOf('pay')).ModifyIndex)).to.equal(true);
      expect((await get(`/v1/config/${KIND}/pay`)).status).to.equal(404);
      expect((await remove(`/v1/config/${KIND}/pay`)).json<object>()).to.deep.equal({});
    });

    it('lists every intention by precedence, and those that may decide for a service', async () => {
      await put('/v1/config', entry('pay', { Name: '*', Action: 'deny' }, { Name: 'shop', Action: 'allow' }));
      await put('/v1/config', entry('*', { Name: 'shop', Action: 'deny' }, { Name: '*', Action: 'allow' }));
      await put('/v1/config', entry('stock', { Name: 'shop', Permissions: [charges] }));
      const all = (await get('/v1/connect/intentions')).json<Listed[]>();
      expect(pairs(all)).to.deep.equal(['shop => pay 9', 'shop => stock 9', '* => pay 8', 'shop => * 6', '* => * 5']);
      expect(all[0]).to.include({ SourceNS: 'default', DestinationNS: 'default', SourceType: 'consul', Action: 'allow' });
      expect(all[1]).to.deep.include({ Permissions: [charges] }).and.to.not.have.property('Action');
      expect(all[0]?.ModifyIndex).to.equal((await entryOf('pay')).ModifyIndex);
      const matches = (await get('/v1/connect/intentions/match?by=destination&name=pay&name=none')).json<Record<string, Listed[]>>();
      expect(pairs(matches['pay'] ?? [])).to.deep.equal(['shop => pay 9', '* => pay 8', 'shop => * 6', '* => * 5']);
      expect(pairs(matches['none'] ?? [])).to.deep.equal(['shop => * 6', '* => * 5']);
      const from = (await get('/v1/connect/intentions/match?by=source&name=shop')).json<Record<string, Listed[]>>();
      expect(pairs(from['shop'] ?? [])).to.deep.equal(['shop => pay 9', 'shop => stock 9', '* => pay 8', 'shop => * 6', '* => * 5']);
    });

    it('sets, answers and deletes one by its names', async () => {
      const path = '/v1/connect/intentions/exact?source=shop&destination=pay';
      expect((await get(path)).status).to.equal(404);
      expect((await put(path, { Permissions: [charges] })).json<boolean>()).to.equal(true);
      expect((await get(path)).json<object>()).to.deep.include({ SourceName: 'shop', DestinationName: 'pay', Precedence: 9, Permissions: [charges] });
      await put('/v1/connect/intentions/exact?source=web&destination=pay', { Action: 'deny' });
      expect((await entryOf('pay')).Sources.map(({ Name }) => Name)).to.have.members(['shop', 'web']);
      expect((await remove(path)).json<boolean>()).to.equal(true);
      expect((await remove(path)).json<boolean>()).to.equal(true);
      await remove('/v1/connect/intentions/exact?source=web&destination=pay');
      expect((await get(`/v1/config/${KIND}/pay`)).status).to.equal(404);
    });

    it('says whether a connection may be, and takes permissions for a denial', async () => {
      const check = async (source: string) => (await get(`/v1/connect/intentions/check?source=${source}&destination=pay`)).json<object>();
      expect(await check('shop'), 'the default').to.deep.equal({ Allowed: true });
      await put('/v1/config', entry('pay', { Name: '*', Action: 'deny' }, { Name: 'shop', Action: 'allow' }, { Name: 'web', Permissions: [charges] }));
      expect(await check('shop')).to.deep.equal({ Allowed: true });
      expect(await check('web')).to.deep.equal({ Allowed: false });
      expect(await check('other')).to.deep.equal({ Allowed: false });
    });

    it('lets a reader wait for a change, and for the last one to go', async () => {
      const path = '/v1/connect/intentions/match?by=destination&name=pay';
      const seen = indexOf(await get(path));
      expect(seen).to.be.at.least(1);
      const waiting = get(`${path}&index=${seen}&wait=20s`);
      await put('/v1/config', entry('pay', { Name: 'shop', Action: 'allow' }));
      const come = await waiting;
      expect(pairs(come.json<Record<string, Listed[]>>()['pay'] ?? [])).to.deep.equal(['shop => pay 9']);
      expect(indexOf(come)).to.be.above(seen);
      const leaving = get(`${path}&index=${indexOf(come)}&wait=20s`);
      await remove(`/v1/config/${KIND}/pay`);
      const gone = await leaving;
      expect(gone.json<Record<string, Listed[] | null>>()['pay'] ?? []).to.deep.equal([]);
      expect(indexOf(gone)).to.be.above(indexOf(come));
    });

    const refused: readonly [what: string, body: object, words: RegExp][] = [
      ['no source', entry('pay'), /At least one source is required/],
      ['neither action', entry('pay', { Name: 'shop' }), /Sources\[0\]\.Action must be set to 'allow' or 'deny'/],
      ['a part of a name for a wildcard', entry('pay', { Name: 'sh*', Action: 'allow' }), /wildcard character '\*' cannot be used with partial values/],
      ['a source twice', entry('pay', { Name: 'shop', Action: 'allow' }, { Name: 'shop', Action: 'deny' }), /Sources\[1\] defines ".*shop" more than once/],
      ['action and permissions', entry('pay', { Name: 'shop', Action: 'allow', Permissions: [charges] }), /Action must be omitted if Permissions are specified/],
      ['permissions for every destination', entry('*', { Name: 'shop', Permissions: [charges] }), /Permissions cannot be specified on intentions with wildcarded destinations/],
      ['a permission for nothing', entry('pay', { Name: 'shop', Permissions: [{ Action: 'allow', HTTP: {} }] }), /HTTP should not be empty/],
      ['two paths', entry('pay', { Name: 'shop', Permissions: [{ Action: 'allow', HTTP: { PathExact: '/a', PathPrefix: '/a' } }] }), /at most one of PathExact, PathPrefix, or PathRegex/],
      ['a path without a slash', entry('pay', { Name: 'shop', Permissions: [{ Action: 'allow', HTTP: { PathExact: 'a' } }] }), /PathExact doesn't start with '\/'/],
      ['no such method', entry('pay', { Name: 'shop', Permissions: [{ Action: 'allow', HTTP: { Methods: ['FETCH'] } }] }), /Methods contains an invalid method "FETCH"/],
      ['a header without a name', entry('pay', { Name: 'shop', Permissions: [{ Action: 'allow', HTTP: { Header: [{ Present: true }] } }] }), /Header\[0\] missing required Name field/],
      ['a header of two kinds', entry('pay', { Name: 'shop', Permissions: [{ Action: 'allow', HTTP: { Header: [{ Name: 'a', Present: true, Exact: 'b' }] } }] }), /Header\[0\] should only contain one of Present/],
    ];
    for (const [what, body, words] of refused) {
      it(`refuses ${what}`, async () => {
        const { status, text } = await put('/v1/config', body);
        expect(text).to.match(words);
        expect(status).to.equal(500);
        expect((await get(`/v1/config/${KIND}`)).json<object[]>()).to.deep.equal([]);
      });
    }

    it('refuses questions that are none with the codes that Consul has', async () => {
      const asked: readonly [path: string, status: number, words: RegExp][] = [
        ['/v1/connect/intentions/match?name=pay', 500, /required query parameter 'by' not set/],
        ['/v1/connect/intentions/match?by=name&name=pay', 500, /must be one of 'source' or 'destination'/],
        ['/v1/connect/intentions/match?by=source', 500, /required query parameter 'name' not set/],
        ['/v1/connect/intentions/check?source=a', 500, /required query parameter 'destination' not set/],
        ['/v1/connect/intentions/exact?source=a&destination=b', 404, /Intention not found/],
      ];
      for (const [path, status, words] of asked) {
        const answer = await get(path);
        expect(answer.text, path).to.match(words);
        expect(answer.status, path).to.equal(status);
      }
      expect((await ask(address(), 'PUT', '/v1/config', '{')).status).to.equal(400);
    });
  });
}
