import { expect } from 'chai';

import { matchesOf, toDefaultAction, toIntentions } from '../../discovery/consul/intention-wire.ts';

const wire = { SourceNS: 'default', SourceName: 'web', DestinationNS: 'default', DestinationName: 'pay', Precedence: 9, ModifyIndex: 4 };
const readOne = (more: object) => toIntentions([{ ...wire, ...more }])[0];
const withHttp = (HTTP: object) => readOne({ Permissions: [{ Action: 'allow', HTTP }] })?.rule;

describe('an intention as Consul writes it', () => {
  const foreign: readonly [fields: object, elsewhere: string | undefined][] = [
    [{ SourcePeer: 'east' }, 'peer east'],
    [{ SourceSamenessGroup: 'all' }, 'sameness group all'],
    [{ SourcePartition: 'blue' }, 'partition blue'],
    [{ SourceNS: 'billing' }, 'namespace billing'],
    [{ SourcePartition: 'default', SourceNS: '*' }, undefined],
    [{ SourcePartition: '', SourcePeer: '' }, undefined],
  ];
  for (const [fields, elsewhere] of foreign) {
    it(`with ${JSON.stringify(fields)} is ${elsewhere ? `from ${elsewhere}` : 'from here'}`, () => {
      expect(readOne({ ...fields, Action: 'allow' })?.elsewhere).to.equal(elsewhere);
    });
  }

  const unusable: readonly [fields: object, problem: string][] = [
    [{ Action: 'allow', JWT: { Providers: [{ Name: 'okta' }] } }, 'it asks for a JWT'],
    [{ Permissions: [{ Action: 'allow', JWT: { Providers: [] }, HTTP: { PathExact: '/a' } }] }, 'it asks for a JWT'],
    [{ Permissions: [{ Action: 'allow' }] }, 'it asks for a permission that is not for HTTP'],
    [{ Permissions: [{ Action: 'allow', HTTP: { PathPrefix: '/', QueryParam: [{}] } }] }, 'it asks for QueryParam'],
    [{ Permissions: [{ Action: 'allow', HTTP: { Header: [{ Name: 'a', Range: '1-2' }] } }] }, 'it asks for Range of a header'],
    [{ Permissions: [{ Action: 'allow', HTTP: { Header: [{ Name: 'a' }] } }] }, 'it asks for a header without a condition'],
    [{ Permissions: [{ Action: 'allow', HTTP: { PathPrefix: '/' }, SourceIP: '10.0.0.0/8' }] }, 'it asks for SourceIP'],
    [{ Permissions: [{ Action: 'allow', HTTP: { PathExact: '/a', PathPrefix: '/' } }] }, 'it asks for more than one path'],
    [{ Permissions: [{ Action: 'allow', HTTP: {} }] }, 'it asks for a permission without a condition'],
    [{ Permissions: [{ Action: 'allow', HTTP: { PathExact: '', Methods: [], Header: null } }] }, 'it asks for a permission without a condition'],
    [{ Permissions: [{ Action: 'allow', HTTP: { PathPrefix: '/', Header: { Name: 'a', Exact: 'b' } } }] }, 'it asks for something else than a list'],
    [{ Permissions: [{ Action: 'allow', HTTP: { Header: [{ Name: 'a', Exact: 'b', Prefix: 'c' }] } }] }, 'it asks for a header with several conditions'],
    [{ Permissions: [{ Action: 'allow', HTTP: { Header: [{ Present: true, Invert: true }] } }] }, 'it asks for a header without a name'],
    [{ Action: 'allow', SourceIP: '10.0.0.0/8' }, 'it asks for SourceIP'],
    [{ Action: 'allow', Permissions: { Action: 'allow' } }, 'it asks for Permissions that are no list'],
    [{ Permissions: ['all'] }, 'it asks for a permission that is no object'],
    [{ Action: 'audit' }, 'it neither allows nor denies'],
  ];
  for (const [fields, problem] of unusable) {
    it(`with ${JSON.stringify(fields)} cannot be used: a condition left out would let more callers in`, () => {
      expect(readOne(fields)?.rule).to.deep.equal({ kind: 'unusable', problem });
    });
  }

  it('is read with every field that a Consul fills in or leaves empty', () => {
    const times = { CreatedAt: '2026-01-02T03:04:05Z', UpdatedAt: '2026-01-02T03:04:05Z', Hash: '9sxvqHs1z9hOfctL' };
    const filled = { ID: 'f1f0f5d3', Description: 'd', Meta: { a: 'b' }, SourceType: 'consul', SourcePartition: 'default', DestinationPartition: 'default', CreateIndex: 3 };
    const empty = { SourcePeer: '', SourceSamenessGroup: '', Permissions: null, JWT: null, DefaultAddr: '', DefaultPort: 0, Later: null };
    expect(readOne({ ...filled, ...times, ...empty, Action: 'deny' })?.rule).to.deep.equal({ kind: 'action', action: 'deny' });
    const HTTP = { PathExact: '/a', PathPrefix: '', PathRegex: '', Header: null, Methods: null, Later: [] };
    expect(readOne({ ...filled, ...empty, Action: '', Permissions: [{ Action: 'allow', HTTP, JWT: null, Later: '' }] })?.rule).to.deep.equal({
      kind: 'permissions',
      permissions: [{ action: 'allow', path: { kind: 'exact', value: '/a' }, methods: [], headers: [] }],
    });
  });

  it('keeps every condition of its permissions', () => {
    const Header = [
      { Name: 'X-A', Present: true, Invert: true },
      { Name: 'x-b', Contains: 'b', IgnoreCase: true },
      { Name: 'x-c', Suffix: 'c', Exact: '', Present: false },
    ];
    expect(withHttp({ PathRegex: '/a.*', Methods: ['get'], Header })).to.deep.equal({
      kind: 'permissions',
      permissions: [
        {
          action: 'allow',
          path: { kind: 'regex', value: '/a.*' },
          methods: ['GET'],
          headers: [
            { name: 'x-a', kind: 'present', value: '', ignoreCase: false, invert: true },
            { name: 'x-b', kind: 'contains', value: 'b', ignoreCase: true, invert: false },
            { name: 'x-c', kind: 'suffix', value: 'c', ignoreCase: false, invert: false },
          ],
        },
      ],
    });
  });

  it('is told from what no Consul answers', () => {
    for (const body of [{}, 'no', 7, [{}], [null], [{ SourceName: 'a' }]]) expect(() => toIntentions(body), JSON.stringify(body)).to.throw('does not answer about intentions as Consul does');
    for (const body of [null, [], { other: [] }]) expect(() => matchesOf(body, 'pay'), JSON.stringify(body)).to.throw('does not answer about intentions as Consul does');
    expect(matchesOf({ pay: null }, 'pay')).to.deep.equal([]);
  });

  it('is left to the default that the agent says, as its proxies are', () => {
    const lists = (ACLDefaultPolicy: string) => ({ ACLResolverSettings: { ACLDefaultPolicy } });
    expect(toDefaultAction({ DebugConfig: { DefaultIntentionPolicy: 'deny', ...lists('allow') } })).to.equal('deny');
    expect(toDefaultAction({ DebugConfig: { DefaultIntentionPolicy: '', ...lists('deny') } })).to.equal('deny');
    expect(toDefaultAction({ DebugConfig: lists('allow') })).to.equal('allow');
    for (const body of [undefined, {}, { DebugConfig: {} }, { DebugConfig: lists('both') }]) expect(toDefaultAction(body)).to.equal(undefined);
  });
});
