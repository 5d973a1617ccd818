export {
  openSimulatorDatabase,
  SIMULATOR_KEY,
  startStripeSimulator,
  STRIPE_SIMULATOR_SCHEMA,
  type StripeSimulator,
  type StripeSimulatorOptions,
} from './start.ts';
export { type LedgerEntry, readLedger } from './ledger.ts';
export { fromStripeAmount } from '../stripe-amount.ts';
