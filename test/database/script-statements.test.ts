import { expect } from 'chai';

import { scriptStatements } from '../../database/script-statements.ts';

describe('the statements of a script', () => {
  for (const [what, script, statements] of [
    ['are told apart by semicolons', 'SELECT 1; SELECT 2', ['SELECT 1', 'SELECT 2']],
    ['are none where nothing is', ' ;\n-- nothing; at all\n/* nor; here */;', []],
    ['may have semicolons in a text', `SELECT 'a;b', 'it''s; so'; SELECT 2`, [`SELECT 'a;b', 'it''s; so'`, 'SELECT 2']],
    ['may have a backslash before a quote', String.raw`SELECT E'a\';b'; SELECT 'c\'; SELECT 3`, [String.raw`SELECT E'a\';b'`, String.raw`SELECT 'c\'`, 'SELECT 3']],
    ['may have semicolons in a name', 'SELECT "a;""b"; SELECT 2', ['SELECT "a;""b"', 'SELECT 2']],
    ['may have semicolons in a body', 'DO $$ BEGIN; END $$; SELECT $a$ $$; $a$; SELECT 3', ['DO $$ BEGIN; END $$', 'SELECT $a$ $$; $a$', 'SELECT 3']],
    ['may have semicolons in a comment', 'SELECT 1 -- one; only\n + 1; SELECT 2', ['SELECT 1 -- one; only\n + 1', 'SELECT 2']],
    ['may use parameters and dollars in names', 'SELECT $1; SELECT a$b; SELECT 3', ['SELECT $1', 'SELECT a$b', 'SELECT 3']],
  ] as const) {
    it(what, () => {
      expect(scriptStatements(script).map(({ text }) => text)).to.deep.equal(statements);
    });
  }

  it('have the line on which they begin, after what is said about them', () => {
    const script = '-- The first\nSELECT 1;\n\n-- The second,\n-- at length\nSELECT\n  2;';
    expect(scriptStatements(script)).to.deep.equal([
      { line: 2, text: 'SELECT 1' },
      { line: 6, text: 'SELECT\n  2' },
    ]);
  });
});
