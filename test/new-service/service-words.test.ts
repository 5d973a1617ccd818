import { expect } from 'chai';

import { MeshError } from '#kit';

import { RESERVED_IN_SQL } from '../../cli/new/reserved-words.ts';
import { readServiceWords } from '../../cli/new/service-words.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase } from '../database/postgres-fixture.ts';

function refusalOf(name: string, plural?: string): string {
  try {
    readServiceWords(name, plural);
  } catch (thrown) {
    if (thrown instanceof MeshError && thrown.reason === 'INVALID_ARGUMENT') return thrown.message;
    throw thrown;
  }
  expect.fail(`${name} was taken`);
}

describe('the name of a new service', () => {
  const plurals = { review: 'reviews', category: 'categories', survey: 'surveys', tax: 'taxes', branch: 'branches', status: 'statuses', address: 'addresses' };
  for (const [name, plural] of Object.entries(plurals)) {
    it(`${name} has the plural ${plural}`, () => {
      expect(readServiceWords(name)).to.deep.equal({ singular: name, plural });
    });
  }

  it('has any other plural by --plural', () => {
    expect(readServiceWords('person', 'people')).to.deep.equal({ singular: 'person', plural: 'people' });
    expect(refusalOf('analytics')).to.include('"analytics" looks like a plural');
    expect(readServiceWords('analytics', 'reports')).to.deep.equal({ singular: 'analytics', plural: 'reports' });
  });

  const refused: readonly { readonly name: string; readonly plural?: string; readonly says: string }[] = [
    { name: 'gift-card', says: '"gift-card" cannot name a service: it must be 2 to 30 lower-case letters, such as giftcard' },
    { name: 'gift_card', says: 'such as giftcard' },
    { name: 'Review', says: 'such as review' },
    { name: 'review2', says: 'such as review' },
    { name: '../review', says: 'such as review' },
    { name: '', says: '"" cannot name a service' },
    { name: 'x', says: '2 to 30 lower-case letters, for it is also a package' },
    { name: 'x'.repeat(31), says: '2 to 30 lower-case letters' },
    { name: 'class', plural: 'classes', says: '"class" cannot name a service: it is a word of TypeScript' },
    { name: 'constructor', says: 'a word of TypeScript' },
    { name: 'message', says: 'a word of protobuf' },
    { name: 'google', says: 'a word of protobuf' },
    { name: 'gateway', says: 'a word of shopmesh' },
    { name: 'mesh', says: 'a word of shopmesh' },
    { name: 'event', says: 'Event is a name of JavaScript\'s own' },
    { name: 'reference', says: '"references" cannot be the plural of reference (--plural sets another one): it is a word of SQL' },
    { name: 'review', plural: 'Reviews', says: '"Reviews" cannot be the plural of review (--plural sets another one): it must be 2 to 30 lower-case letters, such as reviews' },
    { name: 'news', plural: 'news', says: 'it is the name itself' },
  ];
  for (const { name, plural, says } of refused) {
    it(`is not ${name === '' ? 'empty' : name}${plural ? `, of which several are ${plural}` : ''}`, () => {
      expect(refusalOf(name, plural)).to.include(says);
    });
  }

  describe('and the words of SQL', () => {
    it('are those that Postgres takes for a table only in quotes', async function () {
      this.timeout(20_000);
      const place = await createTestDatabase();
      const database = openTestDatabase({ url: place.url });
      const listed = await database.query<{ word: string }>({ name: 'keywords', text: `SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')` }, []);
      await database.stop();
      await place.drop();
      expect([...RESERVED_IN_SQL]).to.have.members(listed.map(({ word }) => word));
    });
  });
});
