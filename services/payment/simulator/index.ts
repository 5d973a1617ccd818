export {
  openSimulatorDatabase,
  SIMULATOR_KEY,
  startStripeSimulator,
  STRIPE_SIMULATOR_SCHEMA,
  type StripeSimulator,
  type StripeSimulatorOptions,
} from './start.ts';
export { type LedgerEntry, ledgerOfNobody, ledgerOfOrders, ordersInLedger, readLedger } from './ledger.ts';
export { fromStripeAmount } from '../stripe-amount.ts';
