import { expect } from 'chai';

import type { BooksReport } from '../../cli/books/compare-books.ts';
import { renderReport, reportForPrograms } from '../../cli/books/render-report.ts';
import { createTally } from '../../cli/books/tally.ts';

describe('the report of mesh doctor books', () => {
  it('shows no control character of an id that somebody chose, and gives programs the id itself', () => {
    const id = 'o-1\u001b[2J\u009b31m\n';
    const tally = createTally(10);
    tally.add([{ kind: 'not captured', about: 'order', id, says: 'was not captured', fails: true }]);
    const report: BooksReport = { agree: false, orders: { confirmed: 1, failed: 0, cancelled: 0, moving: 0 }, products: 1, totals: [], checks: tally.results() };
    expect(renderReport(report, true)).to.include('\n  order o-1·[2J·31m· was not captured').and.not.match(/[^\P{Cc}\n]/u);
    expect(reportForPrograms(report, true)).to.have.nested.property('checks[0].listed[0].id', id);
  });
});
