import { expect } from 'chai';

import { cutPage, readPage } from '#kit';

import { refusalOf } from './support.ts';

/** What a store finds: entries after a key, one more than the page holds. */
const find = (all: readonly string[], size: number, after: string | undefined): string[] =>
  all.filter((key) => after === undefined || key > after).slice(0, size + 1);

describe('pages', () => {
  const all = Array.from({ length: 23 }, (_, index) => `user-${String(index).padStart(3, '0')}`);
  const key = (entry: string): string => entry;

  for (const size of [1, 2, 7, 22, 23, 24, 200]) {
    it(`of ${size} bring every entry once and in order, and then no token`, () => {
      const read: string[] = [];
      let token = '';
      let pages = 0;
      do {
        const page = readPage(size, token);
        const { entries, nextPageToken } = cutPage(find(all, page.size, page.after), page, key);
        expect(entries.length).to.be.at.most(size);
        read.push(...entries);
        token = nextPageToken;
        pages += 1;
      } while (token !== '');
      expect(read).to.deep.equal(all);
      expect(pages).to.equal(Math.ceil(all.length / size));
    });
  }

  it('hold 50 entries when the caller names no size', () => {
    expect(readPage(0, '')).to.deep.equal({ size: 50, after: undefined });
  });

  it('of nothing are empty and have no next one', () => {
    expect(cutPage([], readPage(10, ''), key)).to.deep.equal({ entries: [], nextPageToken: '' });
  });

  it('have tokens that say nothing to a reader and go into a URL as they are', () => {
    const { nextPageToken } = cutPage(['demo', 'other'], readPage(1, ''), key);
    expect(nextPageToken).to.match(/^[A-Za-z0-9_-]+$/).and.not.contain('demo');
  });

  for (const token of ['demo', 'ZGVtbw==', 'ZGVtbw ', '%%%', 'AAAA', Buffer.from("' OR 1=1").toString('base64url'), 'x'.repeat(256)]) {
    it(`refuse the token "${token.slice(0, 20)}", which was never given out`, () => {
      const refused = refusalOf(() => readPage(10, token));
      expect(refused).to.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_PAGE_TOKEN' });
      expect(refused.violations.map(({ field }) => field)).to.deep.equal(['page_token']);
    });
  }
});
