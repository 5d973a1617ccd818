import { expect } from 'chai';

import { describeGaps, isComplete } from '#tracing';

import { gapsOf } from '../../tracing/trace-gaps.ts';
import { buildTree } from '../../tracing/trace-tree.ts';
import { type SpanDraft, traceOf } from './trace-json.ts';

const CALL = { 'span.kind': 'client', 'rpc.method': 'shop.user.v1.UserService/GetUser' };
const call = (tags: Readonly<Record<string, string | boolean>> = {}): SpanDraft => ({
  id: 'call',
  parent: 'root',
  name: 'shop.user.v1.UserService/GetUser',
  tags: { ...CALL, ...tags },
});
const gaps = (...drafts: readonly SpanDraft[]): readonly string[] => gapsOf(buildTree(traceOf(...drafts)));

describe('a trace is complete', () => {
  it('when every call has its other side, and every span its parent', () => {
    const served = { id: 'served', parent: 'call', tags: { 'span.kind': 'server' } };
    expect(gaps({ id: 'root' }, call(), served)).to.deep.equal([]);
    expect(gaps({ id: 'root' }, call())).to.deep.equal(["the callee's side of UserService/GetUser"]);
    expect(gaps({ id: 'root', parent: 'gone' })).to.deep.equal(['the parent span gone']);
    expect(isComplete(buildTree(traceOf({ id: 'root' })))).to.equal(true);
    expect(isComplete(buildTree(traceOf()))).to.equal(false);
  });

  it('without the other side of a database, and of a call that nobody may have served', () => {
    expect(gaps({ id: 'root', tags: { 'span.kind': 'client' } })).to.deep.equal([]);
    expect(gaps({ id: 'root' }, call({ 'error.type': 'UNAVAILABLE' }))).to.deep.equal([]);
    expect(gaps({ id: 'root' }, call({ 'error.type': 'NOT_FOUND' }))).to.have.length(1);
  });

  it('or else can say what is missing, in one sentence', () => {
    const orphans = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, parent: `${id}${id}` }));
    expect(describeGaps(buildTree(traceOf(...orphans)))).to.equal(
      'the trace is not complete; missing: the parent span aa, the parent span bb, the parent span cc and 2 more spans',
    );
    expect(describeGaps(buildTree(traceOf({ id: 'root' })))).to.equal('');
  });
});
