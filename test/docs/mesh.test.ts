import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';

import { parseTarget, readJsonObject, readPolicyDocument, readPolicySettings } from '#mesh';

import { SECTION_DEFAULTS } from '../../mesh/policy/sections.ts';
import { DOOR_LIMITS } from '../../mesh/server/door/limits.ts';

const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'mesh.md'), 'utf8');

describe('docs/mesh.md', () => {
  it('has every number that a policy sets, with its default, and no other', () => {
    const numbers = Object.entries(SECTION_DEFAULTS).flatMap(([section, fields]) =>
      Object.entries(fields).map(([field, value]) => [`${section}.${field}`, asShown(value)]),
    );
    expect(rows(/^\| `([a-z]+\.[A-Za-z]+)` \| ([^|]+?) \|/gm)).to.deep.equal(Object.fromEntries(numbers));
  });

  it('has every limit of the door, with its default, and no other', () => {
    const limits = Object.entries(DOOR_LIMITS).map(([name, limit]) => [name, inWords(name, limit)]);
    expect(rows(/^\| `([A-Za-z]+)` \| ([^|]+?) \|/gm)).to.deep.equal(Object.fromEntries(limits));
  });

  it('shows commands that are taken', () => {
    const commands = [...text.matchAll(/mesh policy set (?:'(\*)'|(\S+)) '([^']+)'/g)];
    expect(commands).to.have.length.above(10);
    for (const [, all, target = all, document = ''] of commands) {
      const { parts } = readPolicyDocument(parseTarget(target ?? ''), { owner: 'a test', ...readJsonObject(document) });
      expect(parts, target).to.not.deep.equal({});
    }
  });

  it('shows a setting that is taken', () => {
    const [, setting = ''] = /MESH_POLICY='([^']+)'/.exec(text) ?? [];
    expect([...readPolicySettings(setting).keys()]).to.deep.equal(['*', 'order.PlaceOrder']);
  });

  it('leads to sections that there are', () => {
    const sections = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => `#${title.toLowerCase().replaceAll(' ', '-')}`);
    const links = [...text.matchAll(/\]\((#[^)]+)\)/g)].map(([, link]) => link);
    expect(links).to.have.length.above(5);
    expect(sections).to.include.members(links);
  });
});

/** First and second column of the rows that a pattern finds. */
function rows(pattern: RegExp): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries([...text.matchAll(pattern)].map(([, name, value]) => [name, value]));
}

/** As `mesh policy show` has it. */
function asShown(value: unknown): string {
  if (value === Infinity) return 'none';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

type Limit = (typeof DOOR_LIMITS)[keyof typeof DOOR_LIMITS];

function inWords(name: string, limit: Limit): string {
  if (typeof limit === 'object') return `${limit.burst} in a row, then ${limit.perSecond} a second`;
  if (name.endsWith('Ms')) return limit % 60_000 === 0 ? `${limit / 60_000} min` : `${limit / 1_000} s`;
  if (/Bytes/.test(name)) return limit % 2 ** 20 === 0 ? `${limit / 2 ** 20} MB` : `${limit / 2 ** 10} KB`;
  return limit.toLocaleString('en-US');
}
