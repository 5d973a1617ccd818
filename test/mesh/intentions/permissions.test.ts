import { expect } from 'chai';

import type { HeaderMatch, IntentionPermission } from '#discovery';

import { permissionInWords } from '../../../mesh/intentions/in-words.ts';
import { createIntentions } from '../../../mesh/intentions/intentions.ts';
import { compilePattern, MAX_PATTERN_LENGTH } from '../../../mesh/intentions/pattern.ts';
import { intentionRequest } from '../../../mesh/intentions/request.ts';
import { header, intention, permission, request } from './intention.ts';

/** Whether `allow` of these conditions lets the call in. */
function fits(conditions: Partial<Omit<IntentionPermission, 'action'>>, line: string, headers: Record<string, string | string[]> = {}): boolean {
  return createIntentions([intention('a', 'b', [permission('allow', conditions)])], 'deny').check('a', 'b', request(line, headers)).allowed;
}

type PathCase = readonly [kind: 'exact' | 'prefix' | 'regex', value: string, fitting: readonly string[], others: readonly string[]];
const paths: readonly PathCase[] = [
  ['exact', '/v2/widgets', ['/v2/widgets', '/v2/widgets?page=2', '/v2/widgets#top'], ['/v2/widgets/', '/v2/widget', '/V2/widgets', '/v2/widgets%3fpage=2']],
  ['prefix', '/v2', ['/v2', '/v2/widgets', '/v2x'], ['/v1', '/V2', '', '/a/v2']],
  ['regex', '/v[12]/.+', ['/v1/a', '/v2/a/b', '/v2/a?x=/v9/'], ['/v3/a', '/v1/', 'x/v1/a', '/v1/a\nb']],
  ['regex', '/a|/b', ['/a', '/b'], ['/ab', '/a/b', '/ax']],
];

type HeaderCase = readonly [match: HeaderMatch, fitting: readonly (string | string[] | undefined)[], others: readonly (string | string[] | undefined)[]];
const headers: readonly HeaderCase[] = [
  [header('x-role', 'present'), ['staff', ''], [undefined]],
  [header('x-role', 'present', '', { invert: true }), [undefined], ['staff', '']],
  [header('x-role', 'exact', 'staff'), ['staff'], ['Staff', 'staff ', '', undefined, ['staff', 'root']]],
  // Envoy: what is not there fits nothing, inverted or not.
  [header('x-role', 'exact', 'staff', { invert: true }), ['guest', ''], ['staff', undefined]],
  [header('x-role', 'exact', 'Staff', { ignoreCase: true }), ['staff', 'STAFF'], ['staffs', undefined]],
  [header('x-role', 'prefix', 'st'), ['staff', 'st'], ['Staff', 'a st', undefined]],
  [header('x-role', 'prefix', 'ST', { ignoreCase: true }), ['Staff'], ['taff']],
  [header('x-role', 'suffix', 'ff'), ['staff'], ['staffs', 'stafF', undefined]],
  [header('x-role', 'suffix', 'FF', { ignoreCase: true, invert: true }), ['staffs'], ['staff', undefined]],
  [header('x-role', 'contains', 'taf'), ['staff', 'taf', ['a', 'staff']], ['sTaff', undefined]],
  [header('x-role', 'contains', 'TAF', { ignoreCase: true }), ['staff'], ['sta ff']],
  [header('x-role', 'regex', 'st.+f'), ['staff'], ['xstaff', 'staffs', undefined]],
  [header('x-role', 'regex', '(?i)STAFF'), ['staff'], ['staffs']],
  [header('x-role', 'regex', 'st.*', { invert: true }), ['guest'], ['staff', undefined]],
  [header('x-role', 'exact', 'staff,root'), [['staff', 'root'], 'staff,root'], [['root', 'staff']]],
  [header('X-Role', 'exact', 'staff'), ['staff'], ['guest']],
];

describe('a permission of an intention', () => {
  for (const [kind, value, fitting, others] of paths) {
    it(`for ${kind} path ${value} is for these calls and for no others`, () => {
      for (const path of fitting) expect(fits({ path: { kind, value } }, `POST ${path}`), path).to.equal(true);
      for (const path of others) expect(fits({ path: { kind, value } }, `POST ${path}`), path).to.equal(false);
    });
  }

  for (const [match, fitting, others] of headers) {
    it(`for ${permissionInWords(permission('allow', { headers: [match] })).slice('allow '.length)} is for these values and for no others`, () => {
      const holds = (value: string | string[] | undefined) => fits({ headers: [match] }, 'POST /a', value === undefined ? {} : { 'x-role': value });
      for (const value of fitting) expect(holds(value), String(value)).to.equal(true);
      for (const value of others) expect(holds(value), String(value)).to.equal(false);
    });
  }

  it('with a pattern for paths answers the same each time, and after more paths than it remembers', () => {
    const rules = createIntentions([intention('a', 'b', [permission('allow', { path: { kind: 'regex', value: '/[a-z]+' } })])], 'deny');
    const allowed = (path: string) => rules.check('a', 'b', request(`POST ${path}`)).allowed;
    const others = Array.from({ length: 600 }, (_, number) => `/${number}`);
    for (const path of ['/a', '/a', '/9', '/9', ...others, '/a', '/9', `/${'a'.repeat(1_000)}`]) expect(allowed(path), path).to.equal(!/\d/.test(path));
  });

  it('for methods is for these methods', () => {
    for (const [method, expected] of [['GET', true], ['PUT', true], ['POST', false], ['get', false]] as const) {
      expect(fits({ methods: ['GET', 'PUT'] }, `${method} /a`), method).to.equal(expected);
    }
  });

  it('knows path and method as the headers that HTTP/2 has for them', () => {
    expect(fits({ headers: [header(':path', 'prefix', '/a')] }, 'POST /a/b')).to.equal(true);
    expect(fits({ headers: [header(':method', 'exact', 'GET')] }, 'POST /a/b')).to.equal(false);
  });

  it('cannot ask for a header that services do not get to see: a deny by it would let everybody in', () => {
    const unseen = [':authority', ':scheme', 'Content-Type', 'te', 'grpc-timeout', 'grpc-encoding', 'grpc-accept-encoding', 'accept-encoding'];
    for (const name of unseen) {
      const rules = createIntentions([intention('a', 'b', [permission('deny', { headers: [header(name, 'present')] })])], 'allow');
      const verdict = rules.check('a', 'b', request('POST /a'));
      expect(verdict.allowed, name).to.equal(false);
      expect(verdict, name).to.have.nested.property('intention.rule.problem', `the header ${name.toLowerCase()} cannot be asked for: services do not get to see it`);
    }
  });

  it('holds for calls that fulfil all of its conditions only', () => {
    const all = { path: { kind: 'prefix', value: '/a' }, methods: ['POST'], headers: [header('x-role', 'exact', 'staff'), header('x-region', 'present')] } as const;
    const whole = { 'x-role': 'staff', 'x-region': 'eu' };
    expect(fits(all, 'POST /a', whole)).to.equal(true);
    expect(fits(all, 'POST /b', whole)).to.equal(false);
    expect(fits(all, 'GET /a', whole)).to.equal(false);
    expect(fits(all, 'POST /a', { 'x-role': 'staff' })).to.equal(false);
    expect(fits(all, 'POST /a', { ...whole, 'x-role': 'guest' })).to.equal(false);
  });

  it('reads bytes as they are on the wire', () => {
    const rules = createIntentions([intention('a', 'b', [permission('allow', { headers: [header('x-bin', 'exact', 'AQI,Aw')] })])], 'deny');
    const bytes = [Uint8Array.of(1, 2), Uint8Array.of(3)];
    expect(rules.check('a', 'b', intentionRequest('/a', { 'x-bin': bytes })).allowed).to.equal(true);
  });
});

describe('a pattern', () => {
  it('is one of RE2, and has to fit the whole text', () => {
    expect(compilePattern('a+')('aaa')).to.equal(true);
    expect(compilePattern('a+')('aaab')).to.equal(false);
    expect(compilePattern('\\pL{2}')('äö')).to.equal(true);
    for (const none of ['(', '(?=a)', '(a)\\1', 'a{1001}', '[z-a]', '(?<!a)b']) expect(() => compilePattern(none), none).to.throw(/is none of RE2/);
    expect(() => compilePattern('a'.repeat(MAX_PATTERN_LENGTH + 1))).to.throw(`its pattern has ${MAX_PATTERN_LENGTH + 1} characters`);
  });

  it('takes time by the length of the text only: a backtracking engine would not come back from this', () => {
    const text = `${'a'.repeat(20_000)}!`;
    for (const nested of ['(a+)+', '(a|a)*', '(.*)*b', '(a*)*(a*)*(a*)*b']) expect(compilePattern(nested)(text), nested).to.equal(false);
  });
});
