import { expect } from 'chai';
import fc from 'fast-check';

import type { Intention, IntentionAction } from '#discovery';

import { verdictInWords } from '../../../mesh/intentions/in-words.ts';
import { createIntentions } from '../../../mesh/intentions/intentions.ts';
import { intentionRequest } from '../../../mesh/intentions/request.ts';
import { intention, permission, request } from './intention.ts';

const charge = intentionRequest('/shop.payment.v1.PaymentService/Charge', {});
const refund = intentionRequest('/shop.payment.v1.PaymentService/Refund', {});

function mayCall(intentions: readonly Intention[], source: string, destination: string, byDefault: IntentionAction = 'deny', call = charge): boolean {
  return createIntentions(intentions, byDefault).check(source, destination, call).allowed;
}

describe('intentions', () => {
  it('leave what none fits to the default', () => {
    for (const byDefault of ['allow', 'deny'] as const) {
      expect(mayCall([], 'order', 'payment', byDefault)).to.equal(byDefault === 'allow');
      expect(mayCall([intention('order', 'stock', 'allow'), intention('web', 'payment', 'deny')], 'order', 'payment', byDefault)).to.equal(byDefault === 'allow');
    }
  });

  it('say who decided', () => {
    const words = (rules: readonly Intention[], call = charge) => verdictInWords(createIntentions(rules, 'deny').check('order', 'payment', call));
    expect(words([])).to.equal('the default, deny: no intention fits');
    expect(words([intention('*', 'payment', 'deny')])).to.equal('* => payment (precedence 8)');
    const charges = intention('order', 'payment', [permission('deny', { methods: ['GET'] }), permission('allow', { path: { kind: 'exact', value: charge.path } })]);
    expect(words([charges])).to.equal('order => payment (precedence 9), permission 2');
    expect(words([charges], refund)).to.equal('the default, deny: no permission of order => payment fits');
  });

  const ordered: readonly (readonly [source: string, destination: string, precedence: number])[] = [
    ['order', 'payment', 9],
    ['*', 'payment', 8],
    ['order', '*', 6],
    ['*', '*', 5],
  ];
  for (const [rank, [source, destination, precedence]] of ordered.entries()) {
    it(`give ${source} => ${destination} precedence ${precedence}: it goes before all that are weaker`, () => {
      const [strong, weaker] = [intention(source, destination, 'allow'), ordered.slice(rank + 1).map(([from, to]) => intention(from, to, 'deny'))];
      expect(strong.precedence).to.equal(precedence);
      for (const rules of [[strong, ...weaker], [...weaker.toReversed(), strong]]) {
        expect(mayCall(rules, 'order', 'payment')).to.equal(true);
        expect(createIntentions(rules, 'deny').applying('order', 'payment')).to.deep.equal([strong, ...weaker]);
      }
    });
  }

  it('decide for any set of them as a scan by precedence would, in whatever order they come', () => {
    const name = fc.constantFrom('*', 'a', 'b', 'c');
    const rule = fc.record({ source: name, destination: name, action: fc.constantFrom('allow', 'deny') });
    const rules = fc.uniqueArray(rule, { maxLength: 16, selector: ({ source, destination }) => `${source} ${destination}` });
    const question = fc.record({ source: fc.constantFrom('a', 'b', 'c', 'd'), destination: fc.constantFrom('a', 'b', 'c', 'd') });
    fc.assert(
      fc.property(rules, question, fc.boolean(), (drawn, { source, destination }, byDefault) => {
        const fitting = drawn.filter((each) => ['*', source].includes(each.source) && ['*', destination].includes(each.destination));
        // As Consul words it: the destination counts more than the source, a name more than the wildcard.
        const strength = (each: (typeof drawn)[number]) => (each.destination === '*' ? 0 : 2) + (each.source === '*' ? 0 : 1);
        const [strongest] = fitting.toSorted((one, other) => strength(other) - strength(one));
        const expected = strongest ? strongest.action === 'allow' : byDefault;
        const set = drawn.map((each) => intention(each.source, each.destination, each.action as IntentionAction));
        expect(mayCall(set, source, destination, byDefault ? 'allow' : 'deny')).to.equal(expected);
      }),
      { seed: 7, numRuns: 2_000 },
    );
  });

  it('let the first permission decide that fits', () => {
    const rules = [
      intention('order', 'payment', [
        permission('deny', { path: { kind: 'exact', value: refund.path } }),
        permission('allow', { path: { kind: 'prefix', value: '/shop.payment.v1.PaymentService/' } }),
        permission('allow', { path: { kind: 'exact', value: refund.path } }),
      ]),
    ];
    expect(mayCall(rules, 'order', 'payment', 'deny', charge)).to.equal(true);
    expect(mayCall(rules, 'order', 'payment', 'allow', refund)).to.equal(false);
  });

  it('leave a call that no permission fits to the default, and not to a weaker intention', () => {
    const rules = [intention('order', 'payment', [permission('allow', { path: { kind: 'exact', value: refund.path } })]), intention('*', 'payment', 'allow'), intention('*', '*', 'allow')];
    expect(mayCall(rules, 'order', 'payment', 'deny', charge)).to.equal(false);
    expect(mayCall(rules, 'order', 'payment', 'allow', charge)).to.equal(true);
    expect(mayCall(rules, 'web', 'payment', 'deny', charge)).to.equal(true);
  });

  it('say nothing about callers from here when their source is elsewhere', () => {
    const foreign = intention('order', 'payment', 'allow', { elsewhere: 'peer east' });
    expect(mayCall([foreign], 'order', 'payment')).to.equal(false);
    const { elsewhere: _, ...here } = foreign;
    expect(mayCall([here], 'order', 'payment'), 'taken for one from here it would let the caller in').to.equal(true);
  });

  it('take the stronger of two of the same names, which only namespaces can have', () => {
    const rules = [intention('*', 'payment', 'allow', { precedence: 7 }), intention('*', 'payment', 'deny', { precedence: 8 })];
    expect(mayCall(rules, 'order', 'payment', 'allow')).to.equal(false);
  });

  it('deny where one cannot be used, whatever the default and the weaker ones say', () => {
    const jwt = intention('order', 'payment', { kind: 'unusable', problem: 'it asks for a JWT' });
    const rules = [jwt, intention('*', 'payment', 'allow')];
    expect(mayCall(rules, 'order', 'payment', 'allow')).to.equal(false);
    expect(verdictInWords(createIntentions(rules, 'allow').check('order', 'payment', charge))).to.equal('order => payment (precedence 9), which cannot be used and so denies: it asks for a JWT');
  });

  it('deny where a pattern cannot be used: passed over, its denial would let the caller in', () => {
    const unusable = permission('deny', { path: { kind: 'regex', value: '(' } });
    const everything = permission('allow', { path: { kind: 'prefix', value: '/' } });
    const rules = [intention('order', 'payment', [unusable, everything])];
    expect(mayCall(rules, 'order', 'payment', 'allow')).to.equal(false);
    expect(verdictInWords(createIntentions(rules, 'allow').check('order', 'payment', charge))).to.match(/which cannot be used and so denies: its pattern "\(" is none of RE2: /);
    expect(mayCall([intention('order', 'payment', [everything])], 'order', 'payment', 'deny')).to.equal(true);
  });

  it('know services whose names are those of an object\'s own fields', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(mayCall([], name, name)).to.equal(false);
      expect(mayCall([intention(name, name, 'allow')], name, name)).to.equal(true);
      expect(createIntentions([], 'deny').check('a', 'b', request(`GET /${name}`)).allowed).to.equal(false);
    }
  });
});
