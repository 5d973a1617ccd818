import { expect } from 'chai';

import type { JsonValue } from '@bufbuild/protobuf';
import { MeshError } from '#kit';

import { readFaultDocument } from '../../../mesh/policy/fault-document.ts';
import { readPolicyDocument } from '../../../mesh/policy/policy-document.ts';
import { readPolicySettings } from '../../../mesh/policy/policy-settings.ts';
import { readJsonObject } from '../../../mesh/policy/read-document.ts';
import { levelsOf, parseTarget, targetText } from '../../../mesh/policy/target.ts';

type Json = Readonly<Record<string, JsonValue>>;

function refusalOf(read: () => unknown): MeshError {
  try {
    read();
  } catch (thrown) {
    return MeshError.from(thrown);
  }
  throw new Error('nothing was refused');
}

describe('the target of a policy', () => {
  it('is every service, a service, or a method, and written as it is read', () => {
    for (const text of ['*', 'order', 'order.PlaceOrder']) expect(targetText(parseTarget(text))).to.equal(text);
    expect(parseTarget('order.PlaceOrder')).to.deep.equal({ service: 'order', method: 'PlaceOrder' });
  });

  it('is heard by those that name it precisely before those that do not', () => {
    expect(levelsOf(parseTarget('order.PlaceOrder'))).to.deep.equal(['order.PlaceOrder', 'order', '*']);
    expect(levelsOf(parseTarget('order'))).to.deep.equal(['order', '*']);
    expect(levelsOf(parseTarget('*'))).to.deep.equal(['*']);
  });

  for (const text of ['', 'Order', 'order.', 'order.*', '*.PlaceOrder', 'order/PlaceOrder', 'a.b.c', `${'x'.repeat(64)}`]) {
    it(`is not "${text.slice(0, 20)}"`, () => {
      expect(refusalOf(() => parseTarget(text))).to.include({ reason: 'INVALID_ARGUMENT' }).and.property('message').that.includes('order.PlaceOrder');
    });
  }
});

describe('a policy document', () => {
  const read = (json: Json, target = 'order') => readPolicyDocument(parseTarget(target), { owner: 'ada', ...json });

  it('sets what it names and nothing else', () => {
    const { parts } = read({ retries: { maxAttempts: 5, codes: ['UNAVAILABLE', 'ABORTED'] }, circuit: { enabled: false } });
    expect(parts).to.deep.equal({ retries: { maxAttempts: 5, codes: ['UNAVAILABLE', 'ABORTED'] }, circuit: { enabled: false } });
  });

  it('says who wants it, why and until when', () => {
    expect(read({ reason: 'flaky switch', expireTime: '2026-01-01T00:00:00Z' })).to.include({ owner: 'ada', reason: 'flaky switch', expiresMs: Date.UTC(2026, 0, 1) });
    expect(read({})).to.include({ expiresMs: Infinity });
  });

  it('sets what is zero or false, too', () => {
    expect(read({ balancing: { slowStartMs: 0, zoneAware: false } }).parts).to.deep.equal({ balancing: { slowStartMs: 0, zoneAware: false } });
  });

  it('takes the limit of an attempt, and the cap of calls in flight, away with 0', () => {
    expect(read({ retries: { perTryTimeoutMs: 0 } }).parts).to.deep.equal({ retries: { perTryTimeoutMs: Infinity } });
    expect(read({ circuit: { maxInFlight: 0 } }).parts).to.deep.equal({ circuit: { maxInFlight: Infinity } });
  });

  const refused: readonly [what: string, json: Json, says: string, target?: string][] = [
    ['is wanted by nobody', { owner: '' }, 'owner: must be at least 1'],
    ['has a field that there is not', { retry: {} }, 'there is no field retry; the fields are owner, '],
    ['has such a field further in', { retries: { tries: 2 } }, 'there is no field retries.tries; the fields of retries are enabled, maxAttempts, '],
    ['has a value of another type', { retries: { maxAttempts: 'two' } }, 'max_attempts'],
    ['has a code that there is not', { retries: { codes: ['BUSY'] } }, 'BUSY'],
    ['retries what the caller itself wanted', { retries: { codes: ['CANCELLED'] } }, 'retries.codes: must be failures'],
    ['goes beyond the bounds', { retries: { maxAttempts: 11 } }, 'retries.maxAttempts: must be greater than or equal to 1 and less than or equal to 10'],
    ['is not a number', { budget: { percent: 'NaN' } }, 'budget.percent: '],
    ['contradicts itself', { admission: { minLimit: 9, maxLimit: 8 } }, 'admission: minLimit must not be above'],
    ['names no time', { expireTime: 'tomorrow' }, 'Timestamp'],
    ['sets for a method what holds for its service', { budget: { percent: 5 } }, 'budget holds for all methods of a service: set it for order', 'order.PlaceOrder'],
  ];
  for (const [what, json, says, target] of refused) {
    it(`is refused when it ${what}`, () => {
      expect(refusalOf(() => read(json, target))).to.include({ reason: 'INVALID_ARGUMENT' }).and.property('message').that.includes(says);
    });
  }

  for (const [what, text] of [['text', 'retries'], ['a list', '[]'], ['a word', '"x"'], ['nothing', 'null']] as const) {
    it(`is refused when it is ${what}`, () => {
      expect(refusalOf(() => readJsonObject(text))).to.include({ reason: 'INVALID_ARGUMENT' });
    });
  }
});

describe('a fault document', () => {
  const times = { createTime: '2026-01-01T00:00:00Z', expireTime: '2026-01-01T00:05:00Z' };
  const createdMs = Date.UTC(2026, 0, 1);
  const read = (json: Json, target = 'payment.Charge', nowMs = createdMs) => readFaultDocument(parseTarget(target), { owner: 'ada', percent: 30, ...times, ...json }, nowMs);

  it('delays, aborts, or both', () => {
    const common = { service: 'payment', method: 'Charge', owner: 'ada', reason: '', percent: 30, untilMs: Date.UTC(2026, 0, 1, 0, 5) };
    expect(read({ delayMs: 2_000, abort: 'UNAVAILABLE' })).to.deep.equal({ ...common, delayMs: 2_000, abort: 'UNAVAILABLE' });
    expect(read({ delayMs: 1 })).to.deep.equal({ ...common, delayMs: 1, abort: undefined });
    expect(read({ abort: 'INTERNAL' }, 'payment')).to.deep.equal({ ...common, method: undefined, delayMs: 0, abort: 'INTERNAL' });
  });

  const refused: readonly [what: string, json: Json, says: string, target?: string][] = [
    ['does nothing', {}, 'must delay calls, abort them, or both'],
    ['hits nobody', { delayMs: 1, percent: 0 }, 'percent: must be greater than 0'],
    ['hits more than all', { delayMs: 1, percent: 101 }, 'percent: '],
    ['waits longer than a minute', { delayMs: 60_001 }, 'delayMs: '],
    ['never ends', { delayMs: 1, expireTime: null }, 'expireTime: value is required'],
    ['lasts longer than a day', { delayMs: 1, expireTime: '2026-01-02T00:00:01Z' }, 'must end within 24 hours of its createTime'],
    ['is for every service', { delayMs: 1 }, 'a fault is for one service', '*'],
  ];
  for (const [what, json, says, target] of refused) {
    it(`is refused when it ${what}`, () => {
      expect(refusalOf(() => read(json, target))).to.include({ reason: 'INVALID_ARGUMENT' }).and.property('message').that.includes(says);
    });
  }
});

describe('the beginning of a fault', () => {
  const nowMs = Date.UTC(2026, 0, 1);
  function read(createdMs: number): unknown {
    const times = { createTime: new Date(createdMs).toISOString(), expireTime: new Date(createdMs + 60_000).toISOString() };
    return readFaultDocument(parseTarget('payment'), { owner: 'ada', percent: 1, delayMs: 1, ...times }, nowMs);
  }

  it('may be ahead by what clocks differ', () => {
    expect(read(nowMs + 5 * 60_000)).to.include({ untilMs: nowMs + 6 * 60_000 });
  });

  it('is not in the future: such a fault would hold from now until then', () => {
    const error = refusalOf(() => read(nowMs + 5 * 60_000 + 1_000));
    expect(error).to.include({ reason: 'INVALID_ARGUMENT' });
    expect(error.message).to.include('2026-01-01T00:05:01.000Z is yet to come: it is 2026-01-01T00:00:00.000Z here');
  });
});

describe('the setting MESH_POLICY', () => {
  it('is none when it is empty', () => {
    expect([...readPolicySettings(' ')]).to.deep.equal([]);
  });

  it('has a document for each target, without an owner of its own', () => {
    const settings = readPolicySettings('{"*": {"hedging": {"enabled": false}}, "order.PlaceOrder": {"retries": {"maxAttempts": 2}}}');
    expect([...settings].map(([target, { parts }]) => [target, parts])).to.deep.equal([
      ['*', { hedging: { enabled: false } }],
      ['order.PlaceOrder', { retries: { maxAttempts: 2 } }],
    ]);
  });

  const refused: readonly [text: string, says: string][] = [
    ['{', 'it is not JSON'],
    ['{"order": 1}', 'order: it must be a JSON object'],
    ['{"Order": {}}', '"Order" names no service'],
    ['{"order": {"retries": {"tries": 2}}}', 'order: there is no field retries.tries'],
    ['{"order.PlaceOrder": {"retries": {"maxAttempts": 0}}}', 'order.PlaceOrder: retries.maxAttempts: '],
  ];
  for (const [text, says] of refused) {
    it(`is refused, naming what is wrong and the form: ${text}`, () => {
      const error = refusalOf(() => readPolicySettings(text));
      expect(error).to.include({ reason: 'INVALID_SETTING' });
      expect(error.message).to.match(/^MESH_POLICY: /).and.include(says).and.include('write it like {"*": ');
    });
  }
});
