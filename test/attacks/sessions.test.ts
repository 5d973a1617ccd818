import { useAccounts } from '../user/accounts/accounts-bench.ts';
import { proveAttacks } from './prove-attacks.ts';
import { sessionAttacks } from './rows/sessions.ts';

describe('attacks on accounts and sessions:', function () {
  this.timeout(20_000);
  proveAttacks(sessionAttacks(useAccounts()));
});
