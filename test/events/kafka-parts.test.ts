import { MultipleErrors, NetworkError, ProtocolError, type RecordsBatch } from '@platformatic/kafka';
import { expect } from 'chai';

import { expectRefusal } from '../database/expect-refusal.ts';
import { toEvent, toMessage } from '../../events/kafka/event-record.ts';
import { unpack } from '../../events/kafka/fetched-records.ts';
import { busUnavailable, isAnswer, plainError, publishError } from '../../events/kafka/kafka-errors.ts';
import { formatPosition, parsePosition } from '../../events/kafka/position.ts';
import { eventOf } from './bus-conformance-support.ts';

type FetchedRecord = RecordsBatch['records'][number];

/** A record as the library hands it out. */
function recordOf(headers: Readonly<Record<string, string>>, value: string, offsetDelta = 0): FetchedRecord {
  const entries = Object.entries(headers).map(([name, text]): [Buffer, Buffer] => [Buffer.from(name), Buffer.from(text)]);
  return { length: 0, attributes: 0, timestampDelta: 0n, offsetDelta, key: null, value: Buffer.from(value), headers: entries };
}

function batchOf(firstOffset: bigint, count: number, attributes = 0): RecordsBatch {
  const records = Array.from({ length: count }, (_, index) => recordOf({}, '', index));
  const rest = { length: 0, partitionLeaderEpoch: 0, magic: 2, crc: 0, firstTimestamp: 0n, maxTimestamp: 0n, producerId: 0n, producerEpoch: 0, firstSequence: 0 };
  return { ...rest, firstOffset, attributes, lastOffsetDelta: count - 1, records };
}

describe('a record of Kafka', () => {
  const whole = { ce_id: '1', ce_source: 'order', ce_type: 'shop.order.v1.OrderPlaced', ce_subject: 'order-1', ce_time: '2026-01-02T03:04:05.678Z' };

  it('becomes an event, with attributes that nobody here knows left out', () => {
    const event = toEvent(recordOf({ ...whole, ce_unknown: 'x' }, '{"orderId":"order-1"}'));
    expect(event).to.deep.equal({
      id: '1', source: 'order', type: 'shop.order.v1.OrderPlaced', subject: 'order-1',
      time: new Date('2026-01-02T03:04:05.678Z'), data: { orderId: 'order-1' }, traceparent: undefined,
    });
  });

  const strange: readonly [what: string, headers: Readonly<Record<string, string>>, value: string, says: string][] = [
    ['without headers', {}, '{}', 'ce_id'],
    ['without an id', { ...whole, ce_id: '' }, '{}', 'ce_id'],
    ['with a time that is none', { ...whole, ce_time: 'yesterday' }, '{}', 'time'],
    ['with a value that is no JSON', whole, 'password=secret', 'no JSON object'],
    ['with a value that is no object', whole, '["secret"]', 'no JSON object'],
    ['with an empty value', whole, '', 'no JSON object'],
    ['with an id that no index takes', { ...whole, ce_id: 'secret'.repeat(500) }, '{}', 'id is longer'],
    ['with a NUL in an attribute', { ...whole, ce_subject: 'secret\0' }, '{}', 'subject has a NUL'],
    ['with a NUL in its value', whole, '{"secret":"\\u0000"}', 'value has a NUL'],
    ['with half a character in its value', whole, '{"secret":"\\uD83D"}', 'half a character'],
  ];
  for (const [what, headers, value, says] of strange) {
    it(`${what} is none, and is not quoted`, () => {
      expect(() => toEvent(recordOf(headers, value))).to.throw(says);
      expect(() => toEvent(recordOf(headers, value))).not.to.throw('secret');
    });
  }

  it('may have whole characters as escapes, and escapes as text', () => {
    const event = toEvent(recordOf(whole, '{"a":"\\ud83d\\ude00","b":"\\\\u0000"}'));
    expect(event.data).to.deep.equal({ a: '😀', b: '\\u0000' });
  });

  it('has the subject as its key and the time of its publishing, whatever that of the event', () => {
    const event = eventOf('shop.order.v1', 'Ωrder', 1, { time: new Date('2999-01-01') });
    const { headers, ...message } = toMessage(event, 1_700_000_000_000);
    expect(message).to.deep.include({ topic: 'shop.order.v1', key: Buffer.from('Ωrder'), timestamp: 1_700_000_000_000n });
    expect([...(headers as Map<Buffer, Buffer>)].map(String)).to.include('ce_time,2999-01-01T00:00:00.000Z');
  });
});

describe('an answer to a fetch', () => {
  it('is taken from the wanted offset on, though batches begin before it', () => {
    const { records, next } = unpack([batchOf(10n, 5), batchOf(15n, 2)], 13n);
    expect(records.map(({ offset }) => offset)).to.deep.equal([13n, 14n, 15n, 16n]);
    expect(next).to.equal(17n);
  });

  it('says when each record was written: by the broker, where it says so, else by the publisher', () => {
    const times = { firstTimestamp: 1_000n, maxTimestamp: 5_000n };
    const [own] = unpack([{ ...batchOf(0n, 1), ...times, records: [{ ...recordOf({}, ''), timestampDelta: 7n }] }], 0n).records;
    const [appended] = unpack([{ ...batchOf(0n, 1, 1 << 3), ...times }], 0n).records;
    expect([own?.timeMs, appended?.timeMs]).to.deep.equal([1_007, 5_000]);
  });

  it('goes on behind markers of transactions, and where it is when there is nothing', () => {
    const control = 1 << 5;
    expect(unpack([batchOf(3n, 1, control)], 3n)).to.deep.equal({ records: [], next: 4n });
    expect(unpack([], 7n)).to.deep.equal({ records: [], next: 7n });
  });
});

describe('a position in a topic', () => {
  it('is the next offset of each partition', () => {
    expect(formatPosition([5n, 0n, 12n])).to.equal('5.0.12');
    expect(parsePosition('5.0.12')).to.deep.equal([5n, 0n, 12n]);
    expect(parsePosition('')).to.deep.equal([]);
  });

  for (const text of ['here', '1..2', '-1', '1.', `${'1.'.repeat(20_000)}1`]) {
    it(`is not ${text.slice(0, 20)}`, async () => {
      await expectRefusal('INVALID_ARGUMENT', (async () => parsePosition(text))());
    });
  }
});

describe('an error of the library', () => {
  const below = new NetworkError('Connection to 127.0.0.1:9092 failed.', { cause: new Error('connect ECONNREFUSED 127.0.0.1:9092') });
  const response = { topics: [{ records: 'secret' }] };
  const answer = new ProtocolError('OFFSET_OUT_OF_RANGE', null, { response });
  const nested = new MultipleErrors('metadata failed 2 times.', [new MultipleErrors('Cannot connect to any broker.', [below]), below, answer]);

  it('is told by its innermost sentences, each once, without the answer that it carries', () => {
    const told = plainError(nested);
    expect(told.message).to.contain('Connection to 127.0.0.1:9092 failed. connect ECONNREFUSED 127.0.0.1:9092').and.to.contain('(OFFSET_OUT_OF_RANGE)');
    expect(told.message.match(/ECONNREFUSED/g)).to.have.length(1);
    expect(JSON.stringify(Object.entries(told)) + told.message).not.to.contain('secret');
  });

  it('is recognised wherever it is nested', () => {
    expect(isAnswer(nested, 'OFFSET_OUT_OF_RANGE')).to.equal(true);
    expect(isAnswer(nested, 'UNKNOWN_MEMBER_ID')).to.equal(false);
    expect(isAnswer('text', 'UNKNOWN_MEMBER_ID')).to.equal(false);
  });

  it('says whether an event, a clock or nothing in particular is to blame when it comes of publishing', async () => {
    const answered = (apiId: 'INVALID_RECORD' | 'INVALID_TIMESTAMP') => publishError(new MultipleErrors('produce failed.', [new ProtocolError(apiId)]));
    await expectRefusal('INVALID_ARGUMENT', Promise.reject(answered('INVALID_RECORD')));
    expect((await expectRefusal('EVENT_BUS_UNAVAILABLE', Promise.reject(answered('INVALID_TIMESTAMP')))).message).to.contain('clock');
    await expectRefusal('EVENT_BUS_UNAVAILABLE', Promise.reject(publishError(nested)));
  });

  it('becomes EVENT_BUS_UNAVAILABLE, and a refusal stays what it is', async () => {
    const error = await expectRefusal('EVENT_BUS_UNAVAILABLE', Promise.reject(busUnavailable('does not answer', nested)));
    expect(busUnavailable('does not answer', error)).to.equal(error);
  });
});
