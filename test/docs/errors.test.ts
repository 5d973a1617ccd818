import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';

import { REASONS } from '#kit';

describe('the catalogue of errors', () => {
  it('has every reason of the code, with its code, and no other', () => {
    const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'errors.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| ([A-Z_]+) \|/gm)].map(([, reason, code]) => [reason, code]);
    expect(Object.fromEntries(rows)).to.deep.equal(REASONS);
  });
});
