import { type DescMethod, type Message, toBinary } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import { expect } from 'chai';

import { MeshError } from '#kit';
import { describeMethod } from '#mesh';

import { findServices } from '../../mesh/idempotency/find-services.ts';
import { refusalOf, until } from '../orders.ts';
import type { Shop } from '../shop-fixture.ts';
import { accountSamples } from './repeat-samples/accounts.ts';
import { goodsSamples } from './repeat-samples/goods.ts';
import { moneySamples } from './repeat-samples/money.ts';
import { noticeSamples } from './repeat-samples/notices.ts';
import { orderSamples } from './repeat-samples/orders.ts';
import type { Sample, Samples } from './repeat-samples/sample.ts';

const SAMPLES: Samples = { ...goodsSamples, ...moneySamples, ...orderSamples, ...noticeSamples, ...accountSamples };
const AT_ONCE = 8;
const ANSWER_WITHIN_MS = 30_000;

/** Found in the contracts: a method is covered the day it is written. */
const methods = (await findServices())
  .flatMap((service) => service.methods)
  .filter((method) => describeMethod(method).idempotent && method.idempotency !== Level.NO_SIDE_EFFECTS);

/** What every method promises that may be called again with the same request. */
export function describeRepeats(shopOf: () => Shop): void {
  describe('a request that is sent again', () => {
    it('is tried of every method that can take it, and of no other', () => {
      expect(Object.keys(SAMPLES), 'test/shop/behaviour/repeat-samples').to.have.members(methods.map((method) => describeMethod(method).fullName));
    });

    for (const method of methods) {
      const { fullName } = describeMethod(method);
      const prepare = SAMPLES[fullName];
      if (prepare) describe(`to ${fullName}`, () => describeMethodRepeats(method, () => prepare(shopOf())));
    }
  });
}

function describeMethodRepeats(method: DescMethod, prepare: () => Promise<Sample>): void {
  const { repeat } = describeMethod(method);
  const isOriginal = repeat === 'original';

  it(`${AT_ONCE} times at once has one effect, and one ${isOriginal ? 'answer' : 'resource'}`, async () => {
    const { send, books, once } = await prepare();
    const calls = await Promise.allSettled(Array.from({ length: AT_ONCE }, send));
    const answers = calls.flatMap((call) => (call.status === 'fulfilled' ? [call.value] : []));
    // One that met another in the middle of its work may be told to come again, and nothing else.
    for (const call of calls) if (call.status === 'rejected') expect(MeshError.from(call.reason).code).to.equal('UNAVAILABLE');
    const last = await until('there is an answer', ANSWER_WITHIN_MS, send);
    const same = isOriginal ? bytesOf : nameOf;
    expect(new Set([...answers, last].map((answer) => same(method, answer)))).to.have.length(1);
    expect(await books()).to.deep.equal(once);
  });

  it(`one after another has one effect, and gets ${isOriginal ? 'the first answer' : 'the resource as it is'}`, async () => {
    const { send, books, once, later } = await prepare();
    const first = await send();
    expect(await books()).to.deep.equal(once);
    const now = later ? resourceOf(method, await later.do()) : resourceOf(method, first);
    for (let again = 0; again < 3; again += 1) {
      const answer = await send();
      if (isOriginal) expect(bytesOf(method, answer)).to.equal(bytesOf(method, first));
      else expect(resourceOf(method, answer)).to.deep.equal(now);
    }
    expect(await books()).to.deep.equal(later ? later.books : once);
  });

  if (isOriginal) {
    it('does not undo what was done in between', async () => {
      expect((await prepare()).later, 'a sample of something done later').not.to.equal(undefined);
    });
  }

  // Its key aside, there is something in which two requests can differ.
  if (repeat && method.input.fields.length > 1) {
    it('with another body is refused, and changes nothing', async () => {
      const { send, sendOther, refusal = 'IDEMPOTENCY_KEY_REUSED', books, once } = await prepare();
      await send();
      const error = await refusalOf(sendOther?.() ?? expect.fail('the sample lacks another request'));
      expect(error).to.deep.include({ code: 'ALREADY_EXISTS', reason: refusal });
      expect(await books()).to.deep.equal(once);
    });
  }
}

function bytesOf({ output }: DescMethod, answer: Message): string {
  return Buffer.from(toBinary(output, answer)).toString('hex');
}

/** The resource in an answer: its first field, as contracts here have it. */
function resourceOf({ output }: DescMethod, answer: Message): unknown {
  // Later calls answer with another message that has the same resource.
  return (answer as unknown as Readonly<Record<string, unknown>>)[output.fields[0]?.localName ?? ''];
}

/** The name of the resource in an answer: the first field of the resource. */
function nameOf(method: DescMethod, answer: Message): string {
  const [field] = method.output.fields;
  const [name] = field?.message?.fields ?? [];
  if (field?.fieldKind !== 'message' || !name) throw new Error(`${method.output.typeName} does not begin with a resource`);
  return String(reflect(method.output, answer).get(field).get(name));
}
