import { expect } from 'chai';

import { databaseError } from '#database';
import { MeshError, refusal } from '#kit';

function serverError(code: string): Error {
  return Object.assign(new Error('as the server says it'), { code, severity: 'ERROR' });
}

function socketError(code: string): Error {
  return Object.assign(new Error('connect failed'), { code });
}

describe('database errors', () => {
  const cases: [string, unknown, string][] = [
    ['nobody listens', socketError('ECONNREFUSED'), 'unreachable'],
    ['no socket of that name', socketError('ENOENT'), 'unreachable'],
    ['an unknown host', socketError('ENOTFOUND'), 'unreachable'],
    ['a broken pipe, whose code looks like an SQLSTATE', socketError('EPIPE'), 'unreachable'],
    ['a connection that ends', new Error('Connection terminated unexpectedly'), 'unreachable'],
    ['a connection that takes too long', new Error('Connection terminated due to connection timeout'), 'unreachable'],
    ['an administrator who stops the server', serverError('57P01'), 'unreachable'],
    ['a server that crashes', serverError('57P02'), 'unreachable'],
    ['a server that starts', serverError('57P03'), 'unreachable'],
    ['a connection exception', serverError('08006'), 'unreachable'],
    ['no database of that name', serverError('3D000'), 'missing'],
    ['a wrong password', serverError('28P01'), 'refused'],
    ['a server with too many clients', serverError('53300'), 'crowded'],
    ['a pool with nothing free', new Error('timeout exceeded when trying to connect'), 'exhausted'],
    ['a full disk', serverError('53100'), 'full'],
    ['a statement that takes too long', serverError('57014'), 'slow'],
    ['a standby', serverError('25006'), 'readOnly'],
    ['a deadlock', serverError('40P01'), 'conflict'],
    ['a lock that another one holds too long', serverError('55P03'), 'conflict'],
    ['a closed pool', new Error('Cannot use a pool after calling end on the pool'), 'closed'],
  ];

  for (const [what, thrown, trouble] of cases) {
    it(`${what}: DATABASE_UNAVAILABLE (${trouble})`, () => {
      const error = databaseError(thrown);
      expect([error.code, error.reason]).to.deep.equal(['UNAVAILABLE', 'DATABASE_UNAVAILABLE']);
      expect(error.metadata).to.deep.equal({ trouble });
      expect(error.cause).to.equal(thrown);
    });
  }

  for (const code of ['XX001', 'XX002']) {
    it(`damaged files (${code}): DATABASE_DAMAGED`, () => {
      const error = databaseError(serverError(code), 'db.example:5432/shop');
      expect([error.code, error.reason]).to.deep.equal(['DATA_LOSS', 'DATABASE_DAMAGED']);
      expect(error.message).to.contain('db.example:5432/shop').and.contain('backup');
    });
  }

  it('says which database it was, where that is known', () => {
    expect(databaseError(serverError('53100'), 'db.example:5432/shop').message).to.contain('the database db.example:5432/shop');
    expect(databaseError(serverError('53100')).message).to.contain('the disk of the database is full');
  });

  it('leaves the rest INTERNAL, with its cause and without its words', () => {
    for (const thrown of [serverError('22P02'), new TypeError('oops')]) {
      const error = databaseError(thrown);
      expect([error.code, error.reason, error.cause]).to.deep.equal(['INTERNAL', 'INTERNAL', thrown]);
      expect(error.message).not.to.match(/oops|server says/);
    }
  });

  it('passes a MeshError on as it is', () => {
    const error = refusal('OUT_OF_STOCK', 'none left');
    expect(databaseError(error)).to.equal(error);
    expect(error).to.be.instanceOf(MeshError);
  });
});
