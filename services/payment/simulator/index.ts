export {
  openSimulatorDatabase,
  SIMULATOR_KEY,
  startStripeSimulator,
  STRIPE_SIMULATOR_SCHEMA,
  type StripeSimulator,
  type StripeSimulatorOptions,
} from './start.ts';
export { type Faults, readFaults } from './faults.ts';
export { readWebhookTarget, type WebhookTarget } from './webhook-target.ts';
export { signatureOf } from './webhook-sender.ts';
export { type LedgerEntry, ledgerOfNobody, ledgerOfOrders, ordersInLedger, readLedger } from './ledger.ts';
export { fromStripeAmount } from '../stripe-amount.ts';
