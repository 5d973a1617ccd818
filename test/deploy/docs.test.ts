import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';

import { REASONS } from '#kit';

import { SETTINGS } from '../../cli/settings.ts';
import { composeText, OTHERS_VARIABLES, projectRoot, PUBLISHED, variablesOf } from './compose-file.ts';

describe('docs/deploy.md', () => {
  const text = readFileSync(join(projectRoot, 'docs/deploy.md'), 'utf8');

  it('names settings that there are', () => {
    const named = [...new Set([...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name = '']) => name))];
    const known = [...Object.keys(SETTINGS), ...Object.keys(OTHERS_VARIABLES['postgres'] ?? {}), ...Object.keys(REASONS)];
    expect(named).to.include.members(variablesOf(composeText));
    expect(known).to.include.members(named);
  });

  it('lists the doors that the file opens', () => {
    const listed = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, port]) => port);
    const published = Object.values(PUBLISHED).flat().map((entry) => entry.split(':').at(-1));
    expect(listed).to.have.members(published);
  });
});
