import { expect } from 'chai';
import fc from 'fast-check';

import { effectivePolicy, layersFor, type Voices } from '../../../mesh/policy/effective-policy.ts';
import { mergeSection } from '../../../mesh/policy/merge.ts';
import type { PolicyDocument } from '../../../mesh/policy/policy-document.ts';
import { SECTION_DEFAULTS, type PolicyParts } from '../../../mesh/policy/sections.ts';
import { parseTarget } from '../../../mesh/policy/target.ts';

const NOW_MS = 1_000;
const said = (parts: PolicyParts, expiresMs = Infinity): PolicyDocument => ({ owner: 'ada', reason: '', expiresMs, parts });
const attempts = (maxAttempts: number, expiresMs?: number): PolicyDocument => said({ retries: { maxAttempts } }, expiresMs);

/** From the strongest to the weakest. */
const ORDER = ['document order.PlaceOrder', 'document order', 'document *', 'setting order.PlaceOrder', 'setting order', 'setting *'] as const;

/** Each of these says a number of attempts of its own. */
function voicesOf(origins: readonly string[]): Voices {
  const of = (kind: string) => new Map(origins.filter((origin) => origin.startsWith(kind)).map((origin) => [origin.split(' ')[1] ?? '', attempts(2 + ORDER.findIndex((one) => one === origin))]));
  return { documents: of('document'), settings: of('setting') };
}

describe('what holds for a method', () => {
  const target = parseTarget('order.PlaceOrder');
  const maxAttempts = (voices: Voices) => effectivePolicy(target, voices, NOW_MS).find(({ name }) => name === 'retries.maxAttempts');

  for (const [strength, origin] of ORDER.entries()) {
    it(`is what ${origin} says, over all that is weaker`, () => {
      expect(maxAttempts(voicesOf(ORDER.slice(strength)))).to.deep.equal({ name: 'retries.maxAttempts', value: 2 + strength, origin });
    });
  }

  it('is the default where nobody says anything', () => {
    expect(maxAttempts(voicesOf([]))).to.deep.equal({ name: 'retries.maxAttempts', value: 3, origin: 'default' });
  });

  it('is put together field by field', () => {
    const documents = new Map([['order', said({ retries: { maxAttempts: 5 } })], ['*', said({ retries: { baseMs: 10, maxAttempts: 9 }, hedging: { enabled: false } })]]);
    const numbers = effectivePolicy(target, { documents, settings: new Map() }, NOW_MS);
    const inShort = numbers.filter(({ origin }) => origin !== 'default').map(({ name, value, origin }) => `${name} ${String(value)} ${origin}`);
    expect(inShort).to.deep.equal(['retries.maxAttempts 5 document order', 'retries.baseMs 10 document *', 'hedging.enabled false document *']);
  });

  it('is not what has expired, from that millisecond on', () => {
    const voices = (expiresMs: number): Voices => ({ documents: new Map([['order', attempts(7, expiresMs)]]), settings: new Map([['*', attempts(4)]]) });
    expect(maxAttempts(voices(NOW_MS + 1))?.value).to.equal(7);
    expect(maxAttempts(voices(NOW_MS))?.value).to.equal(4);
  });

  it('lists of a method what can be set for a method, of a service everything', () => {
    const sections = (text: string) => new Set(effectivePolicy(parseTarget(text), voicesOf([]), NOW_MS).map(({ name }) => name.split('.')[0]));
    expect([...sections('order.PlaceOrder')]).to.deep.equal(['retries', 'hedging']);
    expect([...sections('order')]).to.deep.equal(Object.keys(SECTION_DEFAULTS));
  });
});

describe('numbers of different voices', () => {
  it('that contradict each other give way to the upper bound', () => {
    expect(mergeSection('retries', [{ origin: 'x', parts: { retries: { maxMs: 10 } } }])).to.include({ baseMs: 10, maxMs: 10 });
    expect(mergeSection('ejection', [{ origin: 'x', parts: { ejection: { baseMs: 70_000 } } }])).to.include({ baseMs: 60_000, maxMs: 60_000 });
    expect(mergeSection('admission', [{ origin: 'x', parts: { admission: { maxLimit: 4 } } }])).to.include({ minLimit: 4, initialLimit: 4, maxLimit: 4 });
    expect(mergeSection('admission', [{ origin: 'x', parts: { admission: { minLimit: 100 } } }])).to.include({ minLimit: 100, initialLimit: 100, maxLimit: 2_000 });
  });

  it('are in order whatever is said, and each is its strongest voice\'s where no bound stands against it', () => {
    const limit = fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined });
    const admission = fc.record({ minLimit: limit, initialLimit: limit, maxLimit: limit, maxQueued: limit }).map(defined);
    fc.assert(
      fc.property(fc.array(admission, { maxLength: 6 }), (parts) => {
        const layers = parts.map((part, index) => ({ origin: String(index), parts: { admission: part } }));
        const merged = mergeSection('admission', layers);
        expect(merged.minLimit).to.be.at.most(merged.initialLimit);
        expect(merged.initialLimit).to.be.at.most(merged.maxLimit);
        const first = (field: 'maxLimit' | 'maxQueued') => parts.find((part) => field in part)?.[field] ?? SECTION_DEFAULTS.admission[field];
        expect([merged.maxLimit, merged.maxQueued]).to.deep.equal([first('maxLimit'), first('maxQueued')]);
      }),
    );
  });

  it('cannot be changed by whoever reads them', () => {
    expect(Object.isFrozen(mergeSection('retries', []))).to.equal(true);
  });
});

describe('whose words count', () => {
  it('is told in the order in which they do', () => {
    expect(layersFor(parseTarget('order.PlaceOrder'), voicesOf(ORDER), NOW_MS).map(({ origin }) => origin)).to.deep.equal(ORDER);
    expect(layersFor(parseTarget('user'), voicesOf(ORDER), NOW_MS).map(({ origin }) => origin)).to.deep.equal(['document *', 'setting *']);
  });
});

function defined(part: Readonly<Record<string, number | undefined>>): Partial<Record<'minLimit' | 'initialLimit' | 'maxLimit' | 'maxQueued', number>> {
  return Object.fromEntries(Object.entries(part).filter((entry): entry is [string, number] => entry[1] !== undefined));
}
