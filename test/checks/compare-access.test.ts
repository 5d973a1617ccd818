import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { AccessSchema } from '#proto/mesh/v1/options_pb.js';

import { judgeAccess } from '../../scripts/test/contracts/compare-access.ts';

type Access = MessageInitShape<typeof AccessSchema>;

describe('who may call, against the baseline,', () => {
  const judge = (before: Access | undefined, after: Access | undefined): string[] =>
    judgeAccess(before && create(AccessSchema, before), after && create(AccessSchema, after));
  const ownerBy = (value: string) => ({ by: { case: 'requestField', value } }) as const;
  const inAnswer = (value: string, missing: string) => ({ by: { case: 'responseField', value }, missing }) as const;
  const byHandler = { by: { case: 'handler', value: true } } as const;

  it('says who was let in, who is, and whom that keeps out', () => {
    expect(judge({ user: true, services: ['order'] }, { roles: ['staff'], services: ['order'] })).to.deep.equal([
      'the access narrowed from "any user, service order" to "role staff, service order": calls by any user would be refused',
    ]);
  });

  it('says whom a wider one lets in', () => {
    expect(judge({ services: ['order'] }, { services: ['order', '*'] })).to.deep.equal([
      'the access widened from "service order" to "service order, any service": that any service may call is a decision about security',
    ]);
  });

  /** What each does by itself; `both`: to different people. */
  const changes: readonly [what: string, before: Access, after: Access, change: 'narrower' | 'wider' | 'both'][] = [
    ['everybody to users', { public: true }, { user: true }, 'narrower'],
    ['everybody to services', { public: true }, { services: ['*'] }, 'narrower'],
    ['users to owners', { user: true }, { owner: byHandler }, 'narrower'],
    ['one role less', { roles: ['staff', 'support'] }, { roles: ['staff'] }, 'narrower'],
    ['any service to one', { services: ['*'] }, { services: ['order'] }, 'narrower'],
    ['no owner any more', { owner: ownerBy('user_id'), roles: ['staff'] }, { roles: ['staff'] }, 'narrower'],
    ['users to everybody', { user: true }, { public: true }, 'wider'],
    ['owners to users', { owner: ownerBy('user_id') }, { user: true }, 'wider'],
    ['one role more', { roles: ['staff'] }, { roles: ['staff', 'support'] }, 'wider'],
    ['services to operators, too', { services: ['order'] }, { services: ['order', 'operator'] }, 'wider'],
    ['a role to a service', { roles: ['staff'] }, { services: ['operator'] }, 'both'],
    ['users to any service', { user: true }, { services: ['*'] }, 'both'],
    ['owners by another field', { owner: ownerBy('user_id') }, { owner: ownerBy('payer_id') }, 'both'],
    ['owners whom the handler finds out', { owner: ownerBy('user_id') }, { owner: byHandler }, 'both'],
  ];
  for (const [what, before, after, change] of changes) {
    it(`takes ${what} for ${change === 'both' ? 'narrower and wider' : change}`, () => {
      const expected = { narrower: ['narrowed'], wider: ['widened'], both: ['narrowed', 'widened'] }[change];
      expect(judge(before, after).map((sentence) => /^the access (narrowed|widened) from "/.exec(sentence)?.[1])).to.deep.equal(expected);
    });
  }

  it('keeps everybody out where nothing is said any more, for no server starts with that', () => {
    expect(judge({ roles: ['staff'] }, undefined)).to.deep.equal(['the access narrowed from "role staff" to "nobody": calls by role staff would be refused']);
    expect(judge({ roles: ['staff'] }, {})).to.have.length(1);
  });

  it('says nothing of what lets in the same people', () => {
    expect(judge({ roles: ['staff', 'support'], services: ['order'] }, { services: ['order'], roles: ['support', 'staff'] })).to.deep.equal([]);
    expect(judge({ user: true, owner: byHandler, roles: ['staff'] }, { user: true })).to.deep.equal([]);
    expect(judge({ services: ['*', 'order'] }, { services: ['*'] })).to.deep.equal([]);
    expect(judge({ owner: inAnswer('order.user_id', 'ORDER_NOT_FOUND') }, { owner: inAnswer('order.user_id', 'ORDER_FAILED') })).to.deep.equal([]);
  });

  it('says nothing of methods from before there was anything to say', () => {
    expect(judge(undefined, { services: ['order'] })).to.deep.equal([]);
    expect(judge(undefined, undefined)).to.deep.equal([]);
  });
});
